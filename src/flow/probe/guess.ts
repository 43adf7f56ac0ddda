/** Targets of which only the port says that it is TLS. */
import type { Target } from '../../core/probe/target.ts';
import type { Attempt, AttemptResult } from './attempt.ts';

export function isGuess({ protocol, url }: Target): boolean {
  return protocol === 'tls' && url === null;
}

const IMPATIENT_MS = 2000;

/**
 * A PostgreSQL logs a ClientHello that comes before its own request for TLS, as a startup packet of an impossible length; to all
 * others its request is one connection more that comes to nothing. It is therefore asked first.
 */
export async function isPostgres(
  { handshake }: { readonly handshake: (attempt: Attempt) => Promise<AttemptResult> },
  base: Attempt,
): Promise<boolean> {
  const timeoutMs = Math.min(base.timeoutMs, IMPATIENT_MS);
  const result = await handshake({ ...base, protocol: 'postgres', exchange: false, timeoutMs });
  if (result.kind === 'established') return true;
  return result.by === 'preamble' ? result.preamble === 'tls-off' : result.by !== 'network';
}
