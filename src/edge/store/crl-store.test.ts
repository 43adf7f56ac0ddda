import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { crl, ISSUER, issued, OTHER_ISSUER } from '../../../test/world/store-records.ts';
import type { Store } from '../../flow/ca/store-ports.ts';

const NOW = at('2026-11-25T12:00:00Z');

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('the newest list of an issuer is what was stored; null before the first, and for other issuers', async (t) => {
      const { store, another } = await open(t);
      assert.equal(await store.latestCrl(ISSUER), null);
      const [first, second] = [crl(), crl({ lastRevocationId: 4 })];
      assert.equal(await store.storeCrl(ISSUER, first, 1), true);
      assert.equal(await store.storeCrl(ISSUER, second, 2), true);
      for (const reader of [store, await another()]) {
        const latest = await reader.latestCrl(ISSUER);
        assert.deepEqual(latest && { ...latest, der: Buffer.from(latest.der) }, {
          ...second,
          der: Buffer.from(second.der),
          number: 2,
        });
        assert.equal(await reader.latestCrl(OTHER_ISSUER), null);
      }
    });

    test('numbers are strictly increasing: an equal or lower one is refused, also when its list is long gone', async (t) => {
      const { store } = await open(t);
      for (const number of [1, 2, 5]) assert.equal(await store.storeCrl(ISSUER, crl(), number), true);
      for (const number of [5, 4, 3, 2, 1])
        assert.equal(await store.storeCrl(ISSUER, crl(), number), false, `${number}`);
      assert.equal((await store.latestCrl(ISSUER))?.number, 5);
      assert.equal(await store.storeCrl(OTHER_ISSUER, crl(), 1), true, 'each issuer counts for itself');
    });

    test('two publishers that race give every number to one list only', async (t) => {
      const { store, another } = await open(t);
      const publishers = [store, await another()];
      const taken: number[] = [];
      const publish = async (publisher: Store): Promise<void> => {
        for (let stored = 0; stored < 10; ) {
          const number = ((await publisher.latestCrl(ISSUER))?.number ?? 0) + 1;
          if (!(await publisher.storeCrl(ISSUER, crl(), number))) continue;
          taken.push(number);
          stored++;
        }
      };
      await Promise.all(publishers.flatMap((publisher) => [publish(publisher), publish(publisher)]));
      assert.deepEqual(
        taken.sort((a, b) => a - b),
        Array.from({ length: 40 }, (_, index) => index + 1),
      );
    });

    test('revocations are numbered upwards, each issuer’s for itself', async (t) => {
      const { store } = await open(t);
      assert.equal(await store.lastRevocationId(ISSUER), 0);
      const seen: number[] = [];
      for (let count = 0; count < 3; count++) {
        const { id } = await issued(store);
        await store.revokeCertificate(id, NOW, 'superseded', 'a test');
        seen.push(await store.lastRevocationId(ISSUER));
      }
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
      );
      assert.equal(await store.lastRevocationId(OTHER_ISSUER), 0);
    });

    test('the entries of a list: revoked, of this issuer, valid after the limit or at it; in the order of their revocation', async (t) => {
      const { store } = await open(t);
      const limit = at('2026-11-20T00:00:00Z');
      const [later, sooner, long, edge, elsewhere] = [
        await issued(store),
        await issued(store),
        await issued(store, { notAfter: at('2026-11-19T23:59:59Z') }),
        await issued(store, { notAfter: limit }),
        await issued(store, { issuerKeyId: OTHER_ISSUER }),
      ];
      await issued(store);
      for (const { id } of [sooner, long, elsewhere, edge])
        await store.revokeCertificate(id, NOW, 'superseded', 'a test');
      await store.revokeCertificate(later.id, at('2026-11-25T11:00:00Z'), 'keyCompromise', 'a test');

      assert.deepEqual(await store.listRevoked(ISSUER, limit), [
        { serial: sooner.serial, revokedAt: NOW, reason: 'superseded' },
        { serial: edge.serial, revokedAt: NOW, reason: 'superseded' },
        { serial: later.serial, revokedAt: at('2026-11-25T11:00:00Z'), reason: 'keyCompromise' },
      ]);
      assert.deepEqual(
        (await store.listRevoked(OTHER_ISSUER, limit)).map(({ serial }) => serial),
        [elsewhere.serial],
      );
    });
  });
}
