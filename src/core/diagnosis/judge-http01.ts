/** What came of looking for a token as an ACME authority does (RFC 8555 §8.3), and what is wrong if it was not there. */
import { formatHostPort } from '../stack/host-port.ts';
import { causeFinding, shellQuoted } from './causes.ts';
import type { Finding } from './finding.ts';

export interface Http01Target {
  /** As it was given. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
  readonly webroot: string;
}

/** From one address of the name. */
export interface Http01Walk {
  readonly address: string;
  /** Whether this host has the address; behind address translation that says nothing. */
  readonly isOwn: boolean;
  /** Redirects that were followed, in order. */
  readonly hops: readonly Http01Hop[];
  readonly end: Http01End;
}

export interface Http01Hop {
  readonly url: string;
  readonly status: number;
  /** As it was sent. */
  readonly location: string | null;
}

export type Http01End =
  | { readonly kind: 'right' }
  /** `body`: its beginning, printable; of a 200 only. */
  | {
      readonly kind: 'other';
      readonly url: string;
      readonly status: number;
      readonly server: string | null;
      readonly body: string | null;
    }
  /** A redirect that authorities do not follow; `why` goes on after the redirecting server's name. */
  | { readonly kind: 'unfollowed'; readonly why: string }
  /** `what` goes on after the place's name. */
  | { readonly kind: 'failed'; readonly url: string; readonly cause: Http01Failure; readonly what: string };

export type Http01Failure =
  | 'connection-refused'
  | 'connect-timeout'
  | 'no-answer'
  | 'closed-by-peer'
  | 'name-not-resolved'
  | 'not-http'
  | 'tls-failed';

export function http01Findings(target: Http01Target, walk: Http01Walk): Finding[] {
  const { end, hops } = walk;
  if (end.kind === 'right') return [];
  if (hops.length > 0 || end.kind === 'unfollowed') return [redirected(target, walk)];
  return [end.kind === 'failed' ? failed(target, walk, end) : wrongServer(target, walk, end)];
}

/** No address at all. */
export function http01Unresolved({ text, host }: Http01Target): Finding {
  return causeFinding('name-not-resolved', {
    subject: host,
    where: { target: text },
    what: `${host} has no address here.`,
    words: { host },
  });
}

export function webrootMissing({ webroot }: Http01Target, what: string): Finding {
  return causeFinding('file-missing', {
    subject: webroot,
    where: { file: webroot, line: 1 },
    what,
    why: 'A web server can serve nothing from there, and no authority finds a token.',
    remedy: {
      text: 'Make the directory, or name the one that the web server serves.',
      command: `ls -ld ${shellQuoted(webroot)}`,
    },
    words: { file: webroot },
  });
}

function redirected(target: Http01Target, { address, hops, end }: Http01Walk): Finding {
  return causeFinding('http01-redirected', {
    subject: target.host,
    where: { target: target.text },
    what: `The token’s address ${hops.length === 0 ? '' : `is redirected to ${hops.at(-1)?.location ?? ''}, and `}${endWords(end)}.`,
    evidence: {
      address,
      hops: hops.map(({ url, status, location }) => ({ url, status, location })),
      ...endEvidence(end),
    },
    words: { where: formatHostPort(target) },
  });
}

function endWords(end: Http01End): string {
  switch (end.kind) {
    case 'right':
      return 'the token is there';
    case 'other':
      return end.status === 200
        ? 'something else than the token is answered there'
        : `the answer there is ${end.status}`;
    case 'unfollowed':
      return `its server ${end.why}`;
    case 'failed':
      return `what is there ${end.what}`;
  }
}

function endEvidence(end: Http01End) {
  return end.kind === 'other'
    ? { url: end.url, status: end.status, server: end.server, body: end.body }
    : end.kind === 'failed'
      ? { url: end.url, reason: end.cause }
      : {};
}

type Failed = Extract<Http01End, { kind: 'failed' }>;

function failed(target: Http01Target, walk: Http01Walk, end: Failed): Finding {
  const { address } = walk;
  const place = formatHostPort({ host: address, port: target.port });
  const base = { subject: place, where: { target: target.text }, what: `${place} ${end.what}.` };
  switch (end.cause) {
    case 'connection-refused':
      return causeFinding('connection-refused', { ...base, words: { port: String(target.port) } });
    case 'connect-timeout':
      return causeFinding('connect-timeout', { ...base, words: { address } });
    case 'no-answer':
      return causeFinding('no-answer', { ...base, words: { port: String(target.port) } });
    case 'closed-by-peer':
      return causeFinding('closed-by-peer', base);
    case 'name-not-resolved':
      return http01Unresolved(target);
    case 'not-http':
    case 'tls-failed':
      return causeFinding('http01-wrong-server', {
        ...base,
        evidence: { address, reason: end.cause },
        words: { host: target.host, webroot: target.webroot },
      });
  }
}

/** What a status says of a token that lies in the webroot. */
const STATUS_HINTS: Readonly<Record<number, string>> = {
  400: ' A port for TLS answers plain HTTP so.',
  401: ' A password is asked for, which authorities do not have.',
  403: ' Either hidden paths are forbidden there, or the web server may not read the directory.',
};

function wrongServer(
  target: Http01Target,
  { address, isOwn }: Http01Walk,
  end: Extract<Http01End, { kind: 'other' | 'right' }>,
): Finding {
  const { status, server, body } = end.kind === 'other' ? end : { status: 200, server: null, body: null };
  const who = `${formatHostPort({ host: address, port: target.port })}${server === null ? '' : ` (${server})`}`;
  const said = status === 200 ? '200 with something else than the token' : String(status);
  return causeFinding('http01-wrong-server', {
    subject: target.host,
    where: { target: target.text },
    what: `${who} answers ${said}, although the token lay in ${target.webroot}.${STATUS_HINTS[status] ?? ''}`,
    evidence: { address, isOwnAddress: isOwn, status, server, body },
    words: { host: target.host, webroot: target.webroot },
  });
}
