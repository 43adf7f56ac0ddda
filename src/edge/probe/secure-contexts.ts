/**
 * Contexts of OpenSSL, made once for what many connections have in common: anchors are parsed and lists are read when a
 * context is made, which costs as much as a handshake.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** Options that a context takes; texts and lists of texts, so that equal ones can be told. */
export type ContextOptions = Pick<
  SecureContextOptions,
  'ciphers' | 'ecdhCurve' | 'sigalgs' | 'minVersion' | 'maxVersion'
> & {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
};

/** A sweep by handshakes has a context for each question; more than one of them at once is rare. */
const MOST_KEPT = 64;

const kept = new Map<string, SecureContext>();

/** @throws what OpenSSL says of a suite, group or pair that it does not take */
export function secureContextFor({ ca, ...options }: ContextOptions): SecureContext {
  // Of a key only the digest is a part of the name.
  const name = createHash('sha256')
    .update(JSON.stringify([ca, options]))
    .digest('base64');
  const known = kept.get(name);
  if (known) {
    // The least used is the first.
    kept.delete(name);
    kept.set(name, known);
    return known;
  }
  const made = createSecureContext({ ...options, ca: [...ca] });
  kept.set(name, made);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return made;
}
