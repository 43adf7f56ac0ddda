import assert from 'node:assert/strict';
import test from 'node:test';
import {
  at,
  dns,
  hex,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { RFC5280_C1 } from '../../../test/vectors/rfc5280-appendix-c.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { lifetimeSeconds } from '../time/validity-period.ts';
import { authorityInformationAccess } from '../x509/authority-information-access.ts';
import { basicConstraints, encodeBasicConstraints } from '../x509/basic-constraints.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { crlUrls } from '../x509/crl-distribution-points.ts';
import { encodeExtendedKeyUsage, extendedKeyUsage } from '../x509/extended-key-usage.ts';
import { findExtension } from '../x509/extension.ts';
import { formatGeneralName, type GeneralName } from '../x509/general-name.ts';
import { parseIpAddress } from '../x509/ip-address.ts';
import { authorityKeyIdentifier, keyIdentifierOf, subjectKeyIdentifier } from '../x509/key-identifier.ts';
import { keyUsage } from '../x509/key-usage.ts';
import { lintCertificate } from '../x509/lint.ts';
import { encodeName, formatName } from '../x509/name.ts';
import { encodeNameConstraints, nameConstraints } from '../x509/name-constraints.ts';
import { serialFromRandom } from '../x509/serial-number.ts';
import { SUBJECT_ALT_NAME } from '../x509/subject-alt-name.ts';
import {
  decideIssuance,
  decideRoot,
  type IssuanceDecision,
  type IssuanceLimits,
  type IssuanceRequest,
  type Issuer,
  relint,
} from './decide-issuance.ts';
import { ISSUANCE_REFUSALS } from './refusal.ts';

const NOW = at('2026-11-25T02:15:53Z');
const SERIAL = serialFromRandom(hex('00112233445566778899aabbccddeeff'));
const LIMITS: IssuanceLimits = { defaultLifetimeSeconds: 86_400, maxLifetimeSeconds: 90 * 86_400, backdateSeconds: 60 };

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leafKey = testKey();
const rsaKey = testKey('rsa-2048');

function issuerOf(
  { certificate, key }: MadeCertificate,
  urls: Pick<Issuer, 'crlUrl' | 'caIssuersUrl' | 'ocspUrl'> = {},
): Issuer {
  return { certificate, keyAlgorithm: key.algorithm, ...urls };
}

const issuer = issuerOf(intermediate);

function ip(text: string): GeneralName {
  const value = parseIpAddress(text);
  assert.ok(value);
  return { kind: 'ip', value };
}

const SERVER: IssuanceRequest = { profile: 'server', names: dns('api.internal'), publicKey: leafKey.publicKey };

function decide(
  request: Partial<IssuanceRequest>,
  by: Issuer = issuer,
  limits: Partial<IssuanceLimits> = {},
  now: Instant = NOW,
): IssuanceDecision {
  return decideIssuance({ ...SERVER, ...request }, by, { ...LIMITS, ...limits }, now, SERIAL);
}

function accepted(decision: IssuanceDecision) {
  assert.ok(decision.kind === 'accepted', decision.kind === 'refused' ? `${decision.reason}: ${decision.detail}` : '');
  return decision.tbs.certificate;
}

test('a server certificate has what RFC 5280 and browsers want, and nothing else', () => {
  const certificate = accepted(decide({}));
  assert.deepEqual([certificate.version, certificate.serial], [3, '40112233445566778899aabbccddeeff']);
  assert.equal(formatName(certificate.subject), '');
  assert.equal(formatName(certificate.issuer), 'CN=Test Intermediate');
  assert.deepEqual(keyUsage(certificate), ['digitalSignature']);
  assert.deepEqual(extendedKeyUsage(certificate), ['serverAuth']);
  assert.deepEqual(basicConstraints(certificate), { ca: false, pathLength: null });
  assert.deepEqual(subjectKeyIdentifier(certificate), new Uint8Array(keyIdentifierOf(certificate.publicKey)));
  assert.deepEqual(authorityKeyIdentifier(certificate)?.keyIdentifier, subjectKeyIdentifier(intermediate.certificate));
  assert.equal(certificate.extensions.length, 6);
});

const USAGES: readonly [request: Partial<IssuanceRequest>, keyUsages: string, purposes: string][] = [
  [{ profile: 'server', publicKey: rsaKey.publicKey }, 'digitalSignature keyEncipherment', 'serverAuth'],
  [{ profile: 'client', publicKey: rsaKey.publicKey }, 'digitalSignature', 'clientAuth'],
  [{ profile: 'peer' }, 'digitalSignature', 'serverAuth clientAuth'],
  [{ profile: 'peer', publicKey: rsaKey.publicKey }, 'digitalSignature keyEncipherment', 'serverAuth clientAuth'],
];

for (const [request, keyUsages, purposes] of USAGES) {
  test(`the profile ${request.profile} with ${request.publicKey ? 'RSA' : 'ECDSA'}: ${keyUsages}; ${purposes} (RFC 5280 §4.2.1.3, §4.2.1.12)`, () => {
    const certificate = accepted(decide(request));
    assert.equal(keyUsage(certificate)?.join(' '), keyUsages);
    assert.equal(extendedKeyUsage(certificate)?.join(' '), purposes);
  });
}

test('names keep their order, each once, in canonical form', () => {
  const names = [...dns('B.internal', 'a.internal', 'b.INTERNAL', '*.a.internal'), ip('2001:db8::1'), ip('10.0.0.1')];
  const decision = decide({ names });
  assert.ok(decision.kind === 'accepted');
  assert.deepEqual(decision.tbs.summary.names.map(formatGeneralName), [
    'b.internal',
    'a.internal',
    '*.a.internal',
    '2001:db8::1',
    '10.0.0.1',
  ]);
});

test('subjectAltName is critical if and only if the subject is empty (RFC 5280 §4.2.1.6)', () => {
  assert.equal(findExtension(accepted(decide({})), SUBJECT_ALT_NAME)?.critical, true);
  const named = accepted(decide({ subject: { commonName: 'api.internal', organization: 'Example' } }));
  assert.equal(findExtension(named, SUBJECT_ALT_NAME)?.critical, false);
  assert.equal(formatName(named.subject), 'CN=api.internal,O=Example');
});

test('a client may be known by its common name alone', () => {
  const certificate = accepted(decide({ profile: 'client', names: [], subject: { commonName: 'postgres replica 1' } }));
  assert.equal(formatName(certificate.subject), 'CN=postgres replica 1');
  assert.equal(findExtension(certificate, SUBJECT_ALT_NAME), null);
});

test('a SPIFFE identity and a mailbox are certified as they are', () => {
  const names: GeneralName[] = [
    { kind: 'uri', value: 'spiffe://example.org/api' },
    { kind: 'email', value: 'Ops@example.org' },
  ];
  const decision = decide({ profile: 'client', names });
  assert.ok(decision.kind === 'accepted');
  assert.deepEqual(decision.tbs.summary.names, names);
});

test('the URLs of the issuer are in the certificate, when there are any', () => {
  const urls = { crlUrl: 'http://ca/crl', caIssuersUrl: 'http://ca/issuer.cer', ocspUrl: 'http://ca/ocsp' };
  const certificate = accepted(decide({}, issuerOf(intermediate, urls)));
  assert.deepEqual(crlUrls(certificate), ['http://ca/crl']);
  assert.deepEqual(authorityInformationAccess(certificate), {
    ocspUrls: ['http://ca/ocsp'],
    caIssuersUrls: ['http://ca/issuer.cer'],
  });
  assert.deepEqual(crlUrls(accepted(decide({}))), []);
});

test('an intermediate: keyCertSign and cRLSign, CA:TRUE, its path length written even when it is 0 (RFC 5280 §4.2.1.9)', () => {
  const excluded = [{ kind: 'dns', value: 'example.com' }] as const;
  const certificate = accepted(
    decide(
      {
        profile: 'intermediate',
        names: [],
        subject: { commonName: 'Issuing' },
        pathLength: 0,
        nameConstraints: { permitted: [], excluded },
      },
      issuerOf(root),
    ),
  );
  assert.deepEqual(basicConstraints(certificate), { ca: true, pathLength: 0 });
  assert.deepEqual(keyUsage(certificate), ['keyCertSign', 'cRLSign']);
  assert.equal(extendedKeyUsage(certificate), null);
  assert.deepEqual(nameConstraints(certificate)?.excluded, excluded);
});

test('a root is its own issuer and starts an hour in the past', () => {
  const decision = decideRoot(
    {
      subject: { commonName: 'Root', organization: 'Example' },
      publicKey: leafKey.publicKey,
      keyAlgorithm: 'ecdsa-p256',
      lifetimeSeconds: 10 * 31_536_000,
    },
    NOW,
    SERIAL,
  );
  const certificate = accepted(decision);
  assert.deepEqual(certificate.issuer, certificate.subject);
  assert.deepEqual(basicConstraints(certificate), { ca: true, pathLength: null });
  assert.equal(formatRfc3339(certificate.validity.notBefore), '2026-11-25T01:15:53Z');
  assert.deepEqual(lintCertificate(certificate, { kind: 'root' }), []);
});

/** Dates as asked for and as certified; the intermediate is valid until 2035-01-01. */
const DATES: readonly [what: string, request: Partial<IssuanceRequest>, notBefore: string, notAfter: string][] = [
  ['the default lifetime, backdated, its last second included', {}, '2026-11-25T02:14:53Z', '2026-11-26T02:15:52Z'],
  ['an hour', { lifetimeSeconds: 3600 }, '2026-11-25T02:14:53Z', '2026-11-25T03:15:52Z'],
  ['the maximum', { lifetimeSeconds: 90 * 86_400 }, '2026-11-25T02:14:53Z', '2027-02-23T02:15:52Z'],
  ['an end', { notAfter: at('2026-11-25T10:00:00Z') }, '2026-11-25T02:14:53Z', '2026-11-25T10:00:00Z'],
  ['a later start', { notBefore: at('2026-12-01T00:00:00Z') }, '2026-12-01T00:00:00Z', '2026-12-01T23:59:59Z'],
  [
    'a start within the backdated minute',
    { notBefore: at('2026-11-25T02:15:00Z') },
    '2026-11-25T02:15:00Z',
    '2026-11-26T02:15:52Z',
  ],
  [
    'start and end',
    { notBefore: at('2026-12-01T00:00:00Z'), notAfter: at('2026-12-24T00:00:00Z') },
    '2026-12-01T00:00:00Z',
    '2026-12-24T00:00:00Z',
  ],
];

for (const [what, request, notBefore, notAfter] of DATES) {
  test(`dates: ${what} (RFC 5280 §4.1.2.5)`, () => {
    const { validity } = accepted(decide(request));
    assert.deepEqual([formatRfc3339(validity.notBefore), formatRfc3339(validity.notAfter)], [notBefore, notAfter]);
  });
}

test('the whole validity is the lifetime and the backdated seconds', () => {
  assert.equal(lifetimeSeconds(accepted(decide({ lifetimeSeconds: 3600 })).validity), 3660);
});

const ENDING = makeIntermediate(root, 'Ending', {
  validity: validityDer('2026-11-25T02:15:30Z', '2026-11-25T12:00:00Z'),
});

test('a default lifetime is shortened to that of the issuer, and starts with it', () => {
  const { validity } = accepted(decide({}, issuerOf(ENDING)));
  assert.deepEqual(
    [formatRfc3339(validity.notBefore), formatRfc3339(validity.notAfter)],
    ['2026-11-25T02:15:30Z', '2026-11-25T12:00:00Z'],
  );
});

const limited = makeIntermediate(root, 'Limited', {
  extensions: { extKeyUsage: encodeExtendedKeyUsage(['clientAuth']) },
});
const constrained = makeIntermediate(root, 'Constrained', {
  extensions: {
    nameConstraints: encodeNameConstraints({
      permitted: [
        { kind: 'dns', value: 'example.com' },
        { kind: 'ip', value: '10.0.0.0/8' },
      ],
      excluded: [],
    }),
  },
});
const pathZero = makeIntermediate(root, 'Zero', {
  extensions: { basicConstraints: encodeBasicConstraints({ ca: true, pathLength: 0 }) },
});
const noAuthority = makeLeaf(root, {
  subject: encodeName({ commonName: 'Leaf' }),
  validity: validityDer('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
});
/** Of RFC 5280 appendix C.1. */
const WEAK_KEY = parseCertificate(RFC5280_C1).publicKey.raw;
const CA: Partial<IssuanceRequest> = { profile: 'intermediate', names: [], subject: { commonName: 'Below' } };

/** Every reason for refusal, at least once, and what is said then. */
const REFUSED: readonly [reason: keyof typeof ISSUANCE_REFUSALS, decision: () => IssuanceDecision, detail: RegExp][] = [
  ['names-missing', () => decide({ names: [] }), /profile server needs at least one name/],
  ['names-missing', () => decide({ profile: 'client', names: [] }), /a name or a common name/],
  ['names-not-allowed', () => decide({ ...CA, names: dns('a') }, issuerOf(root)), /takes no subject alternative names/],
  [
    'too-many-names',
    () => decide({ names: dns(...Array.from({ length: 101 }, (_, i) => `h${i}.internal`)) }),
    /101 names; at most 100/,
  ],
  [
    'name-invalid',
    () => decide({ names: dns('my_db.internal') }),
    /"my_db\.internal" cannot be certified: it is not a DNS name/,
  ],
  ['name-invalid', () => decide({ names: dns('10.0.0.1') }), /IP address, asked for as a DNS name/],
  ['name-invalid', () => decide({ names: dns('a.*.internal') }), /only in front/],
  ['name-invalid', () => decide({ names: [{ kind: 'uri', value: 'spiffe://Example.org/a' }] }), /trust domain/],
  ['name-invalid', () => decide({ names: [{ kind: 'email', value: 'nobody' }] }), /not a mailbox/],
  ['name-invalid', () => decide({ names: [{ kind: 'other', raw: hex('88032a0304') }] }), /names of this kind/],
  ['subject-missing', () => decide({ ...CA, subject: {} }, issuerOf(root)), /needs a common name/],
  [
    'subject-invalid',
    () => decide({ profile: 'client', subject: { commonName: 'a'.repeat(65) } }),
    /65 characters; at most 64/,
  ],
  [
    'common-name-not-in-names',
    () => decide({ subject: { commonName: 'other.internal' } }),
    /"other\.internal" is not among the names api\.internal/,
  ],
  // U+212A, the Kelvin sign, becomes a "k" when it is lower-cased.
  [
    'common-name-not-in-names',
    () => decide({ names: dns('k.internal'), subject: { commonName: '\u212A.internal' } }),
    /not among/,
  ],
  ['key-malformed', () => decide({ publicKey: hex('3000') }), /subjectPublicKeyInfo/],
  ['key-weak', () => decide({ publicKey: WEAK_KEY }), /RSA key of 1024 bits; at least 2048 are needed/],
  ['key-of-issuer', () => decide({ publicKey: intermediate.key.publicKey }), /one of its issuer/],
  [
    'validity-invalid',
    () => decide({ notBefore: at('2026-11-25T02:14:52Z') }),
    /in the past; 2026-11-25T02:14:53Z is the earliest/,
  ],
  ['validity-invalid', () => decide({ notAfter: at('2026-11-25T02:15:00Z') }), /at least 1m is needed/],
  [
    'validity-invalid',
    () => decide({ notBefore: at('2026-12-02T00:00:00Z'), notAfter: at('2026-12-01T00:00:00Z') }),
    /at least 1m/,
  ],
  ['validity-invalid', () => decide({ notAfter: at('2026-12-01T00:00:00Z'), lifetimeSeconds: 60 }), /both/],
  ['validity-invalid', () => decide({ lifetimeSeconds: 59 }), /59s/],
  [
    'lifetime-over-maximum',
    () => decide({ lifetimeSeconds: 91 * 86_400 }),
    /a lifetime of 91d was asked for; at most 90d is allowed/,
  ],
  ['lifetime-over-maximum', () => decide({ notAfter: at('2027-03-25T00:00:00Z') }), /119d21h/],
  [
    'outlives-issuer',
    () => decide({ lifetimeSeconds: 86_400 }, issuerOf(ENDING)),
    /until 2026-11-26T02:15:52Z, its issuer only until 2026-11-25T12:00:00Z/,
  ],
  ['outlives-issuer', () => decide({}, issuerOf(ENDING), {}, at('2026-11-25T11:59:30Z')), /in 31s/],
  [
    'issuer-not-valid',
    () => decide({}, issuerOf(ENDING), {}, at('2026-11-25T12:00:01Z')),
    /valid from .* to 2026-11-25T12:00:00Z, not at/,
  ],
  [
    'issuer-not-valid',
    () => decide({}, issuerOf(ENDING), {}, at('2026-11-25T02:15:29Z')),
    /not at 2026-11-25T02:15:29Z/,
  ],
  ['issuer-not-an-authority', () => decide({}, issuerOf(noAuthority)), /CA:TRUE/],
  ['path-length-exceeded', () => decide(CA, issuerOf(pathZero)), /no authority may follow/],
  ['outside-name-constraints', () => decide({}, issuerOf(constrained)), /"api\.internal" lies outside example\.com/],
  [
    'outside-name-constraints',
    () => decide({ names: [...dns('a.example.com'), ip('192.0.2.1')] }, issuerOf(constrained)),
    /"192\.0\.2\.1" lies outside 10\.0\.0\.0\/8/,
  ],
  ['purpose-not-of-issuer', () => decide({}, issuerOf(limited)), /serverAuth; the issuer is limited to clientAuth/],
  [
    'lint-failed',
    () => decide({ ...CA, nameConstraints: { permitted: [], excluded: [] } }, issuerOf(root)),
    /constrains nothing \(RFC 5280 §4\.2\.1\.10\)/,
  ],
  [
    'key-weak',
    () =>
      decideRoot(
        { subject: { commonName: 'R' }, publicKey: leafKey.publicKey, keyAlgorithm: 'rsa-2048', lifetimeSeconds: 3600 },
        NOW,
        SERIAL,
      ),
    /not rsa-2048/,
  ],
];

for (const [reason, decision, detail] of REFUSED) {
  test(`refused as ${reason}, saying ${detail}`, () => {
    const refusal = decision();
    assert.ok(refusal.kind === 'refused');
    assert.equal(refusal.reason, reason);
    assert.match(refusal.detail, detail);
  });
}

test('every reason for refusal has been seen', () => {
  assert.deepEqual(
    [...new Set(REFUSED.map(([reason]) => reason))].toSorted(),
    Object.keys(ISSUANCE_REFUSALS).toSorted(),
  );
});

test('bytes that were recorded may be signed after a crash, by the same issuer only', () => {
  const decision = decide({});
  assert.ok(decision.kind === 'accepted');
  assert.deepEqual(relint(decision.tbs.bytes, issuer)?.bytes, decision.tbs.bytes);
  assert.equal(relint(decision.tbs.bytes, issuerOf(makeIntermediate(root))), null);
  assert.equal(
    relint(decision.tbs.bytes, issuerOf(makeIntermediate(root, 'Test Intermediate', { key: testKey('ecdsa-p384') }))),
    null,
  );
});

test('the same arguments give the same bytes', () => {
  const [first, second] = [decide({}), decide({})];
  assert.ok(first.kind === 'accepted' && second.kind === 'accepted');
  assert.deepEqual(first.tbs.bytes, second.tbs.bytes);
});
