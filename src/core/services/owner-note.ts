/** An owner that is declared, and that only root could give files to. */
import type { Facts } from './service-kind.ts';

export function ownerNotes({ ownerOutOfReach, user }: Pick<Facts, 'ownerOutOfReach' | 'user'>): string[] {
  return ownerOutOfReach === undefined
    ? []
    : [`files stay those of user ${user}: without root they cannot be given to ${ownerOutOfReach}`];
}
