/**
 * Which application protocols a server takes (RFC 7301): all are offered, what it picks is left out, and again, until it picks
 * none. One question for each that it takes, and one that shows what it does when there is nothing in common; one more for ACME.
 */

import type { Protocol } from '../../core/probe/protocol.ts';
import {
  ACME_APPLICATION_PROTOCOL,
  applicationProtocols,
  mayValidate,
  UNKNOWN_APPLICATION_PROTOCOL,
} from '../../core/tls/application-protocols.ts';
import type { Attempt, AttemptResult } from './attempt.ts';
import { type Ask, SweepCut } from './questions.ts';
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

/** What it picks of these: null is none of them. @throws SweepCut */
export type Offer = (alpn: readonly string[]) => Promise<string | null | 'refused'>;

/** @param isSpared offer nothing that may be refused: the server would log it */
export async function alpnOf(offer: Offer, protocol: Protocol, isSpared: boolean): Promise<AlpnSeen> {
  const known = applicationProtocols(protocol);
  if (known.length === 0) return NO_ALPN;
  const taken: string[] = [];
  try {
    // First: who goes by the order of the client, and takes whatever comes, is done with it.
    const mismatch = await exhaust(offer, isSpared ? known : [UNKNOWN_APPLICATION_PROTOCOL, ...known], taken);
    const hasNone = mismatch === 'ignored' && taken.length === 0;
    const isAcmeAsked = mayValidate(protocol) && !hasNone && mismatch !== 'taken';
    if (isAcmeAsked && (await offer([ACME_APPLICATION_PROTOCOL])) === ACME_APPLICATION_PROTOCOL)
      taken.push(ACME_APPLICATION_PROTOCOL);
    return { taken, mismatch, cut: null };
  } catch (fault) {
    if (!(fault instanceof SweepCut)) throw fault;
    return { taken, mismatch: null, cut: fault.message };
  }
}

async function exhaust(offer: Offer, all: readonly string[], taken: string[]): Promise<AlpnMismatch | null> {
  let left = all;
  while (left.length > 0) {
    const chosen = await offer(left);
    if (chosen === null) return 'ignored';
    if (chosen === 'refused') return 'refused';
    if (chosen === UNKNOWN_APPLICATION_PROTOCOL) return 'taken';
    if (!left.includes(chosen)) throw new SweepCut(`the server chose ${JSON.stringify(chosen)}, which was not offered`);
    taken.push(chosen);
    left = left.filter((name) => name !== chosen);
  }
  return null;
}

/** Cheaper than a handshake, where TLS 1.2 is taken: there the choice comes in clear. */
export function offerByHello(ask: Ask, hello: Parameters<Ask>[0]): Offer {
  return async (alpn) => {
    const flight = await ask({ ...hello, alpn });
    return flight === null ? 'refused' : flight.alpn;
  };
}

/** @param isServing whether the server still does what it did before */
export function offerByHandshake(handshake: Handshake, base: Attempt, isServing: () => Promise<boolean>): Offer {
  return async (alpn) => {
    const look = await handshake({ ...base, alpn });
    if (look.flight !== null || look.kind === 'established') return look.flight?.alpn ?? null;
    if (isMismatchAlert(look.code) || (isBroken(look) && (await isServing()))) return 'refused';
    throw new SweepCut(look.why);
  };
}

type Handshake = (attempt: Attempt) => Promise<AttemptResult>;

/** no_application_protocol. */
function isMismatchAlert(code: string | null): boolean {
  return code?.endsWith('_ALERT_NO_APPLICATION_PROTOCOL') ?? false;
}
