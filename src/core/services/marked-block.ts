/**
 * One marked block in a person's file. Nothing outside the markers is touched, not even the line ending of the last
 * line, so that taking the block out gives back the file byte for byte:
 *
 *   # BEGIN fullchain auth-db
 *   ssl = on
 *   # END fullchain auth-db
 *
 * Only a whole block is ours. A marker that lost its partner is a comment like any other and stays where it is.
 */

export interface BlockStyle {
  /** Where a new block goes; an existing one stays where it is. */
  readonly place: 'start' | 'end';
  /** Begins a comment line in this file: "#" or ";". */
  readonly comment: string;
}

/** The text with the block of this service as given, or without it when `lines` is null. Idempotent. */
export function setMarkedBlock(
  text: string,
  service: string,
  lines: readonly string[] | null,
  { place, comment }: BlockStyle,
): string {
  const markers: Markers = {
    begin: `${comment} BEGIN fullchain ${service}`,
    end: `${comment} END fullchain ${service}`,
  };
  const [first, ...others] = wholeBlocks(text, markers);
  // A copy further down would go before ours where the last value wins.
  const alone = others.reduceRight(cutOut, text);
  if (lines === null) return first ? cutOut(alone, first) : alone;
  const eol = first?.eol ?? lineEnding(text);
  const block = [markers.begin, ...lines, markers.end].join(eol);
  if (first) return alone.slice(0, first.start) + block + alone.slice(first.end);
  if (alone === '') return block + eol;
  if (place === 'start') return block + eol + alone;
  // A file whose last line has no ending keeps it so.
  return alone.endsWith('\n') ? alone + block + eol : alone + eol + block;
}

interface Markers {
  readonly begin: string;
  readonly end: string;
}

/** From the first character of the first marker to the last of the last, without the line ending. */
interface Span {
  readonly start: number;
  readonly end: number;
  /** The line ending inside the block. */
  readonly eol: LineEnding;
}

type LineEnding = '\n' | '\r\n';

function wholeBlocks(text: string, { begin, end }: Markers): Span[] {
  const blocks: Span[] = [];
  let opened: Pick<Span, 'start' | 'eol'> | null = null;
  for (const line of text.matchAll(/[^\n]*/g)) {
    // Editors trim, and CRLF leaves its CR here.
    const content = line[0].trimEnd();
    // The nearest beginning counts: what stands between an orphan and the next one is not ours.
    if (content === begin) opened = { start: line.index, eol: line[0].endsWith('\r') ? '\r\n' : '\n' };
    if (content !== end || opened === null) continue;
    blocks.push({ ...opened, end: line.index + content.length });
    opened = null;
  }
  return blocks;
}

function cutOut(text: string, { start, end, eol }: Span): string {
  const before = text.slice(0, start);
  const rest = text.slice(end);
  const ending = /^[^\S\n]*\n/.exec(rest)?.[0];
  if (ending !== undefined) return before + rest.slice(ending.length);
  // At the end of a file without a last line ending: the one before the block came with it.
  return before.endsWith(eol) ? before.slice(0, -eol.length) : before;
}

/** Of the first line; files with both kinds exist, and this is where a person looks. */
function lineEnding(text: string): LineEnding {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}
