/**
 * Takes a lock in a process of its own and holds it until it is killed or its standard input ends:
 *
 *   node holding-lock.ts FILE
 *
 * Prints "held" or "refused".
 */
import { writeSync } from 'node:fs';
import { takeLock } from '../../src/edge/files/exclusive-lock.ts';

const [path = ''] = process.argv.slice(2);
const lock = takeLock(path);
writeSync(1, lock ? 'held\n' : 'refused\n');
process.stdin.resume().on('end', () => {
  lock?.release();
  process.exit();
});
