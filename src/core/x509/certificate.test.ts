import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import {
  type CertificateParts,
  hex,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  testKey,
} from '../../../test/vectors/made-certificate.ts';
import { RFC5280_C1, RFC5280_C2, RFC5280_C3 } from '../../../test/vectors/rfc5280-appendix-c.ts';
import { DerError } from '../asn1/der-reader.ts';
import {
  bitString,
  explicit,
  implicit,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tlv,
  utf8String,
} from '../asn1/der-writer.ts';
import { TAG } from '../asn1/tags.ts';
import { pemBlocksLabelled } from '../bytes/pem.ts';
import { formatRfc3339 } from '../time/instant.ts';
import { contains } from '../time/validity-period.ts';
import { describeSignatureAlgorithm } from './algorithm.ts';
import { basicConstraints } from './basic-constraints.ts';
import {
  assembleCertificate,
  isIssuedBy,
  isSelfIssued,
  parseCertificate,
  parseTbsCertificate,
  verifyCertificateSignature,
} from './certificate.ts';
import { certificatePolicies } from './certificate-policies.ts';
import { keyUsage } from './key-usage.ts';
import { encodeName, formatName } from './name.ts';
import { describeKey } from './public-key.ts';
import { subjectAltNames } from './subject-alt-name.ts';

test('the example of RFC 5280 appendix C.1 is read field by field', () => {
  const certificate = parseCertificate(RFC5280_C1);
  assert.equal(certificate.version, 3);
  assert.equal(certificate.serial, '11');
  assert.equal(formatName(certificate.subject), 'CN=Example CA,DC=example,DC=com');
  assert.equal(formatRfc3339(certificate.validity.notBefore), '2004-04-30T14:25:34Z');
  assert.equal(formatRfc3339(certificate.validity.notAfter), '2005-04-30T14:25:34Z');
  assert.equal(describeKey(certificate.publicKey), 'rsa-1024');
  assert.equal(describeSignatureAlgorithm(certificate.signatureAlgorithm), 'sha1WithRSAEncryption');
  assert.deepEqual(basicConstraints(certificate), { ca: true, pathLength: null });
  assert.deepEqual(keyUsage(certificate), ['keyCertSign', 'cRLSign']);
  assert.ok(isSelfIssued(certificate));
});

test('the example of RFC 5280 appendix C.2 is issued by that of C.1, but its SHA-1 is not accepted', () => {
  const [issuer, certificate] = [parseCertificate(RFC5280_C1), parseCertificate(RFC5280_C2)];
  assert.equal(certificate.serial, '12');
  assert.deepEqual(subjectAltNames(certificate), [{ kind: 'email', value: 'end.entity@example.com' }]);
  assert.deepEqual(keyUsage(certificate), ['digitalSignature', 'nonRepudiation']);
  assert.ok(isIssuedBy(certificate, issuer));
  assert.equal(verifyCertificateSignature(certificate, issuer), false);
});

test('the example of RFC 5280 appendix C.3 has a DSA key, which is unknown here, and a policy', () => {
  const certificate = parseCertificate(RFC5280_C3);
  assert.equal(certificate.serial, '0100');
  assert.equal(describeKey(certificate.publicKey), 'unknown 1.2.840.10040.4.1');
  assert.deepEqual(subjectAltNames(certificate), [
    { kind: 'uri', value: 'http://www.example.com/users/DSAendentity.html' },
  ]);
  assert.deepEqual(certificatePolicies(certificate), ['2.16.840.1.101.3.2.1.48.9']);
});

const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

test('every root of the system is read as Node.js reads it', { skip: !existsSync(SYSTEM_ROOTS) }, () => {
  const blocks = pemBlocksLabelled(readFileSync(SYSTEM_ROOTS, 'utf8'), 'CERTIFICATE');
  assert.ok(blocks.length > 50);
  for (const { der } of blocks) {
    const ours = parseCertificate(der);
    const theirs = new X509Certificate(der);
    assert.equal(ours.serial, theirs.serialNumber.toLowerCase().padStart(2, '0'));
    assert.equal(ours.fingerprint, theirs.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.equal(ours.validity.notAfter * 1000, Date.parse(theirs.validTo));
    assert.equal(basicConstraints(ours)?.ca ?? false, theirs.ca);
  }
});

const root = makeRoot();

const READ_ANYWAY: readonly [
  what: string,
  parts: CertificateParts,
  check: (certificate: ReturnType<typeof parseCertificate>) => void,
][] = [
  [
    'version 1 without extensions',
    { version: null, withExtensions: false },
    (it) => assert.deepEqual([it.version, it.extensions], [1, []]),
  ],
  ['version 3 without extensions', { withExtensions: false }, (it) => assert.deepEqual(it.extensions, [])],
  ['serial 0', { serial: integer(0) }, (it) => assert.equal(it.serial, '00')],
  ['a serial of 21 octets', { serial: integer(2n ** 167n) }, (it) => assert.equal(it.serial.length, 42)],
  [
    'GeneralizedTime before 2050',
    {
      validity: sequence(
        tlv(TAG.GENERALIZED_TIME, Buffer.from('20260101000000Z')),
        tlv(TAG.GENERALIZED_TIME, Buffer.from('20260301000000Z')),
      ),
    },
    (it) => assert.ok(contains(it.validity, NOW)),
  ],
  [
    'an unknown critical extension',
    { extensions: { unknown: sequence(oid('1.2.3'), hex('0101ff'), octetString(hex('ff'))) } },
    (it) => assert.equal(it.extensions.at(-1)?.critical, true),
  ],
];

for (const [what, parts, check] of READ_ANYWAY) {
  test(`a certificate with ${what} is read, for lint to judge`, () => check(makeLeaf(root, parts).certificate));
}

const REFUSED: readonly [what: string, parts: CertificateParts, path: RegExp][] = [
  ['version 1 written out (X.690 §11.5)', { version: explicit(0, integer(0)) }, /tbsCertificate\.version/],
  ['version 4', { version: explicit(0, integer(3)) }, /tbsCertificate\.version/],
  ['version 1 with extensions (RFC 5280 §4.1.2.1)', { version: null }, /tbsCertificate\.version/],
  ['version 2 with extensions', { version: explicit(0, integer(1)) }, /tbsCertificate\.version/],
  ['a negative serial', { serial: tlv(TAG.INTEGER, hex('80')) }, /tbsCertificate\.serialNumber/],
  ['a serial that is not minimal', { serial: tlv(TAG.INTEGER, hex('0001')) }, /tbsCertificate\.serialNumber/],
  [
    'a time without seconds (RFC 5280 §4.1.2.5.1)',
    {
      validity: sequence(
        tlv(TAG.UTC_TIME, Buffer.from('2601010000Z')),
        tlv(TAG.UTC_TIME, Buffer.from('260101000000Z')),
      ),
    },
    /tbsCertificate\.validity\.notBefore/,
  ],
  [
    'three times',
    {
      validity: sequence(
        ...['260101000000Z', '260102000000Z', '260103000000Z'].map((time) => tlv(TAG.UTC_TIME, Buffer.from(time))),
      ),
    },
    /tbsCertificate\.validity/,
  ],
  [
    'a damaged known extension',
    { extensions: { subjectAltName: sequence(oid('2.5.29.17'), octetString(hex('3003820261'))) } },
    /tbsCertificate\.extensions\[\d\]\.subjectAltName/,
  ],
  [
    'an extension twice (RFC 5280 §4.2)',
    { extensions: { again: sequence(oid('2.5.29.15'), octetString(hex('03020780'))) } },
    /tbsCertificate\.extensions\[6\]/,
  ],
  ['a subject that is no name', { subject: sequence(utf8String('a')) }, /tbsCertificate\.subject\[0\]/],
];

for (const [what, parts, path] of REFUSED) {
  test(`a certificate with ${what} is refused where it is damaged`, () => {
    assert.throws(
      () => makeLeaf(root, parts),
      (error) => error instanceof DerError && path.test(error.path),
    );
  });
}

const leaf = makeLeaf(root);

test('an outer signature algorithm that differs is refused (RFC 5280 §4.1.1.2)', () => {
  const der = sequence(
    leaf.certificate.tbs,
    sequence(oid('1.2.840.10045.4.3.3')),
    bitString(leaf.certificate.signature),
  );
  assert.throws(() => parseCertificate(der), { path: 'signatureAlgorithm' });
});

test('octets after the certificate or inside it are refused', () => {
  assert.throws(() => parseCertificate(Buffer.concat([leaf.der, hex('00')])), {
    path: 'certificate',
    offset: leaf.der.byteLength,
  });
  const { tbs, signatureAlgorithm, signature } = leaf.certificate;
  assert.throws(
    () => parseCertificate(sequence(tbs, signatureAlgorithm.raw, bitString(signature), nullValue())),
    DerError,
  );
});

test('a certificate is assembled from its parts and read back', () => {
  const { tbs, signature } = leaf.certificate;
  assert.deepEqual(new Uint8Array(assembleCertificate(tbs, 'ecdsa-p256', signature)), new Uint8Array(leaf.der));
  const { raw: _raw, signature: _signature, fingerprint: _fingerprint, ...unsigned } = leaf.certificate;
  assert.deepEqual(parseTbsCertificate(tbs), unsigned);
});

test('the issuer is told by name and key identifier (RFC 5280 §4.2.1.1)', () => {
  const sameName = makeRoot('Test Root');
  const otherName = makeRoot('Other Root');
  assert.deepEqual(
    [root, sameName, otherName].map((issuer) => isIssuedBy(leaf.certificate, issuer.certificate)),
    [true, false, false],
  );
  const withoutIdentifier = makeLeaf(root, { extensions: { authorityKeyIdentifier: null } });
  assert.ok(isIssuedBy(withoutIdentifier.certificate, sameName.certificate));
  assert.ok(!verifyCertificateSignature(withoutIdentifier.certificate, sameName.certificate));
});

test('a signature is verified by the issuer’s key only, and over these very octets', () => {
  const intermediate = makeIntermediate(root);
  assert.ok(verifyCertificateSignature(leaf.certificate, root.certificate));
  assert.ok(!verifyCertificateSignature(leaf.certificate, intermediate.certificate));
  const flipped = Uint8Array.from(leaf.der);
  // An octet of the serial.
  flipped[20] = (flipped[20] ?? 0) ^ 1;
  assert.ok(!verifyCertificateSignature(parseCertificate(flipped), root.certificate));
});

test('a key that OpenSSL cannot use verifies nothing', () => {
  const { publicKey } = testKey();
  const offCurve = Uint8Array.from(publicKey, (octet, index) =>
    index === publicKey.byteLength - 1 ? octet ^ 1 : octet,
  );
  const broken = makeRoot('Test Root', { publicKey: offCurve });
  assert.ok(!verifyCertificateSignature(leaf.certificate, broken.certificate));
});

test('unique identifiers of version 2 are passed over (RFC 5280 §4.1.2.8)', () => {
  const { certificate, key } = makeLeaf(root, { version: null, withExtensions: false });
  const fields = certificate.tbs.subarray(certificate.tbs[1] === 0x81 ? 3 : 4);
  const tbs = sequence(explicit(0, integer(1)), fields, implicit(1, hex('00ff')), implicit(2, hex('00ff')));
  const der = assembleCertificate(tbs, 'ecdsa-p256', key.sign(tbs));
  assert.equal(parseCertificate(der).version, 2);
});

test('an empty subject is the empty name', () => {
  assert.equal(formatName(makeLeaf(root, { subject: encodeName({}) }).certificate.subject), '');
});
