/** What a server says in its first flight (RFC 8446 §4, RFC 5246 §7.4), as far as it tells what it offers. */
import { bytesEqual } from '../bytes/compare.ts';
import { type ProtocolVersion, versionByCode } from './protocol-version.ts';
import { TlsSyntaxError, WireReader } from './wire.ts';

export const HANDSHAKE_TYPES = {
  serverHello: 2,
  newSessionTicket: 4,
  encryptedExtensions: 8,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  finished: 20,
  certificateStatus: 22,
} as const;

export interface ServerHello {
  /** null: one that nobody knows. */
  readonly version: ProtocolVersion | null;
  readonly suite: number;
  /** It wants another hello, with a share of `group`. */
  readonly isRetry: boolean;
  /** TLS 1.3: of its key share, or asked for by a retry. */
  readonly group: number | null;
  /** TLS 1.3: its public key. */
  readonly keyShare: Uint8Array | null;
  readonly alpn: string | null;
}

/** RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = Uint8Array.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'.match(/../g) ?? [],
  (byte) => Number.parseInt(byte, 16),
);

/** @throws TlsSyntaxError */
export function readServerHello(body: Uint8Array): ServerHello {
  const reader = new WireReader(body);
  const legacy = reader.uint(2);
  const random = reader.take(32);
  reader.vector(1);
  const suite = reader.uint(2);
  reader.uint(1);
  const extensions = readExtensions(reader.left === 0 ? null : reader.vector(2));
  const isRetry = bytesEqual(random, RETRY_RANDOM);
  const chosen = extensions.get(43);
  const share = extensions.get(51);
  const shareReader = share && new WireReader(share);
  return {
    version: versionByCode(chosen ? new WireReader(chosen).uint(2) : legacy),
    suite,
    isRetry,
    group: shareReader ? shareReader.uint(2) : null,
    keyShare: shareReader && !isRetry ? shareReader.vector(2).bytes : null,
    alpn: alpnOf(extensions),
  };
}

/** Application protocol that the server chose; of TLS 1.3. @throws TlsSyntaxError */
export function readEncryptedExtensions(body: Uint8Array): { readonly alpn: string | null } {
  return { alpn: alpnOf(readExtensions(new WireReader(body).vector(2))) };
}

function alpnOf(extensions: ReadonlyMap<number, Uint8Array>): string | null {
  const data = extensions.get(16);
  return data ? latin1(new WireReader(data).vector(2).vector(1).bytes) : null;
}

function readExtensions(reader: WireReader | null): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  while (reader !== null && reader.left > 0) found.set(reader.uint(2), reader.vector(2).bytes);
  return found;
}

export interface CertificateMessage {
  /** DER, in the order of the wire. */
  readonly chain: readonly Uint8Array[];
  /** With TLS 1.3 the stapled answer comes with the leaf. */
  readonly staplesStatus: boolean;
}

/** A chain is a few certificates; who sends more is not worth reading. */
const LONGEST_CHAIN = 32;

/** @throws TlsSyntaxError */
export function readCertificate(body: Uint8Array, version: ProtocolVersion | null): CertificateMessage {
  const reader = new WireReader(body);
  const is13 = version === 'TLSv1.3';
  if (is13) reader.vector(1);
  const list = reader.vector(3);
  const chain: Uint8Array[] = [];
  let staplesStatus = false;
  while (list.left > 0) {
    if (chain.length === LONGEST_CHAIN) throw new TlsSyntaxError(`a chain of more than ${LONGEST_CHAIN} certificates`);
    chain.push(list.vector(3).bytes);
    if (is13 && readExtensions(list.vector(2)).has(5)) staplesStatus = true;
  }
  return { chain, staplesStatus };
}

/** Names of the authorities whose client certificates are accepted, DER; empty: the server says nothing. @throws TlsSyntaxError */
export function readCertificateRequest(body: Uint8Array, version: ProtocolVersion | null): readonly Uint8Array[] {
  const reader = new WireReader(body);
  if (version === 'TLSv1.3') {
    reader.vector(1);
    const authorities = readExtensions(reader.vector(2)).get(47);
    return authorities ? names(new WireReader(authorities).vector(2)) : [];
  }
  reader.vector(1);
  if (version === 'TLSv1.2') reader.vector(2);
  return names(reader.vector(2));
}

function names(list: WireReader): Uint8Array[] {
  const found: Uint8Array[] = [];
  while (list.left > 0) found.push(list.vector(2).bytes);
  return found;
}

/** The group of an ephemeral exchange before TLS 1.3; null: a prime of the server's own, or a static key. @throws TlsSyntaxError */
export function readKeyExchangeGroup(
  body: Uint8Array,
  suite: string,
): { readonly group: number | null; readonly primeBits: number | null } {
  const reader = new WireReader(body);
  if (/^TLS_ECDHE?_/.test(suite)) {
    const NAMED_CURVE = 3;
    return { group: reader.uint(1) === NAMED_CURVE ? reader.uint(2) : null, primeBits: null };
  }
  if (!/^TLS_DHE?_/.test(suite)) return { group: null, primeBits: null };
  const prime = reader.vector(2).bytes;
  const first = prime.findIndex((byte) => byte !== 0);
  const bits = first < 0 ? 0 : (prime.byteLength - first) * 8 - Math.clz32(prime[first] ?? 0) + 24;
  return { group: null, primeBits: bits };
}

export interface Alert {
  readonly fatal: boolean;
  readonly code: number;
}

/** null where the record is encrypted or cut short. */
export function readAlert(fragment: Uint8Array): Alert | null {
  const [level, code] = fragment;
  return fragment.byteLength === 2 && level !== undefined && code !== undefined ? { fatal: level === 2, code } : null;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
