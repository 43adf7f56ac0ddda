/** What OpenSSL, curl and our own records say about a certificate that a client has obtained. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { run } from '../servers/process.ts';
import type { AcmeWorld } from './acme-world.ts';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/** Leaf first. */
export function readChain(path: string): readonly X509Certificate[] {
  return (readFileSync(path, 'utf8').match(PEM_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
}

/** SHA-256 in lower-case hex, as `cert list --json` has it. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

/**
 * The file holds a leaf for exactly these names and the way up to our root, as OpenSSL sees it in its strict mode.
 * @param chainPath in case leaf and chain are two files
 */
export async function assertChain(
  world: AcmeWorld,
  names: readonly string[],
  leafPath: string,
  chainPath = leafPath,
): Promise<X509Certificate> {
  const [leaf] = readChain(leafPath);
  assert.ok(leaf, `${leafPath} holds a certificate`);
  const chain = readChain(chainPath);
  assert.ok(chain.length >= (chainPath === leafPath ? 2 : 1), `${chainPath} holds the intermediate too`);
  const alone = `${world.directory}/leaf-alone.pem`;
  writeFileSync(alone, leaf.toString());
  for (const name of names) {
    const { status, output } = await run('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name.replace('*', 'any')],
      ...['-CAfile', world.ca.rootCertificate, '-untrusted', chainPath, alone],
    ]);
    assert.equal(status, 0, `openssl verify for ${name}: ${output}`);
  }
  const stated = (leaf.subjectAltName ?? '').split(', ').sort();
  assert.deepEqual(stated, names.map((name) => `DNS:${name}`).sort());
  return leaf;
}

/** A TLS client that trusts our root alone connects, and is shown this certificate. */
export async function assertServed(world: AcmeWorld, name: string, port: number, leaf: X509Certificate): Promise<void> {
  const curl = await run('curl', [
    ...['--silent', '--show-error', '--fail', '--cacert', world.ca.rootCertificate],
    ...['--resolve', `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`],
  ]);
  assert.equal(curl.status, 0, `curl: ${curl.output}`);
  const sClient = await run('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', name, '-verify_hostname', name],
    ...['-verify_return_error', '-CAfile', world.ca.rootCertificate, '-showcerts'],
  ]);
  assert.equal(sClient.status, 0, `openssl s_client: ${sClient.output}`);
  assert.match(sClient.output, /Verify return code: 0 \(ok\)/);
  const [served] = (sClient.stdout.match(PEM_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  assert.ok(served, sClient.output);
  assert.equal(fingerprintOf(served), fingerprintOf(leaf), 'the certificate served is the one obtained');
}

const listed = z.object({
  certificates: z.array(z.object({ fingerprint: z.string(), state: z.enum(['valid', 'expired', 'revoked']) })),
});

/** What `fullchain cert list` says about it; null if it is not there. */
export async function recordedState(world: AcmeWorld, leaf: X509Certificate): Promise<string | null> {
  const { certificates } = listed.parse(await world.fullchain('cert', 'list'));
  return certificates.find(({ fingerprint }) => fingerprint === fingerprintOf(leaf))?.state ?? null;
}

/** The authority's records and the list it publishes both say revoked, with this reason. */
export async function assertRevoked(world: AcmeWorld, leaf: X509Certificate, reason: string | null): Promise<void> {
  assert.equal(await recordedState(world, leaf), 'revoked');
  const crl = await run('curl', [
    '--silent',
    '--fail',
    '--cacert',
    world.ca.rootCertificate,
    `${world.ca.url}/crl`,
    '--output',
    `${world.directory}/crl.der`,
  ]);
  assert.equal(crl.status, 0, crl.output);
  const text = await run('openssl', ['crl', '-inform', 'DER', '-in', `${world.directory}/crl.der`, '-noout', '-text']);
  const entry = text.stdout
    .split('Serial Number: ')
    .find((part) => part.startsWith(leaf.serialNumber.replace(/^0+/, '')) || part.startsWith(leaf.serialNumber));
  assert.ok(entry, `serial ${leaf.serialNumber} in ${text.output}`);
  if (reason === null) assert.doesNotMatch(entry, /CRL Reason Code/);
  else assert.match(entry, new RegExp(`X509v3 CRL Reason Code:\\s+${reason}`));
}
