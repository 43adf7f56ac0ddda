/**
 * A DNS server on loopback whose zone is a script: records, aliases, faults and delays, by name. Authoritative for
 * everything: a name without a script does not exist. Over UDP and TCP on one port; long answers are truncated over
 * UDP, and negative answers carry an SOA that invites to cache them for an hour.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as dnsPacket from 'dns-packet';

export type DnsRecordType = 'A' | 'AAAA' | 'TXT';

/** "silence" never answers; "garbage" answers with bytes that are not DNS. */
export type DnsFailure = 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'silence' | 'garbage';

export interface DnsName {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Each record is one text, cut into character-strings of 255 octets, or its character-strings as they are. */
  readonly TXT?: readonly (string | readonly string[])[];
  readonly CNAME?: string;
  /** Answer with the alias alone, as the server of one zone does for a target in another. */
  readonly aliasAlone?: boolean;
  /** For every type, or by type. */
  readonly fails?: DnsFailure | { readonly [Type in DnsRecordType]?: DnsFailure };
  readonly delayMs?: number;
}

export interface DnsQuery {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
}

export interface DnsServer {
  /** "127.0.0.1:PORT", as resolvers are configured. */
  readonly address: string;
  /** Everything asked so far, oldest first. */
  readonly queries: readonly DnsQuery[];
  /** What is known about a name from now on, in place of what was. */
  readonly set: (name: string, script: DnsName) => void;
  readonly remove: (name: string) => void;
  readonly close: () => Promise<void>;
}

const RCODE = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;
const TTL_SECONDS = 3600;
const MAX_ALIASES = 16;

export async function startDnsServer(): Promise<DnsServer> {
  const zone = new Map<string, DnsName>();
  const queries: DnsQuery[] = [];
  const { udp, tcp, port } = await bindBoth();

  const answer = async (query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | null> => {
    const packet = decode(query);
    const question = packet?.questions?.[0];
    if (!packet || !question) return null;
    queries.push({ name: question.name.toLowerCase(), type: question.type, transport });
    const script = zone.get(question.name.toLowerCase());
    if (script?.delayMs) await sleep(script.delayMs, undefined, { ref: false });
    const response = respond(zone, packet, question);
    if (response === null || transport === 'tcp') return response;
    const opt = packet.additionals?.find((record) => record.type === 'OPT');
    return response.byteLength <= (opt?.type === 'OPT' ? opt.udpPayloadSize : 512) ? response : truncated(packet);
  };

  udp.on('message', async (query, from) => {
    const response = await answer(query, 'udp');
    // After close() there is nobody to answer.
    if (response) udp.send(response, from.port, from.address, () => {});
  });
  const connections = new Set<Socket>();
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', async (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.byteLength >= 2 && received.byteLength >= 2 + received.readUInt16BE()) {
        const query = received.subarray(2, 2 + received.readUInt16BE());
        received = received.subarray(2 + query.byteLength);
        const response = await answer(query, 'tcp');
        if (response && !socket.destroyed) socket.write(Buffer.concat([lengthPrefix(response), response]));
      }
    });
  });

  return {
    address: `127.0.0.1:${port}`,
    queries,
    set: (name, script) => void zone.set(name.toLowerCase(), script),
    remove: (name) => void zone.delete(name.toLowerCase()),
    close: async () => {
      for (const socket of connections) socket.destroy();
      const closed = [once(udp, 'close'), once(tcp, 'close')];
      udp.close();
      tcp.close();
      await Promise.all(closed);
    },
  };
}

/** UDP and TCP on one free port. */
async function bindBoth(): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (;;) {
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer().listen(port, '127.0.0.1');
    try {
      await once(tcp, 'listening');
      return { udp, tcp, port };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
      udp.close();
    }
  }
}

function decode(query: Buffer): dnsPacket.DecodedPacket | null {
  try {
    return dnsPacket.decode(query);
  } catch {
    // dns-packet throws whatever its reading of the bytes leads to; a server ignores what is not DNS.
    return null;
  }
}

function respond(
  zone: ReadonlyMap<string, DnsName>,
  query: dnsPacket.Packet,
  question: dnsPacket.Question,
): Buffer | null {
  const answers: dnsPacket.Answer[] = [];
  let name = question.name.toLowerCase();
  let script = zone.get(name);
  for (let aliases = 0; script?.CNAME !== undefined && aliases < MAX_ALIASES; aliases++) {
    answers.push({ name, type: 'CNAME', ttl: TTL_SECONDS, data: script.CNAME });
    if (question.type === 'CNAME' || script.aliasAlone) return encode(query, question, 0, answers);
    name = script.CNAME.toLowerCase();
    script = zone.get(name);
  }
  const failure = typeof script?.fails === 'object' ? script.fails[question.type as DnsRecordType] : script?.fails;
  if (failure === 'silence') return null;
  if (failure === 'garbage') return Buffer.from('this is not DNS');
  const rcode = failure ? RCODE[failure] : script === undefined ? RCODE.NXDOMAIN : 0;
  if (rcode === 0 && script) answers.push(...records(name, script, question.type));
  return encode(query, question, rcode, answers);
}

function records(name: string, script: DnsName, type: string): dnsPacket.Answer[] {
  switch (type) {
    case 'A':
    case 'AAAA':
      return (script[type] ?? []).map((data) => ({ name, type, ttl: TTL_SECONDS, data }));
    case 'TXT':
      return (script.TXT ?? []).map((data) => ({ name, type, ttl: TTL_SECONDS, data: characterStrings(data) }));
    default:
      return [];
  }
}

function characterStrings(record: string | readonly string[]): Buffer[] {
  if (typeof record !== 'string') return record.map((text) => Buffer.from(text));
  const octets = Buffer.from(record);
  const count = Math.max(1, Math.ceil(octets.byteLength / 255));
  return Array.from({ length: count }, (_, i) => octets.subarray(i * 255, (i + 1) * 255));
}

function encode(
  query: dnsPacket.Packet,
  question: dnsPacket.Question,
  rcode: number,
  answers: dnsPacket.Answer[],
): Buffer {
  const soa: dnsPacket.Answer = {
    name: 'test',
    type: 'SOA',
    ttl: TTL_SECONDS,
    data: { mname: 'ns.test', rname: 'admin.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: TTL_SECONDS },
  };
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | rcode,
    questions: [question],
    answers,
    authorities: answers.length === 0 ? [soa] : [],
  });
}

function truncated(query: dnsPacket.Packet): Buffer {
  const flags = dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.TRUNCATED_RESPONSE;
  return dnsPacket.encode({ type: 'response', id: query.id ?? 0, flags, questions: query.questions ?? [] });
}

function lengthPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(message.byteLength);
  return prefix;
}
