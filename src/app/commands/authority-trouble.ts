/** An authority that cannot be asked, as the commands that look at a stack tell of it: once, and with what was done without it. */
import { OPERATOR_FAULTS, OperatorFault } from '../../core/faults/operator-faults.ts';
import { wordsOf } from '../../flow/agent/step.ts';
import { paint } from '../cli/fault-output.ts';
import type { AuthorityTrouble } from '../programs/observed-world.ts';

const ROOTS = {
  known: 'the roots are those that were known last',
  installed: 'the roots are those that lie beside the installed pairs',
  none: 'its roots are not known here',
} as const satisfies Record<AuthorityTrouble['roots'], string>;

/** A part of the JSON document. */
export function authorityAnswer(trouble: AuthorityTrouble | null) {
  return trouble === null ? {} : { authority: { ok: false, roots: trouble.roots, error: wordsOf(trouble.fault) } };
}

export function authorityLines(trouble: AuthorityTrouble | null): string[] {
  if (trouble === null) return [];
  const { detail, remedy } = wordsOf(trouble.fault);
  return [
    `${'authority'.padEnd(16)} ${paint('yellow', 'not asked', process.stdout)}  ${detail}; ${ROOTS[trouble.roots]}`,
    `    next: ${remedy}`,
  ];
}

/** 1 when a member is at fault; what the fault says when the answer lacks something for want of the authority; else 0. */
export function exitOf(ok: boolean, lacking: AuthorityTrouble | null): number {
  if (!ok) return 1;
  if (lacking === null) return 0;
  return lacking.fault instanceof OperatorFault ? OPERATOR_FAULTS[lacking.fault.code].exit : 1;
}

/** Roots that are known are all that a look takes. */
export function lackingRoots(trouble: AuthorityTrouble | null): AuthorityTrouble | null {
  return trouble?.roots === 'known' ? null : trouble;
}
