/**
 * One certificate from an ACME server: account, order, challenges, finalize, download (RFC 8555 §7). How a challenge
 * is put in place is the caller's: a webroot, a listener of ours, a record in DNS.
 */
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import type { ChallengeHandler } from './challenge-handler.ts';
import { type Directory, jsonOf, present, problemIn, type Resource } from './resource.ts';
import { retryAfterSeconds } from './retry-after.ts';
import {
  type AcmeAnswer,
  AcmeRefused,
  type AcmeSession,
  type Connection,
  getUnsigned,
  postSigned,
  problemOf,
} from './signed-request.ts';

export type { ChallengeHandler } from './challenge-handler.ts';

export interface ObtainRequest {
  readonly directory: string;
  readonly contact: string | null;
  readonly identifiers: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[];
  /** DER. */
  readonly csr: Uint8Array;
  readonly sleep: (ms: number) => Promise<void>;
  /** Identifier of the certificate that this one replaces (RFC 9773 §4.1). */
  readonly replaces?: string;
}

/** An authorization that the server is to check, with the challenge of ours in it. */
interface Proof {
  readonly url: string;
  readonly identifier: string;
  readonly challengeUrl: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

type Post = (url: string, payload: object | null) => Promise<AcmeAnswer>;

/** A resource that does not come to an end within so many questions, or so much waiting, is given up. */
const POLLS = 120;
const LONGEST_WAIT_MS = 300_000;
const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 3_000;

/**
 * The chain as the server sends it, leaf first, DER.
 *
 * @throws AcmeRefused with the server's words, AcmeUnreachable, and what the handler throws
 */
export async function obtainCertificate(
  session: AcmeSession,
  request: ObtainRequest,
  handler: ChallengeHandler,
): Promise<Uint8Array[]> {
  const directory = await readDirectory(session, request.directory);
  const post: Post = (url, payload) => postSigned(session, present(directory.newNonce, 'newNonce'), url, payload);
  const created = await newOrder(session, post, directory, request);
  const orderUrl = header(created, 'location');
  const order: Resource = jsonOf(created);
  await authorize(session, post, order.authorizations ?? [], request, handler);
  const done = await finalize(post, orderUrl, request);
  const { body } = await post(present(done.certificate, 'certificate'), null);
  return pemBlocksLabelled(body, 'CERTIFICATE').map(({ der }) => der);
}

/** @throws AcmeRefused, AcmeUnreachable */
export async function readDirectory(session: Connection, url: string): Promise<Directory> {
  const answer = await getUnsigned(session, url);
  if (answer.status !== 200) throw problemOf(answer);
  return jsonOf(answer);
}

/** The account of the session's key: the server finds one that exists (§7.3.1), or makes it. */
async function signIn(session: AcmeSession, post: Post, directory: Directory, contact: string | null): Promise<void> {
  const account = await post(present(directory.newAccount, 'newAccount'), {
    termsOfServiceAgreed: true,
    ...(contact !== null && { contact: [`mailto:${contact}`] }),
  });
  session.kid = header(account, 'location');
}

async function newOrder(
  session: AcmeSession,
  post: Post,
  directory: Directory,
  { contact, identifiers, replaces }: ObtainRequest,
): Promise<AcmeAnswer> {
  const isKnown = session.kid !== null;
  if (!isKnown) await signIn(session, post, directory, contact);
  const order = (more: object): Promise<AcmeAnswer> =>
    post(present(directory.newOrder, 'newOrder'), { identifiers, ...more });
  const replacing = (): Promise<AcmeAnswer> => orderReplacing(order, directory, replaces);
  try {
    return await replacing();
  } catch (cause) {
    if (!isKnown || !(cause instanceof AcmeRefused) || !cause.type.endsWith(':accountDoesNotExist')) throw cause;
    // The server has been set up anew since the session began.
    session.kid = null;
    await signIn(session, post, directory, contact);
    return replacing();
  }
}

/** RFC 9773 §5: `replaces` is of use to the server alone, so one that does not take it gets the order without. */
async function orderReplacing(
  order: (more: object) => Promise<AcmeAnswer>,
  { renewalInfo }: Directory,
  replaces: string | undefined,
): Promise<AcmeAnswer> {
  if (replaces === undefined || renewalInfo === undefined) return order({});
  try {
    return await order({ replaces });
  } catch (cause) {
    // Of another account, of another authority, replaced already: each server says it in its own way.
    const isAboutIt =
      cause instanceof AcmeRefused && /:(alreadyReplaced|conflict|malformed|unauthorized)$/.test(cause.type);
    if (!isAboutIt) throw cause;
    return order({});
  }
}

/** All challenges are in place before the first is looked at: an apex and its wildcard share a name in DNS. */
async function authorize(
  session: AcmeSession,
  post: Post,
  urls: readonly string[],
  request: ObtainRequest,
  handler: ChallengeHandler,
): Promise<void> {
  const proofs: Proof[] = [];
  for (const url of urls) {
    const proof = proofOf(session, url, jsonOf(await post(url, null)), handler.type);
    if (proof !== null) proofs.push(proof);
  }
  const begun: Proof[] = [];
  try {
    for (const proof of proofs) {
      begun.push(proof);
      await handler.present(proof.identifier, proof.token, proof.keyAuthorization);
    }
    for (const proof of proofs) await prove(post, proof, request);
  } finally {
    for (const { identifier, token, keyAuthorization } of begun) {
      // What stays behind proves nothing a second time: not worth a certificate, nor the fault that led here.
      await handler.cleanUp(identifier, token, keyAuthorization).catch(() => {});
    }
  }
}

/** null: the server knows already. */
function proofOf(
  session: AcmeSession,
  url: string,
  authorization: Resource,
  type: ChallengeHandler['type'],
): Proof | null {
  if (authorization.status === 'valid') return null;
  const identifier = present(authorization.identifier?.value, 'identifier');
  if (authorization.status !== 'pending') throw whyInvalid(identifier, authorization);
  const challenge = authorization.challenges?.find((one) => one.type === type);
  if (!challenge)
    throw new AcmeRefused(
      'challenge',
      `${identifier}: the server offers no ${type} challenge for it`,
      null,
      identifier,
    );
  const token = present(challenge.token, 'token');
  // RFC 8555 §8.1. Tokens become file names, and lines of configuration.
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(token))
    throw new AcmeRefused('malformed', `${identifier}: the server sent a token that is not base64url`, null);
  return {
    url,
    identifier,
    challengeUrl: present(challenge.url, 'url'),
    token,
    keyAuthorization: `${token}.${session.thumbprint}`,
  };
}

async function prove(post: Post, proof: Proof, { sleep }: ObtainRequest): Promise<void> {
  await post(proof.challengeUrl, {});
  const done = await poll(post, proof.url, sleep, ['pending', 'processing']);
  if (done.status !== 'valid') throw whyInvalid(proof.identifier, done);
}

function whyInvalid(identifier: string, { status, challenges }: Resource): AcmeRefused {
  const failed = challenges?.find(({ error }) => error);
  return problemIn(failed?.error, identifier, `the authorization is ${status}`);
}

/** From an order whose authorizations are valid to the valid order (§7.4). */
async function finalize(post: Post, url: string, { csr, sleep }: ObtainRequest): Promise<Resource> {
  const proved = await poll(post, url, sleep, ['pending']);
  if (proved.status === 'ready')
    await post(present(proved.finalize, 'finalize'), { csr: Buffer.from(csr).toString('base64url') });
  const done = proved.status === 'valid' ? proved : await poll(post, url, sleep, ['ready', 'processing']);
  if (done.status !== 'valid') throw problemIn(done.error, null, `the order is ${done.status}`);
  return done;
}

/** Asks until the resource leaves these states, as often as Retry-After says. @throws AcmeRefused when it does not */
async function poll(
  post: Post,
  url: string,
  sleep: ObtainRequest['sleep'],
  passing: readonly string[],
): Promise<Resource> {
  let waited = 0;
  for (let tries = 1; tries <= POLLS; tries++) {
    const answer = await post(url, null);
    const resource: Resource = jsonOf(answer);
    if (!passing.includes(resource.status ?? '')) return resource;
    const asked = retryAfterSeconds(answer);
    const wait = asked ? asked * 1000 : Math.min(FIRST_POLL_MS * tries, SLOWEST_POLL_MS);
    waited += wait;
    if (waited > LONGEST_WAIT_MS) break;
    await sleep(wait);
  }
  throw new AcmeRefused('timeout', `the server did not come to an end within ${LONGEST_WAIT_MS / 1000} s`, null);
}

function header({ headers }: AcmeAnswer, name: string): string {
  const value = headers[name];
  return present(typeof value === 'string' ? value : undefined, name);
}
