/** The authority that a stack calls "internal": of this host's state directory, or on another host. */
import type { KeyObject } from 'node:crypto';
import type { LeafProfileName } from '../../core/issuance/profile.ts';
import type { Revocation } from '../../core/revocation/revocation.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';

export interface StackRoots {
  /** To which new certificates lead. */
  readonly active: Certificate;
  /** What peers are to trust now, the active one first: more than one while a root is being replaced. */
  readonly bundle: readonly Certificate[];
}

export interface CertificateRequest {
  readonly profile: LeafProfileName;
  readonly names: readonly GeneralName[];
  readonly key: KeyObject;
  readonly lifetimeSeconds: number;
  readonly commonName?: string;
}

/** A pair in use: it proves who asks for its successor. */
export interface PairInUse {
  readonly certificate: Certificate;
  readonly chainPem: string;
  readonly keyPem: string;
}

export interface StackAuthority {
  /** On another host: asking it costs a connection. */
  readonly remote: boolean;
  readonly roots: () => StackRoots;
  /**
   * Leaf and intermediates.
   *
   * @param previous what the new certificate replaces; null: it is the first
   * @throws OperatorFault issuance-refused, token-refused, authority-unreachable, and what opening the state throws
   */
  readonly issue: (request: CertificateRequest, previous: PairInUse | null) => Promise<readonly Certificate[]>;
  /** Of a certificate that leads to its roots, as far as is known since the last refresh; null: it was not revoked. */
  readonly revocation: (leaf: Pick<Certificate, 'serial'>) => Revocation | null;
  /** PEM of the lists by which services refuse revoked clients; null: nobody wanted them, or they are not complete. */
  readonly revocationLists: () => string | null;
  /** Why the next refresh signs one of these anew, for people; null: it does not. */
  readonly listToSign: () => string | null;
  /** Asks again which roots and lists there are and what was revoked; true when there is something new. @throws OperatorFault authority-unreachable, and what opening the state throws */
  readonly refresh: () => Promise<boolean>;
  readonly close: () => void;
}

export function sameRoots(a: StackRoots, b: StackRoots): boolean {
  const prints = ({ active, bundle }: StackRoots): string =>
    [active, ...bundle].map(({ fingerprint }) => fingerprint).join();
  return prints(a) === prints(b);
}
