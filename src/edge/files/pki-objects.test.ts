import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { at, dns, makeLeaf, makeRoot, testKey } from '../../../test/vectors/made-certificate.ts';
import { integer, octetString, oid, sequence } from '../../core/asn1/der-writer.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { assembleCrl, encodeCrlTbs } from '../../core/revocation/crl.ts';
import { assembleCsr, encodeCsrInfo } from '../../core/x509/csr.ts';
import { certificatesAmong, type PkiObject, pkiObjects } from './pki-objects.ts';

const root = makeRoot();
const leaf = makeLeaf(root);
const key = testKey();
const info = encodeCsrInfo({ publicKey: key.publicKey, names: dns('api.internal') });
const csr = assembleCsr(info, key.algorithm, key.sign(info));
const crlTbs = encodeCrlTbs({
  issuer: { certificate: root.certificate, keyAlgorithm: root.key.algorithm },
  number: 1,
  thisUpdate: at('2026-11-25T00:00:00Z'),
  nextUpdate: at('2026-11-26T00:00:00Z'),
  entries: [],
});
const crl = assembleCrl(crlTbs, root.key.sign(crlTbs.bytes));
const cert = (der: Uint8Array): string => pemFromDer('CERTIFICATE', der);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

const kinds = (content: string | Uint8Array): string[] =>
  pkiObjects(Buffer.from(content), 'FILE').map(({ kind }) => kind);
const only = (content: string | Uint8Array): PkiObject => {
  const [object, ...others] = pkiObjects(Buffer.from(content), 'FILE');
  assert.deepEqual(others, []);
  assert.ok(object);
  return object;
};

test('a PEM file gives everything in it, in its order, and text between the blocks is passed over', () => {
  const file = [
    'subject=CN=api.internal\n',
    cert(leaf.der),
    pemFromDer('X509 CERTIFICATE', root.der),
    pemFromDer('CERTIFICATE REQUEST', csr),
    pemFromDer('NEW CERTIFICATE REQUEST', csr),
    pemFromDer('X509 CRL', crl),
    pemFromDer('DH PARAMETERS', sequence(integer(23))),
    rsa.export({ type: 'pkcs8', format: 'pem' }),
  ].join('');
  const expected = ['certificate', 'certificate', 'request', 'request', 'revocation-list', 'other', 'private-key'];
  assert.deepEqual(kinds(file), expected);
  assert.deepEqual(kinds(file.replaceAll('\n', '\r\n')), expected);
  assert.deepEqual(
    certificatesAmong(pkiObjects(Buffer.from(file), 'FILE'), 'FILE').map(({ raw }) => raw.byteLength),
    [leaf.der.byteLength, root.der.byteLength],
  );
});

test('the trust settings behind OpenSSL’s TRUSTED CERTIFICATE are passed over', () => {
  const settings = sequence(sequence(oid('1.3.6.1.5.5.7.3.1')));
  const object = only(pemFromDer('TRUSTED CERTIFICATE', Buffer.concat([root.der, settings])));
  assert.equal(object.kind === 'certificate' && object.certificate.fingerprint, root.certificate.fingerprint);
});

test('DER is told apart by what it is', () => {
  assert.deepEqual(kinds(leaf.der), ['certificate']);
  assert.deepEqual(kinds(csr), ['request']);
  assert.deepEqual(kinds(crl), ['revocation-list']);
});

test('private keys are recognised in every form and never carried along', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const encrypted = { type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  for (const content of [
    ec.export({ type: 'pkcs8', format: 'pem' }),
    ec.export({ type: 'sec1', format: 'pem' }),
    rsa.export({ type: 'pkcs1', format: 'pem' }),
    rsa.export({ ...encrypted, format: 'pem' }),
    rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
    ec.export({ type: 'pkcs8', format: 'der' }),
    ec.export({ type: 'sec1', format: 'der' }),
    rsa.export({ type: 'pkcs1', format: 'der' }),
    rsa.export({ ...encrypted, format: 'der' }),
  ]) {
    const object = only(content);
    assert.deepEqual(Object.keys(object), ['kind', 'label']);
    assert.equal(object.kind, 'private-key');
  }
});

test('what is damaged, cut off or packed is named with its place', () => {
  const pem = cert(leaf.der);
  const rows: readonly [string | Uint8Array, RegExp][] = [
    [pem.replace(/\n(.{10})/, '\n$1!'), /block 1 \(CERTIFICATE\): not base64/],
    [pem.slice(0, pem.indexOf('-----END')), /has no END line: the file is cut off/],
    [cert(leaf.der.subarray(0, -5)), /block 1 \(CERTIFICATE\): certificate at byte/],
    [pemFromDer('PKCS7', leaf.der), /openssl pkcs7/],
    [sequence(integer(3), sequence()), /a PKCS#12 file/],
    [sequence(oid('1.2.840.113549.1.7.2')), /a PKCS#7 file/],
    [leaf.der.subarray(0, -5), /certificate at byte 1/],
    [sequence(octetString(new Uint8Array(3))), /tbsCertificate/],
  ];
  for (const [content, why] of rows) {
    const object = only(content);
    assert.match(object.kind === 'unreadable' ? object.why : object.kind, why);
    assert.throws(() => certificatesAmong([object], 'FILE'), { code: 'input-invalid' });
  }
  assert.deepEqual(kinds(`${pem}${pem.slice(0, 100)}`), ['certificate', 'unreadable']);
});

test('what is nothing of all that is refused', () => {
  for (const content of ['', 'hello', '\u0000'])
    assert.throws(() => pkiObjects(Buffer.from(content), 'FILE'), { code: 'input-invalid', message: /^FILE / });
  assert.throws(() => certificatesAmong([], '-'), { code: 'input-invalid', message: /^standard input holds no/ });
});
