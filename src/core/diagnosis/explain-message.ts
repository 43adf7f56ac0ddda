/**
 * Explains an error text, a line of a log or several, or an ACME problem document, without a connection. Whose words
 * they are decides what they mean; where the text does not say, both readings are given, and what would decide.
 */

import { formatHostPort } from '../stack/host-port.ts';
import { limitAdvice } from './acme-limits.ts';
import { CAUSES, type CauseId, causeFinding, shellQuoted } from './causes.ts';
import { CONFIDENCES, type Confidence, type Finding, type FindingPlace, sortFindings } from './finding.ts';
import { evidenceFrom, retryAfter } from './message-evidence.ts';
import type { Candidate, MessageRow, Side } from './message-row.ts';
import { MESSAGE_ROWS } from './message-rows.ts';
import { SENTENCES, type Taken } from './message-sentences.ts';
import { sideOf, sideOfText } from './message-side.ts';
import { type MessageText, messageText, type Surroundings, shown, surroundings } from './message-text.ts';

/** findings.md: best first. */
const MOST_CANDIDATES = 3;
/** Of the same words: in a log, the latest tell what happens now. */
const KEPT_PLACES = 4;
/** Of all words: whoever pastes a log asks for its end. */
const MOST_PLACES = 60;
/** Words that lie farther apart than this belong to different messages. */
const WIDEST_GAP = 40;

export interface ExplainOptions {
  /** Whose text it is; null: as the text shows, or unknown. */
  readonly side: Side | null;
  readonly where: FindingPlace;
}

/** Best first, at most three; empty: nothing in the text is known. Never a secret of the text in it. */
export function explainMessage(text: string, { side, where }: ExplainOptions): readonly Finding[] {
  const message = messageText(text);
  const explained = explainAll(said(placesIn(message), message), message, side);
  const told = explained.filter(({ candidates }) => candidates.length > 0);
  const rank = (['particular', 'general', 'symptom'] as const).find((one) => told.some(({ row }) => row.rank === one));
  const best = told.filter(({ row }) => row.rank === rank);
  return sortFindings(byCause(best).map((one) => finding(one, where, message))).slice(0, MOST_CANDIDATES);
}

interface Place {
  readonly row: MessageRow;
  readonly start: number;
  readonly end: number;
}

interface Saying {
  readonly row: MessageRow;
  readonly words: readonly string[];
}

/** First word → what begins with it. */
const SAYINGS: ReadonlyMap<string, readonly Saying[]> = Map.groupBy(
  MESSAGE_ROWS.flatMap((row) => row.says.map((says): Saying => ({ row, words: says.split(' ') }))),
  ({ words: [first = ''] }) => first,
);

/** Where anything known is said, row by row in their order. */
function placesIn({ words, starts, ends }: MessageText): Place[] {
  const found = new Map<Saying, Place[]>();
  for (let at = 0; at < words.length; at++) {
    const first = words[at];
    for (const saying of (first !== undefined && SAYINGS.get(first)) || []) {
      if (!saysFrom(words, starts, ends, at, saying.words)) continue;
      const [start, end] = [starts[at] ?? 0, ends[at + saying.words.length - 1] ?? 0];
      const places = found.get(saying);
      if (places === undefined) found.set(saying, [{ row: saying.row, start, end }]);
      else {
        places.push({ row: saying.row, start, end });
        if (places.length > KEPT_PLACES) places.shift();
      }
    }
  }
  const latest = [...found.values()]
    .flat()
    .toSorted((a, b) => b.start - a.start)
    .slice(0, MOST_PLACES);
  return latest.toSorted((a, b) => MESSAGE_ROWS.indexOf(a.row) - MESSAGE_ROWS.indexOf(b.row));
}

function saysFrom(
  words: readonly string[],
  starts: readonly number[],
  ends: readonly number[],
  at: number,
  said: readonly string[],
): boolean {
  return said.every(
    (word, i) => words[at + i] === word && (i === 0 || (starts[at + i] ?? 0) - (ends[at + i - 1] ?? 0) <= WIDEST_GAP),
  );
}

interface Said extends Place, Surroundings {}

/** The places where a row holds. A row takes its words away from the rows behind it. */
function said(places: readonly Place[], message: MessageText): Said[] {
  const found: Said[] = [];
  for (const place of places) {
    if (found.some(({ row, start, end }) => row !== place.row && place.start < end && place.end > start)) continue;
    const one = { ...place, ...surroundings(message, place.start, place.end) };
    if (holds(one)) found.push(one);
  }
  return found;
}

/** Best in its own line; a message may go over several. */
function holds({ row: { near, unless, inLine = false }, line, window }: Said): boolean {
  if (unless?.test(line)) return false;
  return near === undefined || near.test(line) || (!inLine && near.test(window));
}

interface Explained {
  readonly row: MessageRow;
  readonly side: Side | null;
  readonly said: string;
  readonly taken: Taken;
  readonly candidates: readonly Candidate[];
  readonly start: number;
}

/** A text has one side, as a rule: what one line shows counts for those that show nothing. */
function explainAll(all: readonly Said[], message: MessageText, given: Side | null): Explained[] {
  const sides = all.map(({ line, window }) => sideOf(line, given, window));
  const shown = new Set(sides.filter((side) => side !== null));
  const [only = null] = shown.size === 1 ? shown : shown.size === 0 ? [sideOfText(message.text)] : [];
  return all.map((one, i) => explain(one, message, sides[i] ?? only));
}

function explain({ row, start, end, line, window }: Said, message: MessageText, side: Side | null): Explained {
  return {
    row,
    side,
    said: shown(message.text.slice(start, end)),
    taken: evidenceFrom(row, [line, window]),
    candidates: candidatesOf(row, side),
    start,
  };
}

/** Where it could be either side, both are heard, and none is certain. */
function candidatesOf({ client = [], server = [], usually }: MessageRow, side: Side | null): readonly Candidate[] {
  if (side !== null) return side === 'client' ? client : server;
  if (client === server) return client;
  if (client.length === 0 || server.length === 0) return [...client, ...server];
  const [other] = server;
  if (usually === 'client' && other !== undefined) return [...client, { ...other, confidence: 'possible' }];
  const mixed = [0, 1, 2].flatMap((i) => [client[i], server[i]]).filter((one) => one !== undefined);
  return client[0]?.id === server[0]?.id ? mixed : mixed.map(lessCertain);
}

function lessCertain(candidate: Candidate): Candidate {
  return candidate.confidence === 'certain' ? { ...candidate, confidence: 'likely' } : candidate;
}

interface Reading {
  readonly id: CauseId;
  readonly confidence: Confidence;
  readonly explained: Explained;
  readonly candidate: Candidate;
}

/** One finding a cause: the surest reading, and of equally sure ones the latest. */
function byCause(explained: readonly Explained[]): Reading[] {
  const readings = explained.flatMap((one) =>
    one.candidates.map(
      (candidate): Reading => ({ id: candidate.id, confidence: candidate.confidence, explained: one, candidate }),
    ),
  );
  const best = new Map<CauseId, Reading>();
  for (const reading of readings) {
    const known = best.get(reading.id);
    const surer = known === undefined ? 0 : rankOf(reading) - rankOf(known);
    if (known === undefined || surer < 0 || (surer === 0 && reading.explained.start > known.explained.start))
      best.set(reading.id, reading);
  }
  return [...best.values()];
}

function rankOf({ confidence }: Reading): number {
  return CONFIDENCES.indexOf(confidence);
}

function finding(
  { id, confidence, explained, candidate }: Reading,
  where: FindingPlace,
  message: MessageText,
): Finding {
  const { said, side } = explained;
  const taken = id === 'acme-rate-limited' ? { ...retryAfter(message), ...explained.taken } : explained.taken;
  const sentence = SENTENCES[id];
  const what = candidate.what ?? (typeof sentence.what === 'string' ? sentence.what : sentence.what(taken));
  const subject = typeof sentence.subject === 'string' ? sentence.subject : sentence.subject(taken);
  const target =
    taken.host === undefined || taken.port === undefined
      ? undefined
      : formatHostPort({ host: taken.host, port: Number(taken.port) });
  const words = harmless({
    ...taken,
    host: taken.asked ?? taken.name ?? taken.host,
    target,
    where: taken.name ?? target,
  });
  const { what: decides, by } = sentence.decide;
  const isCertain = confidence === 'certain';
  const limit = id === 'acme-rate-limited' ? limitAdvice(taken.limit ?? said) : null;
  const command = filled(limit?.command ?? candidate.command, words) ?? (isCertain ? null : filled(by, words));
  const decide = by === undefined ? `${decides}.` : `${decides}: ${withBlanks(by, words)}.`;
  return causeFinding(id, {
    subject: subject ?? 'the connection',
    where,
    what: `“${said}”: ${what}.`,
    confidence,
    evidence: { said, saidBy: side ?? 'unknown', ...taken },
    words,
    remedy: {
      ...(limit !== null && { text: limit.remedy }),
      ...(!isCertain && { text: `${CAUSES[id].remedy}${whose(explained)} ${decide}` }),
      ...(command !== null && { command }),
    },
  });
}

function whose({ side, row }: Explained): string {
  return side === null && row.client !== row.server ? ' Whose text it is decides: --side client or server.' : '';
}

type Words = Readonly<Record<string, string | undefined>>;

/** What begins like an option is no word for a command; a target that is not known is none, be the text a file of one. */
function harmless(words: Words): Words {
  return Object.fromEntries(
    Object.entries(words).map(([name, word]) => [name, word?.startsWith('-') ? undefined : word]),
  );
}

const PLACE = /\{(\w+)\}/g;

/** null where a word is missing, or the command. */
function filled(command: string | undefined, words: Words): string | null {
  if (command === undefined) return null;
  const isWhole = [...command.matchAll(PLACE)].every(([, name = '']) => words[name] !== undefined);
  return isWhole ? command.replaceAll(PLACE, (_, name: string) => shellQuoted(words[name] ?? '')) : null;
}

const BLANKS: Words = { target: 'HOST:PORT', name: 'NAME', cert: 'FILE', key: 'FILE', user: 'USER', webroot: 'DIR' };

/** For a sentence: what is to be filled in is in capitals. */
function withBlanks(command: string, words: Words): string {
  return command.replaceAll(PLACE, (_, name: string) => {
    const word = words[name];
    return word === undefined ? (BLANKS[name] ?? name.toUpperCase()) : shellQuoted(word);
  });
}
