/**
 * What is served without TLS: revocation lists and issuer certificates, which are signed and must be fetchable
 * before any TLS works (RFC 5280 §8). Everything else gets a sentence that says where to go.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Hex } from '../../core/bytes/hex.ts';

export interface PlainPorts {
  readonly currentCrl: () => Promise<Uint8Array>;
  /** DER of an issuer by the hex of its key identifier; null when unknown. */
  readonly issuerCertificate: (keyId: string) => Uint8Array | null;
  /** The list of an issuer, also of one that has been replaced, by the hex of its key identifier; null when unknown. */
  readonly crlOf: (keyId: Hex) => Promise<Uint8Array | null>;
  readonly httpsBase: string;
  readonly onFault: (fault: unknown) => void;
}

export function plainServer(ports: PlainPorts): Server {
  const server = createServer(
    {
      requestTimeout: 10_000,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 8 * 1024,
    },
    (request, response) => {
      answer(ports, request, response).catch((fault: unknown) => {
        ports.onFault(fault);
        text(response, 500, 'the authority failed; its log has the cause');
      });
    },
  );
  server.maxRequestsPerSocket = 100;
  // node:http enforces the time limits above only from this event on, and this server is handed its connections.
  server.emit('listening');
  return server;
}

async function answer(ports: PlainPorts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const readable = request.method === 'GET' || request.method === 'HEAD';
  const listed = /^\/crl\/([0-9a-f]{2,80})\.crl$/.exec(path);
  const crl = !readable
    ? null
    : path === '/crl'
      ? await ports.currentCrl()
      : listed
        ? await ports.crlOf((listed[1] ?? '') as Hex)
        : null;
  if (crl) return bytes(request, response, 'application/pkix-crl', crl);
  const issuer = /^\/issuer\/([0-9a-f]{2,80})\.cer$/.exec(path);
  const certificate = readable && issuer ? ports.issuerCertificate(issuer[1] ?? '') : null;
  if (certificate) return bytes(request, response, 'application/pkix-cert', certificate);
  text(
    response,
    400,
    `This Fullchain authority serves only revocation lists and issuer certificates without TLS.\nUse ${ports.httpsBase}${/^\/[\x21-\x7e]*$/.test(path) ? path : '/'}`,
  );
}

function bytes(request: IncomingMessage, response: ServerResponse, type: string, body: Uint8Array): void {
  response.writeHead(200, {
    'content-type': type,
    'content-length': body.byteLength,
    'cache-control': 'public, max-age=300',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function text(response: ServerResponse, status: number, message: string): void {
  if (!response.headersSent)
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${message}\n`);
}
