/** What an ACME server answers (RFC 8555 §7.1), as far as a client reads it. Nothing in it is believed to be there. */
import { type AcmeAnswer, AcmeRefused, problemWords } from './signed-request.ts';

export interface Resource {
  readonly status?: string;
  readonly authorizations?: readonly string[];
  readonly finalize?: string;
  readonly certificate?: string;
  readonly identifier?: { readonly value?: string };
  readonly challenges?: readonly ChallengeResource[];
  readonly error?: Readonly<Record<string, unknown>>;
}

export interface ChallengeResource {
  readonly type?: string;
  readonly url?: string;
  readonly token?: string;
  readonly status?: string;
  readonly error?: Readonly<Record<string, unknown>>;
}

export interface Directory {
  readonly newNonce?: string;
  readonly newAccount?: string;
  readonly newOrder?: string;
  readonly renewalInfo?: string;
}

/** @throws AcmeRefused when it is no JSON object */
export function jsonOf(answer: AcmeAnswer): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer.body);
  } catch (cause) {
    throw Object.assign(new AcmeRefused('malformed', 'the answer of the server is not JSON', null), { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new AcmeRefused('malformed', 'the answer of the server is no JSON object', null);
  return parsed as Readonly<Record<string, unknown>>;
}

/** @throws AcmeRefused when it is not there */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null || value === '')
    throw new AcmeRefused('malformed', `the answer of the server has no ${what}`, null);
  return value;
}

/** A problem inside a resource, as an error; `standing` is said where there is none. */
export function problemIn(problem: Resource['error'], identifier: string | null, standing: string): AcmeRefused {
  const type = typeof problem?.type === 'string' ? problem.type : 'invalid';
  const words = (problem && problemWords(problem)) || standing;
  const named = identifier === null || words.startsWith(`${identifier} `) ? words : `${identifier}: ${words}`;
  return new AcmeRefused(type, named, null, identifier);
}
