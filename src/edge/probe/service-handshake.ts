/**
 * A client's look at a service: connect, say what its protocol says before TLS, shake hands, and if wanted exchange the
 * first words, because a server on TLS 1.3 refuses a client certificate only after the client thinks that it is connected.
 *
 * This is how a new certificate is confirmed and how a service is verified: one implementation for both.
 */
import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Protocol } from '../../core/probe/protocol.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { Attempt, AttemptResult } from '../../flow/probe/attempt.ts';
import { PreambleRefused, readSome } from './answer.ts';
import { hearGreeting, leaveMysql } from './greeting.ts';
import { mysqlPasswordLogin } from './mysql-login.ts';
import { mysqlLogin } from './plaintext-words.ts';
import { beforeTls } from './preamble.ts';
import { secureContextFor } from './secure-contexts.ts';
import { TappedSocket } from './tapped-socket.ts';

export function handshake(request: Attempt): Promise<AttemptResult> {
  const { address, timeoutMs } = request;
  return new Promise((resolve) => {
    const dialled = performance.now();
    const tcp = connectTcp({ host: address.host, port: address.port });
    const tap = request.flight ? new TappedSocket(tcp) : null;
    let tls: TLSSocket | null = null;
    let isOver = false;
    let hasTickets = false;
    const settle = (result: Unread): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(deadline);
      const ended = (): void => {
        tls?.destroy();
        tcp.destroy();
        // Tickets of TLS 1.3 come behind the handshake.
        const known = result.kind === 'established' ? { ...result, tickets: hasTickets } : result;
        const { flight, heard } = tap?.answer() ?? { flight: null, heard: null };
        resolve({ ...(heard && known.kind === 'refused' ? { heard } : {}), ...known, flight });
      };
      if (result.kind === 'established' && tls) takeLeave(tls, ended);
      else ended();
    };
    const refuse = (by: RefusedBy, why: string, code: string | null = null): void =>
      settle({ kind: 'refused', by, why, code });
    // The system's own word for packets that vanish, before it says so itself.
    const deadline = setTimeout(
      () => refuse('network', `no answer within ${timeoutMs / 1000} s`, tcp.connecting ? 'ETIMEDOUT' : null),
      timeoutMs,
    );
    request.signal?.addEventListener('abort', () => refuse('network', 'it was given up'), { once: true });
    tcp.on('error', (fault: NodeJS.ErrnoException) => {
      // The tap and TLS above it hear of it too, and know better what it means for them.
      if (tls === null) refuse('network', wordsOf(fault, request), fault.code ?? null);
    });
    tcp.once('connect', () => {
      begin(request, tap ?? tcp, performance.now() - dialled).then(
        () => {
          if (isOver) return;
          try {
            tls = connectTls({ ...tlsOptions(request), socket: tap ?? tcp });
          } catch (fault) {
            // A suite or group that this OpenSSL does not know.
            const { message, code } = fault as NodeJS.ErrnoException;
            refuse('client', message, code);
            return;
          }
          tap?.listenTo(tls);
          tls.on('error', (fault) => settle(refusalOf(fault)));
          tls.once('close', () => refuse('server', 'the connection was closed during the handshake'));
          tls.once('session', () => {
            hasTickets = true;
          });
          tls.once('secureConnect', () => {
            if (tls) established(request, tls).then(settle, (fault: Error) => settle(refusalOf(fault)));
          });
        },
        (fault: unknown) => {
          const why = fault instanceof Error ? fault.message : String(fault);
          if (!(fault instanceof PreambleRefused)) return refuse('network', why);
          const { reason, heard } = fault;
          settle({ kind: 'refused', by: 'preamble', why, code: null, preamble: reason, ...(heard && { heard }) });
        },
      );
    });
  });
}

/** A greeting comes a round trip behind the connection, and the connection took one. */
const ROUND_TRIPS = 2;
/** Of a server that has a thread to start. */
const GREETING_MS = 30;
const LONGEST_GREETING_MS = 500;

/** @param roundTripMs how long the connection took */
async function begin(request: Attempt, socket: Duplex, roundTripMs: number): Promise<void> {
  if (request.listensFirst) {
    const patienceMs = Math.min(GREETING_MS + ROUND_TRIPS * roundTripMs, LONGEST_GREETING_MS);
    const greeting = await hearGreeting(socket, patienceMs);
    if (greeting.byteLength > 0) throw new PreambleRefused('other-protocol', 'the server speaks first', greeting);
  }
  await beforeTls(request.protocol, socket, request.serverName ?? request.address.host);
}

/** A client that leaves without close_notify is an error in the logs of some services, PostgreSQL's among them. */
const FAREWELL_MS = 300;

function takeLeave(tls: TLSSocket, ended: () => void): void {
  if (tls.destroyed) {
    ended();
    return;
  }
  const deadline = setTimeout(() => tls.destroy(), FAREWELL_MS);
  tls.once('close', () => {
    clearTimeout(deadline);
    ended();
  });
  tls.resume();
  tls.end();
}

type Unread = DistributiveOmit<AttemptResult, 'flight' | 'tickets'>;
type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;
type RefusedBy = Extract<AttemptResult, { kind: 'refused' }>['by'];

function wordsOf({ code, message }: NodeJS.ErrnoException, { address }: Attempt): string {
  const where = formatHostPort(address);
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${where} (connection refused)`;
    case 'ENOTFOUND':
      return `${address.host} does not resolve`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no route to ${where}`;
    case 'ETIMEDOUT':
      return `${where} does not answer`;
    case 'ECONNRESET':
      return `${where} reset the connection`;
    default:
      return message;
  }
}

function tlsOptions({ serverName, anchors, versions, suites, client, ...offer }: Attempt): ConnectionOptions {
  return {
    ...identity(serverName),
    rejectUnauthorized: anchors !== null,
    secureContext: secureContextFor({
      ca: anchors ?? [],
      // Old versions must be offered to see them refused.
      minVersion: versions?.min ?? 'TLSv1.2',
      maxVersion: versions?.max ?? 'TLSv1.3',
      ciphers: suites ?? (versions && versions.min < 'TLSv1.2' ? 'DEFAULT:@SECLEVEL=0' : 'DEFAULT'),
      ...(client && { cert: client.certPem, key: client.keyPem }),
      ...(offer.groups && { ecdhCurve: offer.groups }),
      ...(offer.signatureAlgorithms && { sigalgs: offer.signatureAlgorithms }),
    }),
    ...(offer.alpn && { ALPNProtocols: [...offer.alpn] }),
    requestOCSP: true,
  };
}

/** RFC 6066 §3: an address is never sent as SNI; it is compared all the same. */
function identity(serverName: string | null): ConnectionOptions {
  if (serverName === null) return { checkServerIdentity: () => undefined };
  return parseIpAddress(serverName) === null ? { servername: serverName } : { host: serverName, servername: '' };
}

async function established(request: Attempt, socket: TLSSocket): Promise<Unread> {
  const leaf = socket.getPeerX509Certificate();
  const facts = {
    kind: 'established',
    leaf: leaf?.raw ?? new Uint8Array(),
    chain: request.chain ? chainFrom(leaf) : null,
    version: socket.getProtocol() ?? '',
    suite: socket.getCipher().standardName,
    opensslName: socket.getCipher().name,
  } as const;
  if (!request.exchange) {
    if (request.protocol === 'mysql') await leaveMysql(socket, 2);
    return { ...facts, answer: null };
  }
  if (request.protocol === 'mysql' && request.exchange !== 'listen' && request.password !== undefined) {
    const login = { user: request.user ?? '', password: request.password };
    return { ...facts, answer: await mysqlPasswordLogin(socket, login) };
  }
  // Behind STARTTLS nobody greets once more.
  if (GREETS_INSIDE.includes(request.protocol)) await readSome(socket, Math.min(GREETING_INSIDE_MS, request.timeoutMs));
  if (request.exchange !== 'listen') socket.write(firstWords(request));
  let fault: Error | null = null;
  socket.once('error', (cause) => {
    fault = cause;
  });
  const patienceMs = request.exchange === 'listen' ? LISTEN_MS : 2000;
  const answer = (await readSome(socket, Math.min(patienceMs, request.timeoutMs))).toString('latin1');
  if (fault !== null) return refusalOf(fault);
  if (answer === '' && (socket.destroyed || socket.readableEnded))
    return { kind: 'refused', by: 'server', why: 'the connection was closed after the handshake', code: null };
  if (request.protocol === 'mysql' && request.exchange === 'listen') await leaveMysql(socket, 2);
  return { ...facts, answer };
}

const GREETS_INSIDE: readonly Protocol[] = ['imaps', 'smtps'];
const GREETING_INSIDE_MS = 2000;

/** `issuerCertificate` is the next one that was sent, whoever issued what. */
function chainFrom(leaf: X509Certificate | undefined): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let next = leaf; next && chain.length < LONGEST_CHAIN; next = next.issuerCertificate) chain.push(next.raw);
  return chain;
}

const LONGEST_CHAIN = 32;

/** A refusal after the handshake of TLS 1.3 is one round trip away. */
const LISTEN_MS = 500;

/** Enough of each protocol that a server which wants to refuse does so. */
function firstWords({ protocol, exchange, user = 'fullchain', database = 'postgres' }: Attempt): string | Uint8Array {
  switch (protocol) {
    case 'postgres': {
      const startup = Buffer.concat([
        Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]),
        Buffer.from(`user\0${user}\0database\0${database}\0\0`),
      ]);
      startup.writeUInt32BE(startup.byteLength, 0);
      return startup;
    }
    case 'redis':
      return 'PING\r\n';
    case 'smtp':
    case 'smtps':
      return 'EHLO fullchain.invalid\r\nMAIL FROM:<>\r\n';
    case 'lmtp':
      return 'LHLO fullchain.invalid\r\nMAIL FROM:<>\r\n';
    case 'imap':
    case 'imaps':
      return exchange === 'login' ? 'a AUTHENTICATE PLAIN\r\n' : 'a NOOP\r\n';
    case 'pop3':
      return 'CAPA\r\n';
    case 'ftp':
      return 'FEAT\r\n';
    case 'ldap':
      // A search of the root DSE would need more; an unbind of nobody is answered by a close, so an anonymous bind it is.
      return Buffer.from('300c020101600702010304008000', 'hex');
    case 'xmpp':
      return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
    case 'mysql':
      // The second packet of the client, after the one that asked for TLS.
      return mysqlLogin(2);
    case 'tls':
    case 'https':
      return 'GET / HTTP/1.1\r\nhost: fullchain.invalid\r\nconnection: close\r\n\r\n';
  }
}

/** Node says by codes whether our own verification failed or the peer sent an alert. */
function refusalOf(fault: NodeJS.ErrnoException & { reason?: string }): Unread {
  const code = fault.code ?? '';
  const by = VERIFICATION_CODES.test(code) ? 'client' : 'server';
  return { kind: 'refused', by, why: fault.reason ?? fault.message, code: fault.code ?? null };
}

const VERIFICATION_CODES =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_|ERROR_IN_|CA_|PATH_LENGTH|HOSTNAME_)/;
