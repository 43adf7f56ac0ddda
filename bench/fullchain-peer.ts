/** Our own authority as an operator starts it, with a new state directory. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../src/app/version.ts';
import type { AcmePeer } from './acme-peer.ts';
import { startServerProgram } from './server-program.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'fullchain.mjs');
const PORT = 9000;

export interface FullchainPeer extends AcmePeer {
  readonly url: string;
  readonly state: string;
}

/** What `up` writes when it accepts connections. */
interface Ready {
  readonly url: string;
  readonly acmeDirectory: string;
  /** Path of a PEM file. */
  readonly rootCertificate: string;
  readonly pid: number;
}

export async function startFullchainPeer(directory: string): Promise<FullchainPeer> {
  mkdirSync(directory, { recursive: true });
  const state = join(directory, 'state');
  const readyFile = join(state, 'ready.json');
  const up = ['up', '--state', state, '--listen', `127.0.0.1:${PORT}`];
  const program = await startServerProgram(process.execPath, [LAUNCHER, ...up], {
    logFile: join(directory, 'log'),
    isReady: () => existsSync(readyFile),
  });
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready;
  return {
    name: 'fullchain',
    version: VERSION,
    directoryUrl: ready.acmeDirectory,
    rootPem: readFileSync(ready.rootCertificate, 'utf8'),
    pid: ready.pid,
    stop: program.stop,
    url: ready.url,
    state,
  };
}
