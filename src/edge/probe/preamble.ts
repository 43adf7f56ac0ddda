/**
 * What a client says before TLS begins, protocol by protocol: nothing, PostgreSQL's SSLRequest, MySQL's SSL request
 * packet, STARTTLS of SMTP and IMAP. Also what a client says first of all in plaintext, to see whether it gets service.
 */
import type { Duplex } from 'node:stream';
import type { ServiceProtocol } from '../../core/services/service-kind.ts';
import type { PlaintextAnswer } from '../../flow/probe/attempt.ts';

/** The peer answered, but not as the protocol has it; `why` is for people. */
export class PreambleRefused extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'PreambleRefused';
  }
}

const MAX_GREETING_BYTES = 8192;

/** Brings a fresh connection to the point where the ClientHello is sent. @throws PreambleRefused */
export async function beforeTls(protocol: ServiceProtocol, socket: Duplex): Promise<void> {
  switch (protocol) {
    case 'tls':
    case 'https':
    case 'redis':
      return;
    case 'postgres': {
      // PostgreSQL protocol 3.0 §55.2.11: length 8, code 80877103; one byte comes back.
      socket.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f));
      const answer = await readUntil(socket, (bytes) => bytes.byteLength >= 1);
      if (answer[0] !== 0x53)
        throw new PreambleRefused(
          answer[0] === 0x4e ? 'the server has TLS switched off (it answers N)' : 'the server is not PostgreSQL',
        );
      return;
    }
    case 'mysql':
      return mysqlSslRequest(socket);
    case 'smtp':
      await readUntil(socket, (bytes) => /^220 .*\r\n/m.test(text(bytes)));
      socket.write('EHLO fullchain.invalid\r\n');
      if (!/STARTTLS/i.test(text(await readUntil(socket, (bytes) => /^\d{3} .*\r\n/m.test(text(bytes))))))
        throw new PreambleRefused('the server offers no STARTTLS');
      socket.write('STARTTLS\r\n');
      await expectLine(socket, /^220 /);
      return;
    case 'imap':
      await readUntil(socket, (bytes) => /^\* OK.*\r\n/m.test(text(bytes)));
      socket.write('a STARTTLS\r\n');
      await expectLine(socket, /^a OK/);
  }
}

/** MySQL client/server protocol: the server greets; a client that wants TLS sends the short form of its response. */
async function mysqlSslRequest(socket: Duplex): Promise<void> {
  const greeting = await readUntil(
    socket,
    (bytes) => bytes.byteLength >= 4 && bytes.byteLength >= 4 + bytes.readUIntLE(0, 3),
  );
  const payload = greeting.subarray(4);
  if (payload[0] === 0xff) throw new PreambleRefused(`the server answers: ${text(payload.subarray(3))}`);
  const versionEnd = payload.indexOf(0, 1);
  if (payload[0] !== 10 || versionEnd < 0) throw new PreambleRefused('the server is not MySQL or MariaDB');
  const capabilities = payload.readUInt16LE(versionEnd + 1 + 4 + 8 + 1);
  const CLIENT_SSL = 0x0800;
  if ((capabilities & CLIENT_SSL) === 0) throw new PreambleRefused('the server has TLS switched off');
  const request = Buffer.alloc(36);
  request.writeUIntLE(32, 0, 3);
  request[3] = 1;
  // CLIENT_SSL, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
  request.writeUInt32LE(CLIENT_SSL | 0x0200 | 0x8000 | 0x80000, 4);
  request.writeUInt32LE(1 << 24, 8);
  request[12] = 45;
  socket.write(request);
}

/** A plaintext client's first words, and what comes back within `timeoutMs`. */
export async function speakPlaintext(
  protocol: ServiceProtocol,
  socket: Duplex,
  timeoutMs: number,
): Promise<PlaintextAnswer> {
  const silence = timeoutMs;
  switch (protocol) {
    case 'postgres': {
      const startup = Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]),
        Buffer.from('user\0fullchain\0database\0fullchain\0\0'),
      ]);
      startup.writeUInt32BE(startup.byteLength, 0);
      socket.write(startup);
      const answer = text(await readSome(socket, silence));
      // A refusal before authentication names encryption; an authentication request would be service.
      if (answer.startsWith('E') && /no encryption|SSL|pg_hba|rejects connection/i.test(answer))
        return { kind: 'refused', detail: printable(answer) };
      return answer === ''
        ? { kind: 'refused', detail: 'closed without a word' }
        : { kind: 'service', detail: printable(answer) };
    }
    case 'redis': {
      socket.write('PING\r\n');
      const answer = text(await readSome(socket, silence));
      return /^[+-]/.test(answer)
        ? { kind: 'service', detail: printable(answer) }
        : { kind: 'refused', detail: answer === '' ? 'closed without a word' : printable(answer) };
    }
    case 'mysql': {
      const greeting = await readSome(socket, silence);
      if (greeting.byteLength < 5 || greeting[4] === 0xff) return { kind: 'refused', detail: 'no greeting' };
      const response = mysqlLogin(1);
      socket.write(response);
      const answer = text((await readSome(socket, silence)).subarray(4));
      if (/secure.?transport|insecure/i.test(answer)) return { kind: 'refused', detail: printable(answer) };
      return { kind: answer === '' ? 'refused' : 'service', detail: printable(answer) };
    }
    case 'smtp':
      socket.write('EHLO fullchain.invalid\r\nMAIL FROM:<>\r\n');
      return plainText(socket, silence, /^530|Must issue a STARTTLS/m);
    case 'imap':
      socket.write('a LOGIN fullchain fullchain\r\n');
      return plainText(socket, silence, /PRIVACYREQUIRED|disallowed|LOGINDISABLED/i);
    case 'https': {
      socket.write('GET / HTTP/1.1\r\nhost: fullchain.invalid\r\nconnection: close\r\n\r\n');
      const answer = text(await readSome(socket, silence));
      // nginx's 400 on a TLS port and a redirect to https are refusals of plaintext service.
      const served = /^HTTP\/1\.[01] (?!400|301|302|307|308|426)/.test(answer);
      return { kind: served ? 'service' : 'refused', detail: printable(answer) || 'closed without a word' };
    }
    case 'tls': {
      socket.write('GET / HTTP/1.0\r\n\r\n');
      const answer = await readSome(socket, silence);
      // A TLS alert record is the refusal; anything else is talk in plaintext.
      const alert = answer.byteLength === 0 || answer[0] === 0x15;
      const refusal =
        alert || /^HTTP\/1\.[01] 400/.test(text(answer)) || /HTTP request to an HTTPS server/.test(text(answer));
      return {
        kind: refusal ? 'refused' : 'service',
        detail: alert ? 'a TLS alert or a closed connection' : printable(text(answer)),
      };
    }
  }
}

async function plainText(socket: Duplex, silence: number, refusal: RegExp): Promise<PlaintextAnswer> {
  let all = '';
  for (let i = 0; i < 4; i++) {
    const more = text(await readSome(socket, silence / 4));
    all += more;
    if (refusal.test(all)) return { kind: 'refused', detail: printable(all) };
  }
  return { kind: all === '' ? 'refused' : 'service', detail: printable(all) || 'closed without a word' };
}

/**
 * A login without a password of a user that nobody has.
 *
 * @param sequence 1 in plaintext, 2 after the packet that asked for TLS
 */
export function mysqlLogin(sequence: 1 | 2): Buffer {
  const body = Buffer.concat([
    Buffer.alloc(32),
    Buffer.from('fullchain\0'),
    Buffer.from([0]),
    Buffer.from('mysql_native_password\0'),
  ]);
  const CLIENT_SSL = 0x0800;
  body.writeUInt32LE((sequence === 2 ? CLIENT_SSL : 0) | 0x0200 | 0x8000 | 0x80000, 0);
  body.writeUInt32LE(1 << 24, 4);
  body[8] = 45;
  const packet = Buffer.alloc(4 + body.byteLength);
  packet.writeUIntLE(body.byteLength, 0, 3);
  packet[3] = sequence;
  body.copy(packet, 4);
  return packet;
}

async function expectLine(socket: Duplex, wanted: RegExp): Promise<void> {
  const answer = text(await readUntil(socket, (bytes) => text(bytes).includes('\r\n')));
  if (!wanted.test(answer)) throw new PreambleRefused(`the server answers: ${printable(answer)}`);
}

/** Reads until `complete`; leaves nothing behind, because no peer sends more before it is asked. */
function readUntil(socket: Duplex, complete: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const finish = (fault: Error | null): void => {
      socket.off('data', take);
      socket.off('close', closed);
      socket.pause();
      if (fault) reject(fault);
      else resolve(bytes);
    };
    const closed = (): void => finish(new PreambleRefused('the connection was closed before TLS could begin'));
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (complete(bytes)) finish(null);
      else if (bytes.byteLength > MAX_GREETING_BYTES) finish(new PreambleRefused('the greeting is too long'));
    };
    socket.on('data', take);
    socket.once('close', closed);
    socket.resume();
  });
}

/** What comes first, or nothing when the peer closes or stays silent. */
export function readSome(socket: Duplex, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(Buffer.alloc(0)), timeoutMs);
    const finish = (bytes: Buffer): void => {
      clearTimeout(timer);
      socket.off('data', finish);
      socket.off('close', ended);
      resolve(bytes);
    };
    const ended = (): void => finish(Buffer.alloc(0));
    if (socket.destroyed) return ended();
    socket.once('data', finish);
    socket.once('close', ended);
    socket.once('end', ended);
    socket.resume();
  });
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function printable(answer: string): string {
  return answer
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 160);
}
