/**
 * The rest of a TLS 1.3 server's first flight (RFC 8446 §5.2, §7.3), opened with the secret of a handshake that OpenSSL has
 * done: its extensions, its request for a client certificate, its chain in the order of the wire. Nothing is ever sent under these keys.
 */
import { createDecipheriv, createHmac } from 'node:crypto';
import { join, uint, vector } from '../../core/tls/wire.ts';

interface SuiteParameters {
  readonly hash: 'sha256' | 'sha384';
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly keyBytes: number;
}

const PARAMETERS: ReadonlyMap<number, SuiteParameters> = new Map([
  [0x1301, { hash: 'sha256', cipher: 'aes-128-gcm', keyBytes: 16 }],
  [0x1302, { hash: 'sha384', cipher: 'aes-256-gcm', keyBytes: 32 }],
  [0x1303, { hash: 'sha256', cipher: 'chacha20-poly1305', keyBytes: 32 }],
]);

const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface FlightDecryption {
  /** The next record's content without its padding, and the type inside. @throws when the record is not authentic */
  readonly open: (header: Uint8Array, fragment: Uint8Array) => { readonly type: number; readonly content: Uint8Array };
}

/** @param secret server_handshake_traffic_secret @returns null for a suite that is not one of the usual three */
export function flightDecryption(suite: number, secret: Uint8Array): FlightDecryption | null {
  const parameters = PARAMETERS.get(suite);
  if (!parameters) return null;
  const { hash, cipher, keyBytes } = parameters;
  const key = expandLabel(hash, secret, 'key', new Uint8Array(), keyBytes);
  const iv = expandLabel(hash, secret, 'iv', new Uint8Array(), IV_BYTES);
  let sequence = 0;
  return {
    open(header, fragment) {
      const nonce = Uint8Array.from(iv);
      // The flight is a handful of records: the low bytes of the counter are enough.
      for (const [index, byte] of uint(3, sequence++).entries())
        nonce[IV_BYTES - 3 + index] = (nonce[IV_BYTES - 3 + index] ?? 0) ^ byte;
      const decipher = createDecipheriv(cipher as 'aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
      const end = fragment.byteLength - TAG_BYTES;
      decipher.setAAD(header, { plaintextLength: end });
      decipher.setAuthTag(fragment.subarray(end));
      const plain = Buffer.concat([decipher.update(fragment.subarray(0, end)), decipher.final()]);
      let last = plain.byteLength - 1;
      while (last >= 0 && plain[last] === 0) last--;
      return { type: plain[last] ?? 0, content: plain.subarray(0, Math.max(0, last)) };
    },
  };
}

/** HKDF-Expand-Label. The first block of HKDF-Expand is long enough for everything that is asked for here. */
function expandLabel(
  hash: SuiteParameters['hash'],
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const info = join(uint(2, length), vector(1, Buffer.from(`tls13 ${label}`, 'latin1')), vector(1, context));
  return createHmac(hash, secret).update(info).update(Uint8Array.of(1)).digest().subarray(0, length);
}
