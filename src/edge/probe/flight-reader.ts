/** From the bytes of a server to its first flight. Nothing is trusted: sizes are bounded, and what cannot be read ends it. */
import { suiteName } from '../../core/tls/cipher-suites.ts';
import { type HandshakeMessage, RECORD_TYPES, splitMessages, splitRecords } from '../../core/tls/records.ts';
import {
  HANDSHAKE_TYPES,
  readAlert,
  readCertificate,
  readCertificateRequest,
  readEncryptedExtensions,
  readKeyExchangeGroup,
  readServerHello,
  type ServerHello,
} from '../../core/tls/server-messages.ts';
import { join, TlsSyntaxError } from '../../core/tls/wire.ts';
import type { FlightResult } from '../../flow/probe/server-flight.ts';
import type { FlightDecryption } from './tls13-flight-decryption.ts';

/** How a TLS 1.3 flight is opened; null: it cannot be. */
export type DecryptionFor = (hello: ServerHello) => FlightDecryption | null;

/** No first flight is longer. */
const MOST_BYTES = 256 * 1024;

/** Bytes in, and the flight when there is enough of it. */
export class FlightReader {
  private pending: Uint8Array = new Uint8Array();
  private plain: Uint8Array = new Uint8Array();
  private decryption: FlightDecryption | null = null;
  private read = 0;
  private readonly decryptionFor: DecryptionFor | null;

  /** @param decryptionFor of a client that goes on after a HelloRetryRequest; null: the server's choice is all that is wanted */
  constructor(decryptionFor: DecryptionFor | null) {
    this.decryptionFor = decryptionFor;
  }

  take(chunk: Uint8Array): FlightResult | null {
    this.read += chunk.byteLength;
    if (this.read > MOST_BYTES) return { kind: 'not-tls', bytes: chunk.subarray(0, 64) };
    const bytes = join(this.pending, chunk);
    try {
      const { records, rest } = splitRecords(bytes);
      // A copy: what comes next must not hold on to everything that came before.
      this.pending = Uint8Array.from(rest);
      for (const { type, header, fragment } of records) {
        const done = this.record(type, header, fragment);
        if (done) return done;
      }
      return null;
    } catch (fault) {
      if (fault instanceof TlsSyntaxError) return { kind: 'not-tls', bytes: bytes.subarray(0, 64) };
      // A record that cannot be opened: what is known so far is all that there will be.
      return this.atEnd();
    }
  }

  /** The connection has ended. */
  atEnd(): FlightResult {
    const messages = splitMessages(this.plain);
    try {
      return messages.length > 0 ? flightOf(messages) : { kind: 'closed' };
    } catch (fault) {
      if (fault instanceof TlsSyntaxError) return { kind: 'not-tls', bytes: this.plain.subarray(0, 64) };
      throw fault;
    }
  }

  /** A client that goes on gets another ServerHello, which is the one that counts. */
  private dropRetry(): void {
    const [first] = splitMessages(this.plain);
    if (
      this.decryptionFor === null ||
      first?.type !== HANDSHAKE_TYPES.serverHello ||
      !readServerHello(first.body).isRetry
    )
      return;
    this.plain = this.plain.subarray(first.raw.byteLength);
  }

  private record(type: number, header: Uint8Array, fragment: Uint8Array): FlightResult | null {
    if (type === RECORD_TYPES.applicationData && this.decryption) {
      const inner = this.decryption.open(header, fragment);
      return inner.type === RECORD_TYPES.applicationData
        ? this.atEnd()
        : this.record(inner.type, header, inner.content);
    }
    if (type === RECORD_TYPES.alert) {
      const alert = readAlert(fragment);
      if (alert && !alert.fatal) return null;
      return alert && splitMessages(this.plain).length === 0 ? { kind: 'alert', code: alert.code } : this.atEnd();
    }
    if (type === RECORD_TYPES.applicationData) return this.atEnd();
    if (type !== RECORD_TYPES.handshake) return null;
    this.plain = join(this.plain, fragment);
    this.dropRetry();
    const messages = splitMessages(this.plain);
    const [first] = messages;
    if (first?.type !== HANDSHAKE_TYPES.serverHello) return first ? this.atEnd() : null;
    const hello = readServerHello(first.body);
    if (hello.version === 'TLSv1.3') {
      this.decryption ??= this.decryptionFor?.(hello) ?? null;
      if (this.decryption === null) return flightOf(messages);
    }
    return isWhole(messages) ? flightOf(messages) : null;
  }
}

function isWhole(messages: readonly HandshakeMessage[]): boolean {
  return messages.some(({ type }) => type === HANDSHAKE_TYPES.serverHelloDone || type === HANDSHAKE_TYPES.finished);
}

/** @throws TlsSyntaxError */
function flightOf(messages: readonly HandshakeMessage[]): FlightResult {
  const bodyOf = (type: number): Uint8Array | null => messages.find((message) => message.type === type)?.body ?? null;
  const first = bodyOf(HANDSHAKE_TYPES.serverHello);
  if (first === null) return { kind: 'not-tls', bytes: messages[0]?.raw.subarray(0, 64) ?? new Uint8Array() };
  const hello = readServerHello(first);
  const certificate = bodyOf(HANDSHAKE_TYPES.certificate);
  const read = certificate && readCertificate(certificate, hello.version);
  const asked = bodyOf(HANDSHAKE_TYPES.certificateRequest);
  const exchanged = bodyOf(HANDSHAKE_TYPES.serverKeyExchange);
  const { group, primeBits } = exchanged
    ? readKeyExchangeGroup(exchanged, suiteName(hello.suite))
    : { group: hello.group, primeBits: null };
  const encrypted = bodyOf(HANDSHAKE_TYPES.encryptedExtensions);
  return {
    kind: 'flight',
    hello,
    chain: read?.chain ?? null,
    acceptedAuthorities: asked && readCertificateRequest(asked, hello.version),
    group,
    primeBits,
    alpn: encrypted && hello.version === 'TLSv1.3' ? readEncryptedExtensions(encrypted).alpn : hello.alpn,
    staplesStatus: bodyOf(HANDSHAKE_TYPES.certificateStatus) !== null || (read?.staplesStatus ?? false),
    isWhole: isWhole(messages),
  };
}
