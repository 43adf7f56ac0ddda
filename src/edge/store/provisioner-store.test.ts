import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { ecJwk, provisioner } from '../../../test/world/store-records.ts';

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('provisioners come back as they were recorded, listed in the order of their making', async (t) => {
      const { store, another } = await open(t);
      const acme = provisioner({ name: 'z', createdAt: at('2026-11-25T00:00:00Z') });
      const jwk = provisioner({
        name: 'admin',
        kind: 'jwk',
        publicKey: { ...ecJwk(), kid: 'k1' },
        encryptedKey: 'a.b.c.d.e',
        createdAt: at('2026-11-25T00:00:01Z'),
      });
      assert.equal(await store.insertProvisioner(jwk), true);
      assert.equal(await store.insertProvisioner(acme), true);
      for (const reader of [store, await another()]) {
        assert.deepEqual(await reader.listProvisioners(), [acme, jwk]);
        assert.deepEqual(await reader.loadProvisioner('admin'), jwk);
        assert.equal(await reader.loadProvisioner('nobody'), null);
      }
    });

    test('a name is taken once: of eight inserts at once one succeeds, and the record stays as it is', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const inserted = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 ? second : store).insertProvisioner(provisioner({ maxLifetimeSeconds: 1000 + index })),
        ),
      );
      assert.equal(inserted.filter(Boolean).length, 1);
      assert.equal(await store.insertProvisioner(provisioner({ kind: 'jwk' })), false);
      assert.equal((await store.loadProvisioner('acme'))?.maxLifetimeSeconds, 1000 + inserted.indexOf(true));
    });

    test('a removed provisioner is gone, once, and its name is free again', async (t) => {
      const { store } = await open(t);
      await store.insertProvisioner(provisioner());
      assert.equal(await store.removeProvisioner('acme'), true);
      assert.equal(await store.removeProvisioner('acme'), false);
      assert.equal(await store.loadProvisioner('acme'), null);
      assert.deepEqual(await store.listProvisioners(), []);
      assert.equal(await store.insertProvisioner(provisioner()), true);
    });
  });
}
