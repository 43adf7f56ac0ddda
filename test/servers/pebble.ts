/** Pebble, the ACME server that is hostile on purpose: it refuses nonces at random, and makes a new root at each start. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { freePort } from '../world/free-port.ts';
import { selfSigned } from '../world/self-signed.ts';
import { acceptsConnections } from './accepts-connections.ts';
import { pathOf } from './available.ts';
import { startServer } from './process.ts';

export interface Pebble extends AsyncDisposable {
  readonly directoryUrl: string;
  /** PEM file: the certificate of the server itself, and the root of what it issues. */
  readonly caFile: string;
}

export interface PebbleOptions {
  /** For its configuration. */
  readonly directory: string;
  readonly httpPort: number;
  /** "127.0.0.1:53" */
  readonly resolver: string;
  /** In a hundred. */
  readonly nonceRefusals: number;
}

export async function startPebble({ directory, httpPort, resolver, nonceRefusals }: PebbleOptions): Promise<Pebble> {
  mkdirSync(directory, { recursive: true });
  const path = (name: string): string => join(directory, name);
  const { cert, key } = selfSigned([], { subject: 'localhost' });
  const [port, management] = [await freePort(), await freePort()];
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: path('cert.pem'),
    privateKey: path('key.pem'),
    httpPort,
    tlsPort: await freePort(),
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  writeFileSync(path('cert.pem'), cert);
  writeFileSync(path('key.pem'), key, { mode: 0o600 });
  writeFileSync(path('config.json'), JSON.stringify({ pebble }));
  const program = await startServer(
    pathOf('pebble') ?? 'pebble',
    ['-strict', '-config', path('config.json'), '-dnsserver', resolver],
    {
      env: { PEBBLE_VA_SLEEPTIME: '3', PEBBLE_WFE_NONCEREJECT: `${nonceRefusals}`, PEBBLE_AUTHZREUSE: '0' },
      isReady: async () => (await acceptsConnections(port)) && (await acceptsConnections(management)),
    },
  );
  const root = await fetched(`https://localhost:${management}/roots/0`, cert);
  writeFileSync(path('ca.pem'), `${cert}${root}`);
  return {
    directoryUrl: `https://localhost:${port}/dir`,
    caFile: path('ca.pem'),
    [Symbol.asyncDispose]: program[Symbol.asyncDispose],
  };
}

function fetched(url: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get(url, { ca }, async (answer) => resolve((await answer.setEncoding('utf8').toArray()).join(''))).on(
    'error',
    reject,
  );
  return promise;
}
