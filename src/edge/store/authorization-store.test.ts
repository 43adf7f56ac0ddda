import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { dnsIdentifiers, orderDraft } from '../../../test/world/store-records.ts';
import type { AttemptOutcome, Authorization } from '../../core/acme/authorization.ts';
import type { Store } from '../../flow/ca/store-ports.ts';

const [BEGUN, LATER] = [at('2026-11-25T01:00:00Z'), at('2026-11-25T01:00:05Z')];
const VALID: AttemptOutcome = { kind: 'valid', at: LATER };
const INVALID: AttemptOutcome = { kind: 'invalid', at: LATER, problem: 'connection', detail: 'refused by a.test:80' };

async function pending(store: Store): Promise<Authorization> {
  const [authorization] = (await store.insertOrder(orderDraft())).authorizations;
  assert.ok(authorization);
  return authorization;
}

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('at most one attempt an authorization: eight at once record one, and it stays', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const { id } = await pending(store);
      const types = ['http-01', 'dns-01', 'tls-alpn-01'] as const;
      const recorded = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 ? second : store).recordAttempt(id, types[index % 3] ?? 'http-01', BEGUN),
        ),
      );
      assert.equal(recorded.filter(Boolean).length, 1);
      const winner = types[recorded.indexOf(true) % 3];
      assert.equal(await store.recordAttempt(id, 'http-01', LATER), false);
      const authorization = await second.loadAuthorization(id);
      assert.deepEqual(authorization?.attempt, { challengeType: winner, startedAt: BEGUN, outcome: null });
      assert.equal(await store.recordAttempt(id + 1, 'http-01', BEGUN), false, 'there is no such authorization');
    });

    for (const outcome of [VALID, INVALID]) {
      test(`the outcome ${outcome.kind} is recorded with its attempt in one step, or after it`, async (t) => {
        const { store } = await open(t);
        for (const before of [false, true]) {
          const authorization = await pending(store);
          if (before) assert.equal(await store.recordAttempt(authorization.id, 'dns-01', BEGUN), true);
          const expected = { ...authorization, attempt: { challengeType: 'dns-01', startedAt: BEGUN, outcome } };
          assert.deepEqual(await store.recordOutcome(authorization.id, 'dns-01', BEGUN, outcome), expected);
          assert.deepEqual(await store.loadAuthorization(authorization.id), expected);
        }
      });
    }

    test('an outcome is recorded at most once: the first one stays and is what later ones are told', async (t) => {
      const { store } = await open(t);
      const { id } = await pending(store);
      const first = await store.recordOutcome(id, 'http-01', BEGUN, INVALID);
      assert.deepEqual(await store.recordOutcome(id, 'http-01', BEGUN, VALID), first);
      // Of another challenge: the authorization had its one attempt.
      assert.deepEqual(await store.recordOutcome(id, 'dns-01', LATER, VALID), first);
      assert.equal(await store.recordOutcome(id + 1, 'http-01', BEGUN, VALID), null);
    });

    test('of opposite outcomes at once exactly one is recorded, whole', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const { id } = await pending(store);
      await Promise.all([
        store.recordOutcome(id, 'http-01', BEGUN, VALID),
        second.recordOutcome(id, 'dns-01', BEGUN, INVALID),
      ]);
      const attempt = (await store.loadAuthorization(id))?.attempt;
      const expected =
        attempt?.challengeType === 'http-01'
          ? { challengeType: 'http-01', startedAt: BEGUN, outcome: VALID }
          : { challengeType: 'dns-01', startedAt: BEGUN, outcome: INVALID };
      assert.deepEqual(attempt, expected);
    });

    test('a deactivation keeps its first time, and no attempt begins after it', async (t) => {
      const { store } = await open(t);
      const { id } = await pending(store);
      await store.deactivateAuthorization(id, BEGUN);
      await store.deactivateAuthorization(id, LATER);
      assert.equal((await store.loadAuthorization(id))?.deactivatedAt, BEGUN);
      assert.equal(await store.recordAttempt(id, 'http-01', LATER), false);
      assert.equal((await store.recordOutcome(id, 'http-01', LATER, VALID))?.attempt, null);
    });

    test('unfinished attempts are those that were begun and have no outcome', async (t) => {
      const { store, another } = await open(t);
      const draft = orderDraft({ identifiers: dnsIdentifiers('begun.test', 'ended.test', 'untouched.test') });
      const [begun, ended] = (await store.insertOrder(draft)).authorizations;
      await store.recordAttempt(begun?.id ?? 0, 'http-01', BEGUN);
      await store.recordOutcome(ended?.id ?? 0, 'http-01', BEGUN, INVALID);
      for (const reader of [store, await another()]) {
        const unfinished = await reader.listUnfinishedAttempts();
        assert.deepEqual(
          unfinished.map(({ identifier, attempt }) => [identifier.value, attempt?.startedAt, attempt?.outcome]),
          [['begun.test', BEGUN, null]],
        );
      }
      await store.recordOutcome(begun?.id ?? 0, 'http-01', LATER, VALID);
      assert.deepEqual(await store.listUnfinishedAttempts(), []);
    });
  });
}
