/**
 * An HTTP(S) server that answers http-01 as it is told, or misbehaves as it is told. It writes its answers on the
 * bare socket, so that it can say what node:http would refuse to.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { selfSigned } from './self-signed.ts';
import { startTcpServer, type TcpServer } from './tcp-server.ts';

export type HttpAnswerScript =
  | {
      readonly kind: 'answer';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** These bytes, and the end. */
  | { readonly kind: 'raw'; readonly bytes: string }
  /** Nothing, while the connection stays open. */
  | { readonly kind: 'silence' }
  /** A reset before an answer. */
  | { readonly kind: 'reset' }
  /** Headers that do not end. */
  | { readonly kind: 'endless-headers' }
  /** A body that does not end, as fast as the peer takes it. */
  | { readonly kind: 'endless-body' }
  /** One byte of the body after the other, without end. */
  | { readonly kind: 'slow-body'; readonly everyMs: number }
  /** Less of a body than its Content-Length says. */
  | { readonly kind: 'cut-short'; readonly body: string; readonly contentLength: number };

export interface HttpRequestSeen {
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpResponder extends TcpServer {
  readonly host: string;
  readonly requests: readonly HttpRequestSeen[];
  /** The answer to a path from now on; other paths get 404. */
  readonly set: (path: string, script: HttpAnswerScript) => void;
  /** The answer that http-01 wants (RFC 8555 §8.3). */
  readonly present: (token: string, keyAuthorization: string) => void;
}

export interface HttpResponderOptions {
  readonly host?: string;
  /** A free one unless given. */
  readonly port?: number;
  readonly tls?: boolean;
}

export async function startHttpResponder(options: HttpResponderOptions = {}): Promise<HttpResponder> {
  const { host = '127.0.0.1' } = options;
  const scripts = new Map<string, HttpAnswerScript>();
  const requests: HttpRequestSeen[] = [];
  const answer = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      // As real servers do with a TLS ClientHello.
      if (!/^[A-Z]/.test(received)) return play(socket, { kind: 'answer', status: 400 });
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = parseRequest(received.slice(0, end));
      received = '';
      requests.push(request);
      play(socket, scripts.get(request.path) ?? { kind: 'answer', status: 404 });
    });
  };
  const server: Server = options.tls ? createTlsServer(selfSigned([]), answer) : createServer(answer);
  const { port, connections, close } = await startTcpServer(server, host, options.port ?? 0);
  return {
    host,
    port,
    requests,
    connections,
    set: (path, script) => void scripts.set(path, script),
    present: (token, keyAuthorization) =>
      void scripts.set(`/.well-known/acme-challenge/${token}`, { kind: 'answer', body: keyAuthorization }),
    close,
  };
}

function parseRequest(head: string): HttpRequestSeen {
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return { path: line.split(' ')[1] ?? '', headers };
}

function play(socket: Socket, script: HttpAnswerScript): void {
  switch (script.kind) {
    case 'answer': {
      const body = Buffer.from(script.body ?? '', 'latin1');
      socket.write(head(script.status ?? 200, { 'content-length': String(body.byteLength), ...script.headers }));
      socket.end(body);
      return;
    }
    case 'redirect':
      socket.end(head(script.status ?? 302, { location: script.location, 'content-length': '0' }));
      return;
    case 'raw':
      socket.end(script.bytes, 'latin1');
      return;
    case 'silence':
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'endless-headers':
      socket.write('HTTP/1.1 200 OK\r\n');
      pump(socket, () => `x-filler: ${'x'.repeat(1000)}\r\n`);
      return;
    case 'endless-body':
      socket.write(head(200, {}));
      pump(socket, () => 'x'.repeat(16 * 1024));
      return;
    case 'slow-body': {
      socket.write(head(200, { 'content-length': '1000000' }));
      const timer = setInterval(() => socket.write('x'), script.everyMs);
      socket.on('close', () => clearInterval(timer));
      return;
    }
    case 'cut-short':
      socket.end(head(200, { 'content-length': String(script.contentLength) }) + script.body, 'latin1');
      return;
  }
}

function head(status: number, headers: Readonly<Record<string, string>>): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${fields.join('')}\r\n`;
}

/** Writes for as long as the peer reads. */
function pump(socket: Socket, next: () => string): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(next()));
  };
  socket.on('drain', write);
  write();
}
