/**
 * A step of a rotation, in a process that kills itself before the N-th change that it makes to the state:
 *
 *   node dying-rotation.ts STATE STEP N
 *
 * Prints the number of changes.
 */
import { writeSync } from 'node:fs';
import { watchChanges } from './watched-changes.ts';

const [state = '', step = '', at = '0'] = process.argv.slice(2);
// Reading from the database is no change.
const countsStatement = (sql: string): boolean => /^\s*(?:BEGIN|COMMIT)/i.test(sql);
const changes = watchChanges({ below: state, database: state, countsStatement, killBefore: Number(at) });

// Only now, so that they see the watched calls.
const { rotationStep } = await import('./rotation-step.ts');
const { statePaths } = await import('../../src/edge/files/state-directory.ts');
await rotationStep(statePaths(state), step as Parameters<typeof rotationStep>[1]);
writeSync(1, `${changes()}\n`);
