/**
 * A stack whose file is read again when it changes, with its world. A file that is missing or has mistakes changes
 * nothing: what was right before holds until it is right again. The same for roots that cannot be asked for.
 */

import type { Stack } from '../../core/stack/stack.ts';
import { fileStamp } from '../../edge/files/file-stamp.ts';
import { monotonicMs } from '../../edge/system/clock.ts';
import type { StackWorld } from './stack-world.ts';

export interface FollowedStack {
  /** True when members are to be looked at again: another file, other roots or other revocation lists. */
  readonly changed: () => Promise<boolean>;
  /** null until the file was right for the first time. */
  readonly stack: () => Stack | null;
  /** Work in the present world, which stays open until it is done. */
  readonly use: <T>(work: (stack: Stack, world: StackWorld) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export interface FollowPorts {
  readonly file: string;
  /** @throws OperatorFault what is wrong with the file, or with the authority's state */
  readonly open: () => Promise<{ readonly stack: Stack; readonly world: StackWorld }>;
  /** Told once for each state of the file. */
  readonly trouble: (fault: unknown, what: 'stack-file' | 'roots') => void;
}

/** An authority on another host is asked so often which roots and lists there are. */
const ROOTS_EVERY_MS = 300_000;

interface Present {
  readonly stack: Stack;
  readonly world: StackWorld;
  readonly working: Set<Promise<unknown>>;
}

export function followStack({ file, open, trouble }: FollowPorts): FollowedStack {
  let present: Present | null = null;
  let seen: string | null = null;
  /** What was kept from the last run is asked about at once. */
  let rootsAskedAt = Number.NEGATIVE_INFINITY;

  const retire = async (old: Present | null): Promise<void> => {
    if (old === null) return;
    await Promise.allSettled(old.working);
    old.world.close();
  };

  const reopened = async (stamp: string): Promise<boolean> => {
    try {
      const { stack, world } = await open();
      const old = present;
      present = { stack, world, working: new Set() };
      seen = stamp;
      void retire(old);
      return true;
    } catch (fault) {
      // An authority that is down may be up at the next look; a mistake in the file stays one until the file changes.
      if (present !== null) seen = stamp;
      trouble(fault, 'stack-file');
      return false;
    }
  };

  return {
    async changed() {
      const stamp = fileStamp(file);
      if (stamp !== seen) return reopened(stamp);
      if (present === null) return false;
      const { authority } = present.world;
      if (authority.remote && monotonicMs() - rootsAskedAt < ROOTS_EVERY_MS) return false;
      rootsAskedAt = monotonicMs();
      return authority.refresh().catch((fault: unknown) => {
        trouble(fault, 'roots');
        return false;
      });
    },
    stack: () => present?.stack ?? null,
    async use(work) {
      if (present === null) throw new Error('no stack has been read yet');
      const { stack, world, working } = present;
      const running = work(stack, world);
      working.add(running);
      try {
        return await running;
      } finally {
        working.delete(running);
      }
    },
    close: () => retire(present),
  };
}
