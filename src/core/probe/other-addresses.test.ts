import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts } from '../../../test/vectors/made-facts.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { judge } from './judge.ts';
import { beside } from './other-addresses.ts';
import type { ProbedEndpoint } from './probe-document.ts';

function probed(overrides: Partial<EndpointFacts>): ProbedEndpoint {
  const seen = facts(overrides);
  const context = { anchors: [], known: [], retired: [], now: 0 as never };
  return { facts: seen, judgement: judge(seen, context), grade: null };
}

const REFUSED = probed({
  address: '2001:db8::7',
  failure: { id: 'connection-refused', detail: 'refused', protocol: null },
});
const PLAINTEXT = probed({ failure: { id: 'plaintext-service', detail: 'http', protocol: 'http' } });
const GOOD = probed({});

function severities(all: readonly ProbedEndpoint[]): readonly (readonly string[])[] {
  return beside(all).map(({ judgement }) => judgement.findings.map(({ id, severity }) => `${severity} ${id}`));
}

test('an address that nobody listens at is a warning beside one that answers, and an error alone', () => {
  assert.deepEqual(severities([REFUSED, GOOD]), [['warning connection-refused'], []]);
  assert.deepEqual(severities([REFUSED, REFUSED]), [['error connection-refused'], ['error connection-refused']]);
});

test('an address that answers in plaintext is an error beside any other', () => {
  assert.deepEqual(severities([PLAINTEXT, GOOD]), [['error plaintext-service'], []]);
});
