/**
 * A pair is proven before anything is touched: it parses, key and certificate belong together, the chain leads to
 * its issuer's root, names, dates and usages are as asked. Only this file makes a ProvenPair, and only a
 * ProvenPair is installed.
 */
import { bytesEqual } from '../bytes/compare.ts';
import type { Instant } from '../time/instant.ts';
import type { Certificate } from '../x509/certificate.ts';
import { formatGeneralName, type GeneralName, generalNameKey } from '../x509/general-name.ts';
import { validatePath } from '../x509/path.ts';
import { subjectAltNames } from '../x509/subject-alt-name.ts';

declare const proven: unique symbol;

export interface ProvenPair {
  readonly [proven]: true;
  /** Leaf first, without the root. */
  readonly chain: readonly Certificate[];
  /** PKCS#8 PEM. */
  readonly keyPem: string;
  /** The bundle with which the owner of this pair verifies its peers. */
  readonly trust: readonly Certificate[];
}

export interface Pair {
  readonly chain: readonly Certificate[];
  readonly keyPem: string;
  /** SubjectPublicKeyInfo of the key, as read back from `keyPem`. */
  readonly publicKey: Uint8Array;
  /** Roots to which its chain may lead. */
  readonly anchors: readonly Certificate[];
}

export interface WantedPair {
  readonly names: readonly GeneralName[];
  readonly purpose: 'server' | 'client';
  /** See ProvenPair; null: the roots of the pair itself. */
  readonly trust: readonly Certificate[] | null;
}

export function provePair(pair: Pair, wanted: WantedPair, now: Instant): ProvenPair | { readonly flaw: string } {
  const [leaf, ...intermediates] = pair.chain;
  if (!leaf) return { flaw: 'the chain is empty' };
  if (!bytesEqual(leaf.publicKey.raw, pair.publicKey)) return { flaw: 'the key does not belong to the certificate' };
  const path = validatePath({ leaf, intermediates, anchors: pair.anchors, now, purpose: wanted.purpose });
  if (!path.ok) return { flaw: path.detail };
  // Exactly: one that another name only covers, such as a wildcard, would be due for its names at the next look.
  const named = new Set(subjectAltNames(leaf).map(generalNameKey));
  const absent = wanted.names.find((name) => !named.has(generalNameKey(name)));
  if (absent) return { flaw: `the certificate does not name ${formatGeneralName(absent)}` };
  const trust = wanted.trust ?? path.path.slice(-1);
  return { chain: pair.chain, keyPem: pair.keyPem, trust } as unknown as ProvenPair;
}
