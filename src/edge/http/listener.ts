/**
 * Ports: bound early, so that a busy one is known before any work is done; served when everything is ready.
 * One port takes TLS and those who forgot it: the first octet of a connection tells a TLS record from a plain
 * HTTP request, and each goes to its own server.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

export interface ListenAddress {
  /** null: every address of this host. */
  readonly host: string | null;
  readonly port: number;
}

export interface BoundPort {
  readonly port: number;
  /** Connections that came before wait for it. */
  readonly serve: (handler: (socket: Socket) => void) => void;
  /** Closes the port; connections that are still there after a moment are cut. */
  readonly close: () => Promise<void>;
}

/** ":9000", "127.0.0.1:9000", "[::1]:9000", "9000"; null when it is none of them. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$|^(\d{1,5})$/.exec(text.trim());
  if (!match) return null;
  const port = Number(match[3] ?? match[4]);
  return port > 65535 ? null : { host: match[1] ?? (match[2] || null), port };
}

const CLOSE_GRACE_MS = 1500;

/** @throws OperatorFault port-in-use, port-forbidden, address-unavailable */
export function bindPort({ host, port }: ListenAddress): Promise<BoundPort> {
  const sockets = new Set<Socket>();
  let waiting: Socket[] = [];
  let serve: ((socket: Socket) => void) | null = null;
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A reset by the peer is nobody's fault; the protocol's server adds its own handler.
    socket.on('error', () => socket.destroy());
    if (serve) serve(socket);
    else waiting.push(socket);
  });
  const shown = `${host ?? ''}:${port}`;
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE')
        reject(new OperatorFault('port-in-use', `${shown} is taken by another program`, { port }, cause));
      else if (cause.code === 'EACCES')
        reject(new OperatorFault('port-forbidden', `this user may not listen on ${shown}`, { port }, cause));
      else
        reject(
          new OperatorFault(
            'address-unavailable',
            `cannot listen on ${shown}: ${cause.code ?? cause.message}`,
            {},
            cause,
          ),
        );
    });
    server.listen({ port, ...(host !== null && { host }), exclusive: true }, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        serve(handler) {
          serve = handler;
          for (const socket of waiting) if (!socket.destroyed) handler(socket);
          waiting = [];
        },
        close: () =>
          new Promise((done) => {
            const cut = setTimeout(() => {
              for (const socket of sockets) socket.destroy();
            }, CLOSE_GRACE_MS);
            server.close(() => {
              clearTimeout(cut);
              done();
            });
          }),
      });
    });
  });
}

/** TLS record type "handshake" (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

/** How long a client may stay silent before its first octet. */
const FIRST_OCTET_WITHIN_MS = 10_000;

/** The connection handler of a port that takes both. */
export function tlsOrPlain(https: HttpsServer, plain: HttpServer): (socket: Socket) => void {
  return (socket) => {
    const timer = setTimeout(() => socket.destroy(), FIRST_OCTET_WITHIN_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (chunk: Buffer) => {
      clearTimeout(timer);
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === TLS_HANDSHAKE) {
        // TLS takes over the handle, and first of all what is buffered here.
        https.emit('connection', socket);
      } else {
        plain.emit('connection', socket);
        socket.resume();
      }
    });
  };
}
