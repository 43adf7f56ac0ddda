/**
 * What a server answers to a ClientHello of our choosing: its first flight, or how it refuses. The connection ends there;
 * no handshake is finished, so that anything can be offered which no library would.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientHelloRecord } from '../../core/tls/client-hello.ts';
import type { FlightRequest, FlightResult } from '../../flow/probe/server-flight.ts';
import { PreambleRefused } from './answer.ts';
import { FlightReader } from './flight-reader.ts';
import { beforeTls } from './preamble.ts';

export function readFlight(request: FlightRequest): Promise<FlightResult> {
  const { address, protocol, timeoutMs } = request;
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    let connected = false;
    const settle = (result: FlightResult): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(result);
    };
    const deadline = setTimeout(() => settle({ kind: 'timeout', connected }), timeoutMs);
    socket.on('error', (fault: NodeJS.ErrnoException) =>
      settle(connected ? { kind: 'closed' } : { kind: 'unreachable', code: fault.code ?? fault.message }),
    );
    socket.once('connect', () => {
      connected = true;
      beforeTls(protocol, socket, request.hello.serverName ?? address.host).then(
        () => exchange(socket, request, settle),
        (fault: unknown) => {
          const isKnown = fault instanceof PreambleRefused;
          const reason = isKnown ? fault.reason : 'closed';
          settle({ kind: 'preamble', reason, why: isKnown ? fault.message : String(fault) });
        },
      );
    });
  });
}

function exchange(socket: Socket, { hello }: FlightRequest, settle: (result: FlightResult) => void): void {
  const flight = new FlightReader(null);
  socket.on('data', (chunk: Buffer) => {
    const done = flight.take(chunk);
    if (done) settle(done);
  });
  socket.on('close', () => settle(flight.atEnd()));
  const sessionId = hello.version === 'TLSv1.3' ? randomBytes(32) : new Uint8Array();
  socket.write(clientHelloRecord({ ...hello, random: randomBytes(32), sessionId }));
  socket.resume();
}
