/** The authority's HTTPS server: TLS settings, limits, and the routes on Fastify. */
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { type AcmeRoutePorts, acmeRoutes } from './acme-routes.ts';
import { type CaRoutePorts, caRoutes } from './ca-routes.ts';

/** The authority's own certificate as TLS uses it. */
export interface OwnTlsPair {
  /** Leaf first, DER. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8 PEM; it lives in memory only. */
  readonly keyPem: string;
}

/** Mozilla guideline 6.0, intermediate: TLS 1.2 with forward secrecy and AEAD, and 1.3. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface AuthorityServer {
  readonly https: Server;
  /** New connections get this pair, and the roots of then; running ones keep theirs. */
  readonly replacePair: (pair: OwnTlsPair) => void;
  readonly close: () => Promise<void>;
}

export async function authorityServer(
  pair: OwnTlsPair,
  clientRoots: () => readonly Uint8Array[],
  acme: AcmeRoutePorts,
  ca: CaRoutePorts,
  logger: FastifyBaseLogger,
): Promise<AuthorityServer> {
  const https = createServer({
    ...secureContextOptions(pair, clientRoots()),
    // Asked of everybody and demanded of nobody: renew and rekey check it against our own records.
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: 10_000,
    // A request is 64 KiB at most.
    requestTimeout: 15_000,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 60_000,
    maxHeaderSize: 16 * 1024,
    noDelay: true,
  });
  const app: FastifyInstance = Fastify({
    serverFactory: (handler) => https.on('request', handler),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: 200, caseSensitive: true },
    requestIdHeader: false,
    return503OnClosing: false,
  }) as unknown as FastifyInstance;
  app.register(async (scope) => acmeRoutes(scope, acme));
  app.register(async (scope) => caRoutes(scope, ca));
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send({
        type: 'about:blank',
        title: 'Not found',
        status: 404,
        detail: `nothing is served at ${request.method} ${request.url.slice(0, 200)}`,
      }),
  );
  await app.ready();
  // node:http enforces the time limits above only from this event on, and this server is handed its connections.
  https.emit('listening');
  return {
    https,
    replacePair: (next) => https.setSecureContext(secureContextOptions(next, clientRoots())),
    close: async () => {
      https.close();
      await app.close();
    },
  };
}

function secureContextOptions(pair: OwnTlsPair, clientRoots: readonly Uint8Array[]): SecureContextOptions {
  return {
    cert: pair.chain.map((der) => pemFromDer('CERTIFICATE', der)).join(''),
    key: pair.keyPem,
    ca: clientRoots.map((der) => pemFromDer('CERTIFICATE', der)),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
  };
}
