/** What a client says first of all in plaintext, to see whether it gets service. */
import type { Duplex } from 'node:stream';
import type { Protocol } from '../../core/probe/protocol.ts';
import type { PlaintextAnswer } from '../../flow/probe/attempt.ts';
import { printable, readSome, text } from './answer.ts';

/** As whom, of databases; nothing secret is ever said. */
export interface PlaintextLogin {
  readonly user?: string;
  readonly database?: string;
}

/** A plaintext client's first words, and what comes back within `timeoutMs`. */
export async function speakPlaintext(
  protocol: Protocol,
  socket: Duplex,
  timeoutMs: number,
  { user = 'fullchain', database = 'fullchain' }: PlaintextLogin = {},
): Promise<PlaintextAnswer> {
  const silence = timeoutMs;
  switch (protocol) {
    case 'postgres': {
      const startup = Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]),
        Buffer.from(`user\0${user}\0database\0${database}\0\0`),
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
    case 'lmtp':
      socket.write(
        protocol === 'lmtp'
          ? 'LHLO fullchain.invalid\r\nMAIL FROM:<>\r\n'
          : 'EHLO fullchain.invalid\r\nMAIL FROM:<>\r\n',
      );
      return plainText(socket, silence, /^530|Must issue a STARTTLS/m);
    case 'imap':
      socket.write('a LOGIN fullchain fullchain\r\n');
      return plainText(socket, silence, /PRIVACYREQUIRED|disallowed|LOGINDISABLED/i);
    case 'pop3':
      socket.write('USER fullchain\r\n');
      return plainText(socket, silence, /^-ERR/m);
    case 'ftp':
      socket.write('USER anonymous\r\n');
      return plainText(socket, silence, /^(?:421|5\d\d) /m);
    case 'ldap':
      // An anonymous bind; confidentialityRequired is 13.
      socket.write(Buffer.from('300c020101600702010304008000', 'hex'));
      return (await readSome(socket, silence)).includes(Buffer.of(0x0a, 0x01, 0x0d))
        ? { kind: 'refused', detail: 'confidentiality is required' }
        : { kind: 'service', detail: 'an answer to a bind' };
    case 'xmpp':
      socket.write(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='fullchain.invalid' version='1.0'>",
      );
      return plainText(socket, silence, /<required\s*\/>|<stream:error>/);
    case 'https': {
      socket.write('GET / HTTP/1.1\r\nhost: fullchain.invalid\r\nconnection: close\r\n\r\n');
      const answer = text(await readSome(socket, silence));
      // nginx's 400 on a TLS port and a redirect to https are refusals of plaintext service.
      const served = /^HTTP\/1\.[01] (?!400|301|302|307|308|426)/.test(answer);
      return { kind: served ? 'service' : 'refused', detail: printable(answer) || 'closed without a word' };
    }
    case 'imaps':
    case 'smtps':
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
