/**
 * The authority's other paths: health, roots, provisioners, and step-ca's sign, renew, rekey and revoke in its
 * JSON, at the root and under /1.0, so that its clients work. Bodies: docs of step-ca's API; errors likewise.
 */

import { type PeerCertificate, TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseHex } from '../../core/bytes/hex.ts';
import { pemBlocksLabelled, pemFromDer } from '../../core/bytes/pem.ts';
import { type RevocationReason, reasonOfNumber } from '../../core/revocation/reason.ts';
import { parseDurationSeconds } from '../../core/time/duration.ts';
import { addSeconds, type Instant, parseRfc3339 } from '../../core/time/instant.ts';
import { parseSerialNumber, type SerialNumber } from '../../core/x509/serial-number.ts';
import type { Health } from '../../flow/ca/check-health.ts';
import { type RenewPorts, recognise, renewCertificate } from '../../flow/ca/renew-certificate.ts';
import { revoke } from '../../flow/ca/revoke-certificate.ts';
import { denied, type SignResult, signWithToken, type TokenPorts, verifyToken } from '../../flow/ca/sign-with-token.ts';
import type { Store } from '../../flow/ca/store-ports.ts';

export interface CaRoutePorts {
  readonly store: Store;
  readonly renewing: RenewPorts;
  readonly tokensFor: (request: FastifyRequest, purpose: 'sign' | 'revoke') => TokenPorts;
  readonly checkHealth: () => Promise<Health>;
  /** DER of the roots that are to be trusted, the active one first. */
  readonly roots: () => readonly { readonly der: Uint8Array; readonly fingerprint: string }[];
  readonly chainAbove: (issuerKeyId: string) => readonly Uint8Array[];
  readonly currentCrl: () => Promise<Uint8Array>;
  /** DER of the lists by which a service refuses revoked clients; null: one of them cannot be had. */
  readonly clientLists: () => Promise<readonly Uint8Array[] | null>;
  readonly clock: () => Instant;
}

const BODY_LIMIT_BYTES = 64 * 1024;

export function caRoutes(app: FastifyInstance, ports: CaRoutePorts): void {
  app.setErrorHandler((fault: Error & { statusCode?: number }, request, reply) => {
    const status = fault.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: fault }, 'a request failed');
    return failure(
      reply,
      status,
      status >= 500 ? `the authority failed; its log has the cause under request ${request.id}` : fault.message,
    );
  });

  for (const prefix of ['', '/1.0']) {
    app.get(`${prefix}/health`, async (_request, reply) => {
      const health = await ports.checkHealth();
      return reply
        .code(health.ok ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: health.ok ? 'ok' : 'failing', checks: health.checks });
    });
    app.get(`${prefix}/roots`, async () => ({ crts: rootPems(ports) }));
    app.get(`${prefix}/federation`, async () => ({ crts: rootPems(ports) }));
    app.get(`${prefix}/roots.pem`, (_request, reply) =>
      reply.type('application/x-pem-file').send(rootPems(ports).join('')),
    );
    app.get<{ Params: { sha: string } }>(`${prefix}/root/:sha`, async (request, reply) => {
      const wanted = parseHex(request.params.sha);
      const root = ports.roots().find(({ fingerprint }) => fingerprint === wanted);
      return root
        ? { ca: pemFromDer('CERTIFICATE', root.der) }
        : failure(reply, 404, 'no root has this SHA-256 fingerprint');
    });
    app.get(`${prefix}/provisioners`, async () => ({ provisioners: await provisionersWire(ports), nextCursor: '' }));
    app.get(`${prefix}/version`, async () => ({ version: '0.1.0', requireClientAuthentication: false }));
    app.get(`${prefix}/crl`, async (_request, reply) =>
      reply.type('application/pkix-crl').send(Buffer.from(await ports.currentCrl())),
    );

    // Of every authority that a client's chain may pass through: what a service that verifies clients has to have.
    app.get(`${prefix}/crls`, async (_request, reply) => {
      const lists = await ports.clientLists();
      return lists === null
        ? failure(reply, 404, 'not every authority has a revocation list yet: the next rotation makes one')
        : { crls: lists.map((der) => pemFromDer('X509 CRL', der)) };
    });

    app.post(`${prefix}/sign`, { bodyLimit: BODY_LIMIT_BYTES }, (request, reply) =>
      answer(ports, reply, sign(ports, request)),
    );
    app.post(`${prefix}/renew`, { bodyLimit: BODY_LIMIT_BYTES }, (request, reply) =>
      answer(ports, reply, renew(ports, request, false)),
    );
    app.post(`${prefix}/rekey`, { bodyLimit: BODY_LIMIT_BYTES }, (request, reply) =>
      answer(ports, reply, renew(ports, request, true)),
    );
    app.post(`${prefix}/revoke`, { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
      const result = await revokeByStep(ports, request);
      return result.kind === 'denied' ? failure(reply, result.status, result.why) : reply.send({ status: 'ok' });
    });
  }
}

function rootPems(ports: CaRoutePorts): string[] {
  return ports.roots().map(({ der }) => pemFromDer('CERTIFICATE', der));
}

async function provisionersWire(ports: CaRoutePorts): Promise<Record<string, unknown>[]> {
  return (await ports.store.listProvisioners()).map((record) => ({
    type: record.kind === 'acme' ? 'ACME' : 'JWK',
    name: record.name,
    ...(record.publicKey && { key: { ...record.publicKey, use: 'sig', alg: 'ES256' } }),
    ...(record.encryptedKey && { encryptedKey: record.encryptedKey }),
    claims: {
      defaultTLSCertDuration: `${record.defaultLifetimeSeconds}s`,
      maxTLSCertDuration: `${record.maxLifetimeSeconds}s`,
    },
  }));
}

async function sign(ports: CaRoutePorts, request: FastifyRequest): Promise<SignResult> {
  const body = objectBody(request.body);
  const csr = csrOf(body);
  if (typeof body.ott !== 'string' || csr === null)
    return denied(400, 'the body has a csr (PEM) and an ott (the token)');
  const now = ports.clock();
  const [notBefore, notAfter] = [timeOf(body.notBefore, now), timeOf(body.notAfter, now)];
  if (notBefore === undefined || notAfter === undefined)
    return denied(400, 'notBefore and notAfter are RFC 3339 times or durations such as "24h"');
  const period = { ...(notBefore !== null && { notBefore }), ...(notAfter !== null && { notAfter }) };
  return signWithToken(
    { ...ports.tokensFor(request, 'sign'), ...ports.renewing },
    { token: body.ott, csr, period },
    now,
  );
}

async function renew(ports: CaRoutePorts, request: FastifyRequest, withNewKey: boolean): Promise<SignResult> {
  const presented = clientCertificate(request);
  if (presented === null) return denied(401, 'this path needs the certificate itself as TLS client certificate');
  const csr = withNewKey ? csrOf(objectBody(request.body)) : null;
  if (withNewKey && csr === null) return denied(400, 'the body has a csr (PEM) with the new key');
  return renewCertificate(ports.renewing, presented, csr, ports.clock());
}

/** By a token whose subject is the serial number, or by the certificate itself over mutual TLS. */
async function revokeByStep(
  ports: CaRoutePorts,
  request: FastifyRequest,
): Promise<{ readonly kind: 'revoked' } | Extract<SignResult, { kind: 'denied' }>> {
  const body = objectBody(request.body);
  const now = ports.clock();
  const serial = typeof body.serial === 'string' ? serialOf(body.serial) : null;
  const { reasonCode = 0 } = body;
  const reason: RevocationReason | null = typeof reasonCode === 'number' ? reasonOfNumber(reasonCode) : null;
  // RFC 5280 §5.3.1: removeFromCRL "may only appear in delta CRLs".
  if (serial === null || reason === null || reason === 'removeFromCRL')
    return denied(400, 'the body has a serial (hex or decimal) and perhaps a reasonCode of RFC 5280 §5.3.1');
  let requestedBy: string;
  if (typeof body.ott === 'string' && body.ott !== '') {
    const token = await verifyToken(ports.tokensFor(request, 'revoke'), body.ott, now);
    if (token.kind === 'denied') return token;
    if (serialOf(token.token.subject) !== serial) return denied(403, 'the token is for another serial number');
    requestedBy = `provisioner ${token.provisioner.name}`;
  } else {
    const presented = clientCertificate(request);
    const own =
      presented === null
        ? denied(401, 'a token or the certificate itself as TLS client certificate is needed')
        : await recognise(ports.store, presented, now);
    if (own.kind === 'denied') return own;
    if (own.record.serial !== serial) return denied(403, 'a certificate can revoke only itself');
    requestedBy = 'the certificate itself';
  }
  const record = await ports.store.findCertificate(serial);
  if (!record?.der) return denied(400, 'no certificate has this serial number');
  const result = await revoke(ports.store, record, reason, requestedBy, now);
  return result.kind === 'refused' ? denied(400, result.problem.detail) : result;
}

/** In hex, as we write it, or in decimal, as step's clients do: no serial of ours has as many digits in hex. */
function serialOf(text: string): SerialNumber | null {
  return parseSerialNumber(/^\d{33,48}$/.test(text) ? BigInt(text).toString(16) : text);
}

/** DER of the client certificate of the connection; null when none was sent. TLS has proven possession of its key. */
function clientCertificate(request: FastifyRequest): Uint8Array | null {
  const { socket } = request.raw;
  if (!(socket instanceof TLSSocket)) return null;
  const peer: Partial<PeerCertificate> = socket.getPeerCertificate();
  return peer.raw ?? null;
}

async function answer(ports: CaRoutePorts, reply: FastifyReply, work: Promise<SignResult>): Promise<FastifyReply> {
  const result = await work;
  if (result.kind === 'denied') return failure(reply, result.status, result.why);
  const chain = [result.der, ...ports.chainAbove(result.record.issuerKeyId)].map((der) =>
    pemFromDer('CERTIFICATE', der),
  );
  return reply
    .code(201)
    .header('cache-control', 'no-store')
    .send({ crt: chain[0], ca: chain[1] ?? '', certChain: chain });
}

function failure(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send({ status, message });
}

function objectBody(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}

function csrOf(body: Record<string, unknown>): Uint8Array | null {
  if (typeof body.csr !== 'string') return null;
  return pemBlocksLabelled(body.csr, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')[0]?.der ?? null;
}

/** Absent → null; "24h" → from now; RFC 3339 → as it is; anything else → undefined. */
function timeOf(value: unknown, now: Instant): Instant | null | undefined {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') return undefined;
  const seconds = parseDurationSeconds(value.replace(/^(\d+h)0m0s$/, '$1'));
  // The last second of a lifetime that begins now (RFC 5280 §4.1.2.5: both ends are inclusive).
  return seconds === null ? (parseRfc3339(value) ?? undefined) : addSeconds(now, seconds - 1);
}
