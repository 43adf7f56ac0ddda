/**
 * Which certificates would be refused if a root were retired now, from the records: those in force below it. One that
 * was issued again has a successor: where the records say what a certificate replaces, that one; otherwise one for the
 * same names and purpose below another root, and each of those counts once, because many hosts may share names.
 */
import type { Hex } from '../bytes/hex.ts';
import type { Instant } from '../time/instant.ts';

export interface RecordedLeaf {
  readonly id: number;
  /** What it was issued in place of; null: the records do not say. */
  readonly replacesId: number | null;
  readonly serial: string;
  readonly issuerKeyId: Hex;
  readonly names: readonly string[];
  readonly subject: string;
  readonly profile: string;
  readonly provisioner: string;
  readonly notAfter: Instant;
}

export interface LeavesOfOldRoot<Leaf extends RecordedLeaf> {
  /** In force, and nothing has been issued in their place. */
  readonly inUse: readonly Leaf[];
  /** In force, and replaced as far as the records can tell. */
  readonly replaced: readonly Leaf[];
}

/** @param leaves in force and not revoked, in any order */
export function leavesOfOldRoot<Leaf extends RecordedLeaf>(
  leaves: readonly Leaf[],
  isOfOldRoot: (issuerKeyId: Hex) => boolean,
): LeavesOfOldRoot<Leaf> {
  const renewed = new Set(leaves.flatMap(({ replacesId }) => replacesId ?? []));
  const successors = new Map<string, number>();
  for (const leaf of leaves)
    if (!isOfOldRoot(leaf.issuerKeyId) && leaf.replacesId === null)
      successors.set(kindOf(leaf), (successors.get(kindOf(leaf)) ?? 0) + 1);
  const inUse: Leaf[] = [];
  const replaced: Leaf[] = [];
  for (const leaf of leaves) {
    if (!isOfOldRoot(leaf.issuerKeyId)) continue;
    if (renewed.has(leaf.id)) {
      replaced.push(leaf);
      continue;
    }
    const left = successors.get(kindOf(leaf)) ?? 0;
    successors.set(kindOf(leaf), left - 1);
    (left > 0 ? replaced : inUse).push(leaf);
  }
  return { inUse, replaced };
}

function kindOf({ names, subject, profile }: RecordedLeaf): string {
  return JSON.stringify([[...names].sort(), names.length === 0 ? subject : '', profile]);
}
