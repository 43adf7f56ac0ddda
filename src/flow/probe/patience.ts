/** A server that fails a connection may be one that limits them: it is asked again, after a while and alone. */
import type { Attempt, AttemptResult } from './attempt.ts';
import { isBroken } from './refusal-code.ts';

export const BEFORE_RETRY_MS = 500;

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;

/** Of the looks that it is given, those that broke off once more. */
export function patient(handshake: Handshake, pause: (ms: number) => Promise<void>): Handshake {
  const alone = oneAtATime();
  return async (attempt) => {
    const first = await handshake(attempt);
    if (!isBroken(first)) return first;
    return alone(async () => {
      await pause(BEFORE_RETRY_MS);
      return handshake(attempt);
    });
  };
}

/** Each begins when the one before it has ended. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
