/** What a message says of the case: addresses, names, files, users, instants. */
import type { MessageRow } from './message-row.ts';
import type { Taken } from './message-sentences.ts';
import { type MessageText, shown } from './message-text.ts';

/** Where a client wanted to go, as programs write it. */
const ENDPOINTS: readonly RegExp[] = [
  /connection to server at "(?<host>[^"\s]{1,253})"(?: \([^)]{1,60}\))?, port (?<port>\d{1,5})/i,
  /dial tcp:? \[?(?<host>[\w.:-]{1,253}?)\]?:(?<port>\d{1,5})\b/i,
  /lookup (?<host>[\w.-]{1,253})(?: on |:)/i,
  /(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET) \[?(?<host>[\w.:-]{1,253}?)\]?:(?<port>\d{1,5})\b/,
  /(?:ENOTFOUND|EAI_AGAIN|ENODATA) (?<host>[\w.-]{1,253})/,
  /host='?(?<host>[\w.-]{1,253})'?, port=(?<port>\d{1,5})/i,
  /connect(?:ion|ing)? (?:to|with) (?:mysql server on |server |redis at )?["'[]{0,2}(?<host>[\w.:-]{1,253}?)["'\]]{0,2}(?::| port | \(port )(?<port>\d{1,5})\b/i,
  /(?:could not|can't|cannot|unable to) connect to (?:mysql |local )?(?:server|redis) (?:on|at) ["'(]?(?<host>[\w.-]{1,253})["')]?(?:[: ](?<port>\d{1,5}))?/i,
  /(?:could not translate host name|could not resolve host:?|could not resolve|unknown (?:mysql )?(?:server )?host|unable to resolve host|unknown host:?|host not found in upstream) ["'(]{0,2}(?<host>[\w.-]{1,253})/i,
  /UnknownHostException: (?<host>[\w.-]{1,253})/,
  /\b(?:https?|rediss?|postgres(?:ql)?|mysql|ldaps?|amqps?):\/\/(?:…@)?\[?(?<host>[\w.-]{1,253}|[\da-f:]{2,45})\]?:(?<port>\d{1,5})\b/i,
  /\bhttps:\/\/(?:…@)?(?!curl\.se|letsencrypt\.org)(?<host>[\w.-]{1,253})/i,
  /prober=tcp [^\n]{0,80}target=\[?(?<host>[\w.:-]{1,253}?)\]?:(?<port>\d{1,5})\b/,
  /(?<host>[a-z\d][\w.-]{0,252}):(?<port>\d{2,5}) - no response/i,
];

/** @param texts the line that says it, and what stands around it: what the line has is meant */
export function evidenceFrom({ near, takes = [], ofAuthority = false }: MessageRow, texts: readonly string[]): Taken {
  const endpoint = (ofAuthority ? [] : texts).map(endpointIn).find((groups) => groups !== undefined);
  const groups = [...takes.toReversed(), ...(near ? [near] : [])].map((pattern) =>
    texts.map((text) => pattern.exec(text)?.groups).find((found) => found !== undefined),
  );
  return taken([endpoint, ...groups].flatMap((found) => Object.entries(found ?? {})));
}

function endpointIn(text: string): Record<string, string> | undefined {
  for (const pattern of ENDPOINTS) {
    const groups = pattern.exec(text)?.groups;
    if (groups !== undefined) return groups;
  }
  return undefined;
}

const HTTP_DATE = /[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/.source;
const RETRY_AFTER = new RegExp(`retry[- ]?after["']?\\s?[:=]\\s?\\[?["']?(?<retryAfter>\\d{1,9}\\b|${HTTP_DATE})`, 'i');

/** May stand far from the words: a header of the answer. */
export function retryAfter({ text }: MessageText): Taken {
  const last = [...text.matchAll(/retry-?after/gi)].at(-1);
  if (last === undefined) return {};
  return taken(Object.entries(RETRY_AFTER.exec(text.slice(last.index, last.index + 100))?.groups ?? {}));
}

/** Later ones outweigh. */
function taken(groups: readonly (readonly [string, string | undefined])[]): Taken {
  return Object.fromEntries(
    groups.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, shown(value)]])),
  );
}
