/**
 * DNS UPDATE (RFC 2136) of one TXT record, signed by TSIG with HMAC-SHA-256 (RFC 8945). Not here: prerequisites, other
 * types, other algorithms, and the signature of the answer: what counts is that the record is seen afterwards.
 */
import { createHmac } from 'node:crypto';
import * as dnsPacket from 'dns-packet';
import type { Instant } from '../../../core/time/instant.ts';
import type { TxtRecord } from './txt-record.ts';

export interface TsigKey {
  readonly name: string;
  readonly secret: Uint8Array;
}

const OPCODE_UPDATE = 5 << 11;
const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
const TYPE = { SOA: 6, TXT: 16, TSIG: 250 } as const;
const ALGORITHM = nameOnWire('hmac-sha256');
/** Seconds by which the clocks may differ (RFC 8945 §10: "RECOMMENDED"). */
const FUDGE = 300;
const RECORD_TTL = 60;

/** @param id 16 random bits */
export function updateMessage(
  action: 'add' | 'delete',
  zone: string,
  { name, value }: TxtRecord,
  key: TsigKey,
  id: number,
  now: Instant,
): Buffer {
  const text = Buffer.from(value);
  const data = Buffer.concat([Buffer.of(text.byteLength), text]);
  // RFC 2136 §2.5.4: class NONE takes one record out of its set; an apex and its wildcard share the set.
  const [recordClass, ttl] = action === 'add' ? [CLASS.IN, RECORD_TTL] : [CLASS.NONE, 0];
  const body = Buffer.concat([
    nameOnWire(zone),
    uint16(TYPE.SOA, CLASS.IN),
    record(nameOnWire(name), TYPE.TXT, recordClass, ttl, data),
  ]);
  const head = (additional: number): Buffer => uint16(id, OPCODE_UPDATE, 1, 0, 1, additional);
  const owner = nameOnWire(key.name.toLowerCase());
  const signedAt = Buffer.alloc(6);
  signedAt.writeUIntBE(now, 0, 6);
  const timing = Buffer.concat([signedAt, uint16(FUDGE)]);
  // RFC 8945 §4.3.3: the message as it is without TSIG, then the variables of TSIG.
  const mac = createHmac('sha256', key.secret)
    .update(head(0))
    .update(body)
    .update(Buffer.concat([owner, uint16(CLASS.ANY, 0, 0), ALGORITHM, timing, uint16(0, 0)]))
    .digest();
  const tsig = Buffer.concat([ALGORITHM, timing, uint16(mac.byteLength), mac, uint16(id, 0, 0)]);
  return Buffer.concat([head(1), body, record(owner, TYPE.TSIG, CLASS.ANY, 0, tsig)]);
}

export interface UpdateAnswer {
  /** "NOERROR", "REFUSED", "NOTAUTH", … */
  readonly rcode: string;
  /** What the server holds against the signature; null: nothing. */
  readonly signature: 'BADSIG' | 'BADKEY' | 'BADTIME' | 'BADTRUNC' | null;
}

const SIGNATURE_ERRORS: Readonly<Record<number, UpdateAnswer['signature']>> = {
  16: 'BADSIG',
  17: 'BADKEY',
  18: 'BADTIME',
  22: 'BADTRUNC',
};

/** null when it is no answer to the message with this id. */
export function parseUpdateAnswer(message: Uint8Array, id: number): UpdateAnswer | null {
  let packet: dnsPacket.DecodedPacket;
  try {
    packet = dnsPacket.decode(Buffer.from(message));
  } catch {
    // dns-packet throws whatever its reading of the bytes leads to.
    return null;
  }
  if (packet.id !== id || packet.type !== 'response') return null;
  // dns-packet knows no TSIG: its data are the octets.
  const unknown = (packet.additionals ?? []).map((one) => (one as { readonly data?: unknown }).data);
  const tsig = unknown.find((data): data is Buffer => Buffer.isBuffer(data));
  const { rcode } = packet as { readonly rcode?: string };
  return { rcode: rcode ?? 'FORMERR', signature: tsig ? signatureError(tsig) : null };
}

/** Algorithm, time, fudge, MAC, original id, error (RFC 8945 §4.2). */
function signatureError(tsig: Buffer): UpdateAnswer['signature'] {
  let at = 0;
  while (at < tsig.byteLength && tsig[at] !== 0) at += 1 + (tsig[at] ?? 0);
  const macSize = at + 9;
  if (macSize + 2 > tsig.byteLength) return null;
  const error = macSize + 2 + tsig.readUInt16BE(macSize) + 2;
  return error + 2 > tsig.byteLength ? null : (SIGNATURE_ERRORS[tsig.readUInt16BE(error)] ?? null);
}

function record(owner: Buffer, type: number, recordClass: number, ttl: number, data: Buffer): Buffer {
  return Buffer.concat([owner, uint16(type, recordClass, ttl >>> 16, ttl & 0xffff, data.byteLength), data]);
}

function uint16(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) octets.writeUInt16BE(value, index * 2);
  return octets;
}

/** Uncompressed (RFC 1035 §3.1). Names come from the stack file or from DNS identifiers: their labels are short. */
function nameOnWire(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(Buffer.byteLength(label)), Buffer.from(label)]),
    Buffer.of(0),
  ]);
}
