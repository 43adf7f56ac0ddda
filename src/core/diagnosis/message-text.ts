/**
 * A text that somebody pasted, made ready to be looked through: bounded, without colours and private keys, and as words,
 * so that case, punctuation, underscores and line breaks make no difference. The text is hostile: everything here is linear.
 */

/** Of longer texts the end is kept: in a log, the latest. */
const KEPT_LENGTH = 1024 * 1024;
/** Around the words that were found. */
const BEFORE = 600;
const AFTER = 900;
/** Windows begin and end between words, unless the words are longer than this. */
const LONGEST_WORD = 300;

export interface MessageText {
  /** As it was written, case and all. */
  readonly text: string;
  /** Lower-case letters and digits. */
  readonly words: readonly string[];
  /** Where each word begins in the text, and where it ends. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export function messageText(given: string): MessageText {
  const text = withoutPrivateKeys(unescaped(given.slice(-KEPT_LENGTH)));
  const [words, starts, ends]: [string[], number[], number[]] = [[], [], []];
  for (let at = 0; at < text.length; at++) {
    if (!isWordCharacter(text.charCodeAt(at))) continue;
    const start = at;
    while (at < text.length && isWordCharacter(text.charCodeAt(at))) at++;
    words.push(text.slice(start, at).toLowerCase());
    starts.push(start);
    ends.push(at);
  }
  return { text, words, starts, ends };
}

/** Where something is said. */
export interface Surroundings {
  /** The line that says it, as far as the window reaches. */
  readonly line: string;
  /** Also what stands before and behind that line. */
  readonly window: string;
}

/** Each on one line and without secrets. */
export function surroundings({ text }: MessageText, start: number, end: number): Surroundings {
  let [from, to] = [Math.max(0, start - BEFORE), Math.min(text.length, end + AFTER)];
  for (let more = LONGEST_WORD; from > 0 && more > 0 && !isSpace(text.charCodeAt(from - 1)); more--) from--;
  for (let more = LONGEST_WORD; to < text.length && more > 0 && !isSpace(text.charCodeAt(to)); more--) to++;
  const [before, behind] = [text.slice(from, start), text.slice(start, to)];
  const lineEnd = behind.indexOf('\n', end - start);
  const line = before.slice(before.lastIndexOf('\n') + 1) + (lineEnd === -1 ? behind : behind.slice(0, lineEnd));
  return { line: plain(line), window: plain(before + behind) };
}

function plain(text: string): string {
  return onOneLine(withoutSecrets(text));
}

function onOneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is to go
  return text.replace(/[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}

/** Logs in JSON have their quotes and line breaks written out; terminals colour; typographers curl. */
function unescaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC
      .replace(/\x1b\[[\d;]{0,20}[A-Za-z]/g, '')
      .replace(/\\{1,8}["'/nrt]/g, (whole) => (/[nrt]$/.test(whole) ? ' ' : whole.slice(-1)))
      .replace(/[‘’`´]/g, "'")
      .replace(/[“”]/g, '"')
  );
}

const BEGIN = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/g;
const END = /-----END [A-Z ]{0,40}PRIVATE KEY-----/g;

/** Also one whose beginning or end is not there. Lines stay as many as they were. */
export function withoutPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY-----')) return text;
  const begins = [...text.matchAll(BEGIN)].map(({ index }) => index);
  const ends = [...text.matchAll(END)].map(({ index, 0: { length } }) => index + length);
  let kept = '';
  let at = 0;
  // Cut off in front: everything before its end may be key.
  if (ends[0] !== undefined && (begins[0] === undefined || begins[0] >= ends[0])) {
    at = ends[0];
    kept = lineBreaks(text.slice(0, at));
  }
  let nextEnd = 0;
  for (const begin of begins) {
    if (begin < at) continue;
    kept += `${text.slice(at, begin)} (a private key) `;
    while (nextEnd < ends.length && (ends[nextEnd] ?? 0) <= begin) nextEnd++;
    at = ends[nextEnd] ?? text.length;
    kept += lineBreaks(text.slice(begin, at));
  }
  return kept + text.slice(at);
}

function lineBreaks(text: string): string {
  return text.replace(/[^\n]+/g, '');
}

const HIDDEN = '…';

/** User information of URLs, passwords, tokens: whatever is named as one, and what looks like one. */
function withoutSecrets(text: string): string {
  return (
    text
      .replace(/(:\/\/)[^\s/?#"']{1,600}@/g, `$1${HIDDEN}@`)
      .replace(/(:\/\/[^\s:/@"']{0,200}:)[^\s"']{1,600}@/g, `$1${HIDDEN}@`)
      .replace(/\b(bearer|authorization["']?[:=]? ?(?:basic|digest|negotiate))\s+[\w+/=.~-]{1,4096}/gi, `$1 ${HIDDEN}`)
      .replace(NAMED_SECRET, `$1${HIDDEN}`)
      .replace(/\beyJ[\w-]{8,4096}(?:\.[\w-]{0,4096}){1,2}/g, HIDDEN)
      // Keys, tokens and their like; a host name that is as long has hyphens and no capitals.
      .replace(/[\w+=-]{40,4096}/g, (word) => (/^[a-z\d-]*-[a-z\d-]*$/.test(word) ? word : HIDDEN))
  );
}

/** OpenSSL's "X509_check_private_key:key values mismatch" is a function and its words. */
const NAMED_SECRET =
  /(?<!X509_check_)((?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|auth|credential|private_?key)s?["']?\s{0,3}(?:=>|=|:(?!\/\/))\s{0,3})(?:"[^"]{0,2000}"?|'[^']{0,2000}'?|[^\s,;&"']{1,2000})/gi;

/** A value out of a text, for evidence: short, on one line, and no secret. */
export function shown(value: string): string {
  const text = plain(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

/** ASCII letters and digits. */
function isWordCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
}

function isSpace(code: number): boolean {
  return code <= 32;
}
