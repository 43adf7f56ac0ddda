/**
 * A step of a rotation, in a process that kills itself before the N-th change that it makes to the state:
 *
 *   node dying-rotation.ts STATE intermediate|prepare|activate|retire N
 *
 * Prints the number of changes.
 */
import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const [state = '', step = '', at = '0'] = process.argv.slice(2);
let changes = 0;

function change(path: string): void {
  if (path.startsWith(state) && ++changes === Number(at)) process.kill(process.pid, 'SIGKILL');
}

/** Every call that changes something counts; the first argument is the path, or flags tell that nothing changes. */
for (const name of ['mkdirSync', 'openSync', 'linkSync', 'renameSync', 'unlinkSync', 'rmSync', 'chmodSync'] as const) {
  const call = fs[name] as (...args: readonly unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: readonly unknown[]): unknown => {
      if (name !== 'openSync' || String(args[1]).startsWith('w')) change(String(args[0]));
      return call(...args);
    },
  });
}
syncBuiltinESMExports();

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql: string): void {
  // Reading is no change.
  if (/^\s*(?:BEGIN|COMMIT)/i.test(sql)) change(state);
  exec.call(this, sql);
};

// Only now, so that they see the watched calls.
const { rotateIntermediate } = await import('../../src/app/programs/rotate-intermediate.ts');
const { rotateRoot } = await import('../../src/app/programs/rotate-root.ts');
const { statePaths } = await import('../../src/edge/files/state-directory.ts');
const password = { file: undefined, environment: undefined, ask: false };
const none = { password, rootPassword: password, intermediateAlgorithm: null, intermediateLifetimeSeconds: null };
if (step === 'intermediate')
  await rotateIntermediate(statePaths(state), {
    ...none,
    rootKeyFile: null,
    algorithm: null,
    lifetimeSeconds: null,
    commonName: null,
  });
else
  await rotateRoot(statePaths(state), step as 'prepare' | 'activate' | 'retire', {
    ...none,
    rootAlgorithm: null,
    rootLifetimeSeconds: null,
    rootCommonName: null,
    offlineRootDirectory: null,
    force: true,
  });
writeSync(1, `${changes}\n`);
