/** Certificates made to break the lint rules, one a rule, and what issues them. */
import {
  at,
  type CertificateParts,
  dns,
  hex,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testKey,
  validityDer,
} from './made-certificate.ts';
import { boolean, integer, nullValue, octetString, oid, sequence, time, tlv } from '../../src/core/asn1/der-writer.ts';
import { TAG } from '../../src/core/asn1/tags.ts';
import { encodeAuthorityInformationAccess } from '../../src/core/x509/authority-information-access.ts';
import { encodeBasicConstraints } from '../../src/core/x509/basic-constraints.ts';
import { encodeCrlDistributionPoints } from '../../src/core/x509/crl-distribution-points.ts';
import { encodeExtendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { encodeAuthorityKeyIdentifier } from '../../src/core/x509/key-identifier.ts';
import { encodeKeyUsage } from '../../src/core/x509/key-usage.ts';
import type { Certificate } from '../../src/core/x509/certificate.ts';
import type { LintContext } from '../../src/core/x509/lint-rule.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { encodeNameConstraints } from '../../src/core/x509/name-constraints.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const rsa = testKey('rsa-2048');

function raw(type: string, critical: boolean, value: string): Uint8Array {
  return critical
    ? sequence(oid(type), boolean(true), octetString(hex(value)))
    : sequence(oid(type), octetString(hex(value)));
}

const san = (...names: readonly GeneralName[]): CertificateParts => ({
  extensions: { subjectAltName: encodeSubjectAltName(names, true) },
});
const ext = (name: string, value: Uint8Array | null): CertificateParts => ({ extensions: { [name]: value } });
const leaf = (parts: CertificateParts = {}, issuer: MadeCertificate = intermediate) =>
  makeLeaf(issuer, parts).certificate;
const authority = (parts: CertificateParts = {}, issuer: MadeCertificate = root) =>
  makeIntermediate(issuer, 'Test Intermediate', parts).certificate;

/** Of those below. */
export const ISSUERS = (): readonly Certificate[] =>
  [intermediate, limited, pathZero, pathOne, constrained, noAuthority, shortLived].map(({ certificate }) => certificate);
export const ROOT = root.certificate;

const SHA1_RSA = sequence(oid('1.2.840.113549.1.1.5'), nullValue());
const limited = makeIntermediate(root, 'Limited', ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth'])));
const pathZero = makeIntermediate(
  root,
  'Path zero',
  ext('basicConstraints', encodeBasicConstraints({ ca: true, pathLength: 0 })),
);
const pathOne = makeIntermediate(
  root,
  'Path one',
  ext('basicConstraints', encodeBasicConstraints({ ca: true, pathLength: 1 })),
);
const constrained = makeIntermediate(
  root,
  'Constrained',
  ext('nameConstraints', encodeNameConstraints({ permitted: [{ kind: 'dns', value: 'example.com' }], excluded: [] })),
);
const noAuthority = makeLeaf(root, { subject: encodeName({ commonName: 'Leaf' }) });
const shortLived = makeIntermediate(root, 'Short', {
  validity: validityDer('2026-01-15T00:00:00Z', '2026-02-01T00:00:00Z'),
});

/** One row a rule: a certificate made to break it, and as what it is judged. */
export const BROKEN: readonly (readonly [id: string, make: () => Certificate, context: LintContext])[] = [
  ['version-not-3', () => leaf({ version: null, withExtensions: false }), { kind: 'server' }],
  ['serial-zero', () => leaf({ serial: integer(0) }), { kind: 'server' }],
  ['serial-too-long', () => leaf({ serial: integer(2n ** 159n) }), { kind: 'server' }],
  ['serial-too-short', () => leaf({ serial: integer(2n ** 55n) }), { kind: 'server' }],
  ['signature-weak', () => leaf({ signatureAlgorithm: SHA1_RSA }), { kind: 'server' }],
  ['root-signature-weak', () => makeRoot('Old', { signatureAlgorithm: SHA1_RSA }).certificate, { kind: 'root' }],
  ['signature-algorithm-unknown', () => leaf({ signatureAlgorithm: sequence(oid('1.2.3.4')) }), { kind: 'server' }],
  [
    'signature-not-of-issuer-key',
    () => leaf({ signatureAlgorithm: sequence(oid('1.3.101.112')) }),
    { kind: 'server', issuer: intermediate.certificate },
  ],
  [
    'validity-reversed',
    () => leaf({ validity: validityDer('2026-02-01T00:00:00Z', '2026-01-01T00:00:00Z') }),
    { kind: 'server' },
  ],
  [
    'time-encoding',
    () =>
      leaf({
        validity: sequence(tlv(TAG.GENERALIZED_TIME, Buffer.from('20260101000000Z')), time(at('2026-02-01T00:00:00Z'))),
      }),
    { kind: 'server' },
  ],
  [
    'lifetime-over-public-limit',
    () => leaf({ validity: validityDer('2026-03-15T00:00:00Z', '2026-10-01T00:00:00Z') }),
    { kind: 'server', publicTrust: true },
  ],
  [
    'lifetime-over-825-days',
    () => leaf({ validity: validityDer('2026-01-01T00:00:00Z', '2028-04-05T00:00:00Z') }),
    { kind: 'server' },
  ],
  ['outlives-issuer', () => leaf({}, shortLived), { kind: 'server', issuer: shortLived.certificate }],
  ['starts-before-issuer', () => leaf({}, shortLived), { kind: 'server', issuer: shortLived.certificate }],
  [
    'weak-key',
    () => leaf({ publicKey: sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.3.132.0.10')), hex('03020004')) }),
    { kind: 'server' },
  ],
  ['key-of-issuer', () => leaf({ key: intermediate.key }), { kind: 'server', issuer: intermediate.certificate }],
  ['issuer-empty', () => leaf({ issuer: encodeName({}) }), { kind: 'server' }],
  ['authority-subject-empty', () => authority({ subject: encodeName({}) }), { kind: 'intermediate' }],
  ['san-missing', () => leaf(ext('subjectAltName', null)), { kind: 'server' }],
  ['nothing-named', () => leaf(ext('subjectAltName', null)), { kind: 'client' }],
  ['san-empty', () => leaf(san()), { kind: 'server' }],
  [
    'san-not-critical',
    () => leaf(ext('subjectAltName', encodeSubjectAltName(dns('a.example'), false))),
    { kind: 'server' },
  ],
  ['san-critical', () => leaf({ subject: encodeName({ commonName: 'api.internal' }) }), { kind: 'server' }],
  ['san-duplicate', () => leaf(san(...dns('a.example', 'b.example', 'A.example'))), { kind: 'server' }],
  ['dns-name-invalid', () => leaf(san(...dns('-a.example'))), { kind: 'server' }],
  ['dns-name-underscore', () => leaf(san(...dns('my_db.example'))), { kind: 'server' }],
  ['wildcard-misplaced', () => leaf(san(...dns('a.*.example'))), { kind: 'server' }],
  ['wildcard-of-single-label', () => leaf(san(...dns('*.internal'))), { kind: 'server' }],
  ['ip-as-dns-name', () => leaf(san(...dns('192.0.2.1'))), { kind: 'server' }],
  ['email-invalid', () => leaf(san({ kind: 'email', value: 'nobody' })), { kind: 'client' }],
  ['uri-invalid', () => leaf(san({ kind: 'uri', value: 'spiffe://Example.org/a' })), { kind: 'client' }],
  ['common-name-not-in-san', () => leaf({ subject: encodeName({ commonName: 'other.internal' }) }), { kind: 'server' }],
  ['common-name-too-long', () => leaf({ subject: encodeName({ commonName: 'a'.repeat(65) }) }), { kind: 'client' }],
  [
    'issuer-name-mismatch',
    () => leaf({ issuer: encodeName({ commonName: 'Someone' }) }),
    { kind: 'server', issuer: intermediate.certificate },
  ],
  ['name-outside-constraints', () => leaf({}, constrained), { kind: 'server', issuer: constrained.certificate }],
  [
    'leaf-is-authority',
    () => leaf(ext('basicConstraints', encodeBasicConstraints({ ca: true, pathLength: null }))),
    { kind: 'server' },
  ],
  [
    'authority-is-none',
    () => authority(ext('basicConstraints', encodeBasicConstraints({ ca: false, pathLength: null }))),
    { kind: 'intermediate' },
  ],
  [
    'basic-constraints-not-critical',
    () => authority(ext('basicConstraints', raw('2.5.29.19', false, '30030101ff'))),
    { kind: 'intermediate' },
  ],
  [
    'path-length-on-leaf',
    () => leaf(ext('basicConstraints', encodeBasicConstraints({ ca: false, pathLength: 0 }))),
    { kind: 'server' },
  ],
  ['path-length-exhausted', () => authority({}, pathZero), { kind: 'intermediate', issuer: pathZero.certificate }],
  ['path-length-over-issuer', () => authority({}, pathOne), { kind: 'intermediate', issuer: pathOne.certificate }],

  ['issuer-not-an-authority', () => leaf({}, noAuthority), { kind: 'server', issuer: noAuthority.certificate }],
  ['key-usage-missing', () => leaf(ext('keyUsage', null)), { kind: 'server' }],
  ['key-usage-not-critical', () => leaf(ext('keyUsage', raw('2.5.29.15', false, '03020780'))), { kind: 'server' }],
  ['key-usage-empty', () => leaf(ext('keyUsage', encodeKeyUsage([]))), { kind: 'server' }],
  [
    'no-digital-signature',
    () => leaf({ key: rsa, ...ext('keyUsage', encodeKeyUsage(['keyEncipherment'])) }),
    { kind: 'server' },
  ],
  [
    'key-encipherment-without-rsa',
    () => leaf(ext('keyUsage', encodeKeyUsage(['digitalSignature', 'keyEncipherment']))),
    { kind: 'server' },
  ],
  ['authority-cannot-sign', () => authority(ext('keyUsage', encodeKeyUsage(['cRLSign']))), { kind: 'intermediate' }],
  [
    'authority-cannot-sign-crl',
    () => authority(ext('keyUsage', encodeKeyUsage(['keyCertSign']))),
    { kind: 'intermediate' },
  ],
  [
    'leaf-can-sign-certificates',
    () => leaf(ext('keyUsage', encodeKeyUsage(['digitalSignature', 'keyCertSign']))),
    { kind: 'server' },
  ],
  ['extended-key-usage-missing', () => leaf(ext('extKeyUsage', null)), { kind: 'server' }],
  ['extended-key-usage-empty', () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage([]))), { kind: 'server' }],
  [
    'extended-key-usage-any',
    () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage(['serverAuth', 'anyExtendedKeyUsage']))),
    { kind: 'server' },
  ],
  ['purpose-missing', () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth']))), { kind: 'server' }],
  ['purpose-not-of-issuer', () => leaf({}, limited), { kind: 'server', issuer: limited.certificate }],
  [
    'other-purpose-not-of-issuer',
    () => leaf(ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth', 'serverAuth'])), limited),
    { kind: 'client', issuer: limited.certificate },
  ],
  ['authority-key-identifier-missing', () => leaf(ext('authorityKeyIdentifier', null)), { kind: 'server' }],
  [
    'authority-key-identifier-mismatch',
    () => leaf(ext('authorityKeyIdentifier', encodeAuthorityKeyIdentifier(hex('00')))),
    { kind: 'server', issuer: intermediate.certificate },
  ],
  [
    'authority-key-identifier-critical',
    () => leaf(ext('authorityKeyIdentifier', raw('2.5.29.35', true, '3003800101'))),
    { kind: 'server' },
  ],
  ['subject-key-identifier-missing', () => authority(ext('subjectKeyIdentifier', null)), { kind: 'intermediate' }],
  ['leaf-subject-key-identifier-missing', () => leaf(ext('subjectKeyIdentifier', null)), { kind: 'server' }],
  [
    'subject-key-identifier-critical',
    () => leaf(ext('subjectKeyIdentifier', raw('2.5.29.14', true, '040101'))),
    { kind: 'server' },
  ],
  [
    'name-constraints-on-leaf',
    () =>
      leaf(ext('nameConstraints', encodeNameConstraints({ permitted: [], excluded: [{ kind: 'dns', value: 'a' }] }))),
    { kind: 'server' },
  ],
  [
    'name-constraints-not-critical',
    () => authority(ext('nameConstraints', raw('2.5.29.30', false, '3007a00530038201 61'))),
    { kind: 'intermediate' },
  ],
  [
    'name-constraints-empty',
    () => authority(ext('nameConstraints', encodeNameConstraints({ permitted: [], excluded: [] }))),
    { kind: 'intermediate' },
  ],
  [
    'policy-constraints-not-critical',
    () => authority(ext('policyConstraints', raw('2.5.29.36', false, '3003800100'))),
    { kind: 'intermediate' },
  ],
  [
    'policy-mappings-not-critical',
    () => authority(ext('policyMappings', raw('2.5.29.33', false, '300c300a06032a030406032a0305'))),
    { kind: 'intermediate' },
  ],
  [
    'inhibit-any-policy-not-critical',
    () => authority(ext('inhibitAnyPolicy', raw('2.5.29.54', false, '020100'))),
    { kind: 'intermediate' },
  ],
  [
    'access-critical',
    () => leaf(ext('access', raw('1.3.6.1.5.5.7.1.1', true, '3013301106082b06010505073001 8605753a612f62'))),
    { kind: 'server' },
  ],
  ['critical-extension-unknown', () => leaf(ext('unknown', raw('1.2.3', true, '00'))), { kind: 'server' }],
  [
    'crl-url-not-http',
    () => leaf(ext('crl', encodeCrlDistributionPoints(['https://ca.example/crl']))),
    { kind: 'server' },
  ],
  [
    'access-url-not-http',
    () => leaf(ext('aia', encodeAuthorityInformationAccess({ ocspUrls: ['https://ca.example/'], caIssuersUrls: [] }))),
    { kind: 'server' },
  ],
];

