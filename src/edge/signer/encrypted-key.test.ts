import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { skipWithout } from '../../../test/servers/available.ts';
import { readDer, readElements } from '../../core/asn1/der-reader.ts';
import { readSmallInteger } from '../../core/asn1/der-values.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { decryptPrivateKey, encryptPrivateKey, PBKDF2_ITERATIONS, WrongPassword } from './encrypted-key.ts';
import { generateKey } from './key-pair.ts';

const PASSWORD = Buffer.from('correct horse ünd säule');

const ALGORITHMS = Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[];
const key = await generateKey('ecdsa-p256');
const sound = encryptPrivateKey(key, PASSWORD, randomBytes);

/** The password in a file, as openssl takes it with -passin file: and -passout file:. */
function passwordFile(t: TestContext, password: Uint8Array): { readonly directory: string; readonly source: string } {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-signer-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'password'), Buffer.concat([password, Buffer.from('\n')]), { mode: 0o600 });
  return { directory, source: `file:${join(directory, 'password')}` };
}

function sameKey(a: KeyObject, b: KeyObject): boolean {
  return a.export({ type: 'pkcs8', format: 'der' }).equals(b.export({ type: 'pkcs8', format: 'der' }));
}

const needsOpenssl = skipWithout('openssl');

for (const algorithm of ALGORITHMS) {
  // Debian's OpenSSL 3.0 does not know ML-DSA.
  const byOpenssl = !needsOpenssl && !algorithm.startsWith('ml-dsa');
  test(`an encrypted ${algorithm} key opens with its password${byOpenssl ? ', by openssl too' : ''}`, async (t) => {
    const made = await generateKey(algorithm);
    const input = encryptPrivateKey(made, PASSWORD, randomBytes);
    assert.match(input, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    assert.ok(sameKey(decryptPrivateKey(input, PASSWORD), made));
    if (!byOpenssl) return;
    const { source } = passwordFile(t, PASSWORD);
    const opened = spawnSync('openssl', ['pkey', '-passin', source, '-pubout'], { input, encoding: 'utf8' });
    assert.equal(opened.status, 0, opened.stderr);
    assert.equal(opened.stdout, createPublicKey(made).export({ type: 'spki', format: 'pem' }));
  });
}

test('a key at rest costs 600,000 rounds of PBKDF2-HMAC-SHA-256, with salt and IV of its own', () => {
  const infoOf = (pem: string) => {
    const [block] = pemBlocksLabelled(pem, 'ENCRYPTED PRIVATE KEY');
    const parts = (element: ReturnType<typeof readDer>) => readElements(element, 'key');
    const [scheme] = parts(readDer(block?.der ?? new Uint8Array(), 'key'));
    const [derivation, cipher] = scheme ? parts(parts(scheme)[1] ?? scheme) : [];
    const [salt, rounds] = derivation ? parts(parts(derivation)[1] ?? derivation) : [];
    const iv = cipher && parts(cipher)[1];
    assert.ok(salt && rounds && iv);
    return { salt: Buffer.from(salt.raw), rounds: readSmallInteger(rounds, 'rounds'), iv: Buffer.from(iv.raw) };
  };
  const [one, two] = [infoOf(sound), infoOf(encryptPrivateKey(key, PASSWORD, randomBytes))];
  assert.equal(PBKDF2_ITERATIONS, 600_000);
  assert.equal(one.rounds, PBKDF2_ITERATIONS);
  assert.equal(one.salt.byteLength, 2 + 16);
  assert.ok(!one.salt.equals(two.salt));
  assert.ok(!one.iv.equals(two.iv));
});

/** How openssl encrypts a PKCS#8 key, and the option that says so. */
const OPENSSL_SCHEMES: readonly (readonly [what: string, args: readonly string[]])[] = [
  ['PBES2 with aes-256-cbc', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc']],
  ['PBES2 with aes-128-cbc', ['pkcs8', '-topk8', '-v2', 'aes-128-cbc']],
  ['PBES2 with HMAC-SHA-512', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '10000']],
  ['PBES2 with scrypt', ['pkcs8', '-topk8', '-scrypt']],
  ['openssl pkey', ['pkey', '-aes-256-cbc']],
  ['the traditional form', ['ec', '-aes-256-cbc']],
  ['the traditional form with aes-128-cbc', ['ec', '-aes128']],
];

for (const [what, args] of OPENSSL_SCHEMES) {
  test(`a key that openssl encrypted opens here: ${what}`, { skip: needsOpenssl }, (t) => {
    const { directory, source } = passwordFile(t, PASSWORD);
    const file = join(directory, 'key');
    const input = key.export({ type: 'pkcs8', format: 'pem' });
    const made = spawnSync('openssl', [...args, '-passout', source, '-out', file], { input, encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    const pem = readFileSync(file, 'utf8');
    assert.match(pem, /ENCRYPTED/);
    assert.ok(sameKey(decryptPrivateKey(pem, PASSWORD), key));
    assert.throws(() => decryptPrivateKey(pem, Buffer.from('wrong')), WrongPassword);
  });
}

test('a key without encryption opens with any password', () => {
  for (const type of ['pkcs8', 'sec1'] as const) {
    const pem = key.export({ type, format: 'pem' }) as string;
    assert.ok(sameKey(decryptPrivateKey(pem, PASSWORD), key));
  }
});

test('an encrypted key opens with no other password, by openssl neither', () => {
  assert.throws(() => decryptPrivateKey(sound, Buffer.from('correct horse')), WrongPassword);
  assert.throws(() => decryptPrivateKey(sound, new Uint8Array()), WrongPassword);
  if (needsOpenssl) return;
  assert.notEqual(
    spawnSync('openssl', ['pkey', '-noout', '-passin', 'pass:correct horse'], { input: sound }).status,
    0,
  );
});

test('a wrong password is called wrong every time, also where its rubbish has the right padding', () => {
  // As node encrypts, with few rounds: one wrong password in 256 passes the padding check.
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'right' };
  const pem = key.export({ type: 'pkcs8', format: 'pem', ...cipher }) as string;
  for (let attempt = 0; attempt < 1500; attempt++)
    assert.throws(() => decryptPrivateKey(pem, Buffer.from(`wrong ${attempt}`)), WrongPassword);
});

const lines = sound.trimEnd().split('\n');

/** Damaged beyond what any password could open: the password is not what is wrong. */
const DAMAGED: Readonly<Record<string, string>> = {
  'its end missing': lines.slice(0, 3).join('\n'),
  'only its last line missing': lines.slice(0, -1).join('\n'),
  'a line missing': [...lines.slice(0, 2), ...lines.slice(3)].join('\n'),
  'a character that is no base64': sound.replace(/\n(.)/, '\n!'),
  'another structure': sound.replace(/\n./, '\nB'),
  nothing: '',
  'no key': 'rubbish\n',
  'a certificate': '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
  'a public key': createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string,
};

for (const [what, pem] of Object.entries(DAMAGED)) {
  test(`a key file with ${what} is unusable, whatever the password`, () => {
    assert.throws(
      () => decryptPrivateKey(pem, PASSWORD),
      (fault) => fault instanceof Error && !(fault instanceof WrongPassword),
    );
  });
}

test('line ends of another system and text around the block change nothing', () => {
  for (const pem of [sound.replaceAll('\n', '\r\n'), `Bag Attributes\n  name: x\n${sound}\ntrailing text\n`])
    assert.ok(sameKey(decryptPrivateKey(pem, PASSWORD), key));
});

test('the longest password that OpenSSL reads opens what it encrypted', { skip: needsOpenssl }, (t) => {
  const password = Buffer.alloc(1023, 'p');
  const { source } = passwordFile(t, password);
  const input = encryptPrivateKey(key, password, randomBytes);
  assert.ok(sameKey(decryptPrivateKey(input, password), key));
  assert.equal(spawnSync('openssl', ['pkey', '-passin', source, '-noout'], { input }).status, 0);
  assert.ok(createPrivateKey({ key: input, format: 'pem', passphrase: password }));
});
