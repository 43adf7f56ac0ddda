/**
 * A root that may be trusted: its SHA-256 was known beforehand, and it is what only a root can be. Trust stores
 * accept nothing else, so that nothing is trusted because it was fetched (or lay in a file).
 */
import { type Hex, parseHex } from '../bytes/hex.ts';
import { describeSignatureAlgorithm } from './algorithm.ts';
import { basicConstraints } from './basic-constraints.ts';
import { type Certificate, isSelfIssued, verifyCertificateSignature } from './certificate.ts';
import { describeCertificate } from './describe.ts';
import { keyUsage } from './key-usage.ts';

declare const pinned: unique symbol;

export interface PinnedRoot {
  readonly [pinned]: true;
  readonly certificate: Certificate;
}

export type PinResult =
  | { readonly kind: 'pinned'; readonly root: PinnedRoot }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * SHA-256 fingerprints as tools print them: either case, with colons, after "sha256 Fingerprint=". Else the reason
 * in words.
 */
export function parseFingerprint(text: string): { readonly fingerprint: Hex } | { readonly why: string } {
  const hex = parseHex(text.replace(/^[^=]*=/, ''));
  if (hex === null) return { why: `${JSON.stringify(text)} is not hexadecimal` };
  if (hex.length === 40) return { why: `${JSON.stringify(text)} has 40 digits: a SHA-1; the SHA-256 has 64` };
  if (hex.length !== 64) return { why: `${JSON.stringify(text)} has ${hex.length} digits; a SHA-256 has 64` };
  return { fingerprint: hex };
}

export function pinRoot(certificate: Certificate, fingerprint: Hex): PinResult {
  const refused = (why: string): PinResult => ({ kind: 'refused', why });
  const who = JSON.stringify(describeCertificate(certificate));
  if (certificate.fingerprint !== fingerprint)
    return refused(`${who} has the fingerprint ${certificate.fingerprint}, not ${fingerprint}`);
  if (!isSelfIssued(certificate)) return refused(`${who} is no root: another one issued it`);
  if (!basicConstraints(certificate)?.ca)
    return refused(`${who} is no authority (CA:TRUE); a server's own certificate is not for trust stores`);
  if (keyUsage(certificate)?.includes('keyCertSign') === false)
    return refused(`${who} may not sign certificates (its key usage lacks keyCertSign)`);
  if (!verifyCertificateSignature(certificate, certificate))
    return refused(
      `the signature of ${who} (${describeSignatureAlgorithm(certificate.signatureAlgorithm)}) does not verify with its own key; weaker ones than SHA-256 never do`,
    );
  return { kind: 'pinned', root: { certificate } as PinnedRoot };
}
