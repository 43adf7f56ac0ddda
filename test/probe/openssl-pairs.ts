/** Pairs of both key types below one root, made by openssl alone, for servers that have both. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openssl } from '../ca/command-line.ts';

/** Paths of PEM files. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

export interface OpensslPairs {
  readonly directory: string;
  readonly ca: string;
  /** A root that nobody trusts. */
  readonly otherCa: string;
  readonly ecdsa: PairFiles;
  readonly rsa: PairFiles;
  /** For clients, of the same root. */
  readonly client: PairFiles;
}

const SERVER = 'subjectAltName=DNS:localhost,DNS:service.internal,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n';
const CLIENT = 'subjectAltName=DNS:client.internal\nextendedKeyUsage=clientAuth\n';
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const RSA = ['-newkey', 'rsa:2048'];

/** Gone when all tests of the file have run. */
export function opensslPairs(): OpensslPairs {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-pairs-'));
  // Servers that run as their own user pass through.
  chmodSync(directory, 0o755);
  after(() => rmSync(directory, { recursive: true, force: true }));
  const at = (name: string): string => join(directory, name);
  const run = (...args: readonly string[]): void => {
    const { status, stderr } = openssl(args);
    assert.equal(status, 0, `openssl ${args.join(' ')}: ${stderr}`);
  };
  const root = (name: string): string => {
    const [key, cert] = [at(`${name}.key`), at(`${name}.crt`)];
    run('req', '-x509', ...EC, '-nodes', '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-days', '30');
    return cert;
  };
  const ca = root('probe-root');
  const pair = (name: string, algorithm: readonly string[], extensions: string): PairFiles => {
    const [key, request, cert] = [at(`${name}.key`), at(`${name}.csr`), at(`${name}.crt`)];
    writeFileSync(at(`${name}.ext`), extensions);
    run('req', '-new', ...algorithm, '-nodes', '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const by = ['-CA', ca, '-CAkey', at('probe-root.key'), '-CAcreateserial', '-extfile', at(`${name}.ext`)];
    run('x509', '-req', '-in', request, '-out', cert, '-days', '20', ...by);
    return { cert, key };
  };
  return {
    directory,
    ca,
    otherCa: root('other-root'),
    ecdsa: pair('ecdsa', EC, SERVER),
    rsa: pair('rsa', RSA, SERVER),
    client: pair('client', EC, CLIENT),
  };
}
