/** The authority as an operator runs it, with what it answers and what it has said. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type RunningProgram, startServer } from '../servers/process.ts';
import { tellsNoSecret } from './authority-run.ts';

export interface Health {
  readonly status: string;
  readonly checks: readonly { readonly id: string; readonly ok: boolean; readonly detail: string }[];
}

export interface RunningAuthority extends RunningProgram {
  readonly state: string;
  readonly url: string;
  readonly port: number;
  readonly acmeDirectory: string;
  readonly rootFingerprint: string;
  /** PEM. */
  readonly ca: string;
  readonly health: () => Promise<{ readonly code: number; readonly health: Health }>;
}

/** Stopped with the test; nothing that it has printed by then may be a secret. */
export async function startAuthorityOn(
  t: TestContext,
  state: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningAuthority> {
  const readyFile = join(state, 'ready.json');
  // A killed one leaves it behind.
  rmSync(readyFile, { force: true });
  const program = await startServer(
    process.execPath,
    [LAUNCHER, 'up', '--state', state, '--listen', '127.0.0.1:0', ...args],
    { env, isReady: () => existsSync(readyFile) },
  );
  t.after(async () => {
    await program.stop();
    tellsNoSecret(program.output(), passwordsOf(state));
  });
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Pick<
    RunningAuthority,
    'url' | 'acmeDirectory' | 'rootFingerprint'
  >;
  const ca = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  return {
    ...program,
    ...ready,
    state,
    ca,
    port: Number(new URL(ready.url).port),
    async health() {
      const { code, body } = await get(`${ready.url}/health`, ca);
      return { code, health: JSON.parse(body) as Health };
    },
  };
}

function passwordsOf(state: string): string[] {
  return ['password', 'root_password', 'provisioner_password']
    .map((name) => join(state, 'secrets', name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').trim())
    .filter((password) => password.length > 8);
}

export function get(url: string, ca: string): Promise<{ readonly code: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, async (response) => {
      resolve({ code: response.statusCode ?? 0, body: Buffer.concat(await response.toArray()).toString('utf8') });
    })
      .on('error', reject)
      .end();
  });
}

/** The check of one thing. */
export function checkOf({ checks }: Health, id: string): { readonly ok: boolean; readonly detail: string } {
  return checks.find((check) => check.id === id) ?? assert.fail(`no check of ${id}`);
}
