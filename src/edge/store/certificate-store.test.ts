import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../../../test/vectors/made-certificate.ts';
import { STORE_KINDS } from '../../../test/world/store-kinds.ts';
import { fingerprintOf, intent, issued, serial } from '../../../test/world/store-records.ts';
import type { CertificateQuery, CertificateState, Store } from '../../flow/ca/store-ports.ts';

const NOW = at('2026-11-25T12:00:00Z');
const [YESTERDAY, TONIGHT, NEXT_WEEK] = [
  at('2026-11-24T23:59:59Z'),
  at('2026-11-25T23:59:59Z'),
  at('2026-12-02T00:00:00Z'),
];

/** Oldest first. */
const LISTED = {
  'web.test': { names: ['web.test', 'www.web.test'], subject: 'CN=web.test', notAfter: NEXT_WEEK },
  'db.web.test': { names: ['db.web.test'], subject: '', notAfter: TONIGHT, provisioner: 'admin' },
  '100%_sure.test': { names: ['uri:https://a.test/100%_sure'], subject: 'CN=100%_sure.test', notAfter: NEXT_WEEK },
  '100 and sure.test': { names: ['100 and sure.test'], subject: '', notAfter: YESTERDAY },
  'gone.test': { names: ['gone.test', '10.0.0.1'], subject: 'O=Old Org,CN=gone.test', notAfter: NEXT_WEEK },
  'gone-and-expired.test': { names: ['gone-and-expired.test'], subject: '', notAfter: YESTERDAY },
  'at-the-limit.test': { names: ['at-the-limit.test'], subject: '', notAfter: NOW },
} as const;

type Title = keyof typeof LISTED;

async function filled(store: Store): Promise<Map<number, Title>> {
  const titles = new Map<number, Title>();
  for (const [title, facts] of Object.entries(LISTED)) {
    const { id } = await issued(store, facts);
    titles.set(id, title as Title);
    if (title.startsWith('gone')) assert.ok(await store.revokeCertificate(id, NOW, 'superseded', 'a test'));
  }
  // Neither of these is a certificate.
  await store.recordIntent(intent({ names: ['web.test'] }));
  const abandoned = await store.recordIntent(intent({ names: ['web.test'] }));
  if (abandoned.kind === 'recorded') await store.abandonIntent(abandoned.id, 'why');
  return titles;
}

const ALL = Object.keys(LISTED).reverse() as Title[];

/** One row a question; answers newest first. */
const QUERIES: readonly (readonly [what: string, query: Partial<CertificateQuery>, answers: readonly Title[]])[] = [
  ['nothing: everything that is a certificate, newest first', {}, ALL],
  ['a limit: the newest', { limit: 2 }, ALL.slice(0, 2)],
  ['an exact name: those alone, not those that it is a part of', { name: 'web.test' }, ['web.test']],
  ['an exact name that is not the first', { name: 'www.web.test' }, ['web.test']],
  ['a part of names', { name: 'b.test' }, ['db.web.test', 'web.test']],
  ['a part of a subject', { name: 'old org' }, ['gone.test']],
  ['an address', { name: '10.0.0.1' }, ['gone.test']],
  ['a part with characters that SQL gives a meaning: they have none', { name: '100%_s' }, ['100%_sure.test']],
  ['a quote: no harm, no answer', { name: "'; DROP TABLE certificate; --" }, []],
  ['a name that nobody has', { name: 'nobody.test' }, []],
  [
    'the state valid: also at its last second',
    { state: 'valid' },
    ['at-the-limit.test', '100%_sure.test', 'db.web.test', 'web.test'],
  ],
  ['the state expired: revoked ones are not among them', { state: 'expired' }, ['100 and sure.test']],
  ['the state revoked: also after their expiry', { state: 'revoked' }, ['gone-and-expired.test', 'gone.test']],
  [
    'an expiry: what ends before it, without it',
    { expiresBefore: NOW },
    ['gone-and-expired.test', '100 and sure.test'],
  ],
  ['a provisioner', { provisioner: 'admin' }, ['db.web.test']],
  ['several things at once', { state: 'valid', name: 'web', expiresBefore: NEXT_WEEK }, ['db.web.test']],
  ['things that contradict each other', { state: 'revoked', provisioner: 'admin' }, []],
];

for (const { name, open } of STORE_KINDS) {
  describe(name, () => {
    test('a certificate is found by number, serial and fingerprint; null when there is none', async (t) => {
      const { store, another } = await open(t);
      const record = await issued(store);
      assert.ok(record.der && record.fingerprint);
      assert.equal(record.fingerprint, fingerprintOf(record.der));
      for (const reader of [store, await another()]) {
        assert.deepEqual(await reader.loadCertificate(record.id), record);
        assert.deepEqual(await reader.findCertificate(record.serial), record);
        assert.deepEqual(await reader.findCertificateByFingerprint(record.fingerprint), record);
      }
      assert.equal(await store.loadCertificate(record.id + 1), null);
      assert.equal(await store.findCertificate(serial()), null);
      assert.equal(await store.findCertificateByFingerprint(fingerprintOf(new Uint8Array(1))), null);
    });

    test('certificates are listed by name, state, expiry, provisioner and serial', async (t) => {
      const { store } = await open(t);
      const titles = await filled(store);
      for (const [what, query, answers] of QUERIES) {
        const records = await store.listCertificates({ limit: 100, now: NOW, ...query });
        assert.deepEqual(
          records.map(({ id }) => titles.get(id)),
          answers,
          what,
        );
      }
      for (const id of titles.keys()) {
        const record = await store.loadCertificate(id);
        assert.ok(record);
        assert.deepEqual(await store.listCertificates({ serial: record.serial, limit: 100, now: NOW }), [record]);
      }
    });

    test('every certificate is in exactly one state', async (t) => {
      const { store } = await open(t);
      const titles = await filled(store);
      const states: readonly CertificateState[] = ['valid', 'expired', 'revoked'];
      const lists = await Promise.all(states.map((state) => store.listCertificates({ state, limit: 100, now: NOW })));
      assert.deepEqual(
        lists.flatMap((records) => records.map(({ id }) => id)).sort((a, b) => a - b),
        [...titles.keys()],
      );
    });

    test('pages below a number follow each other without gap or overlap, also while certificates are added', async (t) => {
      const { store } = await open(t);
      const ids: number[] = [];
      for (let count = 0; count < 10; count++) ids.unshift((await issued(store)).id);
      const seen: number[] = [];
      for (let below: number | undefined; ; below = seen.at(-1)) {
        const page = await store.listCertificates({ limit: 3, now: NOW, ...(below !== undefined && { below }) });
        if (page.length === 0) break;
        seen.push(...page.map(({ id }) => id));
        await issued(store);
      }
      assert.deepEqual(seen, ids);
    });

    test('a certificate is revoked at most once: of eight at once one succeeds, and its time and reason stay', async (t) => {
      const { store, another } = await open(t);
      const second = await another();
      const { id } = await issued(store);
      const reasons = ['keyCompromise', 'superseded'] as const;
      const first = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 ? second : store).revokeCertificate(
            id,
            NOW,
            reasons[index % 2] ?? 'unspecified',
            `client ${index}`,
          ),
        ),
      );
      assert.equal(first.filter(Boolean).length, 1);
      assert.equal(await store.revokeCertificate(id, TONIGHT, 'unspecified', 'too late'), false);
      const record = await second.loadCertificate(id);
      assert.equal(record?.revokedAt, NOW);
      assert.equal(record?.revocationReason, reasons[first.indexOf(true) % 2]);
    });

    test('what does not exist is not revoked', async (t) => {
      const { store } = await open(t);
      assert.equal(await store.revokeCertificate(1, NOW, 'unspecified', 'nobody'), false);
    });
  });
}
