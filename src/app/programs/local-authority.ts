/** The authority of this host's state directory, for a stack: opened when something is issued, since a plan needs no password. */
import { saysMoreThan } from '../../core/revocation/revocation.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { fileStamp } from '../../edge/files/file-stamp.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { requireInitialised } from '../authority-files.ts';
import { type LocalIssuer, openLocalIssuer } from '../local-issuer.ts';
import type { PasswordOptions } from '../passwords.ts';
import { trustedRoots } from '../trusted-roots.ts';
import { readRevocations } from './recorded-revocations.ts';
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
    const { intermediateCertificate, nextIntermediateCertificate, rootCertificate, config } = paths;
    const files = [intermediateCertificate, nextIntermediateCertificate, rootCertificate, config];
    const stamp = files.map(fileStamp).join();
    if (opened?.stamp !== stamp) close();
    opened ??= { issuer: openLocalIssuer(paths, password), stamp };
    const { issuer: promise } = opened;
    // A disk that was full, a password that was missing: the next request tries again.
    promise.catch(() => {
      if (opened?.issuer === promise) opened = null;
    });
    return promise;
  };
  let recorded = await readRevocations(paths, null, { wanted: listsWanted, renew: null });
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
    revocation: ({ serial }) => recorded.revocations.get(serial) ?? null,
    revocationLists: () => recorded.lists,
    listToSign: () => recorded.toSign,
    async refresh() {
      const next = trustedRoots(paths);
      const nextRecorded = await readRevocations(paths, recorded, {
        wanted: listsWanted,
        renew: async (keyId) => (await issuer()).revocationList(keyId),
      });
      const changed =
        !sameRoots(roots, next) ||
        recorded.lists !== nextRecorded.lists ||
        saysMoreThan(nextRecorded.revocations, recorded.revocations);
      [roots, recorded] = [next, nextRecorded];
      return changed;
    },
    close,
  };
}
