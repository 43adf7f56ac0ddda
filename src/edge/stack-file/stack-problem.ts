/** What is wrong with a stack file, where, and how places and values are named in messages. */

export interface StackProblem {
  /** Both from 1; a column is a UTF-16 unit, as editors count. */
  readonly line: number;
  readonly column: number;
  /** How many characters from there are at fault and may be shown; 0 where they might be a secret. */
  readonly length: number;
  /** "services.auth-db.names[2]"; empty for the file itself. */
  readonly path: string;
  readonly what: string;
  /** What was probably meant. */
  readonly nearest?: string;
}

/** Offsets into the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function keyPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${quoted(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

const LONGEST_SHOWN = 60;

/** A value for a message: short, printable, and without a password that is part of an address. */
export function quoted(text: string): string {
  const open = text.replace(USER_INFO, '//…@');
  const cut = open.length > LONGEST_SHOWN ? `${open.slice(0, LONGEST_SHOWN)}…` : open;
  return printable(JSON.stringify(cut));
}

/** User and password in an address. */
export const USER_INFO = /\/\/[^/\s]*@/g;

/** Without anything that could command a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Words in a row; of many, the first. */
export function listed(words: readonly string[]): string {
  const shown = words.slice(0, 20).join(', ');
  return words.length > 20 ? `${shown} and ${words.length - 20} more` : shown;
}

/** Controls, and what changes the direction of writing. */
export const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
