/** The authority of this host's state directory, for a stack: opened when something is issued, since a plan needs no password. */
import { parseCertificate } from '../../core/x509/certificate.ts';
import { fileStamp } from '../../edge/files/file-stamp.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { requireInitialised } from '../authority-files.ts';
import { type LocalIssuer, openLocalIssuer } from '../local-issuer.ts';
import type { PasswordOptions } from '../passwords.ts';
import { trustedRoots } from '../trusted-roots.ts';
import { type StackAuthority, type StackRoots, sameRoots } from './stack-authority.ts';

/** Whose limits apply to what a stack asks for. */
const PROVISIONER = 'admin';

/** @throws OperatorFault not-initialised, state-incomplete, key-mismatch */
export function openLocalAuthority(paths: StatePaths, password: PasswordOptions): StackAuthority {
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
  return {
    remote: false,
    roots: () => roots,
    async issue(request) {
      return (await (await issuer()).issue({ ...request, provisioner: PROVISIONER })).map(parseCertificate);
    },
    async refreshRoots() {
      const next = trustedRoots(paths);
      const changed = !sameRoots(roots, next);
      roots = next;
      return changed;
    },
    close,
  };
}
