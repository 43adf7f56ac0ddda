/**
 * http-01 (RFC 8555 §8.3; RFC 8738 §4 for addresses): the key authorization, over plain HTTP, under the name.
 *
 * Every hop is resolved once, judged by the address policy and connected to by that address alone. Redirects are
 * followed to http and https on the well-known ports only, and certificates on the way are not checked, for there
 * may be none yet. What a wrong page says is shown only where it looks like a key authorization: validation must not
 * read internal pages to strangers.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AddressPolicy } from '../../core/acme/address-policy.ts';
import type { ChallengeTarget, ValidateChallenge, ValidationOutcome } from '../../flow/ca/validation-ports.ts';
import { checkTarget, isHostName } from './check-target.ts';
import { connectToFirst } from './connect.ts';
import { withDeadline } from './deadline.ts';
import { describeExchangeFailure, exchange, type HttpAnswer } from './http-exchange.ts';
import { firstHop, type Hop, hopKey, hostHeader, isRedirect, nextHop } from './http-hop.ts';
import { boundedLook, excerpt, type Invalid, invalid } from './outcome.ts';
import { permittedAddresses } from './permitted-addresses.ts';
import type { Resolver } from './resolver.ts';
import { describeHandshakeFailure, shakeHands } from './tls-handshake.ts';

export interface Http01Options {
  readonly resolver: Resolver;
  readonly policy: AddressPolicy;
  /** Where validation begins; RFC 8555 §8.3 says 80. */
  readonly httpPort?: number;
  /** A port that redirects may lead to, beside 80, 443 and `httpPort`. */
  readonly httpsPort?: number;
  /** For one hop: handshake, answer and body. Connecting may take half of it for each address. */
  readonly timeoutMs?: number;
  /** For everything. */
  readonly overallMs?: number;
}

type Settings = Required<Http01Options>;

const MAX_REDIRECTS = 10;
/** White space after the key authorization is ignored, so a body may be somewhat longer. */
const BODY_SLACK_BYTES = 512;

export function http01Validator(options: Http01Options): ValidateChallenge {
  const settings: Settings = { httpPort: 80, httpsPort: 443, timeoutMs: 10_000, overallMs: 30_000, ...options };
  return boundedLook(
    settings.overallMs,
    async (target, signal) => checkTarget(target) ?? follow(settings, target, signal),
  );
}

async function follow(settings: Settings, target: ChallengeTarget, signal: AbortSignal): Promise<ValidationOutcome> {
  const ports = new Set([80, 443, settings.httpPort, settings.httpsPort]);
  const visited = new Set<string>();
  let hop = firstHop(target, settings.httpPort);
  for (let redirects = 0; ; redirects++) {
    visited.add(hopKey(hop));
    const visit = await visitHop(settings, target, hop, signal);
    if (visit.kind === 'invalid') return visit;
    const { answer, from } = visit;
    if (!isRedirect(answer.status)) return judge(target, hop, visit);
    const next = nextHop(hop, answer.location, ports);
    const said = `${from} answered ${answer.status} for ${hop.shown} and`;
    if ('why' in next) return invalid('unauthorized', `${said} ${next.why}`);
    if (visited.has(hopKey(next)))
      return invalid('unauthorized', `${said} redirected to ${next.shown}, where validation has been before`);
    if (redirects === MAX_REDIRECTS)
      return invalid(
        'unauthorized',
        `${said} redirected again, after ${MAX_REDIRECTS} redirects; validation follows no more`,
      );
    hop = next;
  }
}

interface Answered {
  readonly kind: 'answered';
  readonly answer: HttpAnswer;
  /** "127.0.0.2 port 80" */
  readonly from: string;
}

async function visitHop(
  settings: Settings,
  target: ChallengeTarget,
  hop: Hop,
  signal: AbortSignal,
): Promise<Answered | Invalid> {
  const permitted = await permittedAddresses(hop.host, settings, signal);
  const aside = hop.isRedirected ? ` (redirected to ${hop.shown})` : '';
  if (permitted.kind === 'invalid') return invalid(permitted.problem, permitted.detail + aside);
  const connection = await connectToFirst(permitted.addresses, hop.port, settings.timeoutMs / 2, signal);
  if (connection.kind === 'failed') return invalid('connection', connection.detail + aside);
  const from = `${connection.address} port ${hop.port}`;
  try {
    return await withDeadline(signal, settings.timeoutMs, (limited) =>
      ask(target, hop, connection.socket, from, limited),
    );
  } finally {
    connection.socket.destroy();
  }
}

async function ask(
  target: ChallengeTarget,
  hop: Hop,
  socket: Socket,
  from: string,
  signal: AbortSignal,
): Promise<Answered | Invalid> {
  let connection: Duplex = socket;
  if (hop.isSecure) {
    const serverName = isHostName(hop.host) ? hop.host : null;
    try {
      connection = await shakeHands(socket, { serverName, applicationProtocols: ['http/1.1'] }, signal);
    } catch (cause) {
      const { problem, what } = describeHandshakeFailure(cause);
      return invalid(problem, `${from} ${what} (redirected to ${hop.shown})`);
    }
  }
  const maxBodyBytes = target.keyAuthorization.length + BODY_SLACK_BYTES;
  try {
    const answer = await exchange(connection, { host: hostHeader(hop), path: hop.path, maxBodyBytes }, signal);
    return { kind: 'answered', answer, from };
  } catch (cause) {
    return invalid('connection', `${from} ${describeExchangeFailure(cause)} for ${hop.shown}`);
  }
}

/** The answer at the end of the redirects. */
function judge(target: ChallengeTarget, hop: Hop, { answer, from }: Answered): ValidationOutcome {
  if (answer.status !== 200) {
    return invalid('unauthorized', `${from} answered ${answer.status} for ${hop.shown} (wanted the key authorization)`);
  }
  // RFC 8555 §8.3: "The server SHOULD ignore whitespace characters at the end of the body."
  const text = answer.body.toString('latin1').replace(/[ \t\r\n\v\f]+$/, '');
  if (text === target.keyAuthorization && !answer.isLonger) return { kind: 'valid' };
  return invalid(
    'unauthorized',
    `${from} answered 200 for ${hop.shown} with ${describeBody(answer, text)} (wanted ${excerpt(target.keyAuthorization, 200)})`,
  );
}

/** A token and the thumbprint of another account key, as RFC 8555 §8.1 joins them. */
const KEY_AUTHORIZATION = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/;

function describeBody(answer: HttpAnswer, text: string): string {
  if (answer.isLonger) return `more than ${answer.body.byteLength} bytes`;
  if (KEY_AUTHORIZATION.test(text)) return excerpt(text);
  const { byteLength } = answer.body;
  return byteLength === 0 ? 'an empty body' : `${byteLength} bytes that are not a key authorization`;
}
