/**
 * The initialisation of a state directory, in a process that kills itself before the N-th change that it makes to a file
 * system or a database:
 *
 *   node dying-initialise.ts STATE OFFLINE|- N
 *
 * Prints the number of changes. Only those below OFFLINE count when it is given.
 */
import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const [state = '', offline = '-', at = '0'] = process.argv.slice(2);
const counted = offline === '-' ? '' : offline;
let changes = 0;

function change(path: string): void {
  if (path.startsWith(counted) && ++changes === Number(at)) process.kill(process.pid, 'SIGKILL');
}

/** Every call that changes something counts; the first argument is the path, or flags tell that nothing changes. */
function watch(
  name: 'mkdirSync' | 'openSync' | 'linkSync' | 'renameSync' | 'unlinkSync' | 'rmSync' | 'chmodSync',
): void {
  const call = fs[name] as (...args: readonly unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: readonly unknown[]): unknown => {
      if (name !== 'openSync' || String(args[1]).startsWith('w')) change(String(args[0]));
      return call(...args);
    },
  });
}

for (const name of ['mkdirSync', 'openSync', 'linkSync', 'renameSync', 'unlinkSync', 'rmSync', 'chmodSync'] as const)
  watch(name);
syncBuiltinESMExports();

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql: string): void {
  change(state);
  exec.call(this, sql);
};

// Only now, so that they see the watched calls.
const { initialise } = await import('../../src/app/programs/initialise.ts');
const { statePaths } = await import('../../src/edge/files/state-directory.ts');
const { initialiseOptionsFor } = await import('./initialise-options.ts');
await initialise(statePaths(state), initialiseOptionsFor(offline === '-' ? null : offline));
writeSync(1, `${changes}\n`);
