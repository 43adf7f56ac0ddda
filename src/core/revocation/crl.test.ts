import assert from 'node:assert/strict';
import test from 'node:test';
import { at, hex, makeIntermediate, makeRoot, testKey } from '../../../test/vectors/made-certificate.ts';
import { RFC5280_C1, RFC5280_C4 } from '../../../test/vectors/rfc5280-appendix-c.ts';
import { DerError } from '../asn1/der-reader.ts';
import {
  bitString,
  boolean,
  enumerated,
  explicit,
  integer,
  octetString,
  oid,
  sequence,
  time,
} from '../asn1/der-writer.ts';
import { formatRfc3339 } from '../time/instant.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../x509/algorithm.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { extensionValue, findExtension } from '../x509/extension.ts';
import { AUTHORITY_KEY_IDENTIFIER, subjectKeyIdentifier } from '../x509/key-identifier.ts';
import { formatName } from '../x509/name.ts';
import { parseSerialNumber, type SerialNumber } from '../x509/serial-number.ts';
import { assembleCrl, type CrlContent, encodeCrlTbs, parseCrl, verifyCrlSignature } from './crl.ts';
import { CRL_NUMBER, ISSUING_DISTRIBUTION_POINT } from './crl-extensions.ts';
import { isRevocationReason, numberOfReason, REVOCATION_REASONS, reasonOfNumber } from './reason.ts';
import { encodeRevokedEntries, type RevokedEntry } from './revoked-entries.ts';

const root = makeRoot();
const THIS_UPDATE = at('2026-11-25T02:15:53Z');
const NEXT_UPDATE = at('2026-12-02T02:15:53Z');

function serial(text: string): SerialNumber {
  const parsed = parseSerialNumber(text);
  assert.ok(parsed);
  return parsed;
}

const ENTRIES: readonly RevokedEntry[] = [
  { serial: serial('01'), revokedAt: at('2026-11-24T00:00:00Z'), reason: 'unspecified' },
  { serial: serial('8f2c'), revokedAt: at('2026-11-24T12:34:56Z'), reason: 'keyCompromise' },
  { serial: serial('7f'.repeat(20)), revokedAt: at('2050-01-01T00:00:00Z'), reason: 'superseded' },
];

function listOf(content: Partial<CrlContent> = {}, signer = root) {
  const tbs = encodeCrlTbs({
    issuer: { certificate: signer.certificate, keyAlgorithm: signer.key.algorithm },
    number: 7,
    thisUpdate: THIS_UPDATE,
    nextUpdate: NEXT_UPDATE,
    entries: ENTRIES,
    ...content,
  });
  return parseCrl(assembleCrl(tbs, signer.key.sign(tbs.bytes)));
}

test('the example of RFC 5280 appendix C.4 is read field by field', () => {
  const crl = parseCrl(RFC5280_C4);
  assert.equal(formatName(crl.issuer), 'CN=Example CA,DC=example,DC=com');
  assert.deepEqual(
    [formatRfc3339(crl.thisUpdate), crl.nextUpdate && formatRfc3339(crl.nextUpdate)],
    ['2005-02-05T12:00:00Z', '2005-02-06T12:00:00Z'],
  );
  assert.equal(crl.number, 12n);
  assert.deepEqual(crl.entries, [{ serial: '12', revokedAt: at('2004-11-19T15:57:03Z'), reason: 'keyCompromise' }]);
  assert.equal(verifyCrlSignature(crl, parseCertificate(RFC5280_C1)), false, 'it is signed with SHA-1');
});

test('a list is written and read back: entries, number, key identifier (RFC 5280 §5)', () => {
  const crl = listOf();
  assert.deepEqual(crl.entries, ENTRIES);
  assert.deepEqual([crl.number, crl.thisUpdate, crl.nextUpdate], [7n, THIS_UPDATE, NEXT_UPDATE]);
  assert.deepEqual(
    extensionValue(crl, AUTHORITY_KEY_IDENTIFIER)?.keyIdentifier,
    subjectKeyIdentifier(root.certificate),
  );
  assert.equal(findExtension(crl, CRL_NUMBER)?.critical, false);
  assert.deepEqual(crl.issuer, root.certificate.subject);
});

for (const algorithm of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  test(`a list signed by a key of ${algorithm} verifies with it, and with no other`, () => {
    const signer = makeRoot('Signer', { key: testKey(algorithm) });
    const crl = listOf({}, signer);
    assert.equal(verifyCrlSignature(crl, signer.certificate), true);
    assert.equal(verifyCrlSignature(crl, makeIntermediate(root).certificate), false);
  });
}

test('an empty list has no revokedCertificates field (RFC 5280 §5.1.2.6: "the revoked certificates list MUST be absent")', () => {
  assert.deepEqual(listOf({ entries: [] }).entries, []);
  assert.equal(encodeRevokedEntries([]), null);
});

test('the distribution point is critical and says no more than where (RFC 5280 §5.2.5)', () => {
  const crl = listOf({ distributionPointUrl: 'http://ca.internal/crl' });
  assert.equal(findExtension(crl, ISSUING_DISTRIBUTION_POINT)?.critical, true);
  assert.deepEqual(extensionValue(crl, ISSUING_DISTRIBUTION_POINT), {
    name: { kind: 'full', names: [{ kind: 'uri', value: 'http://ca.internal/crl' }] },
    onlyContainsUserCerts: false,
    onlyContainsCaCerts: false,
    onlySomeReasons: null,
    indirectCrl: false,
    onlyContainsAttributeCerts: false,
  });
  assert.equal(findExtension(listOf(), ISSUING_DISTRIBUTION_POINT), null);
});

test('an entry is written octet by octet: sign octet, UTCTime, reason', () => {
  const [, entry] = ENTRIES;
  assert.ok(entry);
  const date = `170d${Buffer.from('261124123456Z').toString('hex')}`;
  assert.equal(
    Buffer.from(encodeRevokedEntries([entry]) ?? []).toString('hex'),
    `302430220203008f2c${date}300c300a0603551d1504030a0101`,
  );
});

test('the reason "unspecified" is expressed by absence (RFC 5280 §5.3.1)', () => {
  const [entry] = ENTRIES;
  assert.ok(entry);
  assert.equal(Buffer.from(encodeRevokedEntries([entry]) ?? []).includes(hex('0603551d15')), false);
});

test('a number of 20 octets is written and read (RFC 5280 §5.2.3)', () => {
  assert.equal(listOf({ number: 2n ** 158n }).number, 2n ** 158n);
});

test('a serial of more than 20 octets is not written', () => {
  assert.throws(
    () => encodeRevokedEntries([{ serial: serial('01'.repeat(21)), revokedAt: THIS_UPDATE, reason: 'unspecified' }]),
    RangeError,
  );
});

for (const reason of REVOCATION_REASONS) {
  test(`the reason ${reason} goes to its number and back (RFC 5280 §5.3.1)`, () => {
    assert.equal(reasonOfNumber(numberOfReason(reason)), reason);
    assert.ok(isRevocationReason(reason));
    const entry: RevokedEntry = { serial: serial('01'), revokedAt: THIS_UPDATE, reason };
    assert.deepEqual(listOf({ entries: [entry] }).entries, [entry]);
  });
}

for (const number of [7, 11, -1, 1.5]) {
  test(`${number} is no reason`, () => assert.equal(reasonOfNumber(number), null));
}

const ALGORITHM = KEY_ALGORITHMS['ecdsa-p256'].signatureAlgorithm.raw;
const NAME = root.certificate.subject.raw;
const extension = (type: string, critical: boolean, value: Uint8Array): Uint8Array =>
  critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value));

function rawList(...fields: readonly Uint8Array[]) {
  const tbs = sequence(...fields);
  return () => parseCrl(sequence(tbs, ALGORITHM, bitString(root.key.sign(tbs))));
}

const T = time(THIS_UPDATE);

test('a list of version 1 has neither number nor nextUpdate', () => {
  const crl = rawList(ALGORITHM, NAME, T)();
  assert.deepEqual([crl.number, crl.nextUpdate, crl.entries], [null, null, []]);
});

test('flags of the distribution point are read', () => {
  const value = sequence(hex('8101ff'), hex('8401ff'));
  const crl = rawList(integer(1), ALGORITHM, NAME, T, T, explicit(0, sequence(extension('2.5.29.28', true, value))))();
  const point = extensionValue(crl, ISSUING_DISTRIBUTION_POINT);
  assert.deepEqual([point?.onlyContainsUserCerts, point?.onlyContainsCaCerts, point?.indirectCrl], [true, false, true]);
});

const entryWith = (value: Uint8Array): Uint8Array =>
  sequence(sequence(integer(1), T, sequence(extension('2.5.29.21', false, value))));

const MALFORMED: readonly [what: string, parse: () => unknown][] = [
  ['of version 1, written out', rawList(integer(0), ALGORITHM, NAME, T)],
  ['of version 3', rawList(integer(2), ALGORITHM, NAME, T)],
  ['without thisUpdate', rawList(integer(1), ALGORITHM, NAME)],
  ['with the reason 7', rawList(integer(1), ALGORITHM, NAME, T, T, entryWith(enumerated(7)))],
  ['with a reason that is an INTEGER', rawList(integer(1), ALGORITHM, NAME, T, T, entryWith(integer(1)))],
  ['with extensions in version 1', rawList(ALGORITHM, NAME, T, T, explicit(0, sequence()))],
  [
    'with a number of 21 octets',
    rawList(
      integer(1),
      ALGORITHM,
      NAME,
      T,
      T,
      explicit(0, sequence(extension('2.5.29.20', false, integer(2n ** 160n)))),
    ),
  ],
  [
    'with two numbers',
    rawList(
      integer(1),
      ALGORITHM,
      NAME,
      T,
      T,
      explicit(0, sequence(...[1, 2].map((n) => extension('2.5.29.20', false, integer(n))))),
    ),
  ],
  [
    'with another outer algorithm',
    () =>
      parseCrl(sequence(listOf().tbs, KEY_ALGORITHMS.ed25519.signatureAlgorithm.raw, bitString(new Uint8Array(64)))),
  ],
];

for (const [what, parse] of MALFORMED) {
  test(`a list ${what} is refused`, () => assert.throws(parse, DerError));
}
