/** One row of what programs say: the words, who says them, and what is behind them on either side. */
import type { CauseId } from './causes.ts';
import type { Confidence } from './finding.ts';

export type Side = 'client' | 'server';

export interface Candidate {
  readonly id: CauseId;
  readonly confidence: Confidence;
  /** In place of the usual sentence. */
  readonly what?: string;
  /** In place of the usual command. `{…}` is filled from what was taken out of the text; without it there is no command. */
  readonly command?: string;
}

export interface MessageRow {
  /**
   * Any of these. Words in lower case with a space between; punctuation, "_" and line breaks in the text do not matter.
   * Earlier rows take their words away from later ones.
   */
  readonly says: readonly string[];
  /** Must hold around the words. Named groups become evidence. Bounded quantifiers only. */
  readonly near?: RegExp;
  /** `near` must hold in the line that says it; else, what stands around it will do. */
  readonly inLine?: boolean;
  /** Must not hold in the line. */
  readonly unless?: RegExp;
  /** Said by or of an authority: addresses beside it are the authority's, and not what it is about. */
  readonly ofAuthority?: boolean;
  /** What else to take out of what stands around the words: the first match of each. */
  readonly takes?: readonly RegExp[];
  /** "particular": names the cause. "general": one reason of several. "symptom": only where nothing else is said. */
  readonly rank: 'particular' | 'general' | 'symptom';
  /** Whose words they are where nothing shows it; the other side's reading is then only possible. */
  readonly usually?: Side;
  /** Behind it where a client says it; absent: a client's words are no sign of anything. */
  readonly client?: readonly Candidate[];
  readonly server?: readonly Candidate[];
}

export function certain(id: CauseId, what?: string): Candidate {
  return { id, confidence: 'certain', ...(what !== undefined && { what }) };
}

export function likely(id: CauseId, what?: string): Candidate {
  return { id, confidence: 'likely', ...(what !== undefined && { what }) };
}

export function possible(id: CauseId, what?: string): Candidate {
  return { id, confidence: 'possible', ...(what !== undefined && { what }) };
}

/** Whoever says it. */
export function either(...candidates: readonly Candidate[]): Pick<MessageRow, 'client' | 'server'> {
  return { client: candidates, server: candidates };
}

/** A client's words, unless a line shows that a server verified its client. */
export function verifying(
  row: Omit<MessageRow, 'rank' | 'usually'> & { readonly rank?: MessageRow['rank'] },
): MessageRow {
  // Names are verified by clients alone; a server that does so is a client of another one.
  return { rank: 'particular', usually: 'client', ...(row.client && { server: row.client }), ...row };
}
