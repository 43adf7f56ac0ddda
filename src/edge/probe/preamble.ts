/**
 * What a client says before TLS begins, protocol by protocol: nothing, PostgreSQL's SSLRequest, MySQL's SSL request
 * packet, LDAP's extended request, STARTTLS of those that talk in lines, XMPP's in XML.
 */
import type { Duplex } from 'node:stream';
import { readMysqlGreeting } from '../../core/probe/mysql-greeting.ts';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { PreambleReason } from '../../flow/probe/server-flight.ts';
import { PreambleRefused, printable, readUntil, text } from './answer.ts';
import { leaveMysql } from './greeting.ts';

/**
 * Brings a fresh connection to the point where the ClientHello is sent.
 *
 * @param domain for XMPP, whose servers may have several
 * @throws PreambleRefused
 */
export async function beforeTls(protocol: Protocol, socket: Duplex, domain: string): Promise<void> {
  switch (protocol) {
    case 'tls':
    case 'https':
    case 'redis':
    case 'imaps':
    case 'smtps':
      return;
    case 'postgres':
      return postgresSslRequest(socket);
    case 'mysql':
      return mysqlSslRequest(socket);
    case 'ldap':
      return ldapStartTls(socket);
    case 'xmpp':
      return xmppStartTls(socket, domain);
    case 'smtp':
    case 'lmtp':
    case 'imap':
    case 'pop3':
    case 'ftp':
      return talk(socket, DIALOGUES[protocol]);
  }
}

/** PostgreSQL protocol 3.0 §55.2.11: length 8, code 80877103; one byte comes back. */
async function postgresSslRequest(socket: Duplex): Promise<void> {
  socket.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f));
  const answer = await readUntil(socket, (bytes) => bytes.byteLength >= 1);
  // One byte and no more: others greet with words, such as SSH's.
  const said = answer.byteLength === 1 ? answer[0] : null;
  if (said !== 0x53)
    throw said === 0x4e
      ? new PreambleRefused('tls-off', 'the server has TLS switched off (it answers N)')
      : new PreambleRefused('other-protocol', 'the server is not PostgreSQL', answer);
}

/** MySQL client/server protocol: the server greets; a client that wants TLS sends the short form of its response. */
async function mysqlSslRequest(socket: Duplex): Promise<void> {
  const greeting = await readUntil(
    socket,
    (bytes) => bytes.byteLength >= 4 && bytes.byteLength >= 4 + bytes.readUIntLE(0, 3),
  );
  const read = readMysqlGreeting(greeting.subarray(4));
  if (read === null) throw new PreambleRefused('other-protocol', 'the server is not MySQL or MariaDB', greeting);
  // Said before TLS, and by a server that may have it.
  if (read.kind === 'turned-away')
    throw new PreambleRefused('closed', `the server turns clients away: ${printable(read.why)}`);
  if (!read.offersTls) {
    await leaveMysql(socket);
    throw new PreambleRefused('tls-off', 'the server has TLS switched off');
  }
  const request = Buffer.alloc(36);
  request.writeUIntLE(32, 0, 3);
  request[3] = 1;
  const CLIENT_SSL = 0x0800;
  // CLIENT_SSL, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
  request.writeUInt32LE(CLIENT_SSL | 0x0200 | 0x8000 | 0x80000, 4);
  request.writeUInt32LE(1 << 24, 8);
  request[12] = 45;
  socket.write(request);
}

/** One exchange: what is said (nothing: the server begins), when its answer is whole, and what it must be. */
interface Turn {
  readonly say: string | null;
  readonly whole: RegExp;
  readonly wanted: RegExp;
  /** What it means when it is not. */
  readonly reason: PreambleReason;
  readonly otherwise: string;
}

/** A reply of SMTP and FTP ends with the line that has a space behind the number (RFC 5321 §4.2.1, RFC 959 §4.2). */
const REPLY = /^\d{3} .*\r?\n/m;
const OFFERS_NONE = { reason: 'tls-off', otherwise: 'the server offers no STARTTLS' } as const;
const REFUSES = { reason: 'tls-off', otherwise: 'the server refuses STARTTLS' } as const;
const NO_GREETING = { reason: 'other-protocol', otherwise: 'the server does not greet as it should' } as const;

function mailTurns(hello: string): readonly Turn[] {
  return [
    { say: null, whole: REPLY, wanted: /^220/, ...NO_GREETING },
    { say: hello, whole: REPLY, wanted: /^250[ -]STARTTLS\s*$/im, ...OFFERS_NONE },
    { say: 'STARTTLS', whole: REPLY, wanted: /^220/, ...REFUSES },
  ];
}

const DIALOGUES: Readonly<Record<'smtp' | 'lmtp' | 'imap' | 'pop3' | 'ftp', readonly Turn[]>> = {
  smtp: mailTurns('EHLO fullchain.invalid'),
  lmtp: mailTurns('LHLO fullchain.invalid'),
  imap: [
    { say: null, whole: /^\* .*\r?\n/m, wanted: /^\* (?:OK|PREAUTH)/i, ...NO_GREETING },
    { say: 'a STARTTLS', whole: /^a .*\r?\n/m, wanted: /^a OK/im, ...REFUSES },
  ],
  pop3: [
    { say: null, whole: /\n/, wanted: /^\+OK/, ...NO_GREETING },
    { say: 'STLS', whole: /\n/, wanted: /^\+OK/, ...REFUSES },
  ],
  ftp: [
    { say: null, whole: REPLY, wanted: /^220/, ...NO_GREETING },
    { say: 'AUTH TLS', whole: REPLY, wanted: /^234/, reason: 'tls-off', otherwise: 'the server refuses AUTH TLS' },
  ],
};

async function talk(socket: Duplex, turns: readonly Turn[]): Promise<void> {
  for (const { say, whole, wanted, reason, otherwise } of turns) {
    if (say !== null) socket.write(`${say}\r\n`);
    const answer = text(await readUntil(socket, (bytes) => whole.test(text(bytes))));
    // RFC 5321 §3.8, RFC 959 §4.2.1: it ends the connection by itself, mostly for a limit.
    if (/^421/.test(answer))
      throw new PreambleRefused('closed', `the server turns clients away (${printable(answer)})`);
    if (!wanted.test(answer)) throw new PreambleRefused(reason, `${otherwise} (${printable(answer)})`);
  }
}

/** RFC 4511 §4.14: ExtendedRequest with the name 1.3.6.1.4.1.1466.20037 in message 1. */
async function ldapStartTls(socket: Duplex): Promise<void> {
  const name = Buffer.from('1.3.6.1.4.1.1466.20037');
  const request = Buffer.concat([Buffer.of(0x80, name.byteLength), name]);
  const message = Buffer.concat([Buffer.of(0x02, 0x01, 0x01, 0x77, request.byteLength), request]);
  socket.write(Buffer.concat([Buffer.of(0x30, message.byteLength), message]));
  const answer = await readUntil(socket, (bytes) => bytes.byteLength >= 2 && (berValue(bytes)?.isWhole ?? true));
  const result = ldapResultCode(answer);
  if (result === null) throw new PreambleRefused('other-protocol', 'the server is not LDAP');
  if (result !== 0) throw new PreambleRefused('tls-off', `the server refuses StartTLS (LDAP result ${result})`);
}

/** Of an ExtendedResponse; null where it is none. */
function ldapResultCode(message: Uint8Array): number | null {
  const EXTENDED_RESPONSE = 0x78;
  const [sequence] = message[0] === 0x30 ? [berValue(message)] : [null];
  const id = sequence ? berValue(sequence.value) : null;
  const response = id && sequence ? sequence.value.subarray(id.length) : null;
  if (response?.[0] !== EXTENDED_RESPONSE) return null;
  const code = berValue(berValue(response)?.value ?? new Uint8Array());
  return code?.value[0] ?? null;
}

/** BER, not DER: Active Directory writes lengths in four bytes. null: the length is not there, or none that can be. */
function berValue(
  bytes: Uint8Array,
): { readonly value: Uint8Array; readonly length: number; readonly isWhole: boolean } | null {
  const first = bytes[1];
  if (first === undefined) return null;
  const extra = first < 0x80 ? 0 : first - 0x80;
  if (extra > 4) return null;
  const declared = extra === 0 ? first : bytes.subarray(2, 2 + extra).reduce((sum, byte) => sum * 256 + byte, 0);
  const start = 2 + extra;
  return {
    value: bytes.subarray(start, start + declared),
    length: start + declared,
    isWhole: bytes.byteLength >= start + declared,
  };
}

/** RFC 6120 §5.4. */
async function xmppStartTls(socket: Duplex, domain: string): Promise<void> {
  const to = domain.replace(/[^\w.:-]/g, '');
  socket.write(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${to}' version='1.0'>`,
  );
  const features = text(
    await readUntil(socket, (bytes) => /<\/stream:(?:features|stream)>|<stream:features\s*\/>/.test(text(bytes))),
  );
  if (!/<starttls[\s/>]/.test(features))
    throw new PreambleRefused('tls-off', `${OFFERS_NONE.otherwise} (${printable(features)})`);
  socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  const answer = text(await readUntil(socket, (bytes) => />/.test(text(bytes))));
  if (!/<proceed[\s/>]/.test(answer))
    throw new PreambleRefused('tls-off', `${REFUSES.otherwise} (${printable(answer)})`);
}
