/** What the first handshake and the sweep do not show: who is refused, and another chain. */
import { DerError } from '../../core/asn1/der-reader.ts';
import type { Protocol } from '../../core/probe/protocol.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import type { Attempt, AttemptResult } from './attempt.ts';
import { isBroken } from './refusal-code.ts';

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;

/** Of a service that answers nothing to words it does not know; it is no refusal. */
const SILENCE_MS = 3000;

/** They refuse after the handshake, in answer to the first words. */
export const REFUSE_LATE: readonly Protocol[] = ['https', 'tls', 'redis', 'postgres'];
/** Of nginx and its like, and of PostgreSQL. */
const REFUSALS: readonly RegExp[] = [
  /^HTTP\/1\.[01] (?:400|49[56])[\s\S]*certificate/i,
  /^E[\s\S]*valid client certificate/,
];

/** What was found, and why there may be more; null: that is all. */
export interface Seen<T> {
  readonly found: T;
  readonly cut: string | null;
}

export interface PolicyRequest {
  /** false: nothing is said, since the service would log a refusal. */
  readonly mayLogIn: boolean;
  /** Whether the server still does what it did before. */
  readonly isServing: () => Promise<boolean>;
}

/** Whether a client without a certificate is refused: by an alert, by a close, or by an HTTP 400 that says so. */
export async function clientPolicy(
  handshake: Handshake,
  base: Attempt,
  { mayLogIn, isServing }: PolicyRequest,
): Promise<Seen<'optional' | 'required'>> {
  const { client: _shown, ...without } = base;
  const refused = async (result: Refused): Promise<Seen<'optional' | 'required'>> => {
    const isMeant = !isBroken(result) || (result.by === 'server' && (await isServing()));
    return isMeant
      ? { found: result.by === 'server' ? 'required' : 'optional', cut: null }
      : { found: 'optional', cut: result.why };
  };
  const silent = await handshake({ ...without, exchange: 'listen' });
  if (silent.kind === 'refused') return refused(silent);
  // Who is greeted is let in.
  if (silent.answer !== '' || !mayLogIn || !REFUSE_LATE.includes(base.protocol))
    return { found: 'optional', cut: null };
  const spoken = await handshake({ ...without, exchange: true, timeoutMs: base.timeoutMs + SILENCE_MS });
  if (spoken.kind === 'refused') return refused(spoken);
  const answer = spoken.answer ?? '';
  return { found: REFUSALS.some((words) => words.test(answer)) ? 'required' : 'optional', cut: null };
}

type Refused = Extract<AttemptResult, { kind: 'refused' }>;

/** In TLS 1.3 the certificate follows from the signature algorithms of the client. */
const SIGNATURES = {
  RSA: 'RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256',
  EC: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512',
} as const;

/** The chain for clients that want another type of key; none: there is only one. */
export async function otherChain13(
  handshake: Handshake,
  base: Attempt,
  leaf: Certificate | undefined,
): Promise<Seen<(readonly Certificate[])[]>> {
  if (leaf === undefined) return { found: [], cut: null };
  const signatureAlgorithms = leaf.publicKey.kind === 'ec' ? SIGNATURES.RSA : SIGNATURES.EC;
  const result = await handshake({ ...base, signatureAlgorithms });
  return {
    found: result.flight?.chain ? [certificatesOf(result.flight.chain)] : [],
    cut: result.kind === 'refused' && result.flight === null && isBroken(result) ? result.why : null,
  };
}

/** Up to the first that is none: a server may send what it likes. */
export function certificatesOf(ders: readonly Uint8Array[]): readonly Certificate[] {
  const certificates: Certificate[] = [];
  try {
    for (const der of ders) certificates.push(parseCertificate(der));
  } catch (fault) {
    if (!(fault instanceof DerError)) throw fault;
  }
  return certificates;
}
