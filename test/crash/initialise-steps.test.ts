import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import pino from 'pino';
import { readConfig } from '../../src/app/config.ts';
import { readPasswordFile } from '../../src/app/passwords.ts';
import { startAuthority } from '../../src/app/programs/authority.ts';
import { initialise } from '../../src/app/programs/initialise.ts';
import { OperatorFault } from '../../src/core/faults/operator-faults.ts';
import { isTemporary } from '../../src/edge/files/atomic-file.ts';
import { isInitialised, type StatePaths, statePaths } from '../../src/edge/files/state-directory.ts';
import { decryptPrivateKey } from '../../src/edge/signer/encrypted-key.ts';
import { publicKeyDer } from '../../src/edge/signer/key-pair.ts';
import { initialiseOptionsFor } from './initialise-options.ts';

const DYING = new URL('./dying-initialise.ts', import.meta.url).pathname;

let scratch = '';
before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fullchain-crash-'));
});
after(() => rmSync(scratch, { recursive: true }));

interface Interrupted {
  readonly state: string;
  readonly offline: string | null;
  readonly killed: boolean;
}

async function interrupt(at: number, withOffline: boolean): Promise<Interrupted> {
  const directory = mkdtempSync(join(scratch, 'initialise-'));
  const state = join(directory, 'state');
  const offline = withOffline ? join(directory, 'offline') : null;
  const child = spawn(process.execPath, [DYING, state, offline ?? '-', String(at)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(scratch, 'compiled') },
  });
  const [status, signal] = await once(child, 'close');
  assert.ok(signal === 'SIGKILL' || status === 0, `ended with ${status}`);
  return { state, offline, killed: signal !== null };
}

function filesIn(directory: string | null): string[] {
  return directory === null || !existsSync(directory)
    ? []
    : readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
}

/** What a restart can tell apart: two states with the same files differ only in their random keys, and in what was being written. */
function shapeOf({ state, offline }: Interrupted): string {
  return [...filesIn(state), '-', ...filesIn(offline)].filter((name) => !isTemporary(basename(name))).join();
}

async function healthOf(url: string, ca: Buffer): Promise<{ readonly status: string }> {
  const [response] = await once(request(`${url}/health`, { ca, agent: false }).end(), 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return JSON.parse(body);
}

/** What a second start finds, does and leaves; nobody helps it. */
async function restart({ state, offline }: Interrupted): Promise<void> {
  const paths = statePaths(state);
  if (!isInitialised(paths)) await initialise(paths, initialiseOptionsFor(offline));
  const authority = await startAuthority({
    paths,
    config: readConfig(paths.config),
    listen: { host: '127.0.0.1', port: 0 },
    httpListen: null,
    password: { file: undefined, environment: undefined, ask: false },
    acceptClock: false,
    logger: pino({ level: 'silent' }),
  });
  try {
    assert.equal((await healthOf(authority.url, readFileSync(paths.rootCertificate))).status, 'ok');
  } finally {
    await authority.stop();
  }
  keysFit(paths, offline);
  // A crash while config.json or ready.json is written leaves a hidden file that nobody reads, and no secret.
  const left = filesIn(state).filter((name) => !isTemporary(name));
  assert.deepEqual(left, expectedFiles(offline !== null), 'nothing of the first attempt is left');
  for (const name of filesIn(join(state, 'secrets')))
    assert.equal(statSync(join(state, 'secrets', name)).mode & 0o77, 0);
}

function keysFit(paths: StatePaths, offline: string | null): void {
  const root = new X509Certificate(readFileSync(paths.rootCertificate));
  const intermediate = new X509Certificate(readFileSync(paths.intermediateCertificate));
  assert.ok(intermediate.verify(root.publicKey));
  const rootKey = offline === null ? paths.rootKey : join(offline, 'root_ca_key');
  const rootPassword = offline === null ? paths.rootPassword : join(offline, 'root_password');
  for (const [certificate, key, password] of [
    [root, rootKey, rootPassword],
    [intermediate, paths.intermediateKey, paths.password],
  ] as const) {
    const opened = decryptPrivateKey(readFileSync(key, 'utf8'), readPasswordFile(password));
    assert.ok(certificate.publicKey.export({ type: 'spki', format: 'der' }).equals(publicKeyDer(opened)));
  }
}

function expectedFiles(offline: boolean): string[] {
  const rootSecrets = offline ? [] : ['secrets/root_ca_key', 'secrets/root_password'];
  return [
    ...[
      'authority.lock',
      'certs',
      'certs/intermediate_ca.crt',
      'certs/root_ca.crt',
      'config.json',
      'db',
      'db/fullchain.db',
    ],
    ...['secrets', 'secrets/intermediate_ca_key', 'secrets/password', 'secrets/provisioner_password', ...rootSecrets],
  ].sort();
}

for (const withOffline of [false, true]) {
  const what = withOffline
    ? 'that leaves its root key elsewhere, killed before each change there'
    : 'killed before each change';
  test(`an initialisation ${what}: the next start needs no help and works, and no file is taken for what it is not`, async (t) => {
    const shapes = new Set<string>();
    let kills = 0;
    let last: { readonly shape: string; readonly interrupted: Interrupted } | null = null;
    // Of a row of kills with the same files the last one has the most that was being written.
    const settle = async (interrupted: Interrupted | null): Promise<void> => {
      const next = interrupted && { shape: shapeOf(interrupted), interrupted };
      if (last && next?.shape !== last.shape && !shapes.has(last.shape)) {
        shapes.add(last.shape);
        await restart(last.interrupted);
      }
      if (last) rmSync(dirname(last.interrupted.state), { recursive: true });
      last = next;
    };
    for (let running = true; running; kills += 2) {
      for (const each of await Promise.all([interrupt(kills + 1, withOffline), interrupt(kills + 2, withOffline)])) {
        running = each.killed;
        for (const name of [...filesIn(each.state), ...filesIn(each.offline)])
          assert.ok(!basename(name).startsWith('.') || isTemporary(basename(name)), name);
        await settle(each);
      }
    }
    await settle(null);
    t.diagnostic(`about ${kills} kills, ${shapes.size} different states`);
    assert.ok(shapes.size > (withOffline ? 3 : 12));
  });
}

test('of four initialisations of the same directory at once one makes the authority, and the others say so', async () => {
  const state = mkdtempSync(join(scratch, 'at-once-'));
  const paths = statePaths(state);
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, () => initialise(paths, initialiseOptionsFor(null))),
  );
  const codes = results.map((result) =>
    result.status === 'fulfilled'
      ? 'made'
      : result.reason instanceof OperatorFault
        ? result.reason.code
        : result.reason,
  );
  assert.deepEqual(codes.sort(), ['made', 'state-locked', 'state-locked', 'state-locked']);
  await restart({ state, offline: null, killed: false });
});

test('a mark that outlived its initialisation goes at the next start, before it could permit another one', async () => {
  const { state } = await interrupt(0, false);
  const paths = statePaths(state);
  const config = readFileSync(paths.config);
  const key = readFileSync(paths.intermediateKey);
  assert.ok(!existsSync(paths.initialising));
  // As a crash right after config.json was written leaves it.
  writeFileSync(paths.initialising, '{"offlineRootDirectory":null}\n', { mode: 0o600 });
  await restart({ state, offline: null, killed: false });
  assert.ok(!existsSync(paths.initialising));
  rmSync(paths.config);
  await assert.rejects(initialise(paths, initialiseOptionsFor(null)), (fault) => {
    return fault instanceof OperatorFault && fault.code === 'state-incomplete';
  });
  assert.deepEqual(readFileSync(paths.intermediateKey), key);
  writeFileSync(paths.config, config, { mode: 0o600 });
  await restart({ state, offline: null, killed: false });
});

test('a root key that lay in the offline directory before is never touched', async () => {
  const { state, offline } = await interrupt(0, true);
  assert.ok(offline);
  const before = readFileSync(join(offline, 'root_ca_key'));
  const other = statePaths(`${state}-other`);
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(initialise(other, initialiseOptionsFor(offline)), (fault) => {
      return fault instanceof OperatorFault && fault.code === 'file-exists';
    });
  assert.deepEqual(readFileSync(join(offline, 'root_ca_key')), before);
});
