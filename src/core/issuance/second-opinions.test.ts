/**
 * What we build, OpenSSL and Node.js must accept; what OpenSSL builds, we must read. The openssl of the system is run
 * for what it knows (Debian's 3.0 has no ML-DSA); for the rest Node.js's own OpenSSL speaks.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import {
  type CertificateParts,
  dns,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  type TestKey,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { integer } from '../asn1/der-writer.ts';
import { pemBlocksLabelled, pemFromDer } from '../bytes/pem.ts';
import { assembleCrl, encodeCrlTbs, parseCrl, verifyCrlSignature } from '../revocation/crl.ts';
import { addSeconds } from '../time/instant.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../x509/algorithm.ts';
import { basicConstraints, encodeBasicConstraints } from '../x509/basic-constraints.ts';
import {
  assembleCertificate,
  type Certificate,
  parseCertificate,
  verifyCertificateSignature,
} from '../x509/certificate.ts';
import { assembleCsr, encodeCsrInfo, parseCsr, verifyCsrSignature } from '../x509/csr.ts';
import { encodeExtendedKeyUsage, extendedKeyUsage } from '../x509/extended-key-usage.ts';
import { encodeExtension } from '../x509/extension.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { parseIpAddress } from '../x509/ip-address.ts';
import { encodeKeyUsage, keyUsage } from '../x509/key-usage.ts';
import { encodeName, formatName } from '../x509/name.ts';
import { encodeNameConstraints, nameConstraints } from '../x509/name-constraints.ts';
import { validatePath } from '../x509/path.ts';
import { describeKey } from '../x509/public-key.ts';
import { serialFromRandom } from '../x509/serial-number.ts';
import { encodeSubjectAltName, subjectAltNames } from '../x509/subject-alt-name.ts';
import { decideIssuance, decideRoot, type IssuanceDecision, type Issuer } from './decide-issuance.ts';

const directory = mkdtempSync(join(tmpdir(), 'fullchain-second-opinions-'));
after(() => rmSync(directory, { recursive: true }));

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'there is no openssl command';

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  assert.equal(status, 0, `openssl ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const YEAR = 31_536_000;
const LIMITS = { defaultLifetimeSeconds: 86_400, maxLifetimeSeconds: 20 * YEAR, backdateSeconds: 60 };
let counter = 0;

function signed(decision: IssuanceDecision, key: TestKey): Certificate {
  assert.ok(decision.kind === 'accepted', decision.kind === 'refused' ? decision.detail : '');
  const { bytes, keyAlgorithm } = decision.tbs;
  return parseCertificate(assembleCertificate(bytes, keyAlgorithm, key.sign(bytes)));
}

function serial() {
  counter++;
  return serialFromRandom(Uint8Array.from({ length: 16 }, (_, index) => (index === 15 ? counter : index)));
}

/** Root, intermediate and leaf, all with keys of one algorithm. */
function chainOf(algorithm: KeyAlgorithm) {
  const [rootKey, intermediateKey, leafKey] = [testKey(algorithm), testKey(algorithm), testKey(algorithm)];
  const root = signed(
    decideRoot(
      {
        subject: { commonName: 'Root', organization: 'Exämple' },
        publicKey: rootKey.publicKey,
        keyAlgorithm: algorithm,
        lifetimeSeconds: 10 * YEAR,
        pathLength: 1,
      },
      NOW,
      serial(),
    ),
    rootKey,
  );
  const constraints = { permitted: [], excluded: [{ kind: 'dns', value: 'secret.internal' }] } as const;
  const intermediate = signed(
    decideIssuance(
      {
        profile: 'intermediate',
        names: [],
        subject: { commonName: 'Issuing' },
        publicKey: intermediateKey.publicKey,
        lifetimeSeconds: YEAR,
        pathLength: 0,
        nameConstraints: constraints,
      },
      { certificate: root, keyAlgorithm: algorithm },
      LIMITS,
      NOW,
      serial(),
    ),
    rootKey,
  );
  const issuer: Issuer = {
    certificate: intermediate,
    keyAlgorithm: algorithm,
    crlUrl: 'http://ca.internal/crl',
    caIssuersUrl: 'http://ca.internal/issuer.cer',
    ocspUrl: 'http://ca.internal/ocsp',
  };
  const leaf = signed(
    decideIssuance({ profile: 'peer', names: NAMES, publicKey: leafKey.publicKey }, issuer, LIMITS, NOW, serial()),
    intermediateKey,
  );
  const crlTbs = encodeCrlTbs({
    issuer,
    number: 3,
    thisUpdate: NOW,
    nextUpdate: addSeconds(NOW, 7 * 86_400),
    entries: [{ serial: leaf.serial, revokedAt: NOW, reason: 'superseded' }],
    distributionPointUrl: 'http://ca.internal/crl',
  });
  const crl = parseCrl(assembleCrl(crlTbs, intermediateKey.sign(crlTbs.bytes)));
  return { root, intermediate, leaf, leafKey, crl };
}

const address = parseIpAddress('2001:db8::1');
assert.ok(address);
const NAMES: readonly GeneralName[] = [
  ...dns('api.internal', '*.api.internal'),
  { kind: 'ip', value: address },
  { kind: 'uri', value: 'spiffe://example.org/api' },
];

for (const algorithm of Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]) {
  const { root, intermediate, leaf, leafKey, crl } = chainOf(algorithm);
  const known = !algorithm.startsWith('ml-dsa');
  const unless = !known ? 'the openssl of Debian 12 has no ML-DSA' : skip;

  test(`${algorithm}: our own path validation accepts the chain`, () => {
    const result = validatePath({
      leaf,
      intermediates: [intermediate],
      anchors: [root],
      now: NOW,
      purpose: 'server',
      name: 'x.api.internal',
    });
    assert.ok(result.ok, result.ok ? '' : result.detail);
    assert.ok(verifyCrlSignature(crl, intermediate));
  });

  test(`${algorithm}: Node.js reads and verifies the chain`, () => {
    const [theirRoot, theirIntermediate, theirLeaf] = [root, intermediate, leaf].map(
      ({ raw }) => new X509Certificate(raw),
    );
    assert.ok(theirRoot && theirIntermediate && theirLeaf);
    assert.ok(theirRoot.verify(theirRoot.publicKey));
    assert.ok(
      theirIntermediate.verify(theirRoot.publicKey) && theirIntermediate.checkIssued(theirRoot) && theirIntermediate.ca,
    );
    assert.ok(
      theirLeaf.verify(theirIntermediate.publicKey) && theirLeaf.checkIssued(theirIntermediate) && !theirLeaf.ca,
    );
    assert.ok(theirLeaf.checkPrivateKey(leafKey.privateKey));
    assert.equal(theirLeaf.checkHost('api.internal'), 'api.internal');
    assert.equal(theirLeaf.checkHost('db.internal'), undefined);
    assert.equal(theirLeaf.checkIP('2001:db8::1'), '2001:db8::1');
    assert.equal(theirLeaf.serialNumber.toLowerCase(), leaf.serial);
    assert.equal(theirLeaf.fingerprint256.replaceAll(':', '').toLowerCase(), leaf.fingerprint);
  });

  test(`${algorithm}: openssl verify -x509_strict accepts the chain`, { skip: unless }, () => {
    const [rootFile, intermediateFile, leafFile] = [root, intermediate, leaf].map((certificate, level) =>
      file(`${algorithm}-${level}.pem`, pemFromDer('CERTIFICATE', certificate.raw)),
    );
    assert.ok(rootFile && intermediateFile && leafFile);
    const common = ['-x509_strict', '-attime', String(NOW), '-CAfile', rootFile, '-untrusted', intermediateFile];
    for (const purpose of ['sslserver', 'sslclient']) {
      openssl('verify', ...common, '-purpose', purpose, '-verify_hostname', 'x.api.internal', leafFile);
    }
    openssl('verify', ...common, '-verify_ip', '2001:db8::1', leafFile);
    assert.equal(spawnSync('openssl', ['verify', ...common, '-verify_hostname', 'db.internal', leafFile]).status, 2);
  });

  test(`${algorithm}: openssl verifies the CRL and finds the certificate revoked`, { skip: unless }, () => {
    const crlFile = file(`${algorithm}.crl`, pemFromDer('X509 CRL', crl.raw));
    const intermediateFile = file(`${algorithm}-issuer.pem`, pemFromDer('CERTIFICATE', intermediate.raw));
    const text = openssl('crl', '-in', crlFile, '-noout', '-text', '-CAfile', intermediateFile);
    assert.match(text, /X509v3 CRL Number:\s+3\s/);
    assert.match(text, /X509v3 CRL Reason Code:\s+Superseded/);
    const rootFile = file(`${algorithm}-anchor.pem`, pemFromDer('CERTIFICATE', root.raw));
    const leafFile = file(`${algorithm}-leaf.pem`, pemFromDer('CERTIFICATE', leaf.raw));
    const args = [
      'verify',
      '-crl_check',
      '-attime',
      String(NOW),
      '-CAfile',
      rootFile,
      '-untrusted',
      intermediateFile,
      '-CRLfile',
      crlFile,
      leafFile,
    ];
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /certificate revoked/);
  });

  test(`${algorithm}: openssl verifies our CSR`, { skip: unless }, () => {
    const info = encodeCsrInfo({ publicKey: leafKey.publicKey, commonName: 'api.internal', names: NAMES });
    const csr = file(
      `${algorithm}.csr`,
      pemFromDer('CERTIFICATE REQUEST', assembleCsr(info, algorithm, leafKey.sign(info))),
    );
    const text = openssl('req', '-in', csr, '-noout', '-verify', '-text');
    assert.match(text, /DNS:api\.internal, DNS:\*\.api\.internal, IP Address:2001:DB8:0:0:0:0:0:1, URI:spiffe/);
  });
}

const root = makeRoot();
const ext = (name: string, value: Uint8Array): CertificateParts => ({ extensions: { [name]: value } });
const below = (parts: CertificateParts, name = 'Below') => makeIntermediate(root, name, parts);
const excluding = below(ext('nameConstraints', encodeNameConstraints({ permitted: [], excluded: dns('internal') })));
const permitting = below(
  ext('nameConstraints', encodeNameConstraints({ permitted: dns('example.com'), excluded: [] })),
);
const zero = below(ext('basicConstraints', encodeBasicConstraints({ ca: true, pathLength: 0 })), 'Zero');
const two = makeIntermediate(zero, 'Two');
const clients = below(ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth'])));
const crlOnly = below(ext('keyUsage', encodeKeyUsage(['cRLSign'])));
const noAuthority = makeLeaf(root, { subject: encodeName({ commonName: 'No authority' }) });
const expired = below({ validity: validityDer('2025-01-01T00:00:00Z', '2026-01-15T00:00:00Z') });

/** Chains that both must refuse. */
const REFUSED_BY_BOTH: readonly [what: string, leaf: MadeCertificate, between: readonly MadeCertificate[]][] = [
  ['a name that is excluded', makeLeaf(excluding), [excluding]],
  ['a name that is not permitted', makeLeaf(permitting), [permitting]],
  ['a path length that is exceeded', makeLeaf(two), [two, zero]],
  ['an issuer that is limited to clients', makeLeaf(clients), [clients]],
  ['an issuer without keyCertSign', makeLeaf(crlOnly), [crlOnly]],
  ['an issuer that is no authority', makeLeaf(noAuthority), [noAuthority]],
  ['an issuer that has expired', makeLeaf(expired), [expired]],
  ['a leaf for clients', makeLeaf(root, ext('extKeyUsage', encodeExtendedKeyUsage(['clientAuth']))), []],
  [
    'an unknown critical extension',
    makeLeaf(root, ext('unknown', encodeExtension({ oid: '1.2.3', name: '', decode: () => null }, true, integer(1)))),
    [],
  ],
  ['a missing issuer', makeLeaf(two), [zero]],
  ['another name', makeLeaf(root, ext('subjectAltName', encodeSubjectAltName(dns('*.internal.example'), true))), []],
];

for (const [what, leaf, between] of REFUSED_BY_BOTH) {
  test(`openssl refuses as we do: ${what} (RFC 5280 §6.1)`, { skip }, () => {
    const intermediates = between.map(({ certificate }) => certificate);
    const anchors = [root.certificate];
    assert.ok(
      !validatePath({
        leaf: leaf.certificate,
        intermediates,
        anchors,
        now: NOW,
        purpose: 'server',
        name: 'api.internal',
      }).ok,
    );
    const pem = (name: string, ...list: readonly MadeCertificate[]): string =>
      file(name, list.map(({ der }) => pemFromDer('CERTIFICATE', der)).join(''));
    const files = [
      '-CAfile',
      pem('root.pem', root),
      '-untrusted',
      pem('between.pem', root, ...between),
      pem('leaf.pem', leaf),
    ];
    const args = [
      'verify',
      '-attime',
      String(NOW),
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'api.internal',
      ...files,
    ];
    assert.equal(spawnSync('openssl', args).status, 2);
  });
}

/** openssl's key options and what we call the key. */
const THEIR_KEYS: readonly [options: readonly string[], described: string][] = [
  [['-newkey', 'rsa:2048'], 'rsa-2048'],
  [['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'ecdsa-p256'],
  [['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp521r1'], 'ecdsa-p521'],
  [['-newkey', 'ed25519'], 'ed25519'],
];

for (const [options, described] of THEIR_KEYS) {
  test(`what openssl makes with ${options.slice(1).join(' ')} is read and verified`, { skip }, () => {
    const [keyFile, out] = [join(directory, 'their.key'), join(directory, 'their.out')];
    const common = [
      'req',
      ...options,
      '-nodes',
      '-keyout',
      keyFile,
      '-out',
      out,
      '-subj',
      '/C=DE/O=Example/CN=their.internal',
    ];
    openssl(
      ...common,
      '-addext',
      'subjectAltName=DNS:their.internal,IP:10.0.0.1,email:a@example.org',
      '-addext',
      'keyUsage=critical,digitalSignature',
    );
    const csr = parseCsr(derOf(out, 'CERTIFICATE REQUEST'));
    assert.ok(verifyCsrSignature(csr));
    assert.equal(describeKey(csr.publicKey), described);
    assert.deepEqual(csr.names, [
      ...dns('their.internal'),
      { kind: 'ip', value: '10.0.0.1' },
      { kind: 'email', value: 'a@example.org' },
    ]);
    openssl(
      ...common,
      '-x509',
      '-days',
      '30',
      '-set_serial',
      '0x80ff',
      '-addext',
      'extendedKeyUsage=serverAuth,1.2.3.4',
      '-addext',
      'nameConstraints=critical,permitted;DNS:.internal,excluded;IP:10.0.0.0/255.0.0.0',
    );
    const certificate = parseCertificate(derOf(out, 'CERTIFICATE'));
    assert.ok(verifyCertificateSignature(certificate, certificate));
    assert.deepEqual(
      [certificate.serial, formatName(certificate.subject)],
      ['80ff', 'CN=their.internal,O=Example,C=DE'],
    );
    assert.deepEqual(basicConstraints(certificate), { ca: true, pathLength: null });
    assert.deepEqual(extendedKeyUsage(certificate), ['serverAuth', '1.2.3.4']);
    assert.deepEqual(nameConstraints(certificate), {
      permitted: dns('.internal'),
      excluded: [{ kind: 'ip', value: '10.0.0.0/8' }],
    });
    assert.ok(createPrivateKey(readFileSync(keyFile)));
  });
}

test('a certificate that openssl signs with RSASSA-PSS is verified (RFC 4055 §3.1)', { skip }, () => {
  const out = join(directory, 'pss.pem');
  const pss = ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    join(directory, 'pss.key'),
    '-out',
    out,
    '-subj',
    '/CN=pss',
    ...pss,
  );
  const certificate = parseCertificate(derOf(out, 'CERTIFICATE'));
  assert.ok(verifyCertificateSignature(certificate, certificate));
});

test('a certificate that openssl signs for our CSR is read, and valid under its root', { skip }, () => {
  const key = testKey();
  const info = encodeCsrInfo({ publicKey: key.publicKey, names: dns('api.internal') });
  const csr = file('for-them.csr', pemFromDer('CERTIFICATE REQUEST', assembleCsr(info, 'ecdsa-p256', key.sign(info))));
  const [caFile, caKey, out] = ['ca.pem', 'ca.key', 'issued.pem'].map((name) => join(directory, name));
  assert.ok(caFile && caKey && out);
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-384',
    '-nodes',
    '-keyout',
    caKey,
    '-out',
    caFile,
    '-subj',
    '/CN=Their CA',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  );
  const extensions = file(
    'issued.ext',
    'subjectAltName=DNS:api.internal\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid,issuer\ncrlDistributionPoints=URI:http://ca/crl\nauthorityInfoAccess=OCSP;URI:http://ca/ocsp\ncertificatePolicies=2.23.140.1.2.1\n',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    csr,
    '-CA',
    caFile,
    '-CAkey',
    caKey,
    '-CAcreateserial',
    '-days',
    '30',
    '-extfile',
    extensions,
    '-out',
    out,
  );
  const [leaf, ca] = [parseCertificate(derOf(out, 'CERTIFICATE')), parseCertificate(derOf(caFile, 'CERTIFICATE'))];
  assert.deepEqual([subjectAltNames(leaf), keyUsage(leaf)], [dns('api.internal'), ['digitalSignature']]);
  const result = validatePath({
    leaf,
    intermediates: [],
    anchors: [ca],
    now: addSeconds(leaf.validity.notBefore, 60),
    purpose: 'server',
    name: 'api.internal',
  });
  assert.ok(result.ok, result.ok ? '' : result.detail);
});

function derOf(path: string, label: string): Uint8Array {
  const [block] = pemBlocksLabelled(readFileSync(path, 'utf8'), label);
  assert.ok(block);
  return block.der;
}
