/** The flows that a crash may interrupt, each as the client's step that starts it and can be repeated. */
import { keyFromJwk } from '../../src/core/crypto/jws-signature.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { finalizeOrder } from '../../src/flow/ca/finalize-order.ts';
import type { IssuePorts } from '../../src/flow/ca/issue-certificate.ts';
import { newOrder } from '../../src/flow/ca/orders.ts';
import { crlPublisher } from '../../src/flow/ca/publish-crl.ts';
import { recover } from '../../src/flow/ca/recover.ts';
import { renewCertificate } from '../../src/flow/ca/renew-certificate.ts';
import { challenges } from '../../src/flow/ca/respond-to-challenge.ts';
import { revokeByAcme } from '../../src/flow/ca/revoke-certificate.ts';
import type { SignResult } from '../../src/flow/ca/sign-with-token.ts';
import { signWithToken } from '../../src/flow/ca/sign-with-token.ts';
import type { Store } from '../../src/flow/ca/store-ports.ts';
import { type CrashPorts, type CrashWorld, PROVISIONER, ROOT_FINGERPRINT, requestBy, SIGN_URL } from './crash-world.ts';

/** What leaves the authority: a client may have it, whatever happens afterwards. */
export interface HandedOut {
  readonly kind: 'certificate' | 'crl' | 'order' | 'authorization' | 'revoked' | 'refused' | 'recovered';
  /** SHA-256 of a certificate; number of a CRL, an order; status, or why it was refused. */
  readonly what: string;
}

type Step = (world: CrashWorld) => Promise<HandedOut>;

export const FLOWS = {
  'new-order': async ({ facts, ports }) => {
    const request = await requestBy(facts, ports.store, { identifiers: [{ type: 'dns', value: 'new.test' }] });
    const result = await newOrder(ports.store, ports.random, request, PROVISIONER, wallClock());
    return result.kind === 'order'
      ? { kind: 'order', what: String(result.snapshot.order.id) }
      : { kind: 'refused', what: result.problem.detail };
  },

  finalize: async ({ facts, ports }) => {
    const request = await requestBy(facts, ports.store, { csr: facts.orderCsr });
    const result = await finalizeOrder(issuing(ports), request, facts.readyOrderId, PROVISIONER, wallClock());
    if (result.kind === 'refused') return { kind: 'refused', what: result.problem.detail };
    const id = result.snapshot.order.issuance?.certificateId;
    const record = id ? await ports.store.loadCertificate(id) : null;
    return record?.fingerprint
      ? { kind: 'certificate', what: record.fingerprint }
      : { kind: 'order', what: String(facts.readyOrderId) };
  },

  token: async ({ facts, ports }) =>
    certificateOf(
      await signWithToken(
        {
          ...issuing(ports),
          provisioners: ports.store,
          tokenKey: (jwk) => keyFromJwk(jwk) ?? fail('the provisioner has no usable key'),
          expectation: { isAudience: (url) => url === SIGN_URL, rootFingerprint: ROOT_FINGERPRINT },
        },
        { token: facts.token, csr: Buffer.from(facts.tokenCsr, 'base64url'), period: {} },
        wallClock(),
      ),
    ),

  renew: async ({ facts, ports }) =>
    certificateOf(
      await renewCertificate(
        { ...issuing(ports), certificates: ports.store, provisioners: ports.store },
        Buffer.from(facts.certificate, 'base64url'),
        null,
        wallClock(),
      ),
    ),

  challenge: async (world) => respond(world, (ms) => world.ports.sleep(ms)),

  /** The validation outlasts the request: it is recorded as begun and ends in the background. */
  'slow-challenge': async (world) => {
    const validate = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return world.ports.validate();
    };
    return respond({ ...world, ports: { ...world.ports, validate } }, async () => world.ports.sleep(1));
  },

  revoke: async ({ facts, ports }) => {
    const request = await requestBy(facts, ports.store, { certificate: facts.certificate, reason: 4 });
    const result = await revokeByAcme(ports.store, request, wallClock());
    return { kind: result.kind, what: result.kind === 'refused' ? result.problem.type : '' };
  },

  crl: async ({ ports }) => {
    const publish = crlPublisher({
      store: ports.store,
      issuer: ports.issuer,
      // When the list that the authority began with is due.
      clock: () => addSeconds(wallClock(), 2 * 86_400),
    });
    return { kind: 'crl', what: String((await publish()).number) };
  },

  recovery: async (world) => {
    const { ports } = world;
    const { finished, abandoned } = await recover(
      { store: ports.store, issuer: () => ports.issuer, clock: wallClock },
      true,
    );
    await resume(world);
    return { kind: 'recovered', what: `${finished} finished, ${abandoned} abandoned` };
  },
} as const satisfies Record<string, Step>;

export type FlowName = keyof typeof FLOWS;

function issuing(ports: CrashPorts): IssuePorts & Pick<CrashPorts, 'store'> {
  return { store: ports.store, issuer: () => ports.issuer, random: ports.random };
}

function certificateOf(result: SignResult): HandedOut {
  return result.kind === 'issued'
    ? { kind: 'certificate', what: parseCertificate(result.der).fingerprint }
    : { kind: 'refused', what: result.why };
}

function challengesOf(ports: CrashPorts, sleep: (ms: number) => Promise<void>, onFault: (fault: unknown) => void) {
  const validators = { 'http-01': ports.validate, 'dns-01': ports.validate, 'tls-alpn-01': ports.validate };
  return challenges({ store: ports.store, validators, clock: wallClock, sleep, onFault });
}

async function respond(
  { facts, ports, records }: CrashWorld,
  sleep: (ms: number) => Promise<void>,
): Promise<HandedOut> {
  const request = await requestBy(facts, ports.store, {});
  const faults: unknown[] = [];
  const work = challengesOf(ports, sleep, (fault) => faults.push(fault));
  const result = await work.respond(request, facts.pendingAuthorizationId, 'http-01');
  if (result.kind === 'refused') return { kind: 'refused', what: result.problem.detail };
  await settled(records, facts.pendingAuthorizationId);
  if (faults.length > 0) throw faults[0];
  const { attempt } = result.authorization;
  return { kind: 'authorization', what: attempt?.outcome?.kind ?? (attempt ? 'processing' : 'pending') };
}

/** As a start does: looks again at what was begun, and waits until it has ended. */
async function resume({ ports, records }: CrashWorld): Promise<void> {
  const faults: unknown[] = [];
  const begun = await records.listUnfinishedAttempts();
  await challengesOf(ports, ports.sleep, (fault) => faults.push(fault)).resume();
  for (const { id } of begun) await settled(records, id);
  if (faults.length > 0) throw faults[0];
}

/** Polls as a client does. */
async function settled(records: Store, authorizationId: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const authorization = await records.loadAuthorization(authorizationId);
    if (authorization?.attempt?.outcome) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`authorization ${authorizationId} did not come to an end`);
}

function fail(what: string): never {
  throw new Error(what);
}
