/** Looks for a token as an ACME authority does, from one address, and remembers every hop; certificates are not verified. */
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type {
  Http01End,
  Http01Failure,
  Http01Hop,
  Http01Target,
  Http01Walk,
} from '../../core/diagnosis/judge-http01.ts';
import type { PlacedToken } from '../../flow/diagnose/diagnose-http01.ts';
import { addressesOf } from './addresses.ts';
import { isHostName } from './check-target.ts';
import { connectTo } from './connect.ts';
import { ConnectionFault } from './connection-fault.ts';
import { DeadlineExceeded, formatLimit, withDeadline } from './deadline.ts';
import { describeExchangeFailure, exchange, type HttpAnswer } from './http-exchange.ts';
import { type Hop, hopKey, hostHeader, isRedirect, nextHop } from './http-hop.ts';
import { excerpt } from './outcome.ts';
import { describeHandshakeFailure, shakeHands } from './tls-handshake.ts';

export interface WalkOptions {
  /** For each connection, and for each answer. */
  readonly timeoutMs: number;
  /** Dialled in place of the target's; it is still asked for as the target. */
  readonly dialPort?: number;
  /** That redirects may lead to, beside 80, 443 and the target's own. */
  readonly ports?: readonly number[];
}

/** RFC 8555 says nothing; Let's Encrypt follows ten. */
const MOST_REDIRECTS = 10;
const BODY_SLACK_BYTES = 512;

export async function walkHttp01(
  target: Http01Target,
  address: string,
  { token, content }: Pick<PlacedToken, 'token' | 'content'>,
  options: WalkOptions,
): Promise<Http01Walk> {
  const ports = new Set([80, 443, target.port, ...(options.ports ?? [])]);
  const path = `/.well-known/acme-challenge/${token}`;
  const hops: Http01Hop[] = [];
  const visited = new Set<string>();
  const ended = (end: Http01End): Http01Walk => ({ address, isOwn: isOwn(address), hops, end });
  let hop: Hop = { isSecure: false, host: target.host, port: target.port, isRedirected: false, path, shown: path };
  for (;;) {
    visited.add(hopKey(hop));
    const url = urlOf(hop);
    const isTarget = hop.host === target.host;
    const port = isTarget && hop.port === target.port ? (options.dialPort ?? hop.port) : hop.port;
    const visit = await visitHop(hop, { address: isTarget ? address : null, port }, content.length, options.timeoutMs);
    if ('cause' in visit) return ended({ kind: 'failed', url, ...visit });
    const { status, location, server } = visit;
    if (!isRedirect(status)) return ended(judge(url, visit, content));
    const next = nextHop(hop, location, ports);
    hops.push({ url, status, location: location === null ? null : location.slice(0, 500) });
    if ('why' in next) return ended({ kind: 'unfollowed', why: next.why });
    if (visited.has(hopKey(next))) return ended({ kind: 'unfollowed', why: 'leads round in a circle' });
    if (hops.length > MOST_REDIRECTS)
      return ended({
        kind: 'unfollowed',
        why: `redirects again, after ${MOST_REDIRECTS} redirects${server === null ? '' : ` (${server})`}`,
      });
    hop = next;
  }
}

function judge(url: string, { status, server, body, isLonger }: HttpAnswer, content: string): Http01End {
  const text = body.toString('latin1');
  // RFC 8555 §8.3: "The server SHOULD ignore whitespace characters at the end of the body."
  if (status === 200 && !isLonger && text.trimEnd() === content) return { kind: 'right' };
  return {
    kind: 'other',
    url,
    status,
    server: server === null ? null : server.slice(0, 100),
    body: status === 200 ? excerpt(text, 80) : null,
  };
}

interface Failure {
  readonly cause: Http01Failure;
  readonly what: string;
}

/** @param dialled address null: of another name, whose own are asked for */
async function visitHop(
  hop: Hop,
  dialled: { readonly address: string | null; readonly port: number },
  length: number,
  timeoutMs: number,
): Promise<HttpAnswer | Failure> {
  const [address] = dialled.address === null ? await addressesOf(hop.host) : [dialled.address];
  if (address === undefined) return { cause: 'name-not-resolved', what: `(${hop.host}) has no address` };
  const { signal } = new AbortController();
  let socket: Socket;
  try {
    socket = await withDeadline(signal, timeoutMs, (limited) => connectTo(address, dialled.port, limited));
  } catch (cause) {
    return connectFailure(cause);
  }
  try {
    return await withDeadline(signal, timeoutMs, (limited) => ask(hop, socket, length, limited));
  } finally {
    socket.destroy();
  }
}

async function ask(hop: Hop, socket: Socket, length: number, signal: AbortSignal): Promise<HttpAnswer | Failure> {
  let connection: Duplex = socket;
  if (hop.isSecure) {
    const serverName = isHostName(hop.host) ? hop.host : null;
    try {
      connection = await shakeHands(socket, { serverName, applicationProtocols: ['http/1.1'] }, signal);
    } catch (cause) {
      return { cause: 'tls-failed', what: describeHandshakeFailure(cause).what };
    }
  }
  try {
    return await exchange(
      connection,
      { host: hostHeader(hop), path: hop.path, maxBodyBytes: length + BODY_SLACK_BYTES },
      signal,
    );
  } catch (cause) {
    const what = describeExchangeFailure(cause);
    if (cause instanceof DeadlineExceeded) return { cause: 'no-answer', what };
    const isHttp = !(cause instanceof ConnectionFault && cause.code.startsWith('HPE_'));
    return { cause: isHttp ? 'closed-by-peer' : 'not-http', what };
  }
}

function connectFailure(cause: unknown): Failure {
  if (cause instanceof DeadlineExceeded)
    return { cause: 'connect-timeout', what: `did not accept a connection within ${formatLimit(cause.limitMs)}` };
  if (!(cause instanceof ConnectionFault)) throw cause;
  return cause.code === 'ECONNREFUSED'
    ? { cause: 'connection-refused', what: 'refuses connections' }
    : { cause: 'connect-timeout', what: `cannot be reached (${cause.code})` };
}

function urlOf(hop: Hop): string {
  return `${hop.isSecure ? 'https' : 'http'}://${hostHeader(hop)}${hop.path}`;
}

function isOwn(address: string): boolean {
  if (/^127\./.test(address) || address === '::1') return true;
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
}
