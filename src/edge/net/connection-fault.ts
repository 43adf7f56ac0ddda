/** What a socket, OpenSSL or the HTTP parser reported in an `error` event: a fault of the network, never a bug. */
export class ConnectionFault extends Error {
  /** "ECONNRESET", "ERR_SSL_…", "HPE_…"; "unknown" when the event had none. */
  readonly code: string;
  /** OpenSSL's own words, such as "wrong version number"; nothing in them comes from the peer. */
  readonly reason: string | null;
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : 'the connection failed', { cause });
    this.name = 'ConnectionFault';
    this.code = textProperty(cause, 'code') ?? 'unknown';
    this.reason = textProperty(cause, 'reason');
  }
}

function textProperty(value: unknown, name: 'code' | 'reason'): string | null {
  const property: unknown = value instanceof Error ? Reflect.get(value, name) : undefined;
  return typeof property === 'string' ? property : null;
}
