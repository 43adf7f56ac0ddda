/** The record layer (RFC 8446 §5.1): from a stream of bytes to fragments, and from fragments to handshake messages. */
import { TlsSyntaxError, WireReader } from './wire.ts';

export const RECORD_TYPES = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

export interface TlsRecord {
  readonly type: number;
  /** Type, version and length, as additional data of encryption. */
  readonly header: Uint8Array;
  readonly fragment: Uint8Array;
}

const HEADER_BYTES = 5;
/** RFC 5246 §6.2.3: 2^14 + 2048. */
const LONGEST_FRAGMENT = 18_432;

/**
 * Complete records at the start of the bytes, and what is left over: also what is no record any more, such as an error of
 * the protocol around TLS behind an alert.
 *
 * @throws TlsSyntaxError where no TLS record can begin so, and none was before
 */
export function splitRecords(bytes: Uint8Array): { readonly records: readonly TlsRecord[]; readonly rest: Uint8Array } {
  const records: TlsRecord[] = [];
  let rest = bytes;
  while (rest.byteLength >= HEADER_BYTES) {
    const [type = 0, major = 0, , high = 0, low = 0] = rest;
    const length = high * 256 + low;
    const isRecord = type >= RECORD_TYPES.changeCipherSpec && type <= RECORD_TYPES.applicationData && major === 3;
    if (!isRecord || length > LONGEST_FRAGMENT) {
      if (records.length > 0) break;
      throw new TlsSyntaxError(isRecord ? `a record of ${length} bytes` : 'these bytes are no TLS record');
    }
    if (rest.byteLength < HEADER_BYTES + length) break;
    records.push({
      type,
      header: rest.subarray(0, HEADER_BYTES),
      fragment: rest.subarray(HEADER_BYTES, HEADER_BYTES + length),
    });
    rest = rest.subarray(HEADER_BYTES + length);
  }
  return { records, rest };
}

export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
  /** With its header, as transcripts want it. */
  readonly raw: Uint8Array;
}

/** A message may be spread over records, and records hold several. What is incomplete at the end is left out. */
export function splitMessages(bytes: Uint8Array): HandshakeMessage[] {
  const messages: HandshakeMessage[] = [];
  let rest = bytes;
  while (rest.byteLength >= 4) {
    const reader = new WireReader(rest);
    const type = reader.uint(1);
    const length = reader.uint(3);
    if (length > reader.left) break;
    messages.push({ type, body: reader.take(length), raw: rest.subarray(0, 4 + length) });
    rest = rest.subarray(4 + length);
  }
  return messages;
}
