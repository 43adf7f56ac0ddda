/**
 * dns-01 by dynamic updates (RFC 2136) of an authoritative server: the record is there when the server itself answers
 * with it. Not here: aliases of `_acme-challenge` into other zones; secondary servers are the zone's own matter.
 */
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { OperatorFault } from '../../../core/faults/operator-faults.ts';
import type { AcmeChallengeSpec, HostPort } from '../../../core/stack/stack.ts';
import type { Instant } from '../../../core/time/instant.ts';
import type { ChallengeHandler } from '../challenge-handler.ts';
import { parseUpdateAnswer, type UpdateAnswer, updateMessage } from './dns-update-message.ts';
import { readTsigSecret } from './tsig-key-file.ts';
import { challengeRecord, type TxtRecord } from './txt-record.ts';

type Rfc2136 = Extract<AcmeChallengeSpec, { kind: 'dns-01-rfc2136' }>;

const TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 500;
const LOOKS = 60;

export interface DnsUpdatePorts {
  readonly clock: () => Instant;
  readonly sleep: (ms: number) => Promise<void>;
  /** As the server itself answers; empty where it has none. */
  readonly txtRecords: (server: HostPort, name: string) => Promise<readonly string[]>;
}

export function rfc2136Challenge(spec: Rfc2136, ports: DnsUpdatePorts): ChallengeHandler {
  return {
    type: 'dns-01',
    async present(identifier, _token, keyAuthorization) {
      const record = challengeRecord(identifier, keyAuthorization);
      await update(spec, ports, 'add', record);
      await waitUntilSeen(spec, ports, record);
    },
    cleanUp: (identifier, _token, keyAuthorization) =>
      update(spec, ports, 'delete', challengeRecord(identifier, keyAuthorization)),
  };
}

/** @throws OperatorFault dns-credentials, dns-record-failed, and those of the key file */
async function update(
  { server, zone, keyName, secretFile }: Rfc2136,
  { clock }: DnsUpdatePorts,
  action: 'add' | 'delete',
  record: TxtRecord,
): Promise<void> {
  if (record.name !== zone && !record.name.endsWith(`.${zone}`))
    throw new OperatorFault('dns-record-failed', `${record.name} does not lie in the zone ${zone}`, {
      name: record.name,
    });
  const key = { name: keyName, secret: readTsigSecret(secretFile, keyName) };
  const id = randomInt(0x10000);
  const message = updateMessage(action, zone, record, key, id, clock());
  const answer = parseUpdateAnswer(await exchange(server, message, record.name), id);
  const refusal = answer === null ? 'the answer is not DNS' : whyRefused(answer);
  if (refusal === null) return;
  const where = `the DNS server ${server.host}:${server.port}`;
  if (refusal === 'credentials')
    throw new OperatorFault(
      'dns-credentials',
      `DNS credentials: ${where} does not let the key "${keyName}" change ${record.name} (${answer?.signature ?? answer?.rcode})`,
      { name: keyName },
    );
  throw new OperatorFault('dns-record-failed', `${where} did not change ${record.name}: ${refusal}`, {
    name: record.name,
  });
}

function whyRefused({ rcode, signature }: UpdateAnswer): string | 'credentials' | null {
  if (signature === 'BADTIME') return 'its clock and the clock of this host differ by more than five minutes (BADTIME)';
  if (signature !== null || rcode === 'REFUSED') return 'credentials';
  if (rcode === 'NOTAUTH' || rcode === 'NOTZONE') return `it is not the authority for the zone (${rcode})`;
  return rcode === 'NOERROR' ? null : rcode;
}

/** Over TCP: one message there, one back, each after its length (RFC 1035 §4.2.2). */
function exchange({ host, port }: HostPort, message: Buffer, name: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = connect({ host, port });
  const limit = setTimeout(() => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  let received = Buffer.alloc(0);
  socket.on('connect', () => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.byteLength);
    socket.write(Buffer.concat([length, message]));
  });
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.byteLength < 2 || received.byteLength < 2 + received.readUInt16BE()) return;
    resolve(received.subarray(2, 2 + received.readUInt16BE()));
    socket.destroy();
  });
  const fail = (why: string, cause?: Error): void =>
    reject(
      new OperatorFault('dns-record-failed', `the DNS server ${host}:${port} cannot be asked: ${why}`, { name }, cause),
    );
  socket.on('error', (cause) => fail(cause.message, cause));
  socket.on('close', () => {
    clearTimeout(limit);
    // Of no effect once there is an answer.
    fail('it closed the connection');
  });
  return promise;
}

async function waitUntilSeen(
  { server }: Rfc2136,
  { sleep, txtRecords }: DnsUpdatePorts,
  { name, value }: TxtRecord,
): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    if ((await txtRecords(server, name)).includes(value)) return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new OperatorFault(
    'dns-record-failed',
    `${server.host}:${server.port} took the update, but does not answer with the TXT record of ${name}`,
    { name },
  );
}
