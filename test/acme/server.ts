/**
 * The authority in this process, on loopback, with a throw-away state, and a world of its own that challenges are
 * looked for in: names resolve by a DNS server of ours, http-01 and tls-alpn-01 are tried at responders of ours.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { DEFAULT_CONFIG } from '../../src/app/config.ts';
import { startAuthority } from '../../src/app/programs/authority.ts';
import { initialise } from '../../src/app/programs/initialise.ts';
import { type StatePaths, statePaths } from '../../src/edge/files/state-directory.ts';
import { openSqliteStore } from '../../src/edge/store/sqlite-store.ts';
import type { ProvisionerRecord, Store } from '../../src/flow/ca/store-ports.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { type HttpResponder, startHttpResponder } from '../world/http-responder.ts';
import { startTlsAlpnResponder, type TlsAlpnResponder } from '../world/tls-alpn-responder.ts';

export interface TestAuthority {
  /** "https://127.0.0.1:PORT" */
  readonly url: string;
  readonly port: number;
  readonly rootPem: string;
  readonly rootFingerprint: string;
  readonly paths: StatePaths;
  /** A connection of its own to the database of the running authority. */
  readonly store: Store;
  /** Of the token key and of all others. */
  readonly password: string;
  readonly dns: DnsServer;
  readonly http: HttpResponder;
  readonly tlsAlpn: TlsAlpnResponder;
  /** What it has logged at level error so far: an internal fault behind a 500 is here. */
  readonly errors: readonly string[];
  readonly stop: () => Promise<void>;
}

const PASSWORD = 'correct horse battery staple';
const DAY = 86_400;

/** @param provisioners further ones, beside "acme" and "admin" */
export async function startTestAuthority(provisioners: readonly ProvisionerRecord[] = []): Promise<TestAuthority> {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-acme-'));
  const paths = statePaths(join(directory, 'state'));
  const [dns, http, tlsAlpn] = await Promise.all([startDnsServer(), startHttpResponder(), startTlsAlpnResponder()]);
  const password = { file: undefined, environment: PASSWORD, ask: false };
  await initialise(paths, {
    name: 'Test',
    dnsNames: ['localhost', '127.0.0.1', '::1'],
    rootAlgorithm: 'ecdsa-p256',
    intermediateAlgorithm: 'ecdsa-p256',
    plan: {
      root: { subject: { commonName: 'Test Root CA' }, lifetimeSeconds: 3650 * DAY },
      intermediate: { subject: { commonName: 'Test Intermediate CA' }, lifetimeSeconds: 1825 * DAY, pathLength: 0 },
    },
    config: {},
    password,
    rootPassword: password,
    provisionerPassword: password,
    offlineRootDirectory: null,
  });
  const store = openSqliteStore(paths.database);
  for (const record of provisioners) await store.insertProvisioner(record);
  const errors: string[] = [];
  const running = await startAuthority({
    paths,
    config: {
      ...DEFAULT_CONFIG,
      name: 'Test',
      dnsNames: ['localhost', '127.0.0.1', '::1'],
      validation: {
        ...DEFAULT_CONFIG.validation,
        resolvers: [dns.address],
        httpPort: http.port,
        tlsAlpnPort: tlsAlpn.port,
      },
    },
    listen: { host: '127.0.0.1', port: 0 },
    httpListen: null,
    password,
    acceptClock: false,
    logger: pino({ level: 'error', base: null }, { write: (line) => void errors.push(line) }),
  });
  return {
    url: running.url,
    port: Number(new URL(running.url).port),
    rootPem: readFileSync(paths.rootCertificate, 'utf8'),
    rootFingerprint: running.rootFingerprint,
    paths,
    store,
    password: PASSWORD,
    dns,
    http,
    tlsAlpn,
    errors,
    async stop() {
      store.close();
      await running.stop();
      await Promise.all([dns.close(), http.close(), tlsAlpn.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
