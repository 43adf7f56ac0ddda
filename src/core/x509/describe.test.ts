import assert from 'node:assert/strict';
import test from 'node:test';
import {
  at,
  dns,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { octetString, oid, sequence } from '../asn1/der-writer.ts';
import { hexFromBytes } from '../bytes/hex.ts';
import { encodeAuthorityInformationAccess } from './authority-information-access.ts';
import { encodeCrlDistributionPoints } from './crl-distribution-points.ts';
import { assembleCsr, encodeCsrInfo, parseCsr } from './csr.ts';
import {
  certificateDocument,
  certificateLines,
  describeCertificate,
  describeRemaining,
  requestDocument,
  requestLines,
} from './describe.ts';
import { keyIdentifierOf } from './key-identifier.ts';
import { encodeName } from './name.ts';
import { encodeNameConstraints } from './name-constraints.ts';
import { encodeSubjectAltName } from './subject-alt-name.ts';

const intermediate = makeIntermediate(makeRoot());

test('the document of a certificate has every field, hex without colons and times in RFC 3339', () => {
  const { certificate } = makeLeaf(intermediate, {
    subject: encodeName({ organization: 'Example', commonName: 'api.internal' }),
    extensions: {
      crl: encodeCrlDistributionPoints(['http://ca/crl']),
      access: encodeAuthorityInformationAccess({ ocspUrls: ['http://ca/ocsp'], caIssuersUrls: ['http://ca/issuer'] }),
    },
  });
  const { fingerprint, extensions, ...document } = certificateDocument(certificate);
  assert.deepEqual(document, {
    subject: 'CN=api.internal,O=Example',
    issuer: 'CN=Test Intermediate',
    serial: '4f1e2d3c4b5a69788796a5b4c3d2e1f0',
    names: ['api.internal'],
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2026-03-01T00:00:00Z',
    key: 'ecdsa-p256',
    signatureAlgorithm: 'ecdsa-with-SHA256',
    isCa: false,
    pathLength: null,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['serverAuth'],
    subjectKeyId: hexFromBytes(keyIdentifierOf(certificate.publicKey)),
    authorityKeyId: hexFromBytes(keyIdentifierOf(intermediate.certificate.publicKey)),
    crlUrls: ['http://ca/crl'],
    ocspUrls: ['http://ca/ocsp'],
    caIssuersUrls: ['http://ca/issuer'],
  });
  assert.match(fingerprint, /^[0-9a-f]{64}$/);
  assert.deepEqual(extensions[1], { oid: '2.5.29.19', name: 'basicConstraints', critical: true });
});

test('every value of the document is in the lines too', () => {
  const { certificate } = makeLeaf(intermediate, {
    extensions: { crl: encodeCrlDistributionPoints(['http://ca/a', 'http://ca/b']) },
  });
  const text = certificateLines(certificate, NOW).join('\n');
  const { extensions: _, isCa: __, pathLength: ___, ...document } = certificateDocument(certificate);
  for (const value of Object.values(document).flat()) if (value) assert.ok(text.includes(String(value)), String(value));
});

test('what is left of a validity is said from the clock’s side', () => {
  const period = { notBefore: at('2026-11-25T00:00:00Z'), notAfter: at('2026-11-25T23:59:59Z') };
  for (const [now, said] of [
    ['2026-11-25T00:00:01Z', 'expires in 23h59m'],
    ['2026-11-25T23:59:59Z', 'expires in 1s'],
    ['2026-11-26T00:00:00Z', 'expired 1s ago'],
    ['2026-11-29T01:59:59Z', 'expired 3d2h ago'],
    ['2026-11-24T23:55:00Z', 'not valid for another 5m'],
  ] as const)
    assert.equal(describeRemaining(period, at(now)), said);
});

test('nothing in a hostile certificate reaches a terminal as an escape sequence or a direction mark', () => {
  const { certificate } = makeLeaf(intermediate, {
    subject: encodeName({ organization: '\u001b[2Jgone\u202e\u2028', commonName: 'a\nb' }),
    extensions: {
      subjectAltName: encodeSubjectAltName([{ kind: 'uri', value: 'http://x/\u001b]0;title\u0007' }], false),
      crl: encodeCrlDistributionPoints(['http://ca/\u001b[31m']),
    },
  });
  const text = certificateLines(certificate, NOW).join('');
  assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.match(text, /\\u\{1b\}\]0;title\\u\{7\}/);
});

const unknown = (type: string, value: Uint8Array): Uint8Array => sequence(oid(type), octetString(value));

test('extensions that are not read are named by their object identifier', () => {
  const line = (type: string, value: Uint8Array): string | undefined => {
    const { certificate } = makeLeaf(intermediate, { extensions: { extra: unknown(type, value) } });
    return certificateLines(certificate, NOW).find((text) => text.includes(type));
  };
  assert.match(
    line('1.3.6.1.4.1.99999.1', octetString(Buffer.from('x'))) ?? '',
    /1\.3\.6\.1\.4\.1\.99999\.1, 3 octets/,
  );
  assert.match(line('1.3.6.1.4.1.37476.9000.64.1', octetString(Buffer.from('x'))) ?? '', /\(stepProvisioner\)/);
  const two = octetString(Buffer.from('000a' + '0003aabbcc' + '0003ddeeff', 'hex'));
  assert.match(line('1.3.6.1.4.1.11129.2.4.2', two) ?? '', /signedCertificateTimestamps\), 2 of them/);
  const cutOff = octetString(Buffer.from('000a' + '0003aabbcc' + '0009ddeeff', 'hex'));
  assert.match(line('1.3.6.1.4.1.11129.2.4.2', cutOff) ?? '', /malformed/);
});

test('an authority shows its path length and its constraints, and misses no names', () => {
  const { certificate } = makeIntermediate(makeRoot(), 'CA', {
    extensions: {
      nameConstraints: encodeNameConstraints({
        permitted: dns('internal'),
        excluded: [{ kind: 'ip', value: '0.0.0.0/0' }],
      }),
    },
  });
  const text = certificateLines(certificate, NOW).join('\n');
  assert.match(text, /authority +yes, no path length limit/);
  assert.match(text, /permitted names +dns internal/);
  assert.match(text, /excluded names +ip 0\.0\.0\.0\/0/);
  assert.doesNotMatch(text, /^ {2}names/m);
});

test('a certificate of version 1 is called that, and its lack of names a fault', () => {
  const text = certificateLines(makeRoot('old', { version: null, withExtensions: false }).certificate, NOW).join('\n');
  assert.match(text, /version +1, which has no extensions/);
  assert.match(text, /names +none, and clients look nowhere else/);
});

test('an empty subject is stood for by the first name', () => {
  assert.equal(describeCertificate(makeLeaf(intermediate).certificate), 'api.internal');
  const nameless = makeLeaf(intermediate, {
    extensions: { subjectAltName: null },
    validity: validityDer('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
  });
  assert.equal(describeCertificate(nameless.certificate), 'serial 4f1e2d3c4b5a69788796a5b4c3d2e1f0');
});

test('a request says whether its signature proves possession of the key', () => {
  const [key, other] = [testKey(), testKey()];
  const info = encodeCsrInfo({ publicKey: key.publicKey, commonName: 'api.internal', names: dns('api.internal') });
  const good = parseCsr(assembleCsr(info, key.algorithm, key.sign(info)));
  const bad = parseCsr(assembleCsr(info, key.algorithm, other.sign(info)));
  assert.deepEqual(
    [requestDocument(good), requestDocument(bad)].map(({ names, signatureValid }) => ({ names, signatureValid })),
    [
      { names: ['api.internal'], signatureValid: true },
      { names: ['api.internal'], signatureValid: false },
    ],
  );
  assert.match(requestLines(bad).join('\n'), /NOT made with this key/);
});
