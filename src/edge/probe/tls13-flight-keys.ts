/**
 * The keys under which a TLS 1.3 server sends the rest of its first flight (RFC 8446 §7.1): enough to read its
 * extensions, its request for a client certificate and its chain in the order of the wire. Nothing is ever sent under them.
 */
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { join, uint, vector } from '../../core/tls/wire.ts';

/** Of one hello: its private half never leaves this process, and is forgotten with it. */
export interface EphemeralShare {
  readonly group: number;
  /** As a key share carries it. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

interface ShareKind {
  readonly group: number;
  readonly generate: () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** What SubjectPublicKeyInfo has before the raw key. */
  readonly prefix: Buffer;
}

/** Between them every server has one of these. */
const SHARE_KINDS: readonly ShareKind[] = [
  {
    group: 0x001d,
    generate: () => generateKeyPairSync('x25519'),
    prefix: Buffer.from('302a300506032b656e032100', 'hex'),
  },
  {
    group: 0x0017,
    generate: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    prefix: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  },
  {
    group: 0x0018,
    generate: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    prefix: Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex'),
  },
];

/** A share for each of the groups that one can be made for. */
export function ephemeralShares(groups: readonly number[]): readonly EphemeralShare[] {
  return SHARE_KINDS.filter(({ group }) => groups.includes(group)).map(({ group, generate, prefix }) => {
    const { publicKey, privateKey } = generate();
    return {
      group,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).subarray(prefix.byteLength),
      privateKey,
    };
  });
}

/** @throws where the peer's bytes are no key of this group */
function sharedSecret({ group, privateKey }: EphemeralShare, peerShare: Uint8Array): Uint8Array {
  const kind = SHARE_KINDS.find((candidate) => candidate.group === group);
  if (!kind) throw new RangeError(`no key of group ${group} is made here`);
  const key = Buffer.concat([kind.prefix, peerShare]);
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) });
}

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

/**
 * @param peerShare the server's key, of the group of the share
 * @param transcript ClientHello and ServerHello, with their headers
 * @returns null for a suite that is not one of the usual three
 * @throws where the server's share is none
 */
export function flightDecryption(
  suite: number,
  share: EphemeralShare,
  peerShare: Uint8Array,
  transcript: Uint8Array,
): FlightDecryption | null {
  const parameters = PARAMETERS.get(suite);
  return parameters
    ? decryptionOf(suite, trafficSecret(parameters.hash, sharedSecret(share, peerShare), transcript))
    : null;
}

/** @param secret server_handshake_traffic_secret @returns null for a suite that is not one of the usual three */
export function decryptionOf(suite: number, secret: Uint8Array): FlightDecryption | null {
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

/** server_handshake_traffic_secret. */
function trafficSecret(hash: SuiteParameters['hash'], shared: Uint8Array, transcript: Uint8Array): Uint8Array {
  const size = createHash(hash).digest().byteLength;
  const none = createHash(hash).digest();
  const early = extract(hash, new Uint8Array(size), new Uint8Array(size));
  const derived = expandLabel(hash, early, 'derived', none, size);
  const handshake = extract(hash, derived, shared);
  return expandLabel(hash, handshake, 's hs traffic', createHash(hash).update(transcript).digest(), size);
}

function extract(hash: SuiteParameters['hash'], salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHmac(hash, salt).update(secret).digest();
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
