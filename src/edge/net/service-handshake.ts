/**
 * A client's look at a service: connect, say what its protocol says before TLS, shake hands, and if wanted exchange the
 * first words, because a server on TLS 1.3 refuses a client certificate only after the client thinks that it is connected.
 *
 * This is how a new certificate is confirmed and how a service is verified: one implementation for both.
 */
import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { ServiceProtocol } from '../../core/services/service-kind.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { Attempt, AttemptResult } from '../../flow/agent/verify-service.ts';
import { beforeTls, type FirstAnswer, PreambleRefused, readSome, speakPlaintext } from './preamble.ts';

export function handshake(request: Attempt): Promise<AttemptResult> {
  const { address, timeoutMs } = request;
  return new Promise((resolve) => {
    const tcp = connectTcp({ host: address.host, port: address.port });
    let tls: TLSSocket | null = null;
    const settle = (result: AttemptResult): void => {
      clearTimeout(deadline);
      tls?.destroy();
      tcp.destroy();
      resolve(result);
    };
    const deadline = setTimeout(
      () => settle({ kind: 'refused', by: 'network', why: `no answer within ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
    tcp.on('error', (fault) => settle({ kind: 'refused', by: 'network', why: fault.message }));
    tcp.once('connect', () => {
      beforeTls(request.protocol, tcp).then(
        () => {
          tls = connectTls({ ...tlsOptions(request), socket: tcp });
          tls.on('error', (fault) => settle(refusalOf(fault)));
          tls.once('close', () =>
            settle({ kind: 'refused', by: 'server', why: 'the connection was closed during the handshake' }),
          );
          tls.once('secureConnect', () => {
            if (tls) established(request, tls).then(settle, (fault: Error) => settle(refusalOf(fault)));
          });
        },
        (fault: unknown) =>
          settle({
            kind: 'refused',
            by: fault instanceof PreambleRefused ? 'preamble' : 'network',
            why: fault instanceof Error ? fault.message : String(fault),
          }),
      );
    });
  });
}

function tlsOptions({ serverName, anchors, versions, suites, client }: Attempt): ConnectionOptions {
  return {
    ...identity(serverName),
    rejectUnauthorized: anchors !== null,
    ca: anchors === null ? [] : [...anchors],
    // Old versions must be offered to see them refused.
    minVersion: versions?.min ?? 'TLSv1.2',
    maxVersion: versions?.max ?? 'TLSv1.3',
    ciphers: suites ?? (versions && versions.min < 'TLSv1.2' ? 'DEFAULT:@SECLEVEL=0' : 'DEFAULT'),
    ...(client && { cert: client.certPem, key: client.keyPem }),
  };
}

/** RFC 6066 §3: an address is never sent as SNI; it is compared all the same. */
function identity(serverName: string | null): ConnectionOptions {
  if (serverName === null) return { checkServerIdentity: () => undefined };
  return parseIpAddress(serverName) === null ? { servername: serverName } : { host: serverName, servername: '' };
}

async function established(request: Attempt, socket: TLSSocket): Promise<AttemptResult> {
  const facts = { chain: chainOf(socket), version: socket.getProtocol() ?? '', suite: socket.getCipher().standardName };
  if (!request.exchange) return { kind: 'established', ...facts, answer: null };
  socket.write(firstWords(request.protocol));
  let fault: Error | null = null;
  socket.once('error', (cause) => {
    fault = cause;
  });
  const answer = (await readSome(socket, Math.min(2000, request.timeoutMs))).toString('latin1');
  if (fault !== null) return refusalOf(fault);
  if (answer === '' && socket.destroyed)
    return { kind: 'refused', by: 'server', why: 'the connection was closed after the handshake' };
  return { kind: 'established', ...facts, answer };
}

/** Enough of each protocol that a server which wants to refuse does so. */
function firstWords(protocol: ServiceProtocol): string | Uint8Array {
  switch (protocol) {
    case 'postgres': {
      const startup = Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]),
        Buffer.from('user\0fullchain\0database\0fullchain\0\0'),
      ]);
      startup.writeUInt32BE(startup.byteLength, 0);
      return startup;
    }
    case 'redis':
      return 'PING\r\n';
    case 'smtp':
      return 'EHLO fullchain.invalid\r\n';
    case 'imap':
      return 'a NOOP\r\n';
    case 'mysql':
      return Uint8Array.of();
    case 'tls':
    case 'https':
      return 'GET / HTTP/1.1\r\nhost: fullchain.invalid\r\nconnection: close\r\n\r\n';
  }
}

function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  for (; next; next = next.issuerCertificate) chain.push(next.raw);
  return chain;
}

/** Node says by codes whether our own verification failed or the peer sent an alert. */
function refusalOf(fault: NodeJS.ErrnoException & { reason?: string }): AttemptResult {
  const code = fault.code ?? '';
  const ours = VERIFICATION_CODES.test(code);
  return { kind: 'refused', by: ours ? 'client' : 'server', why: fault.reason ?? fault.message };
}

const VERIFICATION_CODES =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_|ERROR_IN_|CA_|PATH_LENGTH|HOSTNAME_)/;

/** A plaintext client at the service: does it get service? */
export function plaintext(protocol: ServiceProtocol, address: HostPort, timeoutMs: number): Promise<FirstAnswer> {
  return new Promise((resolve) => {
    const socket: Socket = connectTcp({ host: address.host, port: address.port });
    const settle = (answer: FirstAnswer): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(() => settle({ kind: 'refused', detail: 'silence' }), timeoutMs);
    socket.on('error', (fault) => settle({ kind: 'refused', detail: fault.message }));
    socket.once('connect', () => {
      speakPlaintext(protocol, socket, timeoutMs / 2).then(settle, (fault: Error) =>
        settle({ kind: 'refused', detail: fault.message }),
      );
    });
  });
}
