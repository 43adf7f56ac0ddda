/** Pebble, which keeps everything in memory: what ACME costs without durability. Its deliberate hostility is off. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../test/world/self-signed.ts';
import { type AcmePeer, acceptsConnections } from './acme-peer.ts';
import { startServerProgram } from './server-program.ts';

const PORT = 14000;
const MANAGEMENT_PORT = 15000;

export async function startPebblePeer(directory: string): Promise<AcmePeer> {
  mkdirSync(directory, { recursive: true });
  const path = (name: string): string => join(directory, name);
  const { cert, key } = selfSigned([], { subject: 'localhost' });
  const configuration = {
    listenAddress: `127.0.0.1:${PORT}`,
    managementListenAddress: `127.0.0.1:${MANAGEMENT_PORT}`,
    certificate: path('cert.pem'),
    privateKey: path('key.pem'),
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  writeFileSync(path('cert.pem'), cert);
  writeFileSync(path('key.pem'), key, { mode: 0o600 });
  writeFileSync(path('config.json'), JSON.stringify({ pebble: configuration }));
  const program = await startServerProgram('pebble', ['-config', path('config.json')], {
    env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
    logFile: path('log'),
    isReady: () => acceptsConnections(PORT),
  });
  return {
    ...program,
    name: 'pebble',
    version: null,
    directoryUrl: `https://localhost:${PORT}/dir`,
    rootPem: cert,
  };
}
