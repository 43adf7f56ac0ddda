import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { openState } from '../../src/app/open-state.ts';
import { keepOwnCertificate } from '../../src/app/programs/own-certificate.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import type { Answer } from '../../src/edge/authority-client/authority-client.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { scratch, up } from './command-line.ts';

const NO_PASSWORD = { file: undefined, environment: undefined, ask: false };

test('the authority’s own listener: versions, its certificate, plain HTTP, health, and a clean end', async (t) => {
  const state = join(scratch(t), 'state');
  const { ready, stop } = await up(t, state);
  const paths = statePaths(state);
  const ca = readFileSync(paths.rootCertificate, 'utf8');
  const opened = await openState(paths, NO_PASSWORD, { lock: false, acceptClock: false });
  t.after(opened.close);
  const { store } = opened;

  await t.test('the listener speaks TLS 1.2 and 1.3 and nothing below, and says a sentence to plain HTTP', async () => {
    const { port } = new URL(ready.url);
    const speaks = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string | null>((resolve) => {
        const socket = connect({
          host: '127.0.0.1',
          port: Number(port),
          ca,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT:@SECLEVEL=0',
        });
        socket.once('secureConnect', () => resolve(socket.getProtocol()));
        socket.once('error', () => resolve(null));
        socket.once('close', () => socket.destroy());
        t.after(() => socket.destroy());
      });
    assert.equal(await speaks('TLSv1.1'), null);
    assert.equal(await speaks('TLSv1.2'), 'TLSv1.2');
    assert.equal(await speaks('TLSv1.3'), 'TLSv1.3');
    const plain = await new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/acme/acme/directory`, { agent: false }, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
    assert.match(
      plain,
      /^400 This Fullchain authority serves only .* without TLS\.\nUse https:\/\/127\.0\.0\.1:\d+\/acme\/acme\/directory/,
    );
  });

  await t.test('its own certificate is renewed in the running process at two thirds of its life', async () => {
    const issuer = opened.issuerAt('http://ca.test');
    let now = wallClock();
    const keeper = await keepOwnCertificate(
      { store, issuer: () => issuer, random: randomBytes },
      ['ca.test'],
      () => [],
      () => now,
    );
    const first = keeper.pair();
    now = addSeconds(now, 15 * 3600);
    assert.equal(await keeper.renewIfDue(), null);
    now = addSeconds(now, 2 * 3600);
    const second = await keeper.renewIfDue();
    assert.ok(second);
    assert.notDeepEqual(second.chain[0], first.chain[0]);
    assert.notEqual(second.keyPem, first.keyPem);
  });

  await t.test('/health says what was looked at', async () => {
    const answer = await fetchJson(`${ready.url}/health`, ca);
    assert.equal(answer.status, 200);
    assert.deepEqual(
      (answer.body.checks as { id: string; ok: boolean }[]).map(({ id, ok }) => [id, ok]),
      [
        ['database', true],
        ['keys', true],
        ['clock', true],
      ],
    );
  });

  assert.equal(await stop(), 0, 'SIGTERM ends it cleanly');
});

async function fetchJson(url: string, ca: string): Promise<Answer> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
      );
    })
      .on('error', reject)
      .end();
  });
}
