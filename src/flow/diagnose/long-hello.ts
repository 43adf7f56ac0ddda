/**
 * Today's clients begin with a message of 1,5 KB, more than one TCP segment, since they send a key for X25519MLKEM768. Some servers and
 * boxes on the way expect it in one piece: they close, or fall silent. A shorter one that is taken tells.
 */
import { causeFinding } from '../../core/diagnosis/causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import { isBroken } from '../probe/refusal-code.ts';
import type { Case, Established, Refused } from './case.ts';

/** As OpenSSL calls them; "*" has the key sent along, as OpenSSL 3.5 and browsers do. */
export const USUAL_GROUPS = '*X25519MLKEM768:*X25519:P-256:P-384';
export const CLASSICAL_GROUPS = 'X25519:P-256:P-384:P-521:X448';

/** The long one has been waited for. */
const SHORT_MS = 2000;

export interface ShortTaken {
  readonly look: Established;
  readonly finding: Finding;
}

/** @returns null: the length makes no difference, or what failed goes well the next time */
export async function shortTaken({ ports, base, dial, where }: Case, long: Refused): Promise<ShortTaken | null> {
  const isConnected = long.by === 'server' || (long.by === 'network' && long.code === null);
  if (!isBroken(long) || !isConnected || long.flight !== null || base.groups !== USUAL_GROUPS) return null;
  const timeoutMs = Math.min(base.timeoutMs, SHORT_MS);
  const look = await ports.handshake({ ...base, groups: CLASSICAL_GROUPS, timeoutMs });
  if (look.kind !== 'established') return null;
  const again = await ports.handshake(base);
  if (!isBroken(again)) return null;
  const finding = causeFinding('closed-by-peer', {
    subject: formatHostPort(dial),
    where,
    what: `${formatHostPort(dial)} takes the short first message of old clients, and ends connections that begin with the long one of today's (1.5 KB, with X25519MLKEM768): ${long.why}.`,
    why: 'Browsers, Go and OpenSSL 3.5 fail, while older clients go on: the server, or a box on the way, expects a ClientHello in one TCP segment.',
    evidence: { said: long.why, withShortHello: look.version },
    remedy: {
      text: 'Update the server, or the proxy, firewall or load balancer before it; until then such clients have to leave X25519MLKEM768 out.',
      command: `openssl s_client -connect ${formatHostPort(dial)} -groups X25519 </dev/null`,
    },
  });
  return { look, finding };
}
