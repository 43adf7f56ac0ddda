/** What the first handshake and the sweep do not show: who is refused, what is spoken inside, and another chain. */
import { DerError } from '../../core/asn1/der-reader.ts';
import type { Protocol } from '../../core/probe/protocol.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import type { Attempt, AttemptResult } from './attempt.ts';

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;

/** They refuse after the handshake, in answer to the first words. */
const REFUSE_LATE: readonly Protocol[] = ['https', 'tls', 'redis', 'postgres'];
/** Of nginx and its like, and of PostgreSQL. */
const REFUSALS: readonly RegExp[] = [
  /^HTTP\/1\.[01] (?:400|49[56])[\s\S]*certificate/i,
  /^E[\s\S]*valid client certificate/,
];

/**
 * Whether a client without a certificate is refused: by an alert, by a close, or by an HTTP 400 that says so.
 *
 * @param mayLogIn false: nothing is said, since the service would log a refusal
 */
export async function clientPolicy(
  handshake: Handshake,
  base: Attempt,
  { mayLogIn }: { readonly mayLogIn: boolean },
): Promise<'optional' | 'required'> {
  const { client: _shown, ...without } = base;
  const silent = await handshake({ ...without, exchange: 'listen' });
  if (silent.kind === 'refused') return silent.by === 'server' ? 'required' : 'optional';
  // Who is greeted is let in.
  if (silent.answer !== '' || !mayLogIn || !REFUSE_LATE.includes(base.protocol)) return 'optional';
  const spoken = await handshake({ ...without, exchange: true });
  if (spoken.kind === 'refused') return spoken.by === 'server' ? 'required' : 'optional';
  const answer = spoken.answer ?? '';
  return REFUSALS.some((words) => words.test(answer)) ? 'required' : 'optional';
}

/** Application protocols that are taken, of those of the web. */
export async function alpnOf(handshake: Handshake, base: Attempt): Promise<string[]> {
  const offered = ['h2', 'http/1.1'];
  const looks = await Promise.all(offered.map((name) => handshake({ ...base, alpn: [name] })));
  return offered.filter((name, index) => looks[index]?.flight?.alpn === name);
}

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
): Promise<(readonly Certificate[])[]> {
  if (leaf === undefined) return [];
  const signatureAlgorithms = leaf.publicKey.kind === 'ec' ? SIGNATURES.RSA : SIGNATURES.EC;
  const result = await handshake({ ...base, signatureAlgorithms });
  return result.flight?.chain ? [certificatesOf(result.flight.chain)] : [];
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
