/** Revocation lists beside the pair of a service that refuses clients by them; and what to say of one that cannot. */
import type { PairPaths } from './pair-layout.ts';
import type { ConfigurationChange, Trust } from './service-kind.ts';

/** Comes before the settings that name it. */
export function revocationListsFile(
  { revocationLists: path }: PairPaths,
  { revocationLists }: Trust,
): ConfigurationChange {
  return {
    kind: 'own-file',
    path,
    content: revocationLists ?? null,
    mode: 0o644,
    why: 'by these lists a client is refused whose certificate was revoked',
    isData: true,
  };
}

/** For a kind that reads lists: what it lacks where there are none. */
export function listsMissing({ verifyClients, revocationLists }: Trust): string[] {
  return verifyClients && revocationLists === undefined
    ? [
        'a revoked client is let in until its certificate ends: the authority has no revocation list of its root yet; the next fullchain ca rotate makes one',
      ]
    : [];
}

/** @param program such as "Redis" */
export function noRevocation(program: string, { verifyClients }: Trust): string[] {
  return verifyClients
    ? [
        `${program} reads no revocation lists: a revoked client is let in until its certificate ends, so let it end soon`,
      ]
    : [];
}
