/** What a page that came over TLS fetches in plaintext (https://www.w3.org/TR/mixed-content/): browsers block it, or warn. */

/** Of element and attribute; links that a person has to follow are none. */
const FETCHED: Readonly<Record<string, readonly string[]>> = {
  script: ['src'],
  link: ['href'],
  img: ['src'],
  iframe: ['src'],
  frame: ['src'],
  audio: ['src'],
  video: ['src', 'poster'],
  source: ['src'],
  track: ['src'],
  embed: ['src'],
  object: ['data'],
  input: ['src'],
  form: ['action'],
};

/** A link is fetched for these. */
const FETCHED_LINKS = /\b(?:stylesheet|icon|manifest|preload|modulepreload|prefetch)\b/i;

const NAME = /^[a-z][a-z0-9]*(?=[\s/>])/i;
/** A name begins after a space or a slash: never within another one, which keeps this linear. */
const ATTRIBUTE = /(?<=[\s/"'])([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/g;
/** Of one tag; what is longer is no page of a person's. */
const LONGEST_TAG = 2048;
const MOST_FOUND = 20;

/** Addresses that begin with http:, each once, in the order of the page. @param html of bounded length */
export function mixedContent(html: string): readonly string[] {
  const found = new Set<string>();
  for (const piece of withoutComments(html).split('<')) {
    const tag = piece.slice(0, LONGEST_TAG);
    const element = NAME.exec(tag)?.[0].toLowerCase() ?? '';
    const wanted = Object.hasOwn(FETCHED, element) ? (FETCHED[element] ?? []) : [];
    if (wanted.length === 0) continue;
    const attributes = new Map(
      [...tag.matchAll(ATTRIBUTE)].map(([, name = '', a, b, c]) => [name.toLowerCase(), (a ?? b ?? c ?? '').trim()]),
    );
    if (element === 'link' && !FETCHED_LINKS.test(attributes.get('rel') ?? '')) continue;
    for (const name of wanted) {
      const address = attributes.get(name) ?? '';
      if (/^http:\/\//i.test(address)) found.add(address.slice(0, 200));
    }
    if (found.size >= MOST_FOUND) break;
  }
  return [...found];
}

function withoutComments(html: string): string {
  const kept: string[] = [];
  let from = 0;
  for (;;) {
    const start = html.indexOf('<!--', from);
    kept.push(html.slice(from, start < 0 ? undefined : start));
    const end = start < 0 ? -1 : html.indexOf('-->', start + 4);
    if (end < 0) return kept.join('');
    from = end + 3;
  }
}
