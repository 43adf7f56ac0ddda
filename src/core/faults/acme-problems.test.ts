import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RFC8555_ERROR_TYPES } from '../../../test/vectors/acme-errors.ts';
import {
  ACME_PROBLEMS,
  type AcmeProblemType,
  problemDocument,
  problemStatus,
  problemUrn,
  refused,
} from './acme-problems.ts';

const TYPES = Object.keys(ACME_PROBLEMS) as AcmeProblemType[];

test('every error type of RFC 8555 §6.7 is in the table, and no other but those registered later', () => {
  for (const type of RFC8555_ERROR_TYPES) assert.ok(TYPES.includes(type as AcmeProblemType), type);
  const later = TYPES.filter((type) => !RFC8555_ERROR_TYPES.includes(type));
  assert.deepEqual(later.sort(), ['alreadyReplaced', 'invalidProfile'], 'RFC 9773 §7.4 and the profiles draft');
});

/** Where a section says which status, that one. */
const STATUSES: readonly (readonly [type: AcmeProblemType, status: number, section: string])[] = [
  ['badSignatureAlgorithm', 400, 'RFC 8555 §6.2'],
  ['badNonce', 400, 'RFC 8555 §6.5: "HTTP status code 400 (Bad Request)"'],
  ['accountDoesNotExist', 400, 'RFC 8555 §7.3.1'],
  ['userActionRequired', 403, 'RFC 8555 §7.3.3'],
  ['orderNotReady', 403, 'RFC 8555 §7.4'],
  ['unauthorized', 403, 'RFC 8555 §7.6'],
  ['alreadyRevoked', 400, 'RFC 8555 §7.6'],
  ['rateLimited', 429, 'RFC 8555 §6.6'],
  ['alreadyReplaced', 409, 'RFC 9773 §5'],
  ['serverInternal', 500, 'RFC 8555 §6.7'],
];

test('a type travels with the status that its section fixes', () => {
  for (const [type, status, section] of STATUSES) assert.equal(ACME_PROBLEMS[type].status, status, section);
});

test('every row has a title in words and a status of a refusal', () => {
  for (const type of TYPES) {
    assert.match(ACME_PROBLEMS[type].title, /^[A-Z].{10,}[^.]$/, type);
    assert.ok(ACME_PROBLEMS[type].status >= 400 && ACME_PROBLEMS[type].status < 600, type);
    assert.equal(problemUrn(type), `urn:ietf:params:acme:error:${type}`);
  }
});

test('a problem document has type, title, status and detail, and nothing that was not said (RFC 9457 §3.1)', () => {
  assert.deepEqual(problemDocument(refused('badNonce', 'spent').problem), {
    type: 'urn:ietf:params:acme:error:badNonce',
    title: ACME_PROBLEMS.badNonce.title,
    status: 400,
    detail: 'spent',
  });
});

test('subproblems and algorithms are absent where there are none, never null and never empty', () => {
  const without = [
    refused('malformed', 'x'),
    refused('malformed', 'x', { subproblems: [] }),
    refused('malformed', 'x', { status: 404, retryAfterSeconds: 5, location: 'https://ca.test/1' }),
  ];
  for (const { problem } of without) {
    const document = problemDocument(problem);
    assert.deepEqual(Object.keys(document).sort(), ['detail', 'status', 'title', 'type']);
    assert.doesNotMatch(JSON.stringify(document), /null/);
  }
});

test('several bad identifiers are subproblems with their identifier (RFC 8555 §6.7.1)', () => {
  const { problem } = refused('compound', 'two', {
    subproblems: [
      { type: 'malformed', detail: 'a', identifier: { type: 'dns', value: '*' } },
      { type: 'unsupportedIdentifier', detail: 'b', identifier: { type: 'x', value: 'y' } },
    ],
  });
  assert.deepEqual(problemDocument(problem).subproblems, [
    { type: problemUrn('malformed'), detail: 'a', identifier: { type: 'dns', value: '*' } },
    { type: problemUrn('unsupportedIdentifier'), detail: 'b', identifier: { type: 'x', value: 'y' } },
  ]);
});

test('the algorithms that would do are listed (RFC 8555 §6.2)', () => {
  const { problem } = refused('badSignatureAlgorithm', 'x', { algorithms: ['ES256'] });
  assert.deepEqual(problemDocument(problem).algorithms, ['ES256']);
});

test('a status that the section fixes goes before the usual one of the type', () => {
  assert.equal(problemStatus(refused('malformed', 'x').problem), 400);
  assert.equal(problemStatus(refused('malformed', 'x', { status: 409 }).problem), 409);
  assert.equal(problemDocument(refused('malformed', 'x', { status: 415 }).problem).status, 415);
});
