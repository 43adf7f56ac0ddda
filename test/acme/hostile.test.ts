/**
 * Whatever is sent, there is an answer: never an internal fault, never silence without end, and the authority works as
 * before. Few cases by default, many with SLOW=1.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { type AcmeClient, type Answer, registered } from './client.ts';
import { csrFor } from './csr.ts';
import { base64url, dns, type Issued, issue, readyOrder } from './resources.ts';
import { startTestAuthority, type TestAuthority } from './server.ts';

const RUNS = process.env.SLOW ? 5000 : 100;

/** Between what the server allows and what a busy machine may take on top. */
const MARGIN_MS = 4000;

interface Cut {
  readonly afterMs: number;
  /** What came back before the end. */
  readonly text: string;
}

describe('a hostile world', () => {
  let authority: TestAuthority;
  let client: AcmeClient;
  let issued: Issued;
  let slow: Readonly<Record<string, Promise<Cut>>>;

  before(async () => {
    authority = await startTestAuthority();
    client = await registered({ rootPem: authority.rootPem, directory: `${authority.url}/acme/acme/directory` });
    issued = await issue(authority, client, [dns('before.test')]);
    // They take their time, so they begin first and are looked at last.
    slow = {
      silence: drip(plainSocket(), [], 0),
      'a TLS handshake that does not go on': drip(plainSocket(), [0x16], 0),
      'a request line that does not end': drip(tlsSocket(), Buffer.from('GET /'.padEnd(4000, 'x')), 200),
      'a header that does not end': drip(
        tlsSocket(),
        Buffer.from(`GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(4000)}`),
        200,
      ),
      'a body that does not end': drip(
        tlsSocket(),
        Buffer.from(`${bodyHead()}${' '.repeat(1000)}`),
        200,
        bodyHead().length,
      ),
      'a header without TLS that does not end': drip(
        plainSocket(),
        Buffer.from(`GET / HTTP/1.1\r\nx: ${'x'.repeat(4000)}`),
        200,
      ),
    };
  });
  after(async () => {
    client.close();
    await authority.stop();
  });

  const plainSocket = (): Socket => connect(authority.port, '127.0.0.1');
  const tlsSocket = (): Socket =>
    connectTls({ port: authority.port, host: '127.0.0.1', ca: authority.rootPem, servername: '' });
  const bodyHead = (): string =>
    'POST /acme/acme/new-order HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/jose+json\r\ncontent-length: 1000\r\n\r\n';

  /** Writes octet after octet until the peer ends it. @param at once how many octets go first, together */
  function drip(socket: Socket, octets: ArrayLike<number>, everyMs: number, atOnce = 1): Promise<Cut> {
    const started = performance.now();
    let text = '';
    let next = 0;
    const write = (): void => {
      const count = next === 0 ? atOnce : 1;
      if (next < octets.length && !socket.destroyed) socket.write(Uint8Array.from(octets).subarray(next, next + count));
      next += count;
    };
    const timer = everyMs > 0 ? setInterval(write, everyMs) : null;
    write();
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    return new Promise((resolve) => {
      socket.on('close', () => {
        if (timer) clearInterval(timer);
        resolve({ afterMs: performance.now() - started, text });
      });
    });
  }

  /** The answer to these octets over TLS, as it comes, until the server ends the connection or 5 s have passed. */
  const exchange = async (request: string | Uint8Array): Promise<string> => {
    const socket = tlsSocket();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.end(request);
    const ended = await Promise.race([closed.then(() => true), sleep(5000, false, { ref: false })]);
    socket.destroy();
    assert.ok(ended, 'no end within 5 s');
    return text;
  };

  const assertHealthy = async (): Promise<void> => {
    const { status, body, text } = await client.get(`${authority.url}/health`);
    assert.equal(status, 200, text);
    assert.equal(body.status, 'ok');
    assert.deepEqual(authority.errors, []);
  };
  const assertNoFault = ({ status, text }: Answer): void =>
    assert.ok(status >= 200 && status < 500, `${status} ${text}`);

  test('a signed request with octets changed, lost or added is answered, and never with a fault', async () => {
    const right = JSON.stringify(client.sign({ alg: 'ES256', kid: client.kid, nonce: 'x', url: client.kid }, {}));
    const edit = fc.record({
      at: fc.nat(right.length - 1),
      remove: fc.nat(3),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom(...['"', '{', '[', '\\u0000', '=', '.', ',']).map((text) => Buffer.from(text)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let body = Buffer.from(right);
        for (const { at, remove, insert } of edits)
          body = Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)]);
        assertNoFault(await client.post(client.kid ?? '', null, { rawBody: body }));
      }),
      { numRuns: RUNS },
    );
    await assertHealthy();
  });

  test('a protected header with members of any type is answered, and never with a fault', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...NASTY));
    const header = fc.record(
      { alg: value, nonce: value, url: value, kid: value, jwk: value, crit: value },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(header, fc.boolean(), async (members, hasNonce) => {
        const nonce = await client.nonce();
        assertNoFault(
          await client.post(client.resources.newAccount, {}, { header: hasNonce ? { ...members, nonce } : members }),
        );
      }),
      { numRuns: RUNS },
    );
    await assertHealthy();
  });

  test('a payload of any shape, rightly signed, is answered by every resource, and never with a fault', async () => {
    const order = await readyOrder(authority, client, dns('shapes.test'));
    const certificate = base64url(issued.leaf.raw);
    const csr = base64url(csrFor(['shapes.test']));
    /** Each with the members that it looks at, so that the values get behind the first check. */
    const resources: readonly (readonly [url: string, right: Readonly<Record<string, unknown>>])[] = [
      [
        client.resources.newOrder,
        { identifiers: [{ type: 'dns', value: 'a.test' }], notBefore: '', notAfter: '', replaces: '' },
      ],
      [client.resources.newAccount, { contact: [], onlyReturnExisting: true, externalAccountBinding: {} }],
      [client.resources.revokeCert, { certificate, reason: 99 }],
      [client.resources.keyChange, client.sign({ alg: 'ES256', jwk: client.key.jwk }, { account: client.kid })],
      [client.kid ?? '', { contact: [], status: 'valid' }],
      [order.finalize, { csr }],
      [order.authorizations[0] ?? '', { status: 'x' }],
      [`${order.authorizations[0]?.replace('/authz/', '/challenge/')}/http-01`, {}],
      [order.url, {}],
    ];
    const value = fc.oneof(
      { maxDepth: 2 },
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(...NASTY),
      fc.string({ maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(resources.length - 1), fc.nat(5), value, async (index, member, hostile) => {
        const [url, right] = resources[index] ?? assert.fail();
        const names = Object.keys(right);
        const name = names[member % Math.max(names.length, 1)];
        const payload = name === undefined || member === 5 ? hostile : { ...right, [name]: hostile };
        // Nothing may be given up by chance, or the next case would look at nothing.
        if (/"status":"deactivated"|"csr":"MII/.test(JSON.stringify(payload))) return;
        const isNewAccount = url === client.resources.newAccount;
        const header = isNewAccount ? { kid: undefined, jwk: client.key.jwk } : {};
        assertNoFault(await client.post(url, payload, { header }));
      }),
      { numRuns: RUNS * 3 },
    );
    const identifiers = fc.array(
      fc.oneof(value, fc.record({ type: value, value }), fc.record({ type: fc.constantFrom('dns', 'ip'), value })),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(identifiers, async (list) => {
        assertNoFault(await client.post(client.resources.newOrder, { identifiers: list }));
      }),
      { numRuns: RUNS },
    );
    await assertHealthy();
  });

  test('the other paths answer JSON of any shape, and never with a fault', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...NASTY));
    const body = fc.oneof(
      value,
      fc.record({ csr: value, ott: value, serial: value, reasonCode: value, notAfter: value }, { requiredKeys: [] }),
    );
    const raw = fc.string({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('sign', 'renew', 'rekey', 'revoke'),
        fc.oneof(
          body.map((json) => JSON.stringify(json)),
          raw,
        ),
        async (path, rawBody) => {
          const answer = await client.post(`${authority.url}/1.0/${path}`, null, {
            contentType: 'application/json',
            rawBody,
          });
          assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
        },
      ),
      { numRuns: RUNS },
    );
    await assertHealthy();
  });

  test('any method, path and header is answered, and never with a fault', async () => {
    const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);
    const visible = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/);
    const path = fc.oneof(
      fc.stringMatching(/^[\x21-\x7e]{0,40}$/),
      fc
        .constantFrom('acme/acme/order/1', 'acme/acme/directory', '1.0/root/00', 'health', 'acme/acme/new-nonce')
        .chain((known) => fc.stringMatching(/^[\x21-\x7e]{0,5}$/).map((tail) => known + tail)),
    );
    const headers = fc.array(
      fc.tuple(
        fc.oneof(
          token,
          fc.constantFrom(
            'host',
            'content-type',
            'content-length',
            'transfer-encoding',
            'expect',
            'upgrade',
            'connection',
            'accept',
            'if-none-match',
            'range',
            '__proto__',
          ),
        ),
        visible,
      ),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND', 'X'),
        path,
        headers,
        async (method, target, fields) => {
          const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
          const text = await exchange(
            Buffer.from(
              `${method} /${target} HTTP/1.1\r\nhost: localhost\r\n${head}connection: close\r\n\r\n`,
              'latin1',
            ),
          );
          assert.doesNotMatch(text, /^HTTP\/1\.1 5\d\d/);
        },
      ),
      { numRuns: RUNS },
    );
    await assertHealthy();
  });

  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const bodyOf = (header: string, payload = '{}'): string =>
    JSON.stringify({
      protected: Buffer.from(header).toString('base64url'),
      payload: Buffer.from(payload).toString('base64url'),
      signature: 'AAAA',
    });
  const BODIES: readonly (readonly [what: string, body: string, status: number])[] = [
    ['100,000 brackets', '['.repeat(100_000), 413],
    ['as many brackets as a body holds', '['.repeat(65_000), 400],
    ['as many pairs of brackets as a body holds', nested(32_000), 400],
    ['as many braces as a body holds', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    ['a header of brackets', bodyOf(nested(20_000)), 400],
    ['an alg of brackets', bodyOf(`{"alg":${nested(20_000)}}`), 400],
    ['a jwk of brackets', bodyOf(`{"alg":"ES256","jwk":${nested(20_000)}}`), 403],
    ['a key type of brackets', bodyOf(`{"alg":"ES256","jwk":{"kty":${nested(20_000)}}}`), 403],
    ['a number of 60,000 digits', '9'.repeat(60_000), 400],
    ['numbers beyond all numbers', bodyOf('{"alg":1e999,"url":-1e999}'), 400],
    ['the members of every object', '{"__proto__":{"protected":"e30"},"constructor":{"prototype":{"x":1}}}', 400],
    ['a header with them', bodyOf('{"alg":"ES256","__proto__":{"kid":"x"},"constructor":1,"toString":2}'), 400],
    ['members twice', '{"protected":"e30","protected":"e30","payload":"","signature":""}', 400],
    ['half a surrogate', '{"protected":"\\ud800","payload":"","signature":""}', 400],
    ['10,000 members', JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`m${i}`, i]))), 400],
  ];
  for (const [what, rawBody, status] of BODIES) {
    test(`a body of ${what} is refused with ${status}, at once`, async () => {
      const started = performance.now();
      const answer = await client.post(client.resources.newAccount, null, { rawBody });
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.ok(answer.text.length < 1000, 'what was sent is not repeated');
      assert.ok(performance.now() - started < 2000);
      assert.equal(Object.hasOwn(Object.prototype, 'protected') || Object.hasOwn(Object.prototype, 'x'), false);
    });
  }

  test('more header than is allowed is 431; a chunked body beyond the limit is 413', async () => {
    const large = `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(16_500)}\r\n\r\n`;
    // The reset that follows may overtake the answer.
    assert.match(await exchange(large), /^(HTTP\/1\.1 431 [\s\S]*)?$/);
    const chunks = `${(30_000).toString(16)}\r\n${'x'.repeat(30_000)}\r\n`.repeat(3);
    const chunked = `POST /acme/acme/new-order HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/jose+json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunks}0\r\n\r\n`;
    assert.match(await exchange(chunked), /^HTTP\/1\.1 413 /);
    await assertHealthy();
  });

  test('a request whose length can be read in two ways is refused (RFC 9112 §6.3)', async () => {
    for (const fields of [
      'content-length: 4\r\ntransfer-encoding: chunked\r\n',
      'content-length: 4\r\ncontent-length: 5\r\n',
      'content-length: +4\r\n',
      'content-length: 0x4\r\n',
      'transfer-encoding: chunked, identity\r\n',
      'content-length : 4\r\n',
    ]) {
      const text = await exchange(`POST /acme/acme/new-order HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n0\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.1 400 /, fields);
    }
    await assertHealthy();
  });

  test('300 connections of garbage at once do not keep an honest client waiting, and are ended', async () => {
    const sockets = Array.from({ length: 300 }, (_, i) => {
      const socket = plainSocket();
      socket.on('error', () => socket.destroy());
      // Every third one looks like the beginning of a handshake.
      const garbage = randomBytes(1 + (i % 500));
      if (i % 3 === 0) garbage[0] = 0x16;
      socket.write(garbage);
      socket.resume();
      return { socket, closed: new Promise<void>((resolve) => socket.on('close', () => resolve())) };
    });
    const started = performance.now();
    await assertHealthy();
    const honest = await client.post(client.kid ?? '', null);
    assert.equal(honest.status, 200);
    assert.ok(performance.now() - started < 3000);
    const all = Promise.all(sockets.map(({ closed }) => closed));
    const ended = await Promise.race([all.then(() => true), sleep(12_000 + MARGIN_MS, false, { ref: false })]);
    for (const { socket } of sockets) socket.destroy();
    assert.ok(ended, 'some are still open');
  });

  test('plain HTTP on the TLS port gets a short explanation with where to go, and nothing of what it sent', async () => {
    const ask = (request: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = plainSocket();
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
        });
        socket.on('error', () => socket.destroy());
        socket.on('close', () => resolve(text));
        socket.write(request);
      });
    const answer = await ask('GET /acme/acme/directory HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /content-type: text\/plain; charset=utf-8/i);
    assert.match(answer, /without TLS/);
    assert.ok(answer.includes(`${authority.url}/acme/acme/directory`));
    assert.ok(answer.length < 600);
    const signed = await ask(
      'POST /acme/acme/new-order HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret',
    );
    assert.match(signed, /^HTTP\/1\.1 400 /);
    assert.doesNotMatch(signed, /secret/);
    const strange = await ask('GET /<script>\x01 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    assert.ok(!strange.includes('\x01'));
    for (const garbage of ['SSH-2.0-x\r\n', '\x00'.repeat(100), 'GET / HTTP/9.9\r\n\r\n'])
      assert.match(await ask(garbage), /^(HTTP\/1\.1 400 [\s\S]*)?$/);
  });

  test('silence is cut: before TLS, in the handshake, in a header and in a body', async (t) => {
    const limits: Readonly<Record<string, number>> = { 'a body that does not end': 15_000 };
    for (const [what, work] of Object.entries(slow)) {
      await t.test(what, async () => {
        const { afterMs } = await work;
        const limit = limits[what] ?? 10_000;
        assert.ok(afterMs > limit / 2, `cut after ${afterMs} ms, before it was time`);
        assert.ok(afterMs < limit + MARGIN_MS, `cut only after ${afterMs} ms`);
      });
    }
    await assertHealthy();
  });

  test('after all this a certificate is issued as before', async () => {
    const { leaf } = await issue(authority, client, [dns('after.test')]);
    assert.notEqual(leaf.serial, issued.leaf.serial);
    await assertHealthy();
  });
});

/** Values that trip up code which prints, compares, indexes or recurses. */
const NASTY: readonly unknown[] = [
  null,
  '',
  0,
  -1,
  1e308,
  '\0',
  '\ud800',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "' OR 1=1 --",
  [],
  {},
  [[]],
  { toString: null },
  { valueOf: 1, toString: 1 },
  { length: 1e9 },
  JSON.parse('{"then":1}'),
  { toJSON: 'x' },
  JSON.parse('{"__proto__":{"a":1}}'),
  JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`),
  JSON.parse(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`),
  'a'.repeat(10_000),
  '*.'.repeat(200),
  Array.from({ length: 500 }, () => 'x'),
];
