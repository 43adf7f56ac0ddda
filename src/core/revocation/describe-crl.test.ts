import assert from 'node:assert/strict';
import test from 'node:test';
import { at, makeRoot } from '../../../test/vectors/made-certificate.ts';
import type { SerialNumber } from '../x509/serial-number.ts';
import { assembleCrl, encodeCrlTbs, parseCrl } from './crl.ts';
import { crlDocument, crlLines } from './describe-crl.ts';

const root = makeRoot();

function crlWith(count: number) {
  const tbs = encodeCrlTbs({
    issuer: { certificate: root.certificate, keyAlgorithm: root.key.algorithm },
    number: 2n ** 80n,
    thisUpdate: at('2026-11-25T00:00:00Z'),
    nextUpdate: at('2026-11-26T00:00:00Z'),
    entries: Array.from({ length: count }, (_, i) => ({
      serial: `4f${i.toString(16).padStart(6, '0')}` as SerialNumber,
      revokedAt: at('2026-11-24T12:00:00Z'),
      reason: 'keyCompromise' as const,
    })),
  });
  return parseCrl(assembleCrl(tbs, root.key.sign(tbs.bytes)));
}

test('the document of a list has all entries, and its number as text because it may exceed JSON’s', () => {
  const { revoked, authorityKeyId: _, ...document } = crlDocument(crlWith(30));
  assert.deepEqual(document, {
    issuer: 'CN=Test Root',
    number: '1208925819614629174706176',
    thisUpdate: '2026-11-25T00:00:00Z',
    nextUpdate: '2026-11-26T00:00:00Z',
    signatureAlgorithm: 'ecdsa-with-SHA256',
  });
  assert.equal(revoked.length, 30);
  assert.deepEqual(revoked[1], { serial: '4f000001', revokedAt: '2026-11-24T12:00:00Z', reason: 'keyCompromise' });
});

test('the lines show the first entries, count all, and call a stale list stale', () => {
  const lines = crlLines(crlWith(30), at('2026-11-27T00:00:00Z')).join('\n');
  assert.match(lines, /revoked +30\n/);
  assert.match(lines, /… and 10 more/);
  assert.match(lines, /stale for 1d/);
  assert.match(crlLines(crlWith(0), at('2026-11-25T12:00:00Z')).join('\n'), /due in 12h/);
});
