/**
 * Which application protocols a server takes (RFC 7301): all are offered, what it picks is left out, and again, until it picks
 * none. One handshake for each that it takes, and one that shows what it does when there is nothing in common; one more for ACME.
 */
import {
  ACME_APPLICATION_PROTOCOL,
  applicationProtocols,
  mayValidate,
  UNKNOWN_APPLICATION_PROTOCOL,
} from '../../core/tls/application-protocols.ts';
import type { Attempt, AttemptResult } from './attempt.ts';
import { isBroken } from './refusal-code.ts';

export interface AlpnSeen {
  /** In the order in which they were chosen. */
  readonly taken: readonly string[];
  readonly mismatch: AlpnMismatch | null;
  /** Why there may be more; null: that is all. */
  readonly cut: string | null;
}

/** §3.2 wants a refusal; "taken": whatever is offered is taken, and the list means nothing. */
export type AlpnMismatch = 'refused' | 'ignored' | 'taken';

/** What protocols without registered names, and servers that were not asked, have. */
export const NO_ALPN: AlpnSeen = { taken: [], mismatch: null, cut: null };

export interface AlpnRequest {
  /** Offer nothing that may be refused: the server would log it. */
  readonly isSpared: boolean;
  /** Whether the server still does what it did before. */
  readonly isServing: () => Promise<boolean>;
}

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;

export async function alpnOf(handshake: Handshake, base: Attempt, request: AlpnRequest): Promise<AlpnSeen> {
  const known = applicationProtocols(base.protocol);
  if (known.length === 0) return NO_ALPN;
  // First: who goes by the order of the client, and takes whatever comes, is done with it.
  const offered = request.isSpared ? known : [UNKNOWN_APPLICATION_PROTOCOL, ...known];
  const seen = await takenOf(handshake, base, offered, request);
  const hasNone = seen.mismatch === 'ignored' && seen.taken.length === 0;
  if (!mayValidate(base.protocol) || hasNone || seen.mismatch === 'taken' || seen.cut !== null) return seen;
  const acme = await handshake({ ...base, alpn: [ACME_APPLICATION_PROTOCOL] });
  return acme.flight?.alpn === ACME_APPLICATION_PROTOCOL
    ? { ...seen, taken: [...seen.taken, ACME_APPLICATION_PROTOCOL] }
    : seen;
}

async function takenOf(
  handshake: Handshake,
  base: Attempt,
  offered: readonly string[],
  { isServing }: AlpnRequest,
): Promise<AlpnSeen> {
  const taken: string[] = [];
  let left = offered;
  while (left.length > 0) {
    const look = await handshake({ ...base, alpn: left });
    const chosen = look.flight?.alpn ?? null;
    if (chosen === null) {
      if (look.flight !== null || look.kind === 'established') return { taken, mismatch: 'ignored', cut: null };
      const isRefusal = isMismatchAlert(look.code) || (isBroken(look) && (await isServing()));
      return isRefusal ? { taken, mismatch: 'refused', cut: null } : { taken, mismatch: null, cut: look.why };
    }
    if (chosen === UNKNOWN_APPLICATION_PROTOCOL) return { taken, mismatch: 'taken', cut: null };
    if (!left.includes(chosen))
      return { taken, mismatch: null, cut: `the server chose ${JSON.stringify(chosen)}, which was not offered` };
    taken.push(chosen);
    left = left.filter((name) => name !== chosen);
  }
  return { taken, mismatch: null, cut: null };
}

/** no_application_protocol. */
function isMismatchAlert(code: string | null): boolean {
  return code?.endsWith('_ALERT_NO_APPLICATION_PROTOCOL') ?? false;
}
