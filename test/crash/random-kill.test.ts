import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newCsr } from '../../src/app/commands/cert-issue.ts';
import { openState } from '../../src/app/open-state.ts';
import { readPasswordFile } from '../../src/app/passwords.ts';
import { pemBlocksLabelled } from '../../src/core/bytes/pem.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { post } from '../../src/edge/authority-client/authority-client.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { generateKey } from '../../src/edge/signer/key-pair.ts';
import { openTokenKey, signToken } from '../../src/edge/signer/token-key.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { fullchain, scratch } from '../ca/command-line.ts';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;

function openAgain(directory: string) {
  return openState(
    statePaths(directory),
    { file: undefined, environment: undefined, ask: false },
    { lock: false, acceptClock: false },
  );
}

test('killed at random under load: every certificate that a client got is in the list, serials are unique, restart needs no help', async (t) => {
  const directory = join(scratch(t), 'state');
  assert.equal(fullchain(['ca', 'init', '--state', directory]).status, 0);
  const paths = statePaths(directory);
  const ca = readFileSync(paths.rootCertificate, 'utf8');
  const rootFingerprint = parseCertificate(
    pemBlocksLabelled(ca, 'CERTIFICATE')[0]?.der ?? new Uint8Array(),
  ).fingerprint;
  const opened = await openAgain(directory);
  const provisioner = await opened.store.loadProvisioner('admin');
  opened.close();
  const tokenKey = await openTokenKey(provisioner?.encryptedKey ?? '', readPasswordFile(paths.provisionerPassword));
  const key = await generateKey('ecdsa-p256');
  const csr = await newCsr(key, 'ecdsa-p256', [{ kind: 'dns', value: 'load.test' } as never]);
  const received: string[] = [];

  for (let kill = 0; kill < 6; kill++) {
    const server = spawn(process.execPath, [MAIN, 'up', '--json', '--state', directory, '--listen', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => server.once('exit', resolve));
    const url = await new Promise<string>((resolve, reject) => {
      server.stdout.once('data', (line) => resolve(JSON.parse(String(line)).url));
      ended.then(() => reject(new Error('it did not start again')));
    });
    let running = true;
    const clients = Array.from({ length: 8 }, async () => {
      while (running) {
        const ott = await signToken(tokenKey, {
          provisioner: 'admin',
          audience: `${url}/1.0/sign`,
          subject: 'load.test',
          names: ['load.test'],
          rootFingerprint,
          profile: 'server',
          issuedAt: wallClock(),
          lifetimeSeconds: 300,
        });
        const answer = await post(`${url}/1.0/sign`, { csr, ott }, { ca }).catch(() => null);
        if (answer?.status === 201)
          received.push(
            parseCertificate(pemBlocksLabelled(String(answer.body.crt), 'CERTIFICATE')[0]?.der ?? new Uint8Array())
              .serial,
          );
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 150 + (randomBytes(1)[0] ?? 0) * 3));
    server.kill('SIGKILL');
    running = false;
    await Promise.all([...clients, ended]);
  }

  const state = await openAgain(directory);
  const listed = await state.store.listCertificates({ limit: 100_000, now: wallClock() });
  const serials = new Set(listed.map(({ serial }) => String(serial)));
  state.close();
  assert.ok(received.length > 50, `${received.length} certificates under load`);
  assert.equal(new Set(received).size, received.length, 'no serial was handed out twice');
  assert.deepEqual(
    received.filter((serial) => !serials.has(serial)),
    [],
    'every certificate that was handed out is in the list',
  );
  t.diagnostic(`${received.length} certificates through 6 kills`);
});
