import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { assembleCsr, encodeCsrInfo } from '../../src/core/x509/csr.ts';
import { obtainCertificate } from '../../src/edge/acme-client/obtain.ts';
import {
  type AcmeAnswer,
  type AcmeSession,
  acmeSession,
  getUnsigned,
  postSigned,
} from '../../src/edge/acme-client/signed-request.ts';
import { fullchain, scratch, up } from '../ca/command-line.ts';
import { freePort } from '../world/free-port.ts';
import { type HttpResponder, startHttpResponder } from '../world/http-responder.ts';

/** One authority, its responder for challenges, and one account that everybody uses. */
interface World {
  readonly state: string;
  readonly directory: string;
  readonly ca: string;
  readonly responder: HttpResponder;
  readonly session: () => AcmeSession;
}

async function startWorld(t: Parameters<typeof scratch>[0]): Promise<World> {
  const state = join(scratch(t), 'state');
  const responder = await startHttpResponder({ port: await freePort() });
  t.after(() => responder.close());
  const { ready } = await up(t, state, ['--http-01-port', String(responder.port)]);
  const ca = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const first = acmeSession(privateKey, ca);
  const urls = JSON.parse((await getUnsigned(first, ready.acmeDirectory)).body) as Record<string, string>;
  const account = await postSigned(first, urls.newNonce ?? '', urls.newAccount ?? '', { termsOfServiceAgreed: true });
  const kid = String(account.headers.location);
  return {
    state,
    directory: ready.acmeDirectory,
    ca,
    responder,
    session: () => Object.assign(acmeSession(privateKey, ca), { kid }),
  };
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function csrFor(name: string): Uint8Array {
  const info = encodeCsrInfo({
    publicKey: key.publicKey.export({ type: 'spki', format: 'der' }),
    names: [{ kind: 'dns', value: name } as never],
  });
  return assembleCsr(info, 'ecdsa-p256', sign('sha256', info, key.privateKey));
}

function handler({ responder }: World) {
  return {
    type: 'http-01' as const,
    async present(_name: string, token: string, keyAuthorization: string) {
      responder.present(token, keyAuthorization);
    },
    async cleanUp() {},
  };
}

function obtain(world: World, session: AcmeSession, name: string): Promise<Uint8Array[]> {
  return obtainCertificate(
    session,
    {
      directory: world.directory,
      contact: null,
      identifiers: [{ type: 'dns', value: name }],
      csr: csrFor(name),
      sleep: (ms) => sleep(ms),
    },
    handler(world),
  );
}

test('16 clients on one account complete 400 orders at once, none fails, and every serial is its own', async (t) => {
  const world = await startWorld(t);
  const serials: string[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const session = world.session();
      while (next < 400) {
        const [leaf] = await obtain(world, session, `o${next++}.localhost`);
        serials.push(parseCertificate(leaf ?? new Uint8Array()).serial);
      }
    }),
  );
  assert.equal(serials.length, 400);
  assert.equal(new Set(serials).size, 400);
  const listed = JSON.parse(
    fullchain(['cert', 'list', '--json', '--state', world.state, '--limit', '1000']).stdout,
  ) as { certificates: { serial: string }[] };
  const known = new Set(listed.certificates.map(({ serial }) => serial));
  assert.deepEqual(
    serials.filter((serial) => !known.has(serial)),
    [],
  );
});

test('one nonce used in two requests at once: exactly one of them wins (RFC 8555 §6.5)', async (t) => {
  const world = await startWorld(t);
  for (let round = 0; round < 20; round++) {
    const session = world.session();
    await getUnsigned(session, world.directory.replace('directory', 'new-nonce'));
    const nonce = session.nonces.pop() ?? '';
    const answers = await Promise.all([1, 2, 3].map(() => postRaw(world, session, session.kid ?? '', nonce, '')));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400]);
    for (const { status, body } of answers)
      if (status === 400) assert.match(body, /urn:ietf:params:acme:error:badNonce/);
  }
});

test('one order finalized sixteen times at once: one certificate (RFC 8555 §7.4)', async (t) => {
  const world = await startWorld(t);
  const session = world.session();
  const urls = JSON.parse((await getUnsigned(session, world.directory)).body) as Record<string, string>;
  const post = (url: string, payload: object | null, by = session): Promise<AcmeAnswer> =>
    postSigned(by, urls.newNonce ?? '', url, payload);
  const created = await post(urls.newOrder ?? '', { identifiers: [{ type: 'dns', value: 'once.localhost' }] });
  const order = JSON.parse(created.body) as { authorizations: string[]; finalize: string };
  const authorization = JSON.parse((await post(order.authorizations[0] ?? '', null)).body) as {
    challenges: { type: string; url: string; token: string }[];
  };
  const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
  world.responder.present(challenge?.token ?? '', `${challenge?.token}.${session.thumbprint}`);
  await post(challenge?.url ?? '', {});

  const csr = Buffer.from(csrFor('once.localhost')).toString('base64url');
  const answers = await Promise.all(Array.from({ length: 16 }, () => post(order.finalize, { csr }, world.session())));
  for (const answer of answers) assert.match(answer.body, /"status":"(valid|processing)"/);
  const final = JSON.parse((await post(String(created.headers.location), null)).body) as {
    status: string;
    certificate: string;
  };
  assert.equal(final.status, 'valid');
  const listed = JSON.parse(fullchain(['cert', 'list', 'once.localhost', '--json', '--state', world.state]).stdout) as {
    certificates: unknown[];
  };
  assert.equal(listed.certificates.length, 1);
});

/** One signed POST with a nonce of the caller's choice, and no second try. */
function postRaw(
  world: World,
  session: AcmeSession,
  url: string,
  nonce: string,
  payload: string,
): Promise<{ status: number; body: string }> {
  const head = Buffer.from(JSON.stringify({ alg: 'ES256', nonce, url, kid: session.kid })).toString('base64url');
  const signature = sign('sha256', Buffer.from(`${head}.${payload}`), {
    key: session.key as KeyObject,
    dsaEncoding: 'ieee-p1363',
  }).toString('base64url');
  const body = JSON.stringify({ protected: head, payload, signature });
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', ca: world.ca, agent: false, headers: { 'content-type': 'application/jose+json' } },
      (incoming) => {
        let text = '';
        incoming.on('data', (chunk) => {
          text += chunk;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
