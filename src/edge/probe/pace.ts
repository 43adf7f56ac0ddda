/** Not too much at once, and not too fast: how servers are spared while they are asked many things. */

/** Does the work when it is its turn. */
export type Pace = <T>(work: () => Promise<T>) => Promise<T>;

/** So many at the same time; the others wait in order. */
export function atMost(atOnce: number): Pace {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((turn) => waiting.push(turn));
    else running++;
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/**
 * So many begin in a second, evenly; Infinity: no limit.
 *
 * @param nowMs of a clock that never goes back
 */
export function perSecond(rate: number, nowMs: () => number, sleep: (ms: number) => Promise<unknown>): Pace {
  if (!Number.isFinite(rate)) return (work) => work();
  const everyMs = 1000 / rate;
  let next = 0;
  return async (work) => {
    const now = nowMs();
    const at = Math.max(now, next);
    next = at + everyMs;
    if (at > now) await sleep(at - now);
    return work();
  };
}
