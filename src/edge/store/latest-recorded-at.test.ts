import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { issued } from '../../../test/world/store-records.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Store } from '../../flow/ca/store-ports.ts';

const [BEFORE, WHEN] = [at('2026-11-25T00:00:00Z'), at('2026-11-28T12:00:00Z')];

/** What a running authority records again and again: health's probe, and certificates, its own among them. */
const RECORDINGS: readonly (readonly [what: string, record: (store: Store, when: Instant) => Promise<unknown>])[] = [
  ['a probe', (store, when) => store.probe(when)],
  ['a certificate', (store, createdAt) => issued(store, { createdAt })],
];

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('the latest recorded time of a new store is null', async (t) => {
      const { store } = await open(t);
      assert.equal(await store.latestRecordedAt(), null);
    });

    for (const [what, record] of RECORDINGS) {
      test(`the latest recorded time is that of ${what}, when nothing later was recorded`, async (t) => {
        const { store, another } = await open(t);
        await store.probe(BEFORE);
        await issued(store, { createdAt: BEFORE });
        assert.equal(await store.latestRecordedAt(), BEFORE);
        await record(store, WHEN);
        assert.equal(await store.latestRecordedAt(), WHEN);
        assert.equal(await (await another()).latestRecordedAt(), WHEN);
      });
    }

    test('a probe with the right clock takes back one with a wrong clock', async (t) => {
      const { store } = await open(t);
      await store.probe(at('2036-01-01T00:00:00Z'));
      await store.probe(WHEN);
      assert.equal(await store.latestRecordedAt(), WHEN);
    });
  });
}
