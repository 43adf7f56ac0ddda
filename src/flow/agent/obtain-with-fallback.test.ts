import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { IssuerSpec } from '../../core/stack/stack.ts';
import { issuersInOrder, obtainWithFallback } from './obtain-with-fallback.ts';

const acme = (...fallback: string[]): IssuerSpec => ({
  kind: 'acme',
  directory: 'https://ca.test/directory',
  caFile: null,
  contact: null,
  challenge: { kind: 'http-01-listen', listen: ':80' },
  fallback,
});

test('the whole list is asked in order, each issuer once, and no list of a list', () => {
  const issuers = { internal: { kind: 'internal' }, a: acme('b', 'internal', 'b'), b: acme('c'), c: acme() } as const;
  assert.deepEqual(issuersInOrder('a', issuers), ['a', 'b', 'internal']);
  assert.deepEqual(issuersInOrder('internal', issuers), ['internal']);
  assert.deepEqual(issuersInOrder('unknown', issuers), ['unknown']);
});

const faults: Readonly<Record<string, OperatorFault>> = {
  limited: new OperatorFault('acme-rate-limited', 'too many', { retryAfterSeconds: 3600 }),
  busy: new OperatorFault('acme-refused', 'busy', { retryAfterSeconds: 60, issuer: 'busy' }),
  away: new OperatorFault('authority-unreachable', 'connect ECONNREFUSED', { url: 'https://away.test' }),
};

function asking(): { readonly asked: string[]; readonly from: (issuer: string) => Promise<string> } {
  const asked: string[] = [];
  return {
    asked,
    async from(issuer) {
      asked.push(issuer);
      const fault = faults[issuer];
      if (fault) throw fault;
      return `from ${issuer}`;
    },
  };
}

test('the first that gives one ends it; network errors are passed like refusals', async () => {
  const { asked, from } = asking();
  assert.equal(await obtainWithFallback(['limited', 'away', 'good', 'better'], from), 'from good');
  assert.deepEqual(asked, ['limited', 'away', 'good']);
});

test('when all fail, all are named, with the facts of the last', async () => {
  await assert.rejects(obtainWithFallback(['limited', 'away'], asking().from), (fault: OperatorFault) => {
    assert.equal(fault.code, 'authority-unreachable');
    assert.match(fault.message, /limited: too many; away: connect ECONNREFUSED$/);
    assert.deepEqual(fault.facts, { url: 'https://away.test' }, 'one that did not ask to wait may be tried earlier');
    return true;
  });
});

test('the shortest wait counts when all asked to wait', async () => {
  await assert.rejects(obtainWithFallback(['busy', 'limited'], asking().from), (fault: OperatorFault) => {
    assert.equal(fault.facts.retryAfterSeconds, 60);
    return true;
  });
});

test('one alone fails with its own fault', async () => {
  await assert.rejects(obtainWithFallback(['busy'], asking().from), faults.busy);
});

test('a bug is no reason to ask another issuer', async () => {
  const bug = new TypeError('x is not a function');
  const { asked, from } = asking();
  const failing = (issuer: string): Promise<string> => (issuer === 'a' ? Promise.reject(bug) : from(issuer));
  await assert.rejects(obtainWithFallback(['a', 'b'], failing), bug);
  assert.deepEqual(asked, []);
});
