/**
 * An authority in a directory of a test: the real database and real keys, with something to do for every flow. Everything
 * that a client knows is in a file beside them, so that another process can go on where one was killed.
 */
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, FlattenedSign, generateKeyPair } from 'jose';
import { tokenFromRandom } from '../../src/core/acme/authorization.ts';
import { hexFromBytes } from '../../src/core/bytes/hex.ts';
import { keyFromJwk } from '../../src/core/crypto/jws-signature.ts';
import { jwkThumbprint, parsePublicJwk } from '../../src/core/jose/jwk.ts';
import type { CrlTbs } from '../../src/core/revocation/crl.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { issuerKeyIdentifier } from '../../src/core/x509/key-identifier.ts';
import { generateKey, publicKeyDer, signWith } from '../../src/edge/signer/key-pair.ts';
import { signToken } from '../../src/edge/signer/token-key.ts';
import { openSqliteStore } from '../../src/edge/store/sqlite-store.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { type Authenticated, authenticateAccount, type ByAccount } from '../../src/flow/ca/authenticate-request.ts';
import { initialiseAuthority } from '../../src/flow/ca/initialise-authority.ts';
import { issueCertificate, type SigningIssuer } from '../../src/flow/ca/issue-certificate.ts';
import type { ProvisionerRecord, Store } from '../../src/flow/ca/store-ports.ts';
import type { ValidationOutcome } from '../../src/flow/ca/validation-ports.ts';
import { csrFor } from '../acme/csr.ts';

/** What a client has in its hands, whatever becomes of the authority. */
export interface ClientFacts {
  /** The account's private key. */
  readonly jwk: Record<string, unknown>;
  readonly accountId: number;
  /** All authorizations valid. */
  readonly readyOrderId: number;
  readonly pendingOrderId: number;
  readonly pendingAuthorizationId: number;
  /** Finalized, and interrupted between its intent and its certificate. */
  readonly interruptedOrderId: number;
  /** An attempt was recorded and has no outcome. */
  readonly interruptedAuthorizationId: number;
  readonly token: string;
  /** DER, base64url: for order.test and for token.test. */
  readonly orderCsr: string;
  readonly tokenCsr: string;
  /** DER, base64url: what a client authenticates with to renew, and what is to be revoked. */
  readonly certificate: string;
}

/** Every port of the authority's flows. */
export interface CrashPorts {
  readonly store: Store;
  readonly issuer: SigningIssuer & { readonly signCrl: (tbs: CrlTbs) => Promise<Uint8Array> };
  readonly random: (byteLength: number) => Uint8Array;
  /** Looks at a challenge: it is in place. */
  readonly validate: () => Promise<ValidationOutcome>;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface CrashWorld {
  readonly facts: ClientFacts;
  readonly ports: CrashPorts;
  /** The records as a bystander sees them: looking is no call of a port. */
  readonly records: Store;
  readonly close: () => void;
}

const NAMES = { store: 'records.db', key: 'issuer.key', certificate: 'issuer.crt', facts: 'client.json' };

export const PROVISIONER: ProvisionerRecord = {
  name: 'acme',
  kind: 'acme',
  defaultLifetimeSeconds: 86_400,
  maxLifetimeSeconds: 864_000,
  publicKey: null,
  encryptedKey: null,
  createdAt: wallClock(),
};

export const ROOT_FINGERPRINT = 'ab'.repeat(32);
export const SIGN_URL = 'https://ca.test/1.0/sign';

/** Makes the authority and everything that is begun in it. */
export async function makeCrashWorld(directory: string): Promise<void> {
  const [rootKey, issuerKey] = [await generateKey('ecdsa-p256'), await generateKey('ecdsa-p256')];
  const store = openSqliteStore(join(directory, NAMES.store));
  const signing = (key: KeyObject) => ({
    algorithm: 'ecdsa-p256' as const,
    publicKey: publicKeyDer(key),
    sign: signWith(key, 'ecdsa-p256'),
  });
  const { intermediate } = await initialiseAuthority(
    store,
    { root: signing(rootKey), intermediate: signing(issuerKey) },
    {
      root: { subject: { commonName: 'Crash Root' }, lifetimeSeconds: 864_000 },
      intermediate: { subject: { commonName: 'Crash Issuer' }, lifetimeSeconds: 860_000, pathLength: 0 },
    },
    randomBytes,
    wallClock(),
  );
  writeFileSync(join(directory, NAMES.key), issuerKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(directory, NAMES.certificate), intermediate);

  const tokenKeys = await generateKeyPair('ES256', { extractable: true });
  const tokenJwk = parsePublicJwk(await exportJWK(tokenKeys.publicKey));
  if ('why' in tokenJwk) throw new Error(tokenJwk.why);
  await store.insertProvisioner(PROVISIONER);
  await store.insertProvisioner({ ...PROVISIONER, name: 'admin', kind: 'jwk', publicKey: { ...tokenJwk, kid: 'k' } });
  const token = await signToken(
    { ...(await exportJWK(tokenKeys.privateKey)), kid: 'k' },
    {
      provisioner: 'admin',
      audience: SIGN_URL,
      subject: 'token.test',
      names: ['token.test'],
      rootFingerprint: ROOT_FINGERPRINT,
      profile: 'server',
      issuedAt: wallClock(),
      lifetimeSeconds: 3600,
    },
  );

  const accountKeys = await generateKeyPair('ES256', { extractable: true });
  const accountJwk = parsePublicJwk(await exportJWK(accountKeys.publicKey));
  if ('why' in accountJwk) throw new Error(accountJwk.why);
  const { account } = await store.insertAccount({
    provisioner: 'acme',
    jwk: accountJwk,
    thumbprint: jwkThumbprint(accountJwk),
    contact: [],
    createdAt: wallClock(),
  });
  const order = async (name: string): Promise<{ readonly orderId: number; readonly authorizationId: number }> => {
    const snapshot = await store.insertOrder({
      accountId: account.id,
      provisioner: 'acme',
      identifiers: [{ type: 'dns', value: name }],
      tokens: [tokenFromRandom(randomBytes(24))],
      notBefore: null,
      notAfter: null,
      createdAt: wallClock(),
      expiresAt: addSeconds(wallClock(), 3600),
    });
    return { orderId: snapshot.order.id, authorizationId: snapshot.authorizations[0]?.id ?? 0 };
  };
  const [ready, pending, interrupted] = [await order('order.test'), await order('slow.test'), await order('half.test')];
  for (const { authorizationId } of [ready, interrupted])
    await store.recordOutcome(authorizationId, 'http-01', wallClock(), { kind: 'valid', at: wallClock() });
  const begun = await order('begun.test');
  await store.recordAttempt(begun.authorizationId, 'http-01', wallClock());
  store.close();

  const facts: ClientFacts = {
    jwk: (await exportJWK(accountKeys.privateKey)) as Record<string, unknown>,
    accountId: account.id,
    readyOrderId: ready.orderId,
    pendingOrderId: pending.orderId,
    pendingAuthorizationId: pending.authorizationId,
    interruptedOrderId: interrupted.orderId,
    interruptedAuthorizationId: begun.authorizationId,
    token,
    orderCsr: Buffer.from(csrFor(['order.test'])).toString('base64url'),
    tokenCsr: Buffer.from(csrFor(['token.test'])).toString('base64url'),
    certificate: '',
  };
  writeFileSync(join(directory, NAMES.facts), JSON.stringify(facts));
  await interruptAndIssue(directory, facts);
}

/** An issuance whose certificate is never recorded, and a certificate to renew and to revoke. */
async function interruptAndIssue(directory: string, facts: ClientFacts): Promise<void> {
  const { ports, close } = openCrashWorld(directory);
  const issue = (store: Store, name: string, origin: Parameters<typeof issueCertificate>[3]['origin']) =>
    issueCertificate(
      { store, issuer: () => ports.issuer, random: ports.random },
      { profile: 'peer', names: [{ kind: 'dns', value: name }], publicKey: publicKeyOfAnyCsr },
      { defaultLifetimeSeconds: 3600, maxLifetimeSeconds: 3600, backdateSeconds: 60 },
      { origin, provisioner: 'acme', accountId: facts.accountId },
      wallClock(),
    );
  const stopped = new Error('stopped here');
  const interrupted: Store = { ...ports.store, recordCertificate: () => Promise.reject(stopped) };
  await issue(interrupted, 'half.test', { kind: 'order', orderId: facts.interruptedOrderId }).catch(
    (fault: unknown) => {
      if (fault !== stopped) throw fault;
    },
  );
  const issued = await issue(ports.store, 'old.test', { kind: 'authority' });
  if (issued.kind !== 'issued') throw new Error(`not issued: ${JSON.stringify(issued)}`);
  close();
  const certificate = Buffer.from(issued.der).toString('base64url');
  writeFileSync(join(directory, NAMES.facts), JSON.stringify({ ...facts, certificate }));
}

const publicKeyOfAnyCsr = publicKeyDer(await generateKey('ecdsa-p256'));

export function openCrashWorld(directory: string): CrashWorld {
  const facts = JSON.parse(readFileSync(join(directory, NAMES.facts), 'utf8')) as ClientFacts;
  const key = createPrivateKey(readFileSync(join(directory, NAMES.key)));
  const certificate = parseCertificate(readFileSync(join(directory, NAMES.certificate)));
  const signRaw = signWith(key, 'ecdsa-p256');
  const store = openSqliteStore(join(directory, NAMES.store));
  return {
    facts,
    records: store,
    ports: {
      store,
      issuer: {
        certificate,
        keyAlgorithm: 'ecdsa-p256',
        publicKey: certificate.publicKey,
        keyId: hexFromBytes(issuerKeyIdentifier(certificate)),
        sign: (tbs) => signRaw(tbs.bytes),
        signCrl: (tbs) => signRaw(tbs.bytes),
      },
      random: randomBytes,
      validate: async () => ({ kind: 'valid' }),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    },
    close: store.close,
  };
}

/** A request as the client signs it, verified as the authority verifies it. */
export async function requestBy(
  facts: ClientFacts,
  store: Pick<Store, 'loadAccount'>,
  payload: unknown,
): Promise<Authenticated<ByAccount>> {
  const url = 'https://ca.test/acme/acme/step';
  const kid = `https://ca.test/acme/acme/account/${facts.accountId}`;
  const body = await new FlattenedSign(Buffer.from(payload === null ? '' : JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', kid, nonce: 'any', url } as { alg: string })
    .sign(createPrivateKey({ key: facts.jwk, format: 'jwk' }));
  const request = await authenticateAccount(
    {
      loadAccount: store.loadAccount,
      redeemNonce: () => true,
      accountKey: ({ jwk }) => keyFromJwk(jwk) ?? fail('the account has no usable key'),
    },
    { body, url, provisioner: 'acme', accountIdOf: () => facts.accountId },
  );
  return request.kind === 'refused' ? fail(request.problem.detail) : request;
}

function fail(what: string): never {
  throw new Error(what);
}
