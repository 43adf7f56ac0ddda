/** What Node.js' code of a failed handshake says: of OpenSSL's errors, those of an alert that came, and its own. */
import type { AttemptResult } from './attempt.ts';

/** An alert of the server: it says so, or has a version in front. */
export function isAlert(code: string | null): boolean {
  return /^ERR_SSL_(?:.*_ALERT_|TLSV1_|TLSV13_|SSLV3_)/.test(code ?? '');
}

/** The library of this client refuses. */
export function isLocal(code: string | null): boolean {
  return /^ERR_(?:SSL|OSSL)_/.test(code ?? '') && !isAlert(code);
}

/** What the server signed, or encrypted with what follows from it, is not by the key of its certificate. */
export function isForgery(code: string | null): boolean {
  return isLocal(code) && /SIGNATURE|DIGEST|DECRYPTION_FAILED|BAD_DECRYPT|RECORD_MAC/.test(code ?? '');
}

/** It ended before either side said no: nothing is known of what the server would do. */
export function isBroken(result: AttemptResult): boolean {
  return result.kind === 'refused' && !isAlert(result.code) && !isLocal(result.code);
}
