import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { accountDraft, ecJwk } from '../../../test/world/store-records.ts';
import { jwkThumbprint } from '../../core/jose/jwk.ts';

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('an account comes back as it was recorded, by number and by key', async (t) => {
      const { store, another } = await open(t);
      const draft = accountDraft({ contact: ['mailto:a@example.com', 'mailto:b@example.com'] });
      const { created, account } = await store.insertAccount(draft);
      assert.equal(created, true);
      assert.deepEqual(account, { ...draft, id: account.id, deactivatedAt: null });
      for (const reader of [store, await another()]) {
        assert.deepEqual(await reader.loadAccount(account.id), account);
        assert.deepEqual(await reader.findAccount('acme', draft.thumbprint), account);
      }
    });

    test('an account that is not there is null, under another provisioner too', async (t) => {
      const { store } = await open(t);
      const { account } = await store.insertAccount(accountDraft());
      assert.equal(await store.loadAccount(account.id + 1), null);
      assert.equal(await store.findAccount('acme', accountDraft().thumbprint), null);
      assert.equal(await store.findAccount('other', account.thumbprint), null);
    });

    test('at most one account a key and provisioner: sixteen inserts at once give one account, and the first draft stays', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const draft = accountDraft();
      const results = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          (index % 2 ? second : store).insertAccount({ ...draft, contact: [`mailto:${index}@example.com`] }),
        ),
      );
      const creators = results.filter(({ created }) => created);
      assert.equal(creators.length, 1);
      for (const { account } of results) assert.deepEqual(account, creators[0]?.account);
    });

    test('the same key has another account under another provisioner', async (t) => {
      const { store } = await open(t);
      const draft = accountDraft();
      const first = await store.insertAccount(draft);
      const other = await store.insertAccount({ ...draft, provisioner: 'other' });
      assert.equal(other.created, true);
      assert.notEqual(other.account.id, first.account.id);
    });

    test('an update changes only what is given, and a deactivation keeps its first time', async (t) => {
      const { store } = await open(t);
      const { account } = await store.insertAccount(accountDraft());
      const [early, late] = [at('2026-11-25T01:00:00Z'), at('2026-11-25T02:00:00Z')];

      await store.updateAccount(account.id, {});
      assert.deepEqual(await store.loadAccount(account.id), account);
      await store.updateAccount(account.id, { contact: [] });
      assert.deepEqual(await store.loadAccount(account.id), { ...account, contact: [] });
      await store.updateAccount(account.id, { deactivatedAt: early });
      assert.deepEqual(await store.loadAccount(account.id), { ...account, contact: [], deactivatedAt: early });
      await store.updateAccount(account.id, { contact: account.contact, deactivatedAt: late });
      assert.deepEqual(await store.loadAccount(account.id), { ...account, deactivatedAt: early });
      // Nobody's account: nothing happens, and nothing is made.
      await store.updateAccount(account.id + 1, { contact: [] });
      assert.equal(await store.loadAccount(account.id + 1), null);
    });

    test('a replaced key finds the account, the old one finds nothing', async (t) => {
      const { store } = await open(t);
      const { account } = await store.insertAccount(accountDraft());
      const jwk = ecJwk();
      assert.equal(await store.replaceAccountKey(account.id, jwk, jwkThumbprint(jwk)), true);
      const changed = { ...account, jwk, thumbprint: jwkThumbprint(jwk) };
      assert.deepEqual(await store.loadAccount(account.id), changed);
      assert.deepEqual(await store.findAccount('acme', changed.thumbprint), changed);
      assert.equal(await store.findAccount('acme', account.thumbprint), null);
      assert.equal(await store.replaceAccountKey(account.id + 1, ecJwk(), accountDraft().thumbprint), false);
    });

    test('a key that another account of the provisioner has is not taken, and neither account changes', async (t) => {
      const { store } = await open(t);
      const [{ account: one }, { account: two }, { account: elsewhere }] = await Promise.all([
        store.insertAccount(accountDraft()),
        store.insertAccount(accountDraft()),
        store.insertAccount(accountDraft({ provisioner: 'other' })),
      ]);
      assert.equal(await store.replaceAccountKey(one.id, two.jwk, two.thumbprint), false);
      assert.deepEqual(await store.loadAccount(one.id), one);
      assert.deepEqual(await store.loadAccount(two.id), two);
      assert.equal(await store.replaceAccountKey(one.id, elsewhere.jwk, elsewhere.thumbprint), true);
    });

    test('at most one account a key: of two accounts that take the same new key at once one gets it', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const [{ account: one }, { account: two }] = await Promise.all([
        store.insertAccount(accountDraft()),
        store.insertAccount(accountDraft()),
      ]);
      const jwk = ecJwk();
      const won = await Promise.all([
        store.replaceAccountKey(one.id, jwk, jwkThumbprint(jwk)),
        second.replaceAccountKey(two.id, jwk, jwkThumbprint(jwk)),
      ]);
      assert.equal(won.filter(Boolean).length, 1);
    });
  });
}
