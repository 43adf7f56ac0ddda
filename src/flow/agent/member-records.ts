/** What was set up on this host for the members of a stack, remembered for longer than the stack file names them. */
import type { Footprint } from '../../core/services/footprint.ts';
import type { MemberName } from '../../core/stack/member-name.ts';

export interface MemberRecords {
  /**
   * Called before anything is changed. What lay in other places is still remembered, and places that were another member's, of
   * whatever stack, are this one's from now on.
   *
   * @throws OperatorFault disk-full, file-unwritable
   */
  readonly remember: (member: MemberName, footprint: Footprint) => void;
  /** Of this stack, also those that its file no longer names. */
  readonly members: () => readonly MemberName[];
  /** The latest first; none where nothing was set up. */
  readonly footprints: (member: MemberName) => readonly Footprint[];
  /** @param gone what was taken out; null: everything */
  readonly forget: (member: MemberName, gone: Footprint | null) => void;
  /** The path without links. */
  readonly realPath: (path: string) => string;
}
