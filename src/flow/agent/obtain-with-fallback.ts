/** A certificate from the first issuer of a list that gives one. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { IssuerSpec } from '../../core/stack/stack.ts';

/** The issuer, and then its fallbacks in order; theirs are not followed. */
export function issuersInOrder(name: string, issuers: Readonly<Record<string, IssuerSpec>>): readonly string[] {
  const spec = issuers[name];
  return [...new Set([name, ...(spec?.kind === 'acme' ? spec.fallback : [])])];
}

/**
 * Asks one issuer after the other, whatever the fault: a refusal, a limit, the network.
 *
 * @param issuers in order, at least one
 * @param obtainFrom throws OperatorFault when an issuer fails; anything else is a bug, and ends it
 * @throws OperatorFault of the last one. After several its words are those of all, and `retryAfterSeconds` is there
 *   only when every issuer asked to wait: the shortest wait
 */
export async function obtainWithFallback<T>(
  issuers: readonly string[],
  obtainFrom: (issuer: string) => Promise<T>,
): Promise<T> {
  const failed: { readonly issuer: string; readonly fault: OperatorFault }[] = [];
  for (const issuer of issuers) {
    try {
      return await obtainFrom(issuer);
    } catch (fault) {
      if (!(fault instanceof OperatorFault)) throw fault;
      failed.push({ issuer, fault });
    }
  }
  const last = failed.at(-1);
  if (!last) throw new RangeError('there is no issuer to ask');
  if (failed.length === 1) throw last.fault;
  const words = failed.map(({ issuer, fault }) => `${issuer}: ${fault.message}`).join('; ');
  const { retryAfterSeconds: _, ...facts } = last.fault.facts;
  const wait = shortestWait(failed.map(({ fault }) => fault));
  throw new OperatorFault(
    last.fault.code,
    `none of ${failed.length} issuers gave a certificate. ${words}`,
    { ...facts, ...(wait !== null && { retryAfterSeconds: wait }) },
    new AggregateError(failed.map(({ fault }) => fault)),
  );
}

function shortestWait(faults: readonly OperatorFault[]): number | null {
  const waits = faults.map(({ facts }) => facts.retryAfterSeconds);
  const asked = waits.filter((wait): wait is number => typeof wait === 'number');
  return asked.length === faults.length ? Math.min(...asked) : null;
}
