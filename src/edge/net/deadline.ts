/** Work that ends in time: by itself, by its own limit, or because the caller gave up. */

export class DeadlineExceeded extends Error {
  readonly code = 'deadline-exceeded';
  readonly limitMs: number;
  constructor(limitMs: number) {
    super(`not done within ${limitMs} ms`);
    this.name = 'DeadlineExceeded';
    this.limitMs = limitMs;
  }
}

/**
 * Runs `work` with a signal that aborts when `signal` does (with its reason) or after `limitMs` (with a
 * DeadlineExceeded). `work` must end when its signal aborts; nothing stays behind on `signal` afterwards.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limited = new AbortController();
  const timer = setTimeout(() => limited.abort(new DeadlineExceeded(limitMs)), limitMs);
  const passOn = (): void => limited.abort(signal.reason);
  signal.addEventListener('abort', passOn, { once: true });
  try {
    return await work(limited.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', passOn);
  }
}

/** The promise, or a rejection with the signal's reason if that comes first: for work that cannot be cancelled. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** 10_000 → "10 s", 250 → "250 ms". */
export function formatLimit(limitMs: number): string {
  return limitMs >= 1000 ? `${Math.round(limitMs / 100) / 10} s` : `${limitMs} ms`;
}
