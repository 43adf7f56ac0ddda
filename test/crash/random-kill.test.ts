import assert from 'node:assert/strict';
import { createPrivateKey, randomInt } from 'node:crypto';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportPKCS8, generateKeyPair } from 'jose';
import { openRecords } from '../../src/app/open-state.ts';
import { readPasswordFile } from '../../src/app/passwords.ts';
import { pemBlocksLabelled, pemFromDer } from '../../src/core/bytes/pem.ts';
import { parseCrl, verifyCrlSignature } from '../../src/core/revocation/crl.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { obtainCertificate } from '../../src/edge/acme-client/obtain.ts';
import { AcmeRefused, type AcmeSession, acmeSession, postSigned } from '../../src/edge/acme-client/signed-request.ts';
import { post } from '../../src/edge/authority-client/authority-client.ts';
import { readCertificates } from '../../src/edge/files/certificate-files.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { openTokenKey, signToken } from '../../src/edge/signer/token-key.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { csrFor } from '../acme/csr.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { startFullchain } from '../servers/fullchain.ts';
import { freePort } from '../world/free-port.ts';
import { startHttpResponder } from '../world/http-responder.ts';

const KILLS = 10;

interface Authority {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly rootFingerprint: string;
}

interface Client {
  /** One certificate, its DER; rejects when the authority dies meanwhile. */
  readonly obtain: (name: string) => Promise<Uint8Array>;
  /** Of a client that speaks ACME. */
  readonly session: AcmeSession | null;
}

async function tokenClient({ url, ca, rootFingerprint }: Authority, state: string): Promise<Client> {
  const { store, close } = openRecords(statePaths(state));
  const provisioner = await store.loadProvisioner('admin');
  close();
  const password = readPasswordFile(statePaths(state).provisionerPassword);
  const key = await openTokenKey(provisioner?.encryptedKey ?? '', password);
  return {
    session: null,
    async obtain(name) {
      const ott = await signToken(key, {
        provisioner: 'admin',
        audience: `${url}/1.0/sign`,
        subject: name,
        names: [name],
        rootFingerprint,
        profile: 'server',
        issuedAt: wallClock(),
        lifetimeSeconds: 300,
      });
      const csr = pemFromDer('CERTIFICATE REQUEST', csrFor([name]));
      const answer = await post(`${url}/1.0/sign`, { csr, ott }, { ca });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return pemBlocksLabelled(String(answer.body.crt), 'CERTIFICATE')[0]?.der ?? assert.fail('no certificate');
    },
  };
}

async function acmeClient({ url, ca }: Authority, present: (token: string, text: string) => void): Promise<Client> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const session = acmeSession(createPrivateKey(await exportPKCS8(privateKey)), ca);
  return {
    session,
    async obtain(name) {
      const request = {
        directory: `${url}/acme/acme/directory`,
        contact: null,
        identifiers: [{ type: 'dns', value: name } as const],
        csr: csrFor([name]),
        sleep: (ms: number) => sleep(Math.min(ms, 100)),
      };
      const [leaf] = await obtainCertificate(session, request, {
        type: 'http-01',
        present: async (_name, token, keyAuthorization) => present(token, keyAuthorization),
        cleanUp: async () => {},
      });
      return leaf ?? assert.fail('no certificate');
    },
  };
}

interface Resource {
  readonly status: string;
  readonly finalize: string;
  readonly certificate?: string;
  readonly identifiers: readonly { readonly value: string }[];
}

/** Every order of an account, page by page. */
async function ordersOf({ url }: Authority, session: AcmeSession): Promise<string[]> {
  const urls: string[] = [];
  for (let page: string | undefined = `${session.kid}/orders`; page; ) {
    const { body, headers } = await postSigned(session, `${url}/acme/acme/new-nonce`, page, null);
    urls.push(...(JSON.parse(body) as { readonly orders: readonly string[] }).orders);
    page = /<([^>]+)>;rel="next"/.exec([headers.link ?? []].flat().join())?.[1];
  }
  return urls;
}

/** The client goes on where it was interrupted: polls what is being processed, and finalizes what is ready. */
async function finish({ url }: Authority, session: AcmeSession, order: string): Promise<Resource> {
  const ask = async (where: string, payload: object | null): Promise<Resource> =>
    JSON.parse((await postSigned(session, `${url}/acme/acme/new-nonce`, where, payload)).body);
  let resource = await ask(order, null);
  if (resource.status === 'ready') {
    const csr = Buffer.from(csrFor(resource.identifiers.map(({ value }) => value))).toString('base64url');
    resource = await ask(resource.finalize, { csr });
  }
  for (let polls = 0; resource.status === 'processing' && polls < 20; polls++) {
    await sleep(50);
    resource = await ask(order, null);
  }
  return resource;
}

function fetchCrl(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(`${url.replace('https', 'http')}/crl`, async (response) => {
      resolve(Buffer.concat(await response.toArray()));
    }).on('error', reject);
  });
}

test(`killed ${KILLS} times at random while eight clients are served: every certificate handed out is listed, no serial twice, no order stuck`, async (t) => {
  const state = join(scratch(t), 'state');
  const responder = await startHttpResponder();
  t.after(responder.close);
  // The same address after each restart, as clients expect it of an authority.
  const listen = `127.0.0.1:${await freePort()}`;
  const start = () => startFullchain(state, ['--listen', listen, '--http-01-port', String(responder.port)]);
  let running = await start();
  t.after(() => running.stop());
  const [root] = readCertificates(running.rootCertificate);
  const authority: Authority = {
    url: `https://${listen}`,
    ca: pemFromDer('CERTIFICATE', root?.raw ?? new Uint8Array()),
    rootFingerprint: running.rootFingerprint,
  };

  const clients = await Promise.all([
    ...Array.from({ length: 4 }, () => tokenClient(authority, state)),
    ...Array.from({ length: 4 }, () => acmeClient(authority, responder.present)),
  ]);
  const handedOut: Uint8Array[] = [];
  let loading = true;
  let interrupted = 0;
  const work = clients.map(async ({ obtain }, index) => {
    for (let count = 0; loading; count++) {
      try {
        handedOut.push(await obtain(`c${index}-${count}.localhost`));
      } catch (fault) {
        // An authority that is gone is tried again until it is back; one that answers has to answer well.
        if (fault instanceof assert.AssertionError || fault instanceof AcmeRefused) throw fault;
        interrupted++;
        await sleep(100);
      }
    }
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(randomInt(100, 600));
    running.signal('SIGKILL');
    assert.equal(await running.ended, 'SIGKILL');
    running = await start();
  }
  await sleep(200);
  loading = false;
  await Promise.all(work);

  const orders: Record<string, number> = {};
  for (const { session } of clients) {
    if (!session?.kid) continue;
    for (const order of await ordersOf(authority, session)) {
      const { status, certificate } = await finish(authority, session, order);
      orders[status] = (orders[status] ?? 0) + 1;
      assert.ok(['valid', 'pending', 'invalid'].includes(status), `${order} is ${status}`);
      assert.equal(status === 'valid', certificate !== undefined);
    }
  }
  t.diagnostic(`${handedOut.length} certificates, ${interrupted} requests in vain, orders ${JSON.stringify(orders)}`);
  assert.ok((orders.valid ?? 0) > 20 && handedOut.length > 50);
  assert.ok(interrupted >= KILLS);

  const [revoked] = handedOut.map(parseCertificate);
  assert.ok(revoked);
  assert.equal(fullchain(['cert', 'revoke', revoked.serial, '--state', state]).status, 0);
  const crl = parseCrl(await fetchCrl(authority.url));
  const [intermediate] = readCertificates(statePaths(state).intermediateCertificate);
  assert.ok(intermediate && verifyCrlSignature(crl, intermediate));
  assert.deepEqual(
    crl.entries.map(({ serial }) => serial),
    [revoked.serial],
  );
  assert.equal(await running.stop(), 0);

  const { stdout } = fullchain(['cert', 'list', '--json', '--limit', '100000', '--state', state]);
  const listed = (JSON.parse(stdout) as { certificates: { serial: string; fingerprint: string }[] }).certificates;
  const fingerprints = new Set(listed.map(({ fingerprint }) => fingerprint));
  assert.equal(new Set(listed.map(({ serial }) => serial)).size, listed.length, 'no serial twice');
  const serials = handedOut.map((der) => parseCertificate(der).serial);
  assert.equal(new Set(serials).size, serials.length, 'no certificate was handed out twice');
  for (const der of handedOut) assert.ok(fingerprints.has(parseCertificate(der).fingerprint));
});
