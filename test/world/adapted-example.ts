/** A stack of examples/, with ports and directories that are free here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Replacement = readonly [from: string, to: string];

export function readExample(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', '..', 'examples', name), 'utf8');
}

/** The example stays what is tested: a line that is no longer there is a mistake. Each is replaced where it is first. */
export function adapted(example: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `the example has ${from}`);
    return text.replace(from, () => to);
  }, example);
}
