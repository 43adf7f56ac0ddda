/** An authority made by openssl alone: what it makes is another's work, as it comes in the field. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openssl } from '../ca/command-line.ts';

/** Paths of PEM files. */
export interface TestAuthority {
  readonly directory: string;
  readonly root: string;
  readonly rootFingerprint: string;
  readonly otherRoot: string;
  readonly intermediate: string;
  readonly leaf: string;
  readonly leafKey: string;
  /** Leaf, then intermediate. */
  readonly chain: string;
  /** The guides' first self-signed recipe: version 1, no extensions (W-16 a). */
  readonly guideWithoutNames: string;
  /** Their second: keyUsage = keyEncipherment, dataEncipherment (W-16 b). */
  readonly guideWithoutDigitalSignature: string;
  readonly fingerprintOf: (path: string) => string;
}

const SAN_CNF = `[req]
distinguished_name = req_distinguished_name
x509_extensions = v3_req
prompt = no
[req_distinguished_name]
CN = localhost
[v3_req]
keyUsage = keyEncipherment, dataEncipherment
extendedKeyUsage = serverAuth
subjectAltName = @alt_names
[alt_names]
DNS.1 = localhost
DNS.2 = aragora.local
IP.1 = 127.0.0.1
IP.2 = ::1
`;

/** Below a directory that goes when all tests of the file have run. */
export function makeTestAuthority(): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-openssl-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const at = (name: string): string => join(directory, name);
  const run = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = openssl(args);
    assert.equal(status, 0, `openssl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const fingerprintOf = (path: string): string =>
    run('x509', '-in', path, '-noout', '-fingerprint', '-sha256')
      .replace(/^.*=/, '')
      .replace(/[:\s]/g, '')
      .toLowerCase();
  const key = (name: string): string => {
    run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at(name));
    return at(name);
  };
  const selfSigned = (name: string, commonName: string): string => {
    const usage = 'keyUsage=critical,keyCertSign,cRLSign';
    run(
      'req',
      '-x509',
      '-key',
      key(`${name}.key`),
      '-subj',
      `/CN=${commonName}`,
      '-days',
      '3650',
      '-addext',
      usage,
      '-out',
      at(`${name}.crt`),
    );
    return at(`${name}.crt`);
  };
  const issue = (name: string, subject: string, issuer: string, days: string, extensions: string): string => {
    writeFileSync(at(`${name}.ext`), `${extensions}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`);
    run('req', '-new', '-key', key(`${name}.key`), '-subj', subject, '-out', at(`${name}.csr`));
    run(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at(`${issuer}.crt`),
      '-CAkey',
      at(`${issuer}.key`),
      '-days',
      days,
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.crt`),
    );
    return at(`${name}.crt`);
  };
  const root = selfSigned('root', 'Test Root');
  const otherRoot = selfSigned('other', 'Test Root');
  const intermediate = issue(
    'intermediate',
    '/CN=Test Intermediate',
    'root',
    '1000',
    'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign',
  );
  const leaf = issue(
    'leaf',
    '/CN=localhost',
    'intermediate',
    '90',
    'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1',
  );
  writeFileSync(at('chain.pem'), [leaf, intermediate].map((path) => run('x509', '-in', path)).join(''));

  run('genrsa', '-out', at('guide-a.key'), '2048');
  run(
    'req',
    '-new',
    '-key',
    at('guide-a.key'),
    '-out',
    at('guide-a.csr'),
    '-subj',
    '/CN=localhost/O=Aragora Development/C=US',
  );
  run(
    'x509',
    '-req',
    '-days',
    '365',
    '-in',
    at('guide-a.csr'),
    '-signkey',
    at('guide-a.key'),
    '-out',
    at('guide-a.crt'),
  );
  writeFileSync(at('san.cnf'), SAN_CNF);
  run(
    'req',
    '-x509',
    '-nodes',
    '-days',
    '365',
    '-newkey',
    'rsa:2048',
    '-keyout',
    at('guide-b.key'),
    '-out',
    at('guide-b.crt'),
    '-config',
    at('san.cnf'),
  );
  return {
    directory,
    root,
    rootFingerprint: fingerprintOf(root),
    otherRoot,
    intermediate,
    leaf,
    leafKey: at('leaf.key'),
    chain: at('chain.pem'),
    guideWithoutNames: at('guide-a.crt'),
    guideWithoutDigitalSignature: at('guide-b.crt'),
    fingerprintOf,
  };
}
