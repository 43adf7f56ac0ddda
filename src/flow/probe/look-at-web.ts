/** What an HTTPS server says to a browser that comes for the first time: HSTS, redirects, and what its page fetches in plaintext. */
import type { WebFacts } from '../../core/probe/endpoint-facts.ts';
import type { Gap, GapField } from '../../core/probe/gap.ts';
import { parseHsts } from '../../core/probe/hsts.ts';
import { mixedContent } from '../../core/probe/mixed-content.ts';
import { nameOf, sniOf, type Target } from '../../core/probe/target.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { ClientIdentity } from './attempt.ts';

export interface PageRequest {
  readonly address: HostPort;
  readonly tls: boolean;
  /** For SNI; null sends none. */
  readonly serverName: string | null;
  /** Of the Host field. */
  readonly host: string;
  /** With its query. */
  readonly path: string;
  readonly client: ClientIdentity | null;
  readonly timeoutMs: number;
}

export interface Page {
  readonly status: number;
  /** By lower-case name; of one that comes twice, the first. */
  readonly fields: ReadonlyMap<string, string>;
  /** Its beginning. */
  readonly body: string;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** null: no answer that is HTTP, in time. Certificates are not verified. */
export type FetchPage = (request: PageRequest) => Promise<Page | null>;

/** Redirects that stay here and are followed. */
const MOST_REDIRECTS = 3;
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

export interface SeenWeb {
  /** null: it does not answer as HTTP. */
  readonly web: WebFacts | null;
  readonly gaps: readonly Gap[];
}

export async function lookAtWeb(
  fetchPage: FetchPage,
  target: Target,
  dial: HostPort,
  { client, timeoutMs }: Pick<PageRequest, 'client' | 'timeoutMs'>,
): Promise<SeenWeb> {
  const { port } = target;
  const host = nameOf(target);
  const get = (tls: boolean, path: string): Promise<Page | null> =>
    fetchPage({
      address: tls ? dial : { host: dial.host, port: HTTP_PORT },
      tls,
      serverName: sniOf(host),
      host: !tls || port === HTTPS_PORT ? hostOf(target) : formatHostPort({ host, port }),
      path,
      client,
      timeoutMs,
    });
  const start = new URL(`https://${formatHostPort({ host, port })}${target.url?.path ?? '/'}`);
  const first = await get(true, start.pathname);
  if (first === null)
    return { web: null, gaps: [unseen(['hsts', 'redirects', 'findings'], 'no answer over HTTP in time')] };
  const { page, redirects, unanswered } = await follow(first, start, (url) => get(true, url.pathname + url.search));
  const isHtml = page.status < 300 && /^text\/html\b/i.test(page.fields.get('content-type') ?? '');
  const plain = dial.port === HTTPS_PORT ? await get(false, start.pathname) : null;
  const hstsHeader = first.fields.get('strict-transport-security') ?? null;
  const web = {
    status: page.status,
    hsts: parseHsts(hstsHeader),
    hstsHeader,
    redirects,
    mixedContent: isHtml ? mixedContent(page.body) : [],
    plain: plain && { status: plain.status, location: plain.fields.get('location') ?? null },
  };
  const gaps = [
    ...(isTurnedAway(first) ? [unseen(['hsts', 'redirects', 'findings'], `the server answers ${first.status}`)] : []),
    ...(unanswered === null ? [] : [unseen(['redirects', 'findings'], `no answer at ${unanswered}`)]),
    ...(isHtml && !page.isWhole ? [unseen(['findings'], 'only its beginning was read')] : []),
  ];
  return { web, gaps };
}

/** RFC 6585 §4, RFC 9110 §15.6: an answer in place of the one that visitors get. */
function isTurnedAway({ status }: Page): boolean {
  return status === 429 || status >= 500;
}

function unseen(fields: readonly GapField[], why: string): Gap {
  const what = fields.includes('hsts') ? 'HSTS, redirects and the front page' : 'the front page';
  return { fields, what, why };
}

function hostOf(target: Target): string {
  const name = nameOf(target);
  return name.includes(':') ? `[${name}]` : name;
}

async function follow(
  first: Page,
  start: URL,
  get: (url: URL) => Promise<Page | null>,
): Promise<{ readonly page: Page; readonly redirects: readonly string[]; readonly unanswered: string | null }> {
  const redirects: string[] = [];
  let unanswered: string | null = null;
  let page = first;
  let at = start;
  while (page.status >= 300 && page.status < 400 && redirects.length < MOST_REDIRECTS) {
    const location = page.fields.get('location');
    const next = location === undefined ? null : URL.parse(location, at);
    if (next === null) break;
    redirects.push(next.href);
    const staysHere = next.protocol === 'https:' && next.host === start.host;
    const answer = staysHere ? await get(next) : null;
    if (staysHere && answer === null) unanswered = next.href;
    if (answer === null) break;
    page = answer;
    at = next;
  }
  return { page, redirects, unanswered };
}
