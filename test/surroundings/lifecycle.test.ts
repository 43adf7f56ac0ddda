import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { LAUNCHER } from '../servers/fullchain.ts';
import { soundState, tellsNoSecret, treeOf } from './authority-run.ts';
import { FAKETIME_LIBRARY, needsFaketime } from './faketime.ts';
import { type RunningAuthority, startAuthorityOn } from './running-authority.ts';

let sound: ReturnType<typeof soundState>;
before(() => {
  sound = soundState();
});
after(() => sound.remove());

test('a warm start takes less than three seconds to ready; one is the aim', async (t) => {
  const state = sound.copy(t);
  await (await startAuthorityOn(t, state)).stop();
  const since = performance.now();
  const authority = await startAuthorityOn(t, state);
  const took = performance.now() - since;
  assert.equal((await authority.health()).code, 200);
  t.diagnostic(`warm start to ready: ${Math.round(took)} ms`);
  assert.ok(took < 3000, `${took} ms`);
});

test('ready.json says where the authority is, to its user alone, and nothing secret', async (t) => {
  const state = sound.copy(t);
  const { url, pid } = await startAuthorityOn(t, state);
  const path = join(state, 'ready.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const ready = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual([ready.url, ready.pid], [url, pid]);
  tellsNoSecret(readFileSync(path, 'utf8'));
});

/** Connections as they are when somebody stops the authority: none of them may hold it up. */
async function openConnections({ port, ca }: RunningAuthority): Promise<{ readonly close: () => void }> {
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const handshaken = await tls(port, { ca });
  const halfway = await tls(port, { ca });
  halfway.write(
    'POST /1.0/sign HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  const agent = new Agent({ keepAlive: true, ca });
  for (let count = 0; count < 2; count++) {
    const [response] = await once(request(`https://127.0.0.1:${port}/roots`, { agent }).end(), 'response');
    response.resume();
    await once(response, 'end');
  }
  const plain = connect(port, '127.0.0.1');
  plain.write('GET /crl HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(plain, 'data');
  const sockets: readonly Socket[] = [silent, handshaken, halfway, plain];
  for (const socket of sockets) socket.on('error', () => {});
  return {
    close: () => {
      agent.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function tls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends the authority within five seconds with status 0, whatever connections are open, and leaves its state closed`, async (t) => {
    const state = sound.copy(t);
    const authority = await startAuthorityOn(t, state);
    const connections = await openConnections(authority);
    t.after(connections.close);
    const since = performance.now();
    authority.signal(signal);
    // npm and the terminal both send Ctrl-C; a second one changes nothing.
    await sleep(50);
    authority.signal(signal);
    assert.equal(await authority.ended, 0);
    const took = performance.now() - since;
    assert.ok(took < 5000, `${took} ms`);
    t.diagnostic(`${Math.round(took)} ms`);
    const left = Object.keys(treeOf(state));
    assert.deepEqual(
      left.filter((name) => /ready\.json|-wal|-shm|\.tmp$/.test(name)),
      [],
    );
    assert.equal(authority.output().match(/"level":[56]0/), null, authority.output());
  });
}

test('a request that is being answered when the authority is stopped is answered', async (t) => {
  const authority = await startAuthorityOn(t, sound.copy(t));
  const answers = Array.from({ length: 10 }, async () => {
    const [response] = await once(
      request(`${authority.url}/health`, { ca: authority.ca, agent: false }).end(),
      'response',
    );
    response.resume();
    return response.statusCode as number;
  });
  await answers[0];
  authority.signal('SIGTERM');
  const settled = await Promise.allSettled(answers);
  assert.equal(await authority.ended, 0);
  for (const result of settled)
    if (result.status === 'fulfilled') assert.equal(result.value, 200);
    else assert.match(String(result.reason.code), /ECONNRESET|ECONNREFUSED/);
});

test('a signal at any moment of the start ends it, and the next start finds everything in order', async (t) => {
  const state = sound.copy(t);
  for (const delay of [50, 120, 180, 240, 300, 400]) {
    const child = spawn(process.execPath, [LAUNCHER, 'up', '--state', state, '--listen', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output += text;
      });
    await sleep(delay);
    child.kill('SIGTERM');
    const [status, signal] = await once(child, 'close');
    // Before the program has begun to listen for signals the system ends it.
    assert.ok(status === 0 || signal === 'SIGTERM', `after ${delay} ms: ${status} ${output}`);
    assert.doesNotMatch(output, /bug:|error:/);
    assert.ok(!existsSync(join(state, 'ready.json')));
  }
  const authority = await startAuthorityOn(t, state);
  assert.equal((await authority.health()).code, 200);
});

/** What a client offers → what comes of it: the version, or the alert of the server. */
const HANDSHAKES: readonly (readonly [what: string, options: ConnectionOptions, outcome: RegExp])[] = [
  ['TLS 1.3', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }, /^TLSv1\.3$/],
  ['TLS 1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, /^TLSv1\.2$/],
  ['TLS 1.2 with AES-256-GCM alone', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, /^TLSv1\.2$/],
  [
    'TLS 1.1',
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    /ALERT_PROTOCOL_VERSION/,
  ],
  ['TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }, /ALERT_PROTOCOL_VERSION/],
  [
    'TLS 1.2 with CBC alone',
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' },
    /ALERT_HANDSHAKE_FAILURE/,
  ],
  [
    'TLS 1.2 without forward secrecy',
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:@SECLEVEL=0' },
    /ALERT_HANDSHAKE_FAILURE/,
  ],
];

test('TLS 1.2 with forward secrecy and AEAD, and 1.3 are spoken; everything older is refused by an alert', async (t) => {
  const { port, ca } = await startAuthorityOn(t, sound.copy(t));
  for (const [what, options, outcome] of HANDSHAKES) {
    const result = await tls(port, { ca, ...options }).then(
      (socket) => {
        const version = socket.getProtocol() ?? '';
        socket.destroy();
        return version;
      },
      (fault: NodeJS.ErrnoException) => fault.code ?? fault.message,
    );
    assert.match(result, outcome, what);
  }
});

test('the authority renews its own certificate while it runs: new connections get the new one, with a new key', {
  skip: needsFaketime,
}, async (t) => {
  const state = sound.copy(t);
  const clock = join(state, '..', 'clock');
  writeFileSync(clock, '+0s');
  // The monotonic clock goes along here: to the process it is as if the hours had passed.
  const authority = await startAuthorityOn(t, state, [], {
    LD_PRELOAD: FAKETIME_LIBRARY ?? '',
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
  });
  // Our own clock stays, so the dates are looked at by hand.
  const look = async () => {
    const socket = await tls(authority.port, { rejectUnauthorized: false });
    const { serialNumber, valid_from, fingerprint256, pubkey } = socket.getPeerCertificate();
    socket.destroy();
    return { serialNumber, from: Date.parse(valid_from), fingerprint256, key: String(pubkey?.toString('hex')) };
  };
  const first = await look();
  writeFileSync(clock, '+15h');
  for (let count = 0; count < 3; count++) {
    await sleep(200);
    assert.equal((await look()).serialNumber, first.serialNumber, 'two thirds of a day have not passed yet');
  }
  writeFileSync(clock, '+17h');
  let second = first;
  for (let count = 0; count < 50 && second.serialNumber === first.serialNumber; count++) {
    await sleep(100);
    second = await look();
  }
  assert.notEqual(second.serialNumber, first.serialNumber);
  assert.notEqual(second.key, first.key);
  assert.ok(second.from - first.from > 16 * 3_600_000);
  assert.equal((await look()).serialNumber, second.serialNumber, 'renewed once');
});
