/**
 * The initialisation of a state directory, in a process that kills itself before the N-th change that it makes to a file
 * system or a database:
 *
 *   node dying-initialise.ts STATE OFFLINE|- N
 *
 * Prints the number of changes. Only those below OFFLINE count when it is given.
 */
import { writeSync } from 'node:fs';
import { watchChanges } from './watched-changes.ts';

const [state = '', offline = '-', at = '0'] = process.argv.slice(2);
const below = offline === '-' ? '' : offline;
const changes = watchChanges({ below, database: state, countsStatement: () => true, killBefore: Number(at) });

// Only now, so that they see the watched calls.
const { initialise } = await import('../../src/app/programs/initialise.ts');
const { statePaths } = await import('../../src/edge/files/state-directory.ts');
const { initialiseOptionsFor } = await import('./initialise-options.ts');
await initialise(statePaths(state), initialiseOptionsFor(offline === '-' ? null : offline));
writeSync(1, `${changes()}\n`);
