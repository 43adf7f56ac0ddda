/**
 * The revocation lists of the issuer in use and of those before it, one publisher each: certificates of a replaced
 * intermediate live on, and name its list. The key of a replaced or prepared one is opened when its list is first asked for.
 * Lists of roots are as they were signed while their keys were at hand.
 */
import type { Hex } from '../core/bytes/hex.ts';
import { wallClock } from '../edge/system/clock.ts';
import { crlPublisher } from '../flow/ca/publish-crl.ts';
import type { LoadedIssuer, OpenedState } from './open-state.ts';

/** By the hex of an authority's key identifier; DER; null when it is unknown or has none yet. */
export type RevocationList = (keyId: Hex) => Promise<Uint8Array | null>;

export function revocationLists(
  state: Pick<OpenedState, 'store' | 'otherIssuerAt'>,
  current: () => LoadedIssuer,
  plainBase: string,
): RevocationList {
  const publishers = new Map<Hex, ReturnType<typeof crlPublisher>>();
  return async (keyId) => {
    let publish = publishers.get(keyId);
    if (!publish) {
      const issuer = keyId === current().keyId ? current() : state.otherIssuerAt(keyId, plainBase);
      if (!issuer) return (await state.store.latestCrl(keyId))?.der ?? null;
      publish = crlPublisher({ store: state.store, issuer, clock: wallClock });
      publishers.set(keyId, publish);
    }
    return (await publish()).der;
  };
}
