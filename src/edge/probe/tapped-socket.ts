/**
 * A connection that TLS can run over while everything the server sends is kept as it came: with the secret of its
 * handshake the first flight can be read from it, in the order of the wire, after OpenSSL has done the handshake to its end.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ServerFlight } from '../../flow/probe/server-flight.ts';
import { FlightReader } from './flight-reader.ts';
import { flightDecryption } from './tls13-flight-decryption.ts';

/** More than any first flight; what comes later is not kept. */
const KEPT_BYTES = 256 * 1024;

export class TappedSocket extends Duplex {
  private readonly socket: Socket;
  private readonly heard: Buffer[] = [];
  private kept = 0;
  private isTls = false;
  private serverSecret: Buffer | null = null;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    // Before TLS is above it nobody else listens; whoever made the connection hears of it there.
    this.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (this.kept < KEPT_BYTES) {
        this.heard.push(chunk);
        this.kept += chunk.byteLength;
      }
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (fault) => this.destroy(fault));
    socket.on('close', () => this.destroy());
  }

  /** From here on it is TLS: what came before was another protocol. The secret stays in this process, for as long as this object. */
  listenTo(tls: TLSSocket): void {
    this.heard.length = 0;
    this.isTls = true;
    tls.on('keylog', (line: Buffer) => {
      const [label, , secret] = line.toString('latin1').trim().split(' ');
      if (label === 'SERVER_HANDSHAKE_TRAFFIC_SECRET') this.serverSecret = Buffer.from(secret ?? '', 'hex');
    });
  }

  /** As far as it came: the flight, where a ServerHello did; or what was heard in place of TLS. */
  answer(): { readonly flight: ServerFlight | null; readonly heard: Uint8Array | null } {
    if (!this.isTls) return { flight: null, heard: null };
    const reader = new FlightReader(({ suite }) =>
      this.serverSecret === null ? null : flightDecryption(suite, this.serverSecret),
    );
    const found = reader.take(Buffer.concat(this.heard)) ?? reader.atEnd();
    return {
      flight: found.kind === 'flight' ? found : null,
      heard: found.kind === 'not-tls' ? found.bytes : null,
    };
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (fault?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(fault: Error | null, done: (fault?: Error | null) => void): void {
    this.socket.destroy();
    done(fault);
  }
}
