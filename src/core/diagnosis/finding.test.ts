import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Confidence, type Finding, hasError, type Severity, sortFindings } from './finding.ts';

function finding(id: string, severity: Severity, confidence?: Confidence): Finding {
  return {
    id,
    severity,
    ...(confidence && { confidence }),
    subject: 'CN=db.internal',
    where: { target: 'db.internal:5432' },
    what: 'seen',
    why: 'matters',
    remedy: { text: 'do' },
    evidence: {},
  };
}

test('findings are sorted: errors first, then by confidence, and no confidence means certain', () => {
  const sorted = sortFindings([
    finding('a', 'info'),
    finding('b', 'error', 'possible'),
    finding('c', 'warning', 'likely'),
    finding('d', 'error', 'likely'),
    finding('e', 'error'),
    finding('f', 'warning'),
    finding('g', 'error', 'certain'),
  ]);
  assert.deepEqual(
    sorted.map(({ id }) => id),
    ['e', 'g', 'd', 'b', 'f', 'c', 'a'],
  );
});

test('a possible error is an error all the same; warnings are none', () => {
  assert.equal(hasError([finding('a', 'warning'), finding('b', 'error', 'possible')]), true);
  assert.equal(hasError([finding('a', 'warning'), finding('b', 'info')]), false);
});
