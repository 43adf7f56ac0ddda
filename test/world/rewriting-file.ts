/**
 * Replaces a file again and again, in a process of its own so that it can be killed in the midst of it:
 *
 *   node rewriting-file.ts FILE COUNT
 *
 * Version N is N in decimal and a letter repeated to 64 KiB; prints "N" after the N-th replacement.
 */
import { writeSync } from 'node:fs';
import { writeFileAtomically } from '../../src/edge/files/atomic-file.ts';

const [path = '', count = '0'] = process.argv.slice(2);
for (let version = 1; version <= Number(count); version++) {
  const letter = String.fromCharCode(97 + (version % 26));
  writeFileAtomically(path, `${version} ${letter.repeat(65_536)}`, 0o600);
  writeSync(1, `${version}\n`);
}
