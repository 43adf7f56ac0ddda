/** The authority of this host's state directory, for a stack: opened when something is issued, since a plan needs no password. */
import { pemFromDer } from '../../core/bytes/pem.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { fileStamp } from '../../edge/files/file-stamp.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { isCurrentCrl } from '../../flow/ca/publish-crl.ts';
import { requireInitialised } from '../authority-files.ts';
import { clientAuthorities, listsOf } from '../client-authorities.ts';
import { type LocalIssuer, openLocalIssuer } from '../local-issuer.ts';
import { openRecords } from '../open-state.ts';
import type { PasswordOptions } from '../passwords.ts';
import type { RevocationList } from '../revocation-lists.ts';
import { trustedRoots } from '../trusted-roots.ts';
import { type StackAuthority, type StackRoots, sameRoots } from './stack-authority.ts';

/** Whose limits apply to what a stack asks for. */
const PROVISIONER = 'admin';

/**
 * @param listsWanted whether revocation lists are
 * @throws OperatorFault not-initialised, state-incomplete, key-mismatch
 */
export async function openLocalAuthority(
  paths: StatePaths,
  password: PasswordOptions,
  listsWanted: boolean,
): Promise<StackAuthority> {
  requireInitialised(paths);
  let roots: StackRoots = trustedRoots(paths);
  let opened: { readonly issuer: Promise<LocalIssuer>; readonly stamp: string } | null = null;
  const close = (): void => {
    opened?.issuer.then(
      (issuer) => issuer.close(),
      () => undefined,
    );
    opened = null;
  };
  /** An intermediate that was replaced under a running agent is the one that issues from then on. */
  const issuer = (): Promise<LocalIssuer> => {
    const stamp = [paths.intermediateCertificate, paths.rootCertificate, paths.config].map(fileStamp).join();
    if (opened?.stamp !== stamp) close();
    opened ??= { issuer: openLocalIssuer(paths, password), stamp };
    const { issuer: promise } = opened;
    // A disk that was full, a password that was missing: the next request tries again.
    promise.catch(() => {
      if (opened?.issuer === promise) opened = null;
    });
    return promise;
  };
  let lists = listsWanted ? await storedLists(paths, null) : null;
  return {
    remote: false,
    roots: () => roots,
    async issue(request, previous) {
      const issued = await (await issuer()).issue({
        ...request,
        provisioner: PROVISIONER,
        ...(previous !== null && { replaces: previous.certificate.serial }),
      });
      return issued.map(parseCertificate);
    },
    revocationLists: () => lists,
    async refresh() {
      const next = trustedRoots(paths);
      const nextLists = listsWanted
        ? await storedLists(paths, async (keyId) => (await issuer()).revocationList(keyId))
        : null;
      const changed = !sameRoots(roots, next) || lists !== nextLists;
      [roots, lists] = [next, nextLists];
      return changed;
    },
    close,
  };
}

/**
 * As they were signed last, or by `renew` where it is time for another one: that needs the issuing key.
 *
 * @param renew null: whatever there is
 */
async function storedLists(paths: StatePaths, renew: RevocationList | null): Promise<string | null> {
  const { store, close } = openRecords(paths);
  try {
    const now = wallClock();
    const lists = await listsOf(clientAuthorities(paths, now), async (keyId) => {
      const stored = await store.latestCrl(keyId);
      if (renew === null || (stored && (await isCurrentCrl(store, keyId, stored, now)))) return stored?.der ?? null;
      return renew(keyId);
    });
    return lists === null ? null : lists.map((der) => pemFromDer('X509 CRL', der)).join('');
  } finally {
    close();
  }
}
