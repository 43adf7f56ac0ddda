/** Broken servers for `diagnose`, the certificates that break them, and the command as a person would call it. */
import assert from 'node:assert/strict';
import { appendFileSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { sequence, time } from '../../src/core/asn1/der-writer.ts';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import { CAUSES } from '../../src/core/diagnosis/causes.ts';
import type { Finding } from '../../src/core/diagnosis/finding.ts';
import { instantFromSeconds } from '../../src/core/time/instant.ts';
import { encodeExtendedKeyUsage, type KeyPurpose } from '../../src/core/x509/extended-key-usage.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run, startServer, temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import type { Cluster } from '../services/start-postgresql.ts';
import {
  type CertificateParts,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
} from '../vectors/made-certificate.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';

export interface Answer {
  readonly status: unknown;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly output: string;
}

/** `fullchain diagnose --json …`, of one target. */
export async function diagnose(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { status, stdout, output } = await run(process.execPath, [LAUNCHER, 'diagnose', '--json', ...args], {
    env: { FULLCHAIN_STATE: '/nonexistent', ...env },
    withinMs: 60_000,
  });
  assert.match(stdout, /^\{/, output);
  const { ok, targets } = JSON.parse(stdout) as { ok: boolean; targets: readonly { findings: readonly Finding[] }[] };
  assert.equal(targets.length, 1, output);
  return { status, ok, findings: targets[0]?.findings ?? [], output };
}

/** What a call that makes no sense is answered with. */
export async function usageOf(args: readonly string[]): Promise<string> {
  const { status, output } = await run(process.execPath, [LAUNCHER, 'diagnose', ...args]);
  assert.equal(status, 2, output);
  return output;
}

/** The one cause, and nothing else that is wrong; each with what a person needs. */
export function assertCause({ findings, ok, status, output }: Answer, id: keyof typeof CAUSES): Finding {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const wanted = findings.find((finding) => finding.id === id);
  assert.ok(wanted, `${id}: ${output}`);
  // What the same evidence fits may stand beside it, as likely; nothing else is said to be so.
  assert.deepEqual(
    errors.filter((finding) => finding.id !== id && (finding.confidence ?? 'certain') === 'certain'),
    [],
    output,
  );
  if ((wanted.confidence ?? 'certain') === 'certain')
    assert.equal(errors.filter((one) => one.id !== id).length, 0, output);
  assert.equal(wanted.severity, CAUSES[id].severity, output);
  assert.equal(ok, errors.length === 0);
  assert.equal(status, errors.length === 0 ? 0 : UNREACHABLE.includes(id) ? 3 : 1, output);
  for (const { what, why, remedy } of findings) {
    assert.match(what, /^.{10,}\.$/s);
    assert.match(why, /^[A-Z].{10,}\.$/s);
    assert.match(remedy.text, /^[A-Z].{10,}\.$/s);
    assert.doesNotMatch(`${what} ${why} ${remedy.text} ${remedy.command ?? ''}`, /undefined|\{\w+\}|\[object/);
  }
  return wanted;
}

const UNREACHABLE: readonly string[] = ['name-not-resolved', 'connection-refused', 'connect-timeout'];

export function assertHealthy({ findings, status, output }: Answer): void {
  assert.deepEqual(findings, [], output);
  assert.equal(status, 0, output);
}

const DAY = 86_400;

/** In days from now. */
export function days(from: number, until: number): Uint8Array {
  const now = Math.floor(Date.now() / 1000);
  return sequence(time(instantFromSeconds(now + from * DAY)), time(instantFromSeconds(now + until * DAY)));
}

export interface LeafWish {
  readonly names?: readonly GeneralName[];
  readonly commonName?: string;
  readonly purposes?: readonly KeyPurpose[];
  readonly from?: number;
  readonly until?: number;
  readonly parts?: CertificateParts;
}

export const LOCALHOST: readonly GeneralName[] = [{ kind: 'dns', value: 'localhost' }];

export function leafOf(issuer: MadeCertificate, wish: LeafWish = {}): MadeCertificate {
  const { names = LOCALHOST, commonName, purposes = ['serverAuth'], from = -10, until = 20, parts = {} } = wish;
  const subject = encodeName(commonName === undefined ? {} : { commonName });
  return makeLeaf(issuer, {
    subject,
    validity: days(from, until),
    ...parts,
    extensions: {
      extKeyUsage: encodeExtendedKeyUsage(purposes),
      subjectAltName: names.length === 0 ? null : encodeSubjectAltName(names, commonName === undefined),
      ...parts.extensions,
    },
  });
}

export interface TestTree {
  readonly root: MadeCertificate;
  readonly intermediate: MadeCertificate;
}

export function tree(name = 'Diagnose Root'): TestTree {
  const root = makeRoot(name);
  return { root, intermediate: makeIntermediate(root, `${name}, intermediate`) };
}

export function pem(...certificates: readonly MadeCertificate[]): string {
  return certificates.map(({ der }) => pemFromDer('CERTIFICATE', der)).join('');
}

export function keyPem({ key }: Pick<MadeCertificate, 'key'>): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Files of a pair, the key 0600. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

export function writePair(directory: string, name: string, chain: string, key: string): PairFiles {
  mkdirSync(directory, { recursive: true });
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  writeFileSync(files.cert, chain);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

/** A server block, or several, of nginx on a port of its own; more of it in `lines`. */
export async function nginxWith(
  t: TestContext,
  servers: Readonly<Record<string, { readonly pair: PairFiles | null; readonly lines?: string }>>,
): Promise<Readonly<Record<string, number>>> {
  const { path } = cleanup(t).use(temporaryDirectory());
  const ports = Object.fromEntries(
    await Promise.all(Object.keys(servers).map(async (name) => [name, await freePort()] as const)),
  );
  const blocks = Object.entries(servers).map(([name, { pair, lines = '' }]) =>
    pair === null
      ? `server { listen 127.0.0.1:${ports[name]}; ${lines} location / { return 200 'plain'; } }`
      : `server { listen 127.0.0.1:${ports[name]} ssl; ssl_certificate ${pair.cert}; ssl_certificate_key ${pair.key}; ${lines} location / { return 200 'hello'; } }`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${path}/${kind};`,
  );
  writeFileSync(
    join(path, 'nginx.conf'),
    `${process.getuid?.() === 0 ? 'user root;' : ''} pid ${path}/pid; error_log ${path}/error.log; worker_processes 1; events {}
http { access_log off; ${temporary.join(' ')} ${blocks.join('\n')} }
`,
  );
  const [first = 0] = Object.values(ports);
  const server = await startServer(
    pathOf('nginx') ?? 'nginx',
    ['-p', path, '-c', join(path, 'nginx.conf'), '-e', join(path, 'error.log'), '-g', 'daemon off;'],
    { isReady: () => acceptsConnections(first) },
  );
  cleanup(t).use(server);
  return ports;
}

/** `openssl s_server` with these arguments besides its pair. */
export async function opensslServer(t: TestContext, pair: PairFiles, ...args: readonly string[]): Promise<number> {
  const port = await freePort();
  // s_server sends the leaf itself.
  const above = `${pair.cert}.above`;
  const [, ...others] = readFileSync(pair.cert, 'utf8').split(/(?=-----BEGIN CERTIFICATE-----)/);
  writeFileSync(above, others.join(''));
  const server = await startServer(
    'openssl',
    [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      pair.cert,
      ...(others.length > 0 ? ['-cert_chain', above] : []),
      '-key',
      pair.key,
      '-quiet',
      '-www',
      ...args,
    ],
    { isReady: () => acceptsConnections(port) },
  );
  cleanup(t).use(server);
  return port;
}

/** A server of node:tls that answers nothing. */
export async function nodeServer(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => socket.on('error', () => {}).resume());
  server.on('tlsClientError', () => {});
  const { port, close } = await startTcpServer(server, '127.0.0.1', 0);
  t.after(close);
  return port;
}

/** The right pair for localhost, in files, and the root that it leads to. */
export function serverPair(directory: string): { readonly ca: string; readonly pair: PairFiles } {
  const { root, intermediate } = tree();
  const leaf = leafOf(intermediate);
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(root));
  return { ca, pair: writePair(directory, 'tls', pem(leaf, intermediate), keyPem(leaf)) };
}

/** A cluster of PostgreSQL comes back with TLS, and with `ca` knows its clients. */
export async function switchTlsOn(pg: Cluster, pair: PairFiles, ca?: string): Promise<void> {
  const { uid, gid } = statSync(pg.data);
  const files = { 'tls.crt': pair.cert, 'tls.key': pair.key, ...(ca !== undefined && { 'ca.crt': ca }) };
  for (const [name, path] of Object.entries(files)) {
    writeFileSync(join(pg.data, name), readFileSync(path), { mode: 0o600 });
    chownSync(join(pg.data, name), uid, gid);
  }
  const asked = ca === undefined ? '' : "ssl_ca_file = 'ca.crt'\n";
  appendFileSync(
    join(pg.data, 'postgresql.conf'),
    `ssl = on\nssl_cert_file = 'tls.crt'\nssl_key_file = 'tls.key'\n${asked}`,
  );
  await pg.stop();
  await pg.start();
}
