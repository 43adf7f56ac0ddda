/** The first packet of MySQL or MariaDB (client/server protocol, HandshakeV10), as far as a client of TLS must know it. */

export type MysqlGreeting =
  | { readonly kind: 'greeting'; readonly offersTls: boolean }
  /** An error in its place: too many connections, a host that is blocked or unknown. */
  | { readonly kind: 'turned-away'; readonly why: string };

const VERSION_10 = 10;
const ERROR = 0xff;
const LONGEST_ERROR = 512;
/** Connection id, salt and a zero lie between the version and the capabilities. */
const CAPABILITIES_AFTER_VERSION = 1 + 4 + 8 + 1;
const CLIENT_SSL = 0x0800;

/** @param payload behind the header of the packet @returns null: it is none of theirs */
export function readMysqlGreeting(payload: Uint8Array): MysqlGreeting | null {
  if (payload[0] === ERROR)
    return { kind: 'turned-away', why: String.fromCharCode(...payload.subarray(3, LONGEST_ERROR)) };
  const versionEnd = payload.indexOf(0, 1);
  const at = versionEnd + CAPABILITIES_AFTER_VERSION;
  const [low, high] = payload.subarray(at, at + 2);
  if (payload[0] !== VERSION_10 || versionEnd < 0 || low === undefined || high === undefined) return null;
  return { kind: 'greeting', offersTls: ((low | (high << 8)) & CLIENT_SSL) !== 0 };
}
