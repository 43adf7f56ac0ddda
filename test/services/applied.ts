/**
 * The smallest thing that does what a kind of service wants: gathers its facts, writes its files, installs a pair, runs
 * its actions. The real one is the agent; this one has nothing in between that could hide a mistake of the kind.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setMarkedBlock } from '../../src/core/services/marked-block.ts';
import type {
  Action,
  Desired,
  Facts,
  InstalledPart,
  ServiceKind,
  Trust,
} from '../../src/core/services/service-kind.ts';
import type { ServiceSpec } from '../../src/core/stack/stack.ts';
import { redisCommands } from '../../src/edge/reload/redis-commands.ts';
import { NAMES, type TestPair } from './test-authority.ts';

export const IS_ROOT = process.getuid?.() === 0;

export function serviceSpec(kind: ServiceKind, port: number, overrides: Partial<ServiceSpec>): ServiceSpec {
  return {
    name: 'svc',
    kind: kind.name,
    names: NAMES,
    address: { host: '127.0.0.1', port },
    issuer: 'internal',
    lifetimeSeconds: 3600,
    key: 'ecdsa-p256',
    tls: 'intermediate',
    clients: { kind: 'none' },
    reload: null,
    restart: null,
    runAs: null,
    settings: {},
    ...overrides,
  };
}

export interface Applied {
  readonly desired: Desired;
  /** Whether any file of the configuration was changed. */
  readonly changed: boolean;
}

/** Configuration on disk as the kind wants it; nothing is run. */
export function configure(kind: ServiceKind, service: ServiceSpec, trust: Partial<Trust> = {}): Applied {
  const facts = gather(kind, service);
  assert.equal(kind.impossible(service) ?? kind.unsupported(service, facts), null);
  const desired = kind.desired(service, facts, { verifyClients: service.clients.kind !== 'none', ...trust });
  let changed = false;
  for (const change of desired.configuration) {
    const before = readIfThere(change.path);
    const after =
      change.kind === 'own-file'
        ? change.content
        : setMarkedBlock(before ?? '', service.name, change.lines, change) || before;
    if (before === after) continue;
    changed = true;
    writeOrRemove(change.path, after, change.mode);
  }
  return { desired, changed };
}

/** As `apply --remove`: blocks and own files out, then the kind is told. */
export async function remove(kind: ServiceKind, service: ServiceSpec): Promise<void> {
  const { desired } = configure(kind, service);
  for (const change of desired.configuration) {
    const before = readIfThere(change.path);
    if (before === null) continue;
    const after = change.kind === 'own-file' ? null : setMarkedBlock(before, service.name, null, change);
    if (before !== after) writeOrRemove(change.path, after, change.mode);
  }
  const action = desired.removal ?? desired.restart ?? desired.reload;
  if (action) assert.deepEqual(await run(action), { ok: true, output: '' });
}

let versions = 0;

/** A new version, and `current` names it by one rename. `parts` in place of the pair's own make it a broken one. */
export function install(desired: Desired, pair: TestPair, parts: Partial<TestPair> = {}): void {
  const { directory, files, owner, copies } = desired.install;
  const version = join(directory, 'versions', String(++versions));
  for (const path of [directory, join(directory, 'versions'), version]) {
    if (existsSync(path)) continue;
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (IS_ROOT) chownSync(path, owner.uid, owner.gid);
  }
  const content: Record<InstalledPart, string> = { ...pair, ...parts };
  for (const file of files) {
    const path = join(version, file.name);
    writeFileSync(path, file.content.map((part) => content[part]).join(''), { mode: file.mode });
    if (IS_ROOT) chownSync(path, owner.uid, owner.gid);
  }
  const beside = join(directory, '.current.new');
  rmSync(beside, { force: true });
  symlinkSync(version, beside);
  renameSync(beside, join(directory, 'current'));
  for (const { file, to, mode } of copies) {
    copyFileSync(join(version, file), `${to}.new`);
    chmodSync(`${to}.new`, mode);
    if (IS_ROOT) chownSync(`${to}.new`, owner.uid, owner.gid);
    renameSync(`${to}.new`, to);
  }
}

export interface Outcome {
  readonly ok: boolean;
  /** Empty when it is good. */
  readonly output: string;
}

export async function run(action: Action): Promise<Outcome> {
  switch (action.kind) {
    case 'command':
      return runProgram(action.argv[0] ?? '', action.argv.slice(1));
    case 'shell':
      return runProgram('/bin/sh', ['-c', action.command]);
    case 'signal':
      process.kill(Number(readFileSync(action.pidFile, 'utf8').split('\n', 1)[0]), action.signal);
      return { ok: true, output: '' };
    case 'redis':
      return redisCommands(action);
  }
}

/** What a command prints, without the last line ending. */
export function output(action: Action): string {
  assert.equal(action.kind, 'command');
  const [program = '', ...args] = action.kind === 'command' ? action.argv : [];
  return spawnSync(program, args, { encoding: 'utf8' }).stdout.trimEnd();
}

/** Check and reload, both of which must go well. */
export async function take({ check, reload }: Desired): Promise<void> {
  for (const action of [check, reload]) {
    if (action) assert.deepEqual(await run(action), { ok: true, output: '' });
  }
}

function runProgram(program: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  const ok = status === 0;
  return { ok, output: ok ? '' : `${error?.message ?? ''}${stdout}${stderr}` };
}

export function gather(kind: ServiceKind, service: ServiceSpec): Facts {
  const wanted = kind.facts(service);
  const users = service.runAs === null ? kind.users : [service.runAs];
  return {
    files: Object.fromEntries(wanted.files.map((path) => [path, readIfThere(path)])),
    version: wanted.version && versionOf(wanted.version),
    openssl: versionOf(['openssl', 'version']),
    ...account(users),
  };
}

function versionOf([program = '', ...args]: readonly string[]): string | null {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? null;
}

/** Only root can be for several users. */
export function account(users: readonly string[]): Pick<Facts, 'user' | 'uid' | 'gid'> {
  const passwd = readFileSync('/etc/passwd', 'utf8').split('\n');
  const entries = passwd.map((line) => line.split(':'));
  const found = IS_ROOT ? users.flatMap((user) => entries.filter(([name]) => name === user)) : [];
  const [entry] = found.length > 0 ? found : entries.filter(([, , uid]) => Number(uid) === process.getuid?.());
  return { user: entry?.[0] ?? '', uid: Number(entry?.[2]), gid: Number(entry?.[3]) };
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function writeOrRemove(path: string, text: string | null, mode: number): void {
  if (text === null) rmSync(path, { force: true });
  else writeFileSync(path, text, existsSync(path) ? {} : { mode });
}
