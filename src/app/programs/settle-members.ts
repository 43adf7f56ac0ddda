/** Members are looked at each for itself: what keeps one from being planned is said of that one, and hides nothing of the others. */
import type { MemberName } from '../../core/stack/member-name.ts';
import type { FilePlace } from '../../core/stack/stack.ts';
import type { MemberError } from '../../flow/agent/keep-stack.ts';
import { wordsOf } from '../../flow/agent/step.ts';
import type { StackMember } from './stack-members.ts';

export interface SettledError extends MemberError {
  /** Where the stack file names the member. */
  readonly where?: FilePlace;
}

export type Settled<T, M extends StackMember = StackMember> =
  | { readonly member: M; readonly found: T; readonly error: null }
  | { readonly member: M; readonly found: null; readonly error: SettledError };

/** All at once, in the order of the members. */
export function settleMembers<T, M extends StackMember>(
  members: readonly M[],
  look: (member: M) => Promise<T>,
): Promise<readonly Settled<T, M>[]> {
  return Promise.all(
    members.map((member) =>
      look(member).then(
        (found) => ({ member, found, error: null }),
        (fault: unknown) => ({ member, found: null, error: settledError(fault, member) }),
      ),
    ),
  );
}

/** Of a fault that came before anything was done for the member. */
export function settledError(fault: unknown, member: MemberName | StackMember): SettledError {
  const place = 'client' in member ? member.client.place : 'service' in member ? member.service.place : undefined;
  return { step: 'plan', ...wordsOf(fault), ...(place && { where: place }) };
}

/** For people: FILE:LINE:COLUMN goes before it. */
export function detailAt({ detail, where }: SettledError): string {
  return where ? `${where.file}:${where.line}:${where.column}: ${detail}` : detail;
}
