/** Runs the command line on a state and watches what it does to it, and that it tells nobody a secret. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { OPERATOR_FAULTS, type OperatorFaultCode } from '../../src/core/faults/operator-faults.ts';
import { LAUNCHER } from '../servers/fullchain.ts';

/** Words that run as another user, at another time, or under another limit. */
export interface RunOptions {
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(args: readonly string[], { prefix = [], env = {} }: RunOptions = {}): Ended {
  const [command = '', ...rest] = [...prefix, process.execPath, LAUNCHER, ...args];
  const { status, stdout, stderr } = spawnSync(command, rest, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    timeout: 20_000,
  });
  tellsNoSecret(`${stdout}${stderr}`);
  return { status, stdout, stderr };
}

/** No output of any program of ours carries a private key. */
export function tellsNoSecret(output: string, secrets: readonly string[] = []): void {
  assert.doesNotMatch(output, /PRIVATE KEY/);
  for (const secret of secrets) assert.ok(!output.includes(secret), 'a password is in the output');
}

export interface ShownFault {
  readonly code: OperatorFaultCode;
  readonly what: string;
  readonly remedy: { readonly text: string; readonly command: string };
}

/** The fault that a run ended in, with everything that a fault has to have. */
export function faultOf(args: readonly string[], options: RunOptions = {}): ShownFault {
  const { status, stdout, stderr } = run([...args, '--json'], options);
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  const { ok, error } = JSON.parse(stdout) as { ok: boolean; error: ShownFault };
  assert.equal(ok, false);
  assert.equal(status, OPERATOR_FAULTS[error.code].exit);
  assert.ok(error.what.length > 10 && error.remedy.text.length > 10);
  assert.match(error.remedy.command, /^[a-z]/);
  assert.doesNotMatch(error.remedy.command, /\{\w+\}/, 'the command can be pasted');
  return error;
}

/** The same as a person sees it: on standard error, with the next command, and no stack. */
export function shownToPerson(args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = run(args, options);
  assert.ok(status === 1 || status === 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^error: .+ \([a-z-]+\)\n {7}\S.*\n {2}next: \S.*\n$/);
  return stderr;
}

/** Every file and directory below, with mode, size and content: what must be the same when nothing was touched. */
export function treeOf(directory: string): Readonly<Record<string, string>> {
  const names = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort() : [];
  return Object.fromEntries(
    ['.', ...names].map((name) => {
      const path = join(directory, name);
      const { mode, uid, size } = lstatSync(path);
      const kind = lstatSync(path).isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : 'directory';
      return [name, `${(mode & 0o7777).toString(8)} ${uid} ${lstatSync(path).isFile() ? size : ''} ${kind}`];
    }),
  );
}

/** An initialised state directory, made once for a file of tests; each gets a copy. */
export function soundState(): { readonly copy: (t: TestContext) => string; readonly remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-sound-'));
  const sound = join(directory, 'state');
  const made = run(['ca', 'init', '--state', sound]);
  assert.equal(made.status, 0, made.stderr);
  return {
    copy(t) {
      const scratch = mkdtempSync(join(tmpdir(), 'fullchain-state-'));
      t.after(() => rmSync(scratch, { recursive: true, force: true }));
      const state = join(scratch, 'state');
      cpSync(sound, state, { recursive: true });
      chmodSync(state, 0o700);
      return state;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
