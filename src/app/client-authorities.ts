/** Whose revocation lists a service needs to refuse revoked clients: OpenSSL wants one of every authority above a client. */
import type { Instant } from '../core/time/instant.ts';
import type { Certificate } from '../core/x509/certificate.ts';
import { keyUsage } from '../core/x509/key-usage.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { keyIdOf } from './authority-keys.ts';
import type { RevocationList } from './revocation-lists.ts';
import { isAbove, issuingCertificate, nextIntermediate, previousIntermediates, trustedRoots } from './trusted-roots.ts';

/** The trusted roots and every valid intermediate below them: in use, replaced, or prepared. @throws OperatorFault as trustedRoots */
export function clientAuthorities(paths: StatePaths, now: Instant): readonly Certificate[] {
  const { bundle } = trustedRoots(paths);
  const next = nextIntermediate(paths);
  const intermediates = [issuingCertificate(paths), ...previousIntermediates(paths), ...(next ? [next] : [])].filter(
    (intermediate) => now <= intermediate.validity.notAfter && bundle.some((root) => isAbove(root, intermediate)),
  );
  return [...bundle, ...intermediates];
}

/**
 * The lists of all of them, DER; null where one has none, or may sign none: a service that wants one of each would then
 * refuse every client below it.
 */
export async function listsOf(
  authorities: readonly Certificate[],
  listOf: RevocationList,
): Promise<readonly Uint8Array[] | null> {
  if (authorities.some((authority) => keyUsage(authority)?.includes('cRLSign') === false)) return null;
  const lists = await Promise.all(authorities.map((authority) => listOf(keyIdOf(authority))));
  const found = lists.filter((list) => list !== null);
  return found.length === lists.length ? found : null;
}
