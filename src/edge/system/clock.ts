/** The clocks of this host. Only this file reads them. */
import { type Instant, instantFromMs } from '../../core/time/instant.ts';

export function wallClock(): Instant {
  return instantFromMs(Date.now());
}

/** In the time zone of this process. */
export function localTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Instant {
  return instantFromMs(new Date(year, month - 1, day, hour, minute, second).getTime());
}

/** Milliseconds that never go back, from an arbitrary start. */
export function monotonicMs(): number {
  return performance.now();
}

/** Watches the wall clock against the monotonic one: each call says by how many seconds it was set since the last. */
export function clockStepWatch(): () => number {
  let wall = Date.now();
  let steady = performance.now();
  return () => {
    const [nextWall, nextSteady] = [Date.now(), performance.now()];
    const step = Math.round((nextWall - wall - (nextSteady - steady)) / 1000);
    wall = nextWall;
    steady = nextSteady;
    return step;
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
