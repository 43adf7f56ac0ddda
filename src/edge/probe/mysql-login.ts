/**
 * A login to MySQL or MariaDB inside TLS, with a password: a user who has to show a certificate (REQUIRE X509) is refused with the
 * words of a wrong password, and only a right one brings that to light. Nothing is asked but
 * whether the server insists on TLS, which nobody else hears; and nothing is sent in the clear.
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { printable, readUntil, text } from './answer.ts';

const CLIENT_SSL = 0x0800;
const CAPABILITIES = CLIENT_SSL | 0x0200 | 0x8000 | 0x80000;
const UTF8MB4 = 45;

/** @returns "ok", with what `insists` adds, or what the server says, such as "1045 Access denied for user …" @throws PreambleRefused when it closes */
export async function mysqlPasswordLogin(
  socket: Duplex,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<string> {
  const body = Buffer.concat([Buffer.alloc(32), Buffer.from(`${user}\0`), Buffer.from([0]), Buffer.from('none\0')]);
  body.writeUInt32LE(CAPABILITIES, 0);
  body.writeUInt32LE(1 << 24, 4);
  body[8] = UTF8MB4;
  // The second packet of the client, after the one that asked for TLS.
  socket.write(packet(2, body));
  for (let round = 0; round < 4; round++) {
    const { sequence, payload } = await readPacket(socket);
    const [kind] = payload;
    if (kind === 0x00) return `ok${await insists(socket)}`;
    // The OK that follows may have come already, and no question can be asked behind it.
    if (kind === FAST_AUTHENTICATION[0] && payload[1] === FAST_AUTHENTICATION[1]) return 'ok';
    if (kind === 0xff)
      return printable(`${payload.readUInt16LE(1)} ${text(payload.subarray(3)).replace(/^#.{5}/, '')}`);
    // What else there is wants the password itself (caching_sha2_password): not from here, where the server has proven nothing.
    const reply = kind === 0xfe ? switched(payload, password) : null;
    if (reply === null) return 'the server asks for a login of a kind that is not known here';
    socket.write(packet(sequence + 1, reply));
  }
  return 'the login does not come to an end';
}

const COM_QUERY = 0x03;
/** Of a result with one column and one row: count, column, end, row, end. */
const [ROW, PACKETS] = [3, 5];

/** Empty where the server does not say: MariaDB before 10.5 has no such setting. */
async function insists(socket: Duplex): Promise<string> {
  socket.write(packet(0, Buffer.concat([Buffer.of(COM_QUERY), Buffer.from('SELECT @@require_secure_transport')])));
  const isWhole = (all: Buffer): boolean => {
    const payloads = payloadsOf(all);
    return payloads[0]?.[0] === 0xff || payloads.length >= PACKETS;
  };
  // A string in the row has its length in front.
  const answer = await readUntil(socket, isWhole).catch(() => Buffer.alloc(0));
  const row = payloadsOf(answer)[ROW];
  const value = row?.byteLength === 2 && row[0] === 1 ? text(row.subarray(1)) : null;
  return value === '0' || value === '1' ? `, require_secure_transport=${value}` : '';
}

/** Of the packets that are whole. */
function payloadsOf(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength; ) {
    const end = at + 4 + bytes.readUIntLE(at, 3);
    if (end > bytes.byteLength) break;
    payloads.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return payloads;
}

/** AuthSwitchRequest: the plugin's name and its salt. null: a plugin that is not known here. */
function switched(payload: Buffer, password: string): Buffer | null {
  const end = payload.indexOf(0, 1);
  const plugin = text(payload.subarray(1, end));
  const salt = payload.subarray(end + 1, end + 21);
  if (password === '') return Buffer.alloc(1);
  if (plugin === 'mysql_native_password') return scramble('sha1', password, salt, true);
  return plugin === 'caching_sha2_password' ? scramble('sha256', password, salt, false) : null;
}

/** AuthMoreData of caching_sha2_password: the server knew the hash, and an OK follows. */
const FAST_AUTHENTICATION = [0x01, 0x03] as const;

function scramble(hash: 'sha1' | 'sha256', password: string, salt: Uint8Array, isSaltFirst: boolean): Buffer {
  const digest = (...parts: readonly Uint8Array[]): Buffer => {
    const made = createHash(hash);
    for (const part of parts) made.update(part);
    return made.digest();
  };
  const once = digest(Buffer.from(password));
  const twice = digest(once);
  const mask = isSaltFirst ? digest(salt, twice) : digest(twice, salt);
  return Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function packet(sequence: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.byteLength, 0, 3);
  header[3] = sequence & 0xff;
  return Buffer.concat([header, body]);
}

async function readPacket(socket: Duplex): Promise<{ readonly sequence: number; readonly payload: Buffer }> {
  const bytes = await readUntil(socket, (all) => all.byteLength >= 4 && all.byteLength >= 4 + all.readUIntLE(0, 3));
  return { sequence: bytes[3] ?? 0, payload: bytes.subarray(4, 4 + bytes.readUIntLE(0, 3)) };
}
