/** A ClientHello of our choosing (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2): what a library would never offer can be offered. */
import { type ProtocolVersion, versionCode } from './protocol-version.ts';
import { join, uint, vector } from './wire.ts';

export interface ClientHello {
  /** The newest is what the server is asked for; below TLS 1.3 it is the only one. */
  readonly version: ProtocolVersion;
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  /** null sends no server_name. */
  readonly serverName: string | null;
  readonly alpn: readonly string[];
  /** Asks for a stapled OCSP answer. */
  readonly statusRequest: boolean;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** In TLS 1.3 some middleboxes want one (RFC 8446 §D.4); otherwise empty. */
  readonly sessionId: Uint8Array;
}

/** RFC 8446 §4.2.3, and what TLS 1.2 had before it: every scheme that a server may answer with. */
const RSA_SIGNATURES: readonly number[] = [
  0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0301, 0x0201,
];
const ECDSA_SIGNATURES: readonly number[] = [0x0403, 0x0503, 0x0603, 0x0303, 0x0203];
const OTHER_SIGNATURES: readonly number[] = [0x0807, 0x0808, 0x0904, 0x0905, 0x0906, 0x0402, 0x0302, 0x0202, 0x0101];
const ALL_SIGNATURES: readonly number[] = [...ECDSA_SIGNATURES, ...RSA_SIGNATURES, ...OTHER_SIGNATURES];

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;

/** The handshake message alone, as transcripts want it. */
function clientHelloMessage(hello: ClientHello): Uint8Array {
  const { version, random, sessionId, suites } = hello;
  const code = versionCode(version);
  const body = join(
    // TLS 1.3 says so in an extension, and here that it is TLS 1.2.
    uint(2, Math.min(code, versionCode('TLSv1.2'))),
    random,
    vector(1, sessionId),
    vector(2, ...suites.map((suite) => uint(2, suite))),
    vector(1, uint(1, 0)),
    version === 'SSLv3' ? new Uint8Array() : vector(2, ...extensions(hello)),
  );
  return join(uint(1, CLIENT_HELLO), vector(3, body));
}

/** In its record, ready to be sent. */
export function clientHelloRecord(hello: ClientHello): Uint8Array {
  const code = versionCode(hello.version);
  // Old servers refuse a record version that they do not know, so it is never a newer one than TLS 1.0.
  const record = Math.min(code, versionCode('TLSv1'));
  return join(uint(1, HANDSHAKE_RECORD), uint(2, record), vector(2, clientHelloMessage(hello)));
}

function extensions(hello: ClientHello): Uint8Array[] {
  const { version, groups, serverName, alpn, statusRequest } = hello;
  const is13 = version === 'TLSv1.3';
  const isSigned = is13 || version === 'TLSv1.2';
  return [
    ...(serverName === null ? [] : [extension(0, vector(2, uint(1, 0), vector(2, ascii(serverName))))]),
    ...(statusRequest ? [extension(5, join(uint(1, 1), vector(2), vector(2)))] : []),
    ...(groups.length === 0 ? [] : [extension(10, vector(2, ...groups.map((group) => uint(2, group))))]),
    extension(11, vector(1, uint(1, 0))),
    ...(isSigned ? [extension(13, vector(2, ...ALL_SIGNATURES.map((scheme) => uint(2, scheme))))] : []),
    ...(alpn.length === 0 ? [] : [extension(16, vector(2, ...alpn.map((name) => vector(1, ascii(name)))))]),
    extension(23, new Uint8Array()),
    extension(35, new Uint8Array()),
    ...(is13
      ? [
          extension(43, vector(1, uint(2, versionCode(version)))),
          extension(45, vector(1, uint(1, 1))),
          // No share of any group: the server has to ask for one, which shows what it would take (HelloRetryRequest).
          extension(51, vector(2)),
        ]
      : []),
    extension(0xff01, vector(1)),
  ];
}

function extension(type: number, data: Uint8Array): Uint8Array {
  return join(uint(2, type), vector(2, data));
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}
