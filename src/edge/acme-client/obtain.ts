/**
 * One certificate from an ACME server: account, order, http-01 challenges, finalize, download (RFC 8555 §7). How a challenge
 * is put in place is the caller's: a webroot, a listener of ours, a hook.
 */
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { AcmeRefused, type AcmeSession, getUnsigned, postSigned } from './signed-request.ts';

export interface ChallengeHandler {
  readonly type: 'http-01' | 'dns-01';
  readonly present: (identifier: string, token: string, keyAuthorization: string) => Promise<void>;
  /** Also after a failure. */
  readonly cleanUp: (identifier: string, token: string) => Promise<void>;
}

export interface ObtainRequest {
  readonly directory: string;
  readonly contact: string | null;
  readonly identifiers: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[];
  /** DER. */
  readonly csr: Uint8Array;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Resource {
  readonly status?: string;
  readonly authorizations?: readonly string[];
  readonly finalize?: string;
  readonly certificate?: string;
  readonly identifier?: { readonly value: string };
  readonly challenges?: readonly {
    readonly type: string;
    readonly url: string;
    readonly token: string;
    readonly error?: { readonly detail?: string };
  }[];
  readonly error?: { readonly type?: string; readonly detail?: string };
}

const POLLS = 60;

/** The chain as the server sends it, leaf first, DER. @throws AcmeRefused with the server's words */
export async function obtainCertificate(
  session: AcmeSession,
  request: ObtainRequest,
  handler: ChallengeHandler,
): Promise<Uint8Array[]> {
  const directory = JSON.parse((await getUnsigned(session, request.directory)).body) as Record<string, string>;
  const nonceUrl = directory.newNonce ?? '';
  const post = (url: string, payload: object | null) => postSigned(session, nonceUrl, url, payload);
  if (session.kid === null) {
    const account = await post(directory.newAccount ?? '', {
      termsOfServiceAgreed: true,
      ...(request.contact !== null && { contact: [`mailto:${request.contact}`] }),
    });
    session.kid = String(account.headers.location);
  }
  const created = await post(directory.newOrder ?? '', { identifiers: request.identifiers });
  const orderUrl = String(created.headers.location);
  const order = JSON.parse(created.body) as Resource;
  for (const url of order.authorizations ?? []) await authorize(session, post, url, request, handler);
  const finalized = JSON.parse(
    (await post(order.finalize ?? '', { csr: Buffer.from(request.csr).toString('base64url') })).body,
  ) as Resource;
  const done =
    finalized.status === 'valid'
      ? finalized
      : await poll(post, orderUrl, request, (status) => status === 'valid' || status === 'invalid');
  if (!done.certificate)
    throw new AcmeRefused(done.error?.type ?? 'order', done.error?.detail ?? `the order is ${done.status}`, null);
  const { body } = await post(done.certificate, null);
  return pemBlocksLabelled(body, 'CERTIFICATE').map(({ der }) => der);
}

type Post = (url: string, payload: object | null) => ReturnType<typeof postSigned>;

async function authorize(
  session: AcmeSession,
  post: Post,
  url: string,
  request: ObtainRequest,
  handler: ChallengeHandler,
): Promise<void> {
  const authorization = JSON.parse((await post(url, null)).body) as Resource;
  if (authorization.status === 'valid') return;
  const challenge = authorization.challenges?.find(({ type }) => type === handler.type);
  const identifier = authorization.identifier?.value ?? '';
  if (!challenge)
    throw new AcmeRefused('challenge', `the server offers no ${handler.type} challenge for ${identifier}`, null);
  try {
    await handler.present(identifier, challenge.token, `${challenge.token}.${session.thumbprint}`);
    await post(challenge.url, {});
    const done = await poll(post, url, request, (status) => status !== 'pending');
    if (done.status !== 'valid') {
      const detail =
        done.challenges?.find(({ error }) => error)?.error?.detail ?? `the authorization is ${done.status}`;
      throw new AcmeRefused('unauthorized', `${identifier}: ${detail}`, null);
    }
  } finally {
    await handler.cleanUp(identifier, challenge.token);
  }
}

async function poll(
  post: Post,
  url: string,
  { sleep }: ObtainRequest,
  done: (status: string | undefined) => boolean,
): Promise<Resource> {
  for (let tries = 0; tries < POLLS; tries++) {
    const answer = await post(url, null);
    const resource = JSON.parse(answer.body) as Resource;
    if (done(resource.status)) return resource;
    const retryAfter = Number(answer.headers['retry-after']);
    await sleep(Number.isFinite(retryAfter) ? Math.min(retryAfter, 60) * 1000 : Math.min(250 * (tries + 1), 3000));
  }
  throw new AcmeRefused('timeout', `${url} did not come to an end`, null);
}
