/** One complete order by http-01 (RFC 8555 §7.4, §7.5): from newOrder to the downloaded chain. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, type AcmeSession, problemOf } from './acme-session.ts';
import type { Http01Responder } from './http-01-responder.ts';
import type { Reply } from './https-client.ts';

export interface OrderRequest {
  readonly names: readonly string[];
  /** base64url. */
  readonly csr: string;
}

/** Why an order was not completed: the step, and what the server said; `cause` when it said nothing. */
export class OrderFailure extends Error {}

/** RFC 8555 §7.1.3, §7.1.4, §8, as far as they are used here. */
interface Order {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
}
interface Authorization {
  readonly status: string;
  readonly challenges: readonly Challenge[];
}
interface Challenge {
  readonly type: string;
  readonly status: string;
  readonly url: string;
  readonly token: string;
}

const COMPLETE_WITHIN_MS = 30_000;

/** @returns the chain in PEM. @throws OrderFailure */
export async function completeOrder(
  session: AcmeSession,
  account: Account,
  request: OrderRequest,
  responder: Http01Responder,
): Promise<string> {
  const deadline = performance.now() + COMPLETE_WITHIN_MS;
  const post = async (step: string, url: string, payload: unknown): Promise<Reply> => {
    if (performance.now() > deadline) throw new OrderFailure(`${step}: not final within ${COMPLETE_WITHIN_MS} ms`);
    const reply = await session.post(account, url, payload).catch((cause: unknown) => {
      throw new OrderFailure(`${step}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    });
    if (reply.status >= 300) throw new OrderFailure(`${step}: ${reply.status} ${problemOf(reply)}`.trim());
    return reply;
  };
  const poll = async (step: string, url: string): Promise<Reply> => post(step, url, null);

  const created = await post('newOrder', session.directory.newOrder, {
    identifiers: request.names.map((value) => ({ type: 'dns', value })),
  });
  const orderUrl = created.headers.location;
  if (typeof orderUrl !== 'string') throw new OrderFailure('newOrder: no Location');
  const order = JSON.parse(created.text) as Order;
  for (const url of order.authorizations) await authorize(url, account, post, poll, responder);

  let reply = await post('finalize', order.finalize, { csr: request.csr });
  for (;;) {
    const { status, certificate } = JSON.parse(reply.text) as Order;
    if (status === 'valid' && certificate !== undefined) return (await post('certificate', certificate, null)).text;
    // "ready" is no failure yet: a server may take the CSR before it turns to "processing".
    if (status !== 'processing' && status !== 'ready') throw new OrderFailure(`order: ${status}`);
    await sleep(pauseMs(reply));
    reply = await poll('order', orderUrl);
  }
}

/** A challenge that the server answers as valid already needs no polling: its authorization is valid (§7.1.6). */
async function authorize(
  url: string,
  account: Account,
  post: (step: string, url: string, payload: unknown) => Promise<Reply>,
  poll: (step: string, url: string) => Promise<Reply>,
  responder: Http01Responder,
): Promise<void> {
  const authorization = JSON.parse((await poll('authorization', url)).text) as Authorization;
  if (authorization.status === 'valid') return;
  const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
  if (challenge === undefined) throw new OrderFailure('authorization: no http-01');
  responder.present(challenge.token, `${challenge.token}.${account.key.thumbprint}`);
  try {
    let reply = await post('challenge', challenge.url, {});
    let { status } = JSON.parse(reply.text) as Challenge;
    while (status !== 'valid') {
      if (status !== 'pending' && status !== 'processing') throw new OrderFailure(`authorization: ${status}`);
      await sleep(pauseMs(reply));
      reply = await poll('authorization', url);
      ({ status } = JSON.parse(reply.text) as Authorization);
    }
  } finally {
    responder.remove(challenge.token);
  }
}

/** Retry-After up to a second is obeyed; else 10 to 20 ms, so that no server is measured by a client's patience. */
function pauseMs(reply: Reply): number {
  const seconds = Number(reply.headers['retry-after'] ?? Number.NaN);
  return seconds >= 0 && seconds <= 1 ? seconds * 1000 : 10 + Math.random() * 10;
}
