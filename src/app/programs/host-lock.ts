/** One at a time changes this host: held while any work is done, by an apply for its whole run, by an agent for each look. */
import { takeLock } from '../../edge/files/exclusive-lock.ts';

export interface HostLock {
  /** False: somebody else has it. Taken once, however many pieces of work this process does at the same time. */
  readonly enter: () => boolean;
  readonly leave: () => void;
}

export function hostLock(path: string): HostLock {
  let held: { readonly release: () => void } | null = null;
  let inside = 0;
  return {
    enter() {
      held ??= takeLock(path);
      if (held === null) return false;
      inside++;
      return true;
    },
    leave() {
      inside--;
      if (inside > 0) return;
      held?.release();
      held = null;
    },
  };
}
