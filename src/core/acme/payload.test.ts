import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseObjectPayload, requireEmptyPayload } from './payload.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a payload is a JSON object, and nothing else is taken for one', () => {
  const parsed = parseObjectPayload(bytes('{"a":[1]}'));
  assert.deepEqual(parsed, { kind: 'object', value: { a: [1] } });
  for (const [text, why] of [
    ['', /is empty/],
    ['{', /not JSON/],
    ['{"a":1}x', /not JSON/],
    ['\ufeff{}', /not JSON/],
    ["{'a':1}", /not JSON/],
    ['[]', /not a JSON object/],
    ['null', /not a JSON object/],
    ['"{}"', /not a JSON object/],
    ['1e999', /not a JSON object/],
    ['['.repeat(20_000), /not JSON/],
    [`${'['.repeat(20_000)}${']'.repeat(20_000)}`, /not a JSON object/],
  ] as const) {
    const result = parseObjectPayload(bytes(text));
    if (result.kind !== 'refused') assert.fail(text);
    assert.equal(result.problem.type, 'malformed');
    assert.match(result.problem.detail, why);
  }
});

test('POST-as-GET has no octet of payload (RFC 8555 §6.3)', () => {
  assert.equal(requireEmptyPayload(bytes('')), null);
  for (const text of ['{}', ' ', 'null'])
    assert.equal(requireEmptyPayload(bytes(text))?.problem.type, 'malformed', text);
});
