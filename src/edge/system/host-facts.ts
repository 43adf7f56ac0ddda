/** Facts about this host that decide what a service's configuration may say. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Facts } from '../../core/services/service-kind.ts';
import type { HostPorts } from '../../flow/agent/agent-ports.ts';

/** @throws OperatorFault input-unreadable, user-unknown */
export const hostFacts: HostPorts['facts'] = async (wanted, users) => {
  const files = Object.fromEntries(wanted.files.map((path) => [path, readIfThere(path)]));
  return {
    files,
    version: wanted.version && programVersion(wanted.version),
    openssl: programVersion(['openssl', 'version']),
    ...account(users),
  };
};

/** The first "1.22.1"-like number that the command prints, on either stream. */
function programVersion([program = '', ...args]: readonly string[]): string | null {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 5000 });
  return /\d+(?:\.\d+)+/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0] ?? null;
}

/** The first of the users that this host has; the present one when none is named. */
function account(users: readonly string[]): Pick<Facts, 'user' | 'uid' | 'gid'> {
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const user of users) {
    const entry = entries.find(([name]) => name === user);
    if (entry) return { user, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  const uid = process.getuid?.() ?? 0;
  const own = entries.find((entry) => Number(entry[2]) === uid);
  if (users.length === 0 || uid !== 0) return { user: own?.[0] ?? String(uid), uid, gid: process.getgid?.() ?? 0 };
  throw new OperatorFault('user-unknown', `this host has no user ${users.join(' or ')}`, { user: users[0] ?? '' });
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT') return null;
    throw new OperatorFault('input-unreadable', `${path} cannot be read (${code})`, { path }, cause);
  }
}
