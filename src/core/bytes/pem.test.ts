import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pemBlocks, pemBlocksLabelled, pemFromDer } from './pem.ts';

const octets = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);

test('DER of every length around a line and a group of three round-trips, in lines of 64 (RFC 7468 §2)', () => {
  for (const length of [1, 2, 3, 47, 48, 49, 95, 96, 97, 1000]) {
    const pem = pemFromDer('CERTIFICATE', octets(length));
    const lines = pem.split('\n');
    assert.equal(lines.at(-1), '', 'a final newline');
    for (const line of lines.slice(1, -3)) assert.equal(line.length, 64);
    assert.ok((lines.at(-3) ?? '').length <= 64);
    const [block, ...others] = pemBlocks(pem);
    assert.equal(others.length, 0);
    assert.equal(block?.label, 'CERTIFICATE');
    assert.deepEqual(block?.der && Uint8Array.from(block.der), octets(length));
  }
});

const ONE = '-----BEGIN X-----\nAQID\n-----END X-----\n';

const READABLE: readonly (readonly [what: string, text: string, labels: readonly string[]])[] = [
  ['nothing', '', []],
  ['text without a block', 'hello\n', []],
  ['one block', ONE, ['X']],
  ['text around the blocks (RFC 7468 §2 explanatory text)', `Subject: a\n${ONE}between\n${ONE}after`, ['X', 'X']],
  ['Windows line ends', ONE.replaceAll('\n', '\r\n'), ['X']],
  ['no final newline', ONE.trimEnd(), ['X']],
  ['a body in one long line', `-----BEGIN X-----\n${'AQID'.repeat(100)}\n-----END X-----`, ['X']],
  ['spaces and tabs in the body', '-----BEGIN X-----\n\t AQ ID \n-----END X-----', ['X']],
  ['a label of several words', ONE.replaceAll('X', 'ENCRYPTED PRIVATE KEY'), ['ENCRYPTED PRIVATE KEY']],
  ['labels that differ', '-----BEGIN X-----\nAQID\n-----END Y-----\n', []],
  ['a block that never ends', '-----BEGIN X-----\nAQID\n', []],
  ['a label in lower case', ONE.replaceAll('X', 'x'), []],
  ['a block inside the unfinished one before', `-----BEGIN Y-----\nAQID\n${ONE}`, ['X']],
];

test('blocks are found by their frames, whatever stands around them', () => {
  for (const [what, text, labels] of READABLE) {
    assert.deepEqual(
      pemBlocks(text).map(({ label }) => label),
      labels,
      what,
    );
  }
});

const DAMAGED: readonly (readonly [what: string, body: string])[] = [
  ['an empty body', ''],
  ['a length that is no multiple of four', 'AQI'],
  ['padding in the middle', 'AQ==AQID'],
  ['three padding characters', 'A==='],
  ['the alphabet of base64url', 'AQI-'],
  ['the headers of an encrypted legacy key', 'Proc-Type: 4,ENCRYPTED\n\nAQID'],
  ['a stray character', 'AQ!D'],
];

test('a block whose body is not base64 is found without DER, so that it can be named', () => {
  for (const [what, body] of DAMAGED) {
    assert.deepEqual(pemBlocks(`-----BEGIN X-----\n${body}\n-----END X-----\n`), [{ label: 'X', der: null }], what);
  }
});

test('blocks are picked by label, in their order, and damaged ones are left out', () => {
  const text = `${pemFromDer('A', octets(1))}${pemFromDer('B', octets(2))}-----BEGIN A-----\n!\n-----END A-----\n${pemFromDer('C', octets(3))}`;
  assert.deepEqual(
    pemBlocksLabelled(text, 'C', 'A').map(({ label, der }) => [label, der.byteLength]),
    [
      ['A', 1],
      ['C', 3],
    ],
  );
});

test('a text of frames that never end is read in time that does not explode', () => {
  const started = performance.now();
  assert.deepEqual(pemBlocks('-----BEGIN A-----\n'.repeat(3640)), []);
  assert.ok(performance.now() - started < 2000);
});
