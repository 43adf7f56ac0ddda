/** Targets of which only the port says that it is TLS. */
import { speakerOf } from '../../core/probe/first-words.ts';
import type { StarttlsWord } from '../../core/probe/protocol.ts';
import type { Target } from '../../core/probe/target.ts';
import type { Attempt, AttemptResult } from './attempt.ts';

export function isGuess({ protocol, url }: Target): boolean {
  return protocol === 'tls' && url === null;
}

const IMPATIENT_MS = 2000;

/**
 * Who has to be asked in his own way, before a ClientHello is sent: whoever speaks first (MariaDB and MySQL count every
 * ClientHello as a connection error), and PostgreSQL, which logs it as a startup packet of an impossible length. To all others
 * this is one connection more that comes to nothing. null: nobody of these.
 */
export async function spokenAt(
  { handshake }: { readonly handshake: (attempt: Attempt) => Promise<AttemptResult> },
  base: Attempt,
): Promise<StarttlsWord | null> {
  const timeoutMs = Math.min(base.timeoutMs, IMPATIENT_MS);
  const result = await handshake({ ...base, protocol: 'postgres', exchange: false, listensFirst: true, timeoutMs });
  if (result.kind === 'established') return 'postgres';
  if (result.by !== 'preamble') return result.by === 'network' ? null : 'postgres';
  if (result.preamble === 'tls-off') return 'postgres';
  return result.heard === undefined ? null : (speakerOf(result.heard)?.starttls ?? null);
}
