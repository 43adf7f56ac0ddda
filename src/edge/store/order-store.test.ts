import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { dnsIdentifiers, issued, orderDraft } from '../../../test/world/store-records.ts';
import type { Identifier } from '../../core/acme/identifier.ts';

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('an order comes back as it was recorded, its authorizations in the order of its identifiers with their tokens', async (t) => {
      const { store, another } = await open(t);
      const identifiers: Identifier[] = [...dnsIdentifiers('*.z.test', 'a.test'), { type: 'ip', value: '2001:db8::1' }];
      const draft = orderDraft({
        accountId: 7,
        identifiers,
        notBefore: at('2026-11-25T01:00:00Z'),
        notAfter: at('2026-11-25T02:00:00Z'),
      });
      const snapshot = await store.insertOrder(draft);
      const { tokens, ...facts } = draft;
      assert.deepEqual(snapshot.order, { ...facts, id: snapshot.order.id, issuance: null });
      assert.deepEqual(
        snapshot.authorizations.map(({ id, ...authorization }) => authorization),
        identifiers.map((identifier, index) => ({
          orderId: snapshot.order.id,
          accountId: 7,
          identifier,
          token: tokens[index],
          expiresAt: draft.expiresAt,
          attempt: null,
          deactivatedAt: null,
        })),
      );
      for (const reader of [store, await another()]) {
        assert.deepEqual(await reader.loadOrder(snapshot.order.id), snapshot);
        for (const authorization of snapshot.authorizations)
          assert.deepEqual(await reader.loadAuthorization(authorization.id), authorization);
      }
    });

    test('an order or authorization that is not there is null', async (t) => {
      const { store } = await open(t);
      const { order, authorizations } = await store.insertOrder(orderDraft());
      assert.equal(await store.loadOrder(order.id + 1), null);
      assert.equal(await store.loadAuthorization((authorizations[0]?.id ?? 0) + 1), null);
    });

    test('an order that one token is missing for is refused whole: neither order nor authorization is left', async (t) => {
      const { store } = await open(t);
      const draft = orderDraft({ identifiers: dnsIdentifiers('a.test', 'b.test') });
      await assert.rejects(store.insertOrder({ ...draft, tokens: draft.tokens.slice(0, 1) }));
      assert.deepEqual(await store.listOrderIds(1, 0, 10), []);
      const { authorizations } = await store.insertOrder(draft);
      assert.equal(authorizations.length, 2);
    });

    test('the orders of an account are listed in pages that follow each other, and nobody else’s among them', async (t) => {
      const { store } = await open(t);
      const snapshots = await Promise.all(
        Array.from({ length: 9 }, (_, index) => store.insertOrder(orderDraft({ accountId: index % 3 ? 1 : 2 }))),
      );
      const own = snapshots.filter(({ order }) => order.accountId === 1).map(({ order }) => order.id);
      assert.deepEqual(await store.listOrderIds(1, 0, 100), own);
      const pages: number[][] = [];
      for (let after = 0; ; after = pages.at(-1)?.at(-1) ?? 0) {
        const page = await store.listOrderIds(1, after, 4);
        if (page.length === 0) break;
        pages.push([...page]);
      }
      assert.deepEqual(pages, [own.slice(0, 4), own.slice(4)]);
      assert.deepEqual(await store.listOrderIds(3, 0, 100), []);
    });

    test('orders that replace a certificate are found by its identifier, whole, and go with their expiry (RFC 9773 §5)', async (t) => {
      const { store, another } = await open(t);
      const certId = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
      await store.insertOrder(orderDraft());
      const first = await store.insertOrder(orderDraft({ replaces: certId, expiresAt: at('2026-11-25T01:00:00Z') }));
      const second = await store.insertOrder(orderDraft({ replaces: certId }));
      assert.equal(first.order.replaces, certId);
      for (const reader of [store, await another()])
        assert.deepEqual(await reader.ordersReplacing(certId), [first, second]);
      assert.deepEqual(await store.ordersReplacing('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyF'), []);
      await store.removeExpiredOrders(at('2026-11-25T02:00:00Z'));
      assert.deepEqual(await store.ordersReplacing(certId), [second]);
    });

    test('an order’s issuance is seen in the order: recorded, then signed; or abandoned', async (t) => {
      const { store } = await open(t);
      const [{ order: one }, { order: two }] = await Promise.all([
        store.insertOrder(orderDraft()),
        store.insertOrder(orderDraft()),
      ]);
      const record = await issued(store, { origin: { kind: 'order', orderId: one.id } });
      assert.deepEqual((await store.loadOrder(one.id))?.order.issuance, {
        id: record.id,
        certificateId: record.id,
        abandonedWhy: null,
      });
      assert.equal((await store.loadOrder(two.id))?.order.issuance, null);
    });

    test('expired orders go with their authorizations, those at the very second of the limit stay, and certificates stay', async (t) => {
      const { store, another } = await open(t);
      const limit = at('2026-11-26T00:00:00Z');
      const [old, edge, young] = await Promise.all([
        store.insertOrder(
          orderDraft({ identifiers: dnsIdentifiers('a.test', 'b.test'), expiresAt: at('2026-11-25T23:59:59Z') }),
        ),
        store.insertOrder(orderDraft({ expiresAt: limit })),
        store.insertOrder(orderDraft({ expiresAt: at('2026-11-27T00:00:00Z') })),
      ]);
      const certificate = await issued(store, { origin: { kind: 'order', orderId: old.order.id } });

      assert.equal(await store.removeExpiredOrders(limit), 1);
      assert.equal(await store.removeExpiredOrders(limit), 0);
      for (const reader of [store, await another()]) {
        assert.equal(await reader.loadOrder(old.order.id), null);
        for (const { id } of old.authorizations) assert.equal(await reader.loadAuthorization(id), null);
        assert.deepEqual(await reader.listOrderIds(1, 0, 10), [edge.order.id, young.order.id]);
        assert.deepEqual(await reader.loadOrder(young.order.id), young);
        assert.deepEqual(await reader.loadCertificate(certificate.id), certificate);
      }
    });

    test('expired orders go by the thousand, from the oldest on', async (t) => {
      const { store } = await open(t);
      const expired = at('2026-11-25T00:00:00Z');
      await Promise.all(Array.from({ length: 1203 }, () => store.insertOrder(orderDraft({ expiresAt: expired }))));
      const { order } = await store.insertOrder(orderDraft());
      assert.equal(await store.removeExpiredOrders(at('2026-11-25T12:00:00Z')), 1203);
      assert.deepEqual(await store.listOrderIds(1, 0, 2), [order.id]);
    });

    test('numbers of removed orders and authorizations never come back', async (t) => {
      const { store } = await open(t);
      const gone = await store.insertOrder(orderDraft({ expiresAt: at('2026-11-25T00:00:00Z') }));
      assert.equal(await store.removeExpiredOrders(at('2026-11-26T00:00:00Z')), 1);
      const next = await store.insertOrder(orderDraft());
      assert.ok(next.order.id > gone.order.id);
      assert.ok((next.authorizations[0]?.id ?? 0) > (gone.authorizations[0]?.id ?? 0));
    });
  });
}
