/** A DNS server (RFC 1035 §4, UDP only) to which every name is 127.0.0.1 and has no other record. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HEADER_LENGTH = 12;
const TYPE_A = 1;
/** Response, authoritative, recursion desired and available, no error. */
const FLAGS = 0x8580;
/** The name of the question, type A, class IN, 60 s, four octets of address. */
const ANSWER = Buffer.from('c00c00010001' + '0000003c' + '0004' + '7f000001', 'hex');

export async function startLoopbackDns(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const reply = answer(query);
    if (reply) socket.send(reply, from.port, from.address);
  });
  await once(socket.bind(port, '127.0.0.1'), 'listening');
}

/** Null for what is not a query. */
function answer(query: Buffer): Buffer | null {
  const end = endOfQuestion(query);
  if (end === null) return null;
  const isAddress = query.readUInt16BE(end - 4) === TYPE_A;
  const header = Buffer.alloc(HEADER_LENGTH);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(FLAGS, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isAddress ? 1 : 0, 6);
  return Buffer.concat([header, query.subarray(HEADER_LENGTH, end), ...(isAddress ? [ANSWER] : [])]);
}

/** After the labels, a zero octet, the type and the class. */
function endOfQuestion(query: Buffer): number | null {
  let at = HEADER_LENGTH;
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63) return null;
    at += 1 + length;
  }
  return at + 5 <= query.byteLength ? at + 5 : null;
}
