/**
 * `diagnose http-01://NAME --webroot DIR`: a token is put where an ACME client would put it, looked for as an authority
 * would, from every address of the name, and taken away again whatever happens.
 */
import type { Finding } from '../../core/diagnosis/finding.ts';
import {
  type Http01Target,
  type Http01Walk,
  http01Findings,
  http01Unresolved,
  webrootMissing,
} from '../../core/diagnosis/judge-http01.ts';

export interface Http01Question extends Http01Target {
  /** Dialled instead of those that the name has; null: all of the name's. */
  readonly addresses: readonly string[] | null;
}

export interface PlacedToken {
  readonly kind: 'placed';
  /** Base64url. */
  readonly token: string;
  /** What is to be answered for it. */
  readonly content: string;
  /** The token, and what was made for it. Once is enough, twice does no harm. */
  readonly remove: () => void;
}

export interface Http01Ports {
  /** @throws where the webroot is there and cannot be written */
  readonly placeToken: (webroot: string) => PlacedToken | { readonly kind: 'missing'; readonly what: string };
  /** Empty: none. */
  readonly addressesOf: (host: string) => Promise<readonly string[]>;
  /** Faults of the network are in the answer, and never thrown. */
  readonly walk: (target: Http01Target, address: string, placed: PlacedToken) => Promise<Http01Walk>;
}

export interface Http01Result {
  /** null: none was looked at. */
  readonly address: string | null;
  readonly findings: readonly Finding[];
}

/** A name with more is not looked at to its end. */
const MOST_ADDRESSES = 8;

/** One for each address. @throws whatever placing the token does */
export async function diagnoseHttp01(question: Http01Question, ports: Http01Ports): Promise<readonly Http01Result[]> {
  const addresses = question.addresses ?? (await ports.addressesOf(question.host));
  if (addresses.length === 0) return [{ address: null, findings: [http01Unresolved(question)] }];
  const placed = ports.placeToken(question.webroot);
  if (placed.kind === 'missing') return [{ address: null, findings: [webrootMissing(question, placed.what)] }];
  try {
    const walks = await Promise.all(
      addresses.slice(0, MOST_ADDRESSES).map((address) => ports.walk(question, address, placed)),
    );
    const isRightBy4 = walks.some(({ address, end }) => !address.includes(':') && end.kind === 'right');
    return walks.map((walk) => ({
      address: walk.address,
      findings: http01Findings(question, walk).map((finding) => (isRightBy4 ? asFallback(walk, finding) : finding)),
    }));
  } finally {
    placed.remove();
  }
}

/** Authorities try IPv6 first, and IPv4 where no connection comes about. */
function asFallback({ address, end, hops }: Http01Walk, finding: Finding): Finding {
  const isUnreachable =
    end.kind === 'failed' && hops.length === 0 && ['connection-refused', 'connect-timeout'].includes(end.cause);
  return address.includes(':') && isUnreachable
    ? { ...finding, severity: 'warning', why: 'Authorities try IPv6 first, and only then the address that answers.' }
    : finding;
}
