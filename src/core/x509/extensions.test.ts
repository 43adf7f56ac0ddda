import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { DerError, readDer } from '../asn1/der-reader.ts';
import { boolean, octetString, oid, sequence } from '../asn1/der-writer.ts';
import { ACME_IDENTIFIER, encodeAcmeIdentifier } from './acme-identifier.ts';
import { AUTHORITY_INFORMATION_ACCESS, encodeAuthorityInformationAccess } from './authority-information-access.ts';
import { BASIC_CONSTRAINTS, encodeBasicConstraints } from './basic-constraints.ts';
import { CERTIFICATE_POLICIES, encodeCertificatePolicies } from './certificate-policies.ts';
import { CRL_DISTRIBUTION_POINTS, encodeCrlDistributionPoints } from './crl-distribution-points.ts';
import { EXTENDED_KEY_USAGE, encodeExtendedKeyUsage } from './extended-key-usage.ts';
import { type ExtensionKind, readExtensions } from './extension.ts';
import { parseIpAddress } from './ip-address.ts';
import {
  AUTHORITY_KEY_IDENTIFIER,
  encodeAuthorityKeyIdentifier,
  encodeSubjectKeyIdentifier,
  keyIdentifierOf,
  SUBJECT_KEY_IDENTIFIER,
} from './key-identifier.ts';
import { encodeKeyUsage, KEY_USAGE } from './key-usage.ts';
import { KNOWN_EXTENSIONS } from './known-extensions.ts';
import { encodeNameConstraints, NAME_CONSTRAINTS } from './name-constraints.ts';
import { INHIBIT_ANY_POLICY, POLICY_CONSTRAINTS } from './policy-constraints.ts';
import { POLICY_MAPPINGS } from './policy-mappings.ts';
import { parseSubjectPublicKeyInfo } from './public-key.ts';
import { encodeSubjectAltName, SUBJECT_ALT_NAME } from './subject-alt-name.ts';

const address = parseIpAddress('192.0.2.1');
assert.ok(address);
const KEY_ID = hex('00112233445566778899aabbccddeeff00112233');

/** What we write, octet by octet, and what we read from it. */
const WRITTEN: readonly [
  what: string,
  kind: ExtensionKind<unknown>,
  encoded: Uint8Array,
  der: string,
  value: unknown,
][] = [
  [
    'CA with path length 0, which is encoded',
    BASIC_CONSTRAINTS,
    encodeBasicConstraints({ ca: true, pathLength: 0 }),
    '30120603551d130101ff040830060101ff020100',
    { ca: true, pathLength: 0 },
  ],
  [
    'CA without a path length',
    BASIC_CONSTRAINTS,
    encodeBasicConstraints({ ca: true, pathLength: null }),
    '300f0603551d130101ff040530030101ff',
    { ca: true, pathLength: null },
  ],
  [
    'a leaf: the empty SEQUENCE, critical',
    BASIC_CONSTRAINTS,
    encodeBasicConstraints({ ca: false, pathLength: null }),
    '300c0603551d130101ff04023000',
    { ca: false, pathLength: null },
  ],
  [
    'digitalSignature',
    KEY_USAGE,
    encodeKeyUsage(['digitalSignature']),
    '300e0603551d0f0101ff040403020780',
    ['digitalSignature'],
  ],
  [
    'keyCertSign and cRLSign',
    KEY_USAGE,
    encodeKeyUsage(['keyCertSign', 'cRLSign']),
    '300e0603551d0f0101ff040403020106',
    ['keyCertSign', 'cRLSign'],
  ],
  [
    'decipherOnly, the ninth bit',
    KEY_USAGE,
    encodeKeyUsage(['decipherOnly']),
    '300f0603551d0f0101ff04050303070080',
    ['decipherOnly'],
  ],
  [
    'serverAuth and clientAuth',
    EXTENDED_KEY_USAGE,
    encodeExtendedKeyUsage(['serverAuth', 'clientAuth']),
    '301d0603551d250416301406082b0601050507030106082b06010505070302',
    ['serverAuth', 'clientAuth'],
  ],
  [
    'names, critical because the subject is empty',
    SUBJECT_ALT_NAME,
    encodeSubjectAltName(
      [
        { kind: 'dns', value: 'a.b' },
        { kind: 'ip', value: address },
      ],
      true,
    ),
    '30170603551d110101ff040d300b8203612e628704c0000201',
    [
      { kind: 'dns', value: 'a.b' },
      { kind: 'ip', value: address },
    ],
  ],
  [
    'names, not critical beside a subject',
    SUBJECT_ALT_NAME,
    encodeSubjectAltName([{ kind: 'dns', value: 'a.b' }], false),
    '300e0603551d11040730058203612e62',
    [{ kind: 'dns', value: 'a.b' }],
  ],
  [
    'subjectKeyIdentifier',
    SUBJECT_KEY_IDENTIFIER,
    encodeSubjectKeyIdentifier(KEY_ID),
    '301d0603551d0e0416041400112233445566778899aabbccddeeff00112233',
    KEY_ID,
  ],
  [
    'authorityKeyIdentifier',
    AUTHORITY_KEY_IDENTIFIER,
    encodeAuthorityKeyIdentifier(KEY_ID),
    '301f0603551d2304183016801400112233445566778899aabbccddeeff00112233',
    { keyIdentifier: KEY_ID, issuers: [], serial: null },
  ],
  [
    'one distribution point',
    CRL_DISTRIBUTION_POINTS,
    encodeCrlDistributionPoints(['http://a/c']),
    '301b0603551d1f041430123010a00ea00c860a687474703a2f2f612f63',
    [{ name: { kind: 'full', names: [{ kind: 'uri', value: 'http://a/c' }] }, reasons: null, crlIssuer: null }],
  ],
  [
    'OCSP and issuer',
    AUTHORITY_INFORMATION_ACCESS,
    encodeAuthorityInformationAccess({ ocspUrls: ['u:o'], caIssuersUrls: ['u:i'] }),
    '303006082b0601050507010104243022300f06082b060105050730018603753a6f300f06082b060105050730028603753a69',
    { ocspUrls: ['u:o'], caIssuersUrls: ['u:i'] },
  ],
  [
    'a policy',
    CERTIFICATE_POLICIES,
    encodeCertificatePolicies(['2.23.140.1.2.1']),
    '30130603551d20040c300a3008060667810c010201',
    ['2.23.140.1.2.1'],
  ],
  [
    'the acme identifier (RFC 8737 §3)',
    ACME_IDENTIFIER,
    encodeAcmeIdentifier(new Uint8Array(32).fill(0xab)),
    `303106082b0601050507011f0101ff04220420${'ab'.repeat(32)}`,
    new Uint8Array(32).fill(0xab),
  ],
  [
    'name constraints',
    NAME_CONSTRAINTS,
    encodeNameConstraints({
      permitted: [
        { kind: 'dns', value: 'b.c' },
        { kind: 'ip', value: '10.0.0.0/8' },
      ],
      excluded: [{ kind: 'email', value: 'x.y' }],
    }),
    '302a0603551d1e0101ff0420301ea01330058203622e63300a87080a000000ff000000a10730058103782e79',
    {
      permitted: [
        { kind: 'dns', value: 'b.c' },
        { kind: 'ip', value: '10.0.0.0/8' },
      ],
      excluded: [{ kind: 'email', value: 'x.y' }],
    },
  ],
];

function read(kind: ExtensionKind<unknown>, extension: Uint8Array): unknown {
  const list = readExtensions(readDer(sequence(extension), 'extensions'), 'extensions', new Map([[kind.oid, kind]]));
  return list[0]?.decoded;
}

for (const [what, kind, encoded, der, value] of WRITTEN) {
  test(`${kind.name}: ${what}`, () => {
    assert.deepEqual(read(kind, encoded), value);
    assert.equal(Buffer.from(encoded).toString('hex'), der.replace(/ /g, ''));
  });
}

/** Values that others write, and that we only read. */
const READ: readonly [what: string, kind: ExtensionKind<unknown>, value: string, decoded: unknown][] = [
  ['an explicit FALSE, as appliances write it', BASIC_CONSTRAINTS, '3003010100', { ca: false, pathLength: null }],
  ['key usage without a bit', KEY_USAGE, '030100', []],
  [
    'trailing zero bits, as two roots of the Web have them',
    KEY_USAGE,
    '03020086',
    ['digitalSignature', 'keyCertSign', 'cRLSign'],
  ],
  ['a bit beyond the nine', KEY_USAGE, '0303050020', []],
  ['an empty list of purposes (CVE-2026-40097)', EXTENDED_KEY_USAGE, '3000', []],
  ['a purpose without a word here', EXTENDED_KEY_USAGE, '3005 06032a0304', ['1.2.3.4']],
  ['any purpose', EXTENDED_KEY_USAGE, '3006 0604551d2500', ['anyExtendedKeyUsage']],
  ['no names', SUBJECT_ALT_NAME, '3000', []],
  [
    'issuer and serial of the authority key',
    AUTHORITY_KEY_IDENTIFIER,
    '3008a103820161 820107',
    { keyIdentifier: null, issuers: [{ kind: 'dns', value: 'a' }], serial: '07' },
  ],
  [
    'a distribution point with reasons and a CRL issuer',
    CRL_DISTRIBUTION_POINTS,
    '30113 00fa007a0058603753a638102 0640a200',
    [{ name: { kind: 'full', names: [{ kind: 'uri', value: 'u:c' }] }, reasons: new Set([1]), crlIssuer: [] }],
  ],
  [
    'a distribution point relative to the issuer',
    CRL_DISTRIBUTION_POINTS,
    '30123010a00ea10c300a06035504030c03435031',
    [{ name: { kind: 'relative', name: [{ oid: '2.5.4.3', value: 'CP1' }] }, reasons: null, crlIssuer: null }],
  ],
  [
    'access methods that are not URIs',
    AUTHORITY_INFORMATION_ACCESS,
    '300f300d06082b06010505073001820161',
    { ocspUrls: [], caIssuersUrls: [] },
  ],
  ['policies with qualifiers', CERTIFICATE_POLICIES, '3009300706032a03043000', ['1.2.3.4']],
  [
    'both constraints of policies',
    POLICY_CONSTRAINTS,
    '3006800101810102',
    { requireExplicitPolicy: 1, inhibitPolicyMapping: 2 },
  ],
  ['one of them', POLICY_CONSTRAINTS, '3003810100', { requireExplicitPolicy: null, inhibitPolicyMapping: 0 }],
  ['a count of certificates', INHIBIT_ANY_POLICY, '020105', 5],
  [
    'a mapping',
    POLICY_MAPPINGS,
    '300c300a06032a030406032a0305',
    [{ issuerDomainPolicy: '1.2.3.4', subjectDomainPolicy: '1.2.3.5' }],
  ],
];

for (const [what, kind, value, decoded] of READ) {
  test(`${kind.name}: ${what} is read`, () => {
    assert.deepEqual(read(kind, sequence(oid(kind.oid), octetString(hex(value)))), decoded);
  });
}

const MALFORMED: readonly [what: string, kind: ExtensionKind<unknown>, value: string][] = [
  ['a negative path length', BASIC_CONSTRAINTS, '30060101ff0201ff'],
  ['a third field', BASIC_CONSTRAINTS, '30090101ff0201000201 00'],
  ['trailing octets in the OCTET STRING', BASIC_CONSTRAINTS, '300000'],
  ['an OCTET STRING instead of a BIT STRING', KEY_USAGE, '040180'],
  ['a purpose that is no object identifier', EXTENDED_KEY_USAGE, '30020500'],
  ['an address of 3 octets', SUBJECT_ALT_NAME, '30058703010203'],
  ['a SET of names', SUBJECT_ALT_NAME, '3100'],
  ['a key identifier that is no OCTET STRING', SUBJECT_KEY_IDENTIFIER, '030100'],
  ['a minimum in a subtree (RFC 5280 §4.2.1.10: MUST be zero)', NAME_CONSTRAINTS, '300ca00a3008820361 2e62800101'],
  ['an address range of 5 octets', NAME_CONSTRAINTS, '300da00b300987050a000000ff'],
  ['no constraint of policies (RFC 5280 §4.2.1.11: MUST NOT be empty)', POLICY_CONSTRAINTS, '3000'],
  ['a negative count', POLICY_CONSTRAINTS, '30038001ff'],
  ['a count in 5 octets', INHIBIT_ANY_POLICY, '02050100000000'],
  ['no mapping', POLICY_MAPPINGS, '3000'],
  ['half a mapping', POLICY_MAPPINGS, '3007300506032a0304'],
  ['a distribution point without its name', CRL_DISTRIBUTION_POINTS, '30043002a000'],
  ['a digest of 31 octets (RFC 8737 §3)', ACME_IDENTIFIER, `041f${'00'.repeat(31)}`],
];

for (const [what, kind, value] of MALFORMED) {
  test(`${kind.name}: ${what} is refused`, () => {
    assert.throws(() => read(kind, sequence(oid(kind.oid), octetString(hex(value)))), DerError);
  });
}

const anything = (type: string): Uint8Array => sequence(oid(type), octetString(hex('0500')));
const readAll = (...extensions: readonly Uint8Array[]) =>
  readExtensions(readDer(sequence(...extensions), 'extensions'), 'extensions', KNOWN_EXTENSIONS);

test('an extension that appears twice is refused (RFC 5280 §4.2)', () => {
  assert.throws(
    () => readAll(anything('1.2.3'), anything('1.2.4'), anything('1.2.3')),
    /extensions\[2\] at byte \d+: extension 1\.2\.3 appears twice/,
  );
});

test('an unknown extension is kept as it is', () => {
  const [extension] = readAll(sequence(oid('1.2.3'), boolean(true), octetString(hex('ffff'))));
  assert.deepEqual(extension, { oid: '1.2.3', critical: true, value: hex('ffff'), decoded: undefined });
});

test('an explicit critical FALSE is read as FALSE', () => {
  assert.equal(readAll(sequence(oid('1.2.3'), boolean(false), octetString(hex('00'))))[0]?.critical, false);
});

test('the key identifier is the leftmost 160 bits of the SHA-256 of the key (RFC 7093 §2 method 1)', () => {
  const key = parseSubjectPublicKeyInfo(
    hex('302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1'),
  );
  assert.equal(Buffer.from(keyIdentifierOf(key)).toString('hex'), 'e744c0791320c3285460eddb523f14c88d857ada');
});
