/** The words of a failed look: one constructor, and how text that strangers wrote is shown in it. */
import type { ValidateChallenge, ValidationOutcome, ValidationProblemType } from '../../flow/ca/validation-ports.ts';
import { DeadlineExceeded, formatLimit, withDeadline } from './deadline.ts';
import { DnsFault } from './resolver.ts';

/** The outcome of a look that did not find what it wanted. */
export type Invalid = ValidationOutcome & { readonly kind: 'invalid' };

export function invalid(problem: ValidationProblemType, detail: string): Invalid {
  return { kind: 'invalid', problem, detail };
}

/**
 * A look with a limit over all its steps. Faults of DNS, the limit and the caller's abort become outcomes; what is
 * left is a bug and is thrown.
 */
export function boundedLook(limitMs: number, look: ValidateChallenge): ValidateChallenge {
  return async (target, signal) => {
    const interrupted = invalid('serverInternal', 'the validation was interrupted before it had a result');
    if (signal.aborted) return interrupted;
    try {
      const outcome = await withDeadline(signal, limitMs, (limited) => look(target, limited));
      return signal.aborted ? interrupted : outcome;
    } catch (cause) {
      if (signal.aborted) return interrupted;
      if (cause instanceof DnsFault) return invalid('dns', cause.message);
      if (cause instanceof DeadlineExceeded) {
        return invalid('connection', `the validation of ${target.value} had no result within ${formatLimit(limitMs)}`);
      }
      throw cause;
    }
  };
}

/** At most `maxLength` characters, quoted, without control characters or anything outside ASCII. */
export function excerpt(text: string, maxLength = 100): string {
  const shown = text.slice(0, maxLength).replace(/[^\x20-\x7e]/g, '?');
  return `"${shown}${text.length > maxLength ? '…' : ''}"`;
}
