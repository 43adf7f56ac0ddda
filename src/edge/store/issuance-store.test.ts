import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { fingerprintOf, intent, issued } from '../../../test/world/store-records.ts';
import type { IssuanceIntent, IssuanceOrigin, Store } from '../../flow/ca/store-ports.ts';

/** Origins with at most one issuance each; none of them is another's. */
const ONCE: readonly IssuanceOrigin[] = [
  { kind: 'order', orderId: 7 },
  { kind: 'order', orderId: 8 },
  { kind: 'token', provisioner: 'admin', tokenId: '7' },
  { kind: 'token', provisioner: 'other', tokenId: '7' },
  { kind: 'token', provisioner: 'other', tokenId: '7:7' },
];

const OFTEN: readonly IssuanceOrigin[] = [{ kind: 'authority' }, { kind: 'renewal', certificateId: 7 }];

async function recorded(store: Store, overrides: Partial<IssuanceIntent> = {}): Promise<number> {
  const result = await store.recordIntent(intent(overrides));
  assert.ok(result.kind === 'recorded');
  return result.id;
}

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('an intent comes back as it was recorded, without a certificate', async (t) => {
      const { store, another } = await open(t);
      const asked = intent({ accountId: 3, names: ['a.test', '10.0.0.1'], origin: { kind: 'order', orderId: 1 } });
      const result = await store.recordIntent(asked);
      assert.ok(result.kind === 'recorded');
      const { origin, ...facts } = asked;
      for (const reader of [store, await another()]) {
        const record = await reader.loadCertificate(result.id);
        assert.deepEqual(record && { ...record, tbs: Buffer.from(record.tbs ?? '') }, {
          ...facts,
          tbs: Buffer.from(asked.tbs),
          id: result.id,
          der: null,
          fingerprint: null,
          abandonedWhy: null,
          replacesId: null,
          revokedAt: null,
          revocationReason: null,
        });
        assert.deepEqual(await reader.findCertificate(asked.serial), record);
        assert.deepEqual(await reader.listUnfinishedIntents(), [record]);
      }
    });

    test('a renewal says what it replaces', async (t) => {
      const { store, another } = await open(t);
      const id = await recorded(store, { origin: { kind: 'renewal', certificateId: 7 } });
      for (const reader of [store, await another()]) assert.equal((await reader.loadCertificate(id))?.replacesId, 7);
    });

    for (const origin of ONCE) {
      test(`at most one issuance for ${JSON.stringify(origin)}: of sixteen at once one is recorded, the others write nothing`, async (t) => {
        const { store, another } = await open(t);
        const second = await another();
        for (const other of ONCE) if (other !== origin) await recorded(store, { origin: other });
        const attempts = Array.from({ length: 16 }, () => intent({ origin }));
        const results = await Promise.all(
          attempts.map((attempt, index) => (index % 2 ? second : store).recordIntent(attempt)),
        );
        assert.deepEqual(results.map(({ kind }) => kind).sort(), [...Array(15).fill('already'), 'recorded']);
        for (const [index, { serial }] of attempts.entries()) {
          const found = await store.findCertificate(serial);
          assert.equal(found !== null, results[index]?.kind === 'recorded');
        }
        assert.equal((await store.recordIntent(intent({ origin }))).kind, 'already');
      });
    }

    for (const origin of OFTEN) {
      test(`any number of issuances for ${JSON.stringify(origin)}`, async (t) => {
        const { store } = await open(t);
        const results = await Promise.all([1, 2, 3].map(() => store.recordIntent(intent({ origin }))));
        assert.deepEqual(
          results.map(({ kind }) => kind),
          ['recorded', 'recorded', 'recorded'],
        );
      });
    }

    test('an order whose issuance was abandoned gets no second one', async (t) => {
      const { store } = await open(t);
      const origin: IssuanceOrigin = { kind: 'order', orderId: 9 };
      await store.abandonIntent(await recorded(store, { origin }), 'the signer failed');
      assert.equal((await store.recordIntent(intent({ origin }))).kind, 'already');
    });

    test('a serial number is never recorded twice: the second issuance is refused and leaves no trace', async (t) => {
      const { store, another } = await open(t);
      const first = await issued(store);
      const again = intent({ serial: first.serial, origin: { kind: 'order', orderId: 5 } });
      await assert.rejects((await another()).recordIntent(again));
      assert.deepEqual(await store.findCertificate(first.serial), first);
      assert.equal((await store.recordIntent(intent({ origin: again.origin }))).kind, 'recorded');
    });

    test('a certificate takes the place of its to-be-signed bytes, and the first one recorded stays', async (t) => {
      const { store, another } = await open(t);
      const id = await recorded(store);
      const [first, other] = [new Uint8Array(40).fill(1), new Uint8Array(40).fill(2)];
      const records = await Promise.all([
        store.recordCertificate(id, first, fingerprintOf(first)),
        (await another()).recordCertificate(id, other, fingerprintOf(other)),
      ]);
      assert.deepEqual(records[0], records[1], 'both are told the same');
      const record = await store.loadCertificate(id);
      assert.deepEqual(record, records[0]);
      assert.equal(record?.tbs, null);
      assert.equal(record?.fingerprint, fingerprintOf(record?.der ?? new Uint8Array()));
      assert.deepEqual(await store.listUnfinishedIntents(), []);
    });

    test('an abandoned issuance takes no certificate, and one that has a certificate is not abandoned', async (t) => {
      const { store } = await open(t);
      const der = new Uint8Array(40).fill(3);
      const abandoned = await recorded(store);
      await store.abandonIntent(abandoned, 'the authority stopped');
      await assert.rejects(
        store.recordCertificate(abandoned, der, fingerprintOf(der)),
        /cannot take a certificate: the authority stopped/,
      );
      await assert.rejects(store.recordCertificate(abandoned + 1, der, fingerprintOf(der)), /no such record/);
      const left = await store.loadCertificate(abandoned);
      assert.equal(left?.der, null);
      assert.equal(left?.abandonedWhy, 'the authority stopped');

      const finished = await issued(store);
      await store.abandonIntent(finished.id, 'too late');
      assert.deepEqual(await store.loadCertificate(finished.id), finished);
    });

    test('unfinished intents are those without a certificate that nobody abandoned', async (t) => {
      const { store } = await open(t);
      await issued(store);
      await store.abandonIntent(await recorded(store), 'why');
      const open1 = await recorded(store, { createdAt: at('2026-11-25T03:00:00Z') });
      const open2 = await recorded(store);
      const unfinished = await store.listUnfinishedIntents();
      assert.deepEqual(
        unfinished.map(({ id }) => id),
        [open1, open2],
      );
    });
  });
}
