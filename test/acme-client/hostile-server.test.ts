import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OperatorFault } from '../../src/core/faults/operator-faults.ts';
import { getUnsigned } from '../../src/edge/acme-client/signed-request.ts';
import { temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { selfSigned } from '../world/self-signed.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { issuerAt, newKey, serviceFor } from './issuing.ts';

type Answers = Readonly<Record<string, (...request: Parameters<RequestListener>) => void>>;

const JSON_TYPE = { 'content-type': 'application/json', 'replay-nonce': 'bm9uY2U' };

/** An ACME server that answers as it is told, path by path; what is asked besides gets an empty 200. */
async function issuerOf(t: TestContext, answers: (origin: string) => Answers) {
  const stack = cleanup(t);
  const directory = stack.use(temporaryDirectory()).path;
  const { cert, key } = selfSigned([], { subject: 'localhost' });
  let origin = '';
  const asked: string[] = [];
  const server: Server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    request.resume();
    const urls = { newNonce: `${origin}/nonce`, newAccount: `${origin}/account`, newOrder: `${origin}/order` };
    const scripted = answers(origin)[path];
    if (scripted) scripted(request, response);
    else if (path === '/account') response.writeHead(201, { ...JSON_TYPE, location: `${origin}/account/1` }).end('{}');
    else response.writeHead(200, JSON_TYPE).end(path === '/directory' ? JSON.stringify(urls) : '{}');
  });
  const { port } = stack.adopt(await startTcpServer(server, '127.0.0.1', 0), ({ close }) => {
    server.closeAllConnections();
    return close();
  });
  origin = `https://localhost:${port}`;
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, cert);
  const issuer = await issuerAt({
    directory: `${origin}/directory`,
    caFile,
    challenge: { kind: 'http-01-webroot', webroot: join(directory, 'www') },
    accounts: join(directory, 'accounts'),
  });
  return {
    asked,
    cert,
    directory: `${origin}/directory`,
    issue: () => issuer.issue(serviceFor('site.test'), newKey()),
  };
}

const problem = (type: string, detail: string): string =>
  JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail });

test('a limit with Retry-After in seconds is in the facts of the fault, and in its words', async (t) => {
  const { issue } = await issuerOf(t, () => ({
    '/order': (_, response) =>
      void response
        .writeHead(429, { ...JSON_TYPE, 'retry-after': '7200' })
        .end(problem('rateLimited', 'too many certificates for "site.test"')),
  }));
  await assert.rejects(issue(), (fault: OperatorFault) => {
    assert.equal(fault.code, 'acme-rate-limited');
    assert.equal(fault.facts.retryAfterSeconds, 7200);
    assert.match(fault.message, /too many certificates for "site\.test".*7200 s/);
    return true;
  });
});

test('a server that is down for a while says until when, as a date', async (t) => {
  const { issue } = await issuerOf(t, () => ({
    '/directory': (_, response) =>
      void response
        .writeHead(503, { date: 'Wed, 25 Nov 2026 10:00:00 GMT', 'retry-after': 'Wed, 25 Nov 2026 10:05:00 GMT' })
        .end('<html>maintenance</html>'),
  }));
  await assert.rejects(issue(), (fault: OperatorFault) => {
    assert.equal(fault.facts.retryAfterSeconds, 300);
    assert.match(fault.message, /HTTP 503: <html>maintenance/);
    return true;
  });
});

test('a redirect is not followed', async (t) => {
  const { issue, asked } = await issuerOf(t, (origin) => ({
    '/order': (_, response) => void response.writeHead(307, { ...JSON_TYPE, location: `${origin}/elsewhere` }).end(),
  }));
  await assert.rejects(issue(), { code: 'acme-refused', message: /a redirect, which is not followed/ });
  assert.ok(!asked.includes('/elsewhere'));
});

test('an answer without end is cut off', async (t) => {
  const { issue } = await issuerOf(t, () => ({
    '/order': (_, response) => {
      response.writeHead(201, JSON_TYPE);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    },
  }));
  await assert.rejects(issue(), { code: 'authority-unreachable', message: /the answer is too large/ });
});

test('an answer that drips is given up, although octets keep coming', async (t) => {
  const { cert, directory } = await issuerOf(t, () => ({
    '/directory': (_, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
  }));
  await assert.rejects(getUnsigned({ ca: cert, nonces: [], timeoutMs: 400 }, directory), {
    name: 'AcmeUnreachable',
    message: /no whole answer within 0\.4 s/,
  });
});

test('a server that takes no nonce is asked ten times, not for ever', async (t) => {
  const { issue, asked } = await issuerOf(t, () => ({
    '/account': (_, response) => void response.writeHead(400, JSON_TYPE).end(problem('badNonce', 'stale')),
  }));
  await assert.rejects(issue(), { code: 'acme-refused', message: /stale/ });
  assert.equal(asked.filter((path) => path === '/account').length, 10);
});

test('what is no ACME at all is a fault, not a stack trace', async (t) => {
  const answers: readonly [path: string, body: string, wanted: RegExp][] = [
    ['/directory', 'hello', /not JSON/],
    ['/directory', '[]', /no JSON object/],
    ['/directory', '{}', /no newAccount|no newNonce/],
    ['/directory', '{"newNonce":"http://plain.test/"}', /no newAccount|https/],
    ['/order', '{}', /no location/],
  ];
  for (const [path, body, wanted] of answers) {
    const { issue } = await issuerOf(t, () => ({
      [path]: (_, response) => void response.writeHead(200, JSON_TYPE).end(body),
    }));
    await assert.rejects(issue(), (fault: OperatorFault) => {
      assert.equal(fault.code, 'acme-refused', fault.message);
      assert.match(fault.message, wanted);
      return true;
    });
  }
});

test('a token that would leave the webroot writes nothing', async (t) => {
  const { issue } = await issuerOf(t, (origin) => ({
    '/order': (_, response) =>
      void response
        .writeHead(201, { ...JSON_TYPE, location: `${origin}/order/1` })
        .end(JSON.stringify({ status: 'pending', authorizations: [`${origin}/authz`] })),
    '/authz': (_, response) =>
      void response.writeHead(200, JSON_TYPE).end(
        JSON.stringify({
          status: 'pending',
          identifier: { type: 'dns', value: 'site.test' },
          challenges: [{ type: 'http-01', url: `${origin}/challenge`, token: '../../escaped' }],
        }),
      ),
  }));
  await assert.rejects(issue(), { code: 'acme-refused', message: /token that is not base64url/ });
});

test('an order that is being worked on is asked about again when the server says', async (t) => {
  let asked = 0;
  const times: number[] = [];
  const { issue } = await issuerOf(t, (origin) => ({
    '/order': (_, response) =>
      void response
        .writeHead(201, { ...JSON_TYPE, location: `${origin}/order/1` })
        .end(JSON.stringify({ status: 'ready', authorizations: [], finalize: `${origin}/finalize` })),
    '/order/1': (_, response) => {
      times.push(performance.now());
      const status = ['ready', 'processing', 'invalid'][asked++];
      const error = status === 'invalid' ? { detail: 'CAA forbids it' } : undefined;
      response
        .writeHead(200, { ...JSON_TYPE, ...(status === 'processing' && { 'retry-after': '1' }) })
        .end(JSON.stringify({ status, finalize: `${origin}/finalize`, error }));
    },
  }));
  await assert.rejects(issue(), { code: 'acme-refused', message: /CAA forbids it/ });
  assert.equal(asked, 3);
  assert.ok((times[2] ?? 0) - (times[1] ?? 0) >= 950, 'after the second that it asked for');
});
