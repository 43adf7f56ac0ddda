import assert from 'node:assert/strict';
import { test } from 'node:test';
import { purity } from './core-purity.ts';
import { readFiles, report } from './source-file.ts';

test('core is synchronous and pure, and flow has its clock, chance and world as parameters (B1.2, B4.3 to B4.7)', () => {
  assert.equal(report(purity(readFiles(['src'], (path) => path.endsWith('.ts')))), '');
});

const REFUSED: readonly (readonly [path: string, text: string, what: RegExp])[] = [
  ['src/core/acme/a.ts', '\nconst now = Date.now();', /^src\/core\/acme\/a\.ts:2: "Date\.now" in core.*\(B4\.3\)$/],
  ['src/core/acme/a.ts', 'const now = new Date();', /"new Date\(\)"/],
  ['src/core/acme/a.ts', 'performance.now()', /"performance"/],
  ['src/core/acme/a.ts', 'const x = Math.random();', /"Math\.random".*\(B4\.4\)$/],
  ['src/core/acme/a.ts', "console.log('x')", /"console".*\(B4\.7\)$/],
  ['src/core/acme/a.ts', 'const home = process.env.HOME', /"process".*\(B4\.6\)$/],
  ['src/core/acme/a.ts', 'fetch(url)', /"fetch\("/],
  ['src/core/acme/a.ts', 'setTimeout(f, 1)', /"setTimeout"/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a piece of source code
  ['src/core/acme/a.ts', '`${setImmediate(f)}`', /"setImmediate"/],
  ['src/core/acme/a.ts', 'async function f() {}', /"async" in core; core is synchronous \(B1\.2\)/],
  ['src/core/acme/a.ts', 'const f = async () => 1', /"async"/],
  ['src/core/acme/a.ts', 'const f = async x => 1', /"async"/],
  ['src/core/acme/a.ts', 'const o = { async f() {} }', /"async"/],
  ['src/core/acme/a.ts', 'const x = await y', /"await"/],
  ['src/core/acme/a.ts', "import { readFileSync } from 'node:fs';", /core imports node:fs \(B1\.2\)/],
  ['src/core/acme/a.ts', "import { hash } from 'node:crypto';", /only core\/crypto/],
  ['src/core/crypto/a.ts', "import { sign } from 'node:crypto';", /takes sign from node:crypto/],
  ['src/core/crypto/a.ts', "import * as crypto from 'node:crypto';", /takes all from node:crypto/],
  ['src/flow/ca/a.ts', 'const now = Date.now();', /"Date\.now" in flow/],
  ['src/flow/ca/a.ts', "import { readFile } from 'node:fs/promises';", /flow imports node:fs\/promises/],
];

for (const [path, text, what] of REFUSED) {
  test(`purity refuses ${text.trim()} in ${path}`, () => {
    assert.match(report(purity([{ path, text }])), what);
  });
}

const ACCEPTED: readonly (readonly [path: string, text: string])[] = [
  ['src/core/acme/a.ts', 'const at = new Date(milliseconds);'],
  ['src/core/acme/a.ts', '// Date.now() would be wrong here'],
  ['src/core/acme/a.ts', "const text = 'process.exit()';"],
  ['src/core/acme/a.ts', 'order.process.state'],
  ['src/core/acme/a.ts', 'const async = 1;'],
  ['src/core/crypto/a.ts', "import { hash, type KeyObject, verify } from 'node:crypto';"],
  ['src/core/acme/a.test.ts', "import assert from 'node:assert/strict';"],
  ['src/flow/ca/a.ts', 'async function f() { await g(); }'],
  ['src/flow/ca/a.ts', "import type { KeyObject } from 'node:crypto';"],
  ['src/edge/system/clock.ts', 'Date.now()'],
];

for (const [path, text] of ACCEPTED) {
  test(`purity accepts ${text} in ${path}`, () => {
    assert.equal(report(purity([{ path, text }])), '');
  });
}
