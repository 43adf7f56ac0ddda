/** Our own authority, run by its launcher as an operator runs it, on loopback with a new state directory. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningProgram, startServer } from './process.ts';

export const LAUNCHER = join(import.meta.dirname, '..', '..', 'bin', 'fullchain.mjs');

export interface Fullchain extends RunningProgram {
  readonly state: string;
  readonly url: string;
  readonly acmeDirectory: string;
  readonly rootFingerprint: string;
  /** Path of a PEM file. */
  readonly rootCertificate: string;
}

/** @param args further arguments of `fullchain up`, after --state and --listen */
export async function startFullchain(state: string, args: readonly string[] = []): Promise<Fullchain> {
  const readyFile = join(state, 'ready.json');
  // A killed authority leaves it behind.
  rmSync(readyFile, { force: true });
  const up = ['up', '--state', state, '--listen', '127.0.0.1:0', ...args];
  const program = await startServer(process.execPath, [LAUNCHER, ...up], {
    isReady: () => existsSync(readyFile),
  });
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Pick<
    Fullchain,
    'url' | 'acmeDirectory' | 'rootFingerprint' | 'rootCertificate'
  >;
  return { ...program, ...ready, state };
}
