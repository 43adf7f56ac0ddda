/** Facts about this host that decide what a service's configuration may say. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Facts } from '../../core/services/service-kind.ts';
import type { HostPorts } from '../../flow/agent/agent-ports.ts';
import { monotonicMs } from './clock.ts';

/** @throws OperatorFault input-unreadable, user-unknown */
export const hostFacts: HostPorts['facts'] = async (wanted, users) => {
  const files = Object.fromEntries(wanted.files.map((path) => [path, readIfThere(path)]));
  return {
    files,
    version: wanted.version && programVersion(wanted.version),
    openssl: programVersion(['openssl', 'version']),
    ...(wanted.owner === undefined ? account(users) : declaredOwner(wanted.owner)),
  };
};

/** A program is asked again after this: packages are upgraded under a running agent. */
const KNOWN_FOR_MS = 60_000;

const known = new Map<string, { readonly version: string | null; readonly until: number }>();

/** The first "1.22.1"-like number that the command prints, on either stream. */
function programVersion(argv: readonly string[]): string | null {
  const key = argv.join('\0');
  const found = known.get(key);
  if (found !== undefined && monotonicMs() < found.until) return found.version;
  const [program = '', ...args] = argv;
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 5000 });
  const version = /\d+(?:\.\d+)+/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[0] ?? null;
  known.set(key, { version, until: monotonicMs() + KNOWN_FOR_MS });
  return version;
}

type Account = Pick<Facts, 'user' | 'uid' | 'gid'>;

/** The first of the users that this host has; the present one when none is named, and where files cannot be given away. */
function account(users: readonly string[]): Account {
  const own = process.getuid?.() ?? 0;
  const candidates = own === 0 ? users : [];
  for (const user of candidates) {
    const found = accountNamed(user);
    if (found) return found;
  }
  if (candidates.length > 0) throw unknownUser(candidates.join(' or '));
  return { user: String(own), uid: own, gid: process.getgid?.() ?? 0 };
}

/** Only root gives files away. */
function declaredOwner(owner: string): Account & Pick<Facts, 'ownerOutOfReach'> {
  const [own, ownGroup] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const named = namedOwner(owner);
  if (own === 0 || (named.uid === own && named.gid === ownGroup)) return named;
  return { user: String(own), uid: own, gid: ownGroup, ownerOutOfReach: owner };
}

/** "user" or "user:group", each a name or a number. @throws OperatorFault user-unknown */
function namedOwner(owner: string): Account {
  const [user = '', group] = owner.split(':');
  const uid = Number(user);
  const found = /^\d+$/.test(user) ? { user, uid, gid: uid } : accountNamed(user);
  if (!found) throw unknownUser(user);
  if (group === undefined) return found;
  const gid = /^\d+$/.test(group) ? group : entryOf('group', group)?.[2];
  if (gid === undefined) throw unknownUser(`group ${group}`);
  return { ...found, gid: Number(gid) };
}

function accountNamed(user: string): Account | null {
  const entry = entryOf('passwd', user);
  return entry ? { user, uid: Number(entry[2]), gid: Number(entry[3]) } : null;
}

/** From the file, else from whatever else this host asks (LDAP, systemd). */
function entryOf(database: 'passwd' | 'group', name: string): string[] | null {
  const lines = readFileSync(`/etc/${database}`, 'utf8').split('\n');
  const line = lines.find((one) => one.startsWith(`${name}:`));
  if (line !== undefined) return line.split(':');
  const { stdout, status } = spawnSync('getent', [database, '--', name], { encoding: 'utf8', timeout: 5000 });
  return status === 0 ? stdout.trim().split(':') : null;
}

function unknownUser(user: string): OperatorFault {
  return new OperatorFault('user-unknown', `this host has no user ${user}`, { user });
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
