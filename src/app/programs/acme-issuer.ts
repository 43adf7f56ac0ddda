/** Certificates for a stack from an ACME server: any public one, or a private one with its root. */

import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { AcmeChallengeSpec, IssuerSpec } from '../../core/stack/stack.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { assembleCsr, encodeCsrInfo } from '../../core/x509/csr.ts';
import { validatePath } from '../../core/x509/path.ts';
import { type ChallengeHandler, obtainCertificate } from '../../edge/acme-client/obtain.ts';
import { AcmeRefused, type AcmeSession, acmeSession } from '../../edge/acme-client/signed-request.ts';
import { createFileAtomically, writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { bindPort, parseListenAddress } from '../../edge/http/listener.ts';
import { generateKey, publicKeyDer, signWith } from '../../edge/signer/key-pair.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';

import type { WantedCertificate } from '../../flow/agent/agent-ports.ts';

type AcmeIssuerSpec = Extract<IssuerSpec, { kind: 'acme' }>;

export interface AcmeIssuer {
  /** Roots that its certificates may lead to. */
  readonly anchors: readonly Certificate[];
  /** @throws OperatorFault issuance-refused, authority-unreachable */
  readonly issue: (
    wanted: Pick<WantedCertificate, 'names' | 'key'>,
    key: KeyObject,
  ) => Promise<{ readonly chain: readonly Certificate[]; readonly trust: readonly Certificate[] }>;
}

/** @param accounts directory for account keys, 0700 */
export async function openAcmeIssuer(name: string, spec: AcmeIssuerSpec, accounts: string): Promise<AcmeIssuer> {
  const anchors = spec.caFile === null ? publicRoots() : readCertificates(spec.caFile);
  const session = await accountSession(spec, accounts);
  return {
    anchors,
    async issue(wanted, key) {
      const identifiers = wanted.names.flatMap((entry) =>
        entry.kind === 'dns' || entry.kind === 'ip' ? [{ type: entry.kind, value: entry.value }] : [],
      );
      const info = encodeCsrInfo({ publicKey: publicKeyDer(key), names: wanted.names });
      const csr = assembleCsr(info, wanted.key, await signWith(key, wanted.key)(info));
      const handler = challengeHandler(spec.challenge);
      try {
        const ders = await obtainCertificate(
          session,
          { directory: spec.directory, contact: spec.contact, identifiers, csr, sleep },
          handler,
        );
        const chain = ders.map(parseCertificate);
        return { chain, trust: trustOf(chain, anchors) };
      } catch (cause) {
        if (cause instanceof AcmeRefused)
          throw new OperatorFault('issuance-refused', `the issuer ${name} refused: ${cause.message}`, {}, cause);
        if (cause instanceof Error && 'code' in cause && !(cause instanceof OperatorFault))
          throw new OperatorFault(
            'authority-unreachable',
            `${spec.directory}: ${cause.message}`,
            { url: new URL(spec.directory).origin },
            cause,
          );
        throw cause;
      } finally {
        await handler.close();
      }
    },
  };
}

/** The roots that Node.js ships, which are Mozilla's. */
export function publicRoots(): readonly Certificate[] {
  return rootCertificates.flatMap((pem) =>
    pemBlocksLabelled(pem, 'CERTIFICATE').map(({ der }) => parseCertificate(der)),
  );
}

/** The root to which the chain leads: what clients of the service are to trust. */
function trustOf(chain: readonly Certificate[], anchors: readonly Certificate[]): readonly Certificate[] {
  const [leaf, ...intermediates] = chain;
  const path = leaf && validatePath({ leaf, intermediates, anchors, now: wallClock(), purpose: 'server' });
  return path?.ok ? path.path.slice(-1) : anchors.slice(0, 1);
}

/** One account a directory, kept: losing it costs the right to renew without new limits. */
async function accountSession(spec: AcmeIssuerSpec, accounts: string): Promise<AcmeSession> {
  mkdirSync(accounts, { recursive: true, mode: 0o700 });
  const path = join(accounts, `${createHash('sha256').update(spec.directory).digest('hex').slice(0, 16)}.key`);
  if (!existsSync(path))
    createFileAtomically(path, (await generateKey('ecdsa-p256')).export({ type: 'pkcs8', format: 'pem' }), 0o600);
  return acmeSession(
    createPrivateKey(readFileSync(path)),
    spec.caFile === null ? null : readFileSync(spec.caFile, 'utf8'),
  );
}

function challengeHandler(spec: AcmeChallengeSpec): ChallengeHandler & { readonly close: () => Promise<void> } {
  switch (spec.kind) {
    case 'http-01-webroot': {
      const directory = join(spec.webroot, '.well-known', 'acme-challenge');
      return {
        type: 'http-01',
        async present(_identifier, token, keyAuthorization) {
          mkdirSync(directory, { recursive: true, mode: 0o755 });
          writeFileAtomically(join(directory, tokenFile(token)), keyAuthorization, 0o644);
        },
        async cleanUp(_identifier, token) {
          rmSync(join(directory, tokenFile(token)), { force: true });
        },
        async close() {},
      };
    }
    case 'http-01-listen':
      return listeningHandler(spec.listen);
    case 'dns-01-exec':
      return {
        type: 'dns-01',
        async present(identifier, _token, keyAuthorization) {
          runHook(spec.command, 'present', identifier, keyAuthorization);
        },
        async cleanUp(identifier) {
          runHook(spec.command, 'cleanup', identifier, '');
        },
        async close() {},
      };
  }
}

/** A token becomes a file name: only what RFC 8555 §8.1 allows in one. */
function tokenFile(token: string): string {
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(token))
    throw new OperatorFault('issuance-refused', 'the server sent a token that is not base64url');
  return token;
}

function listeningHandler(listen: string): ChallengeHandler & { readonly close: () => Promise<void> } {
  const answers = new Map<string, string>();
  let opened: Promise<{ readonly http: Server; readonly close: () => Promise<void> }> | null = null;
  const open = async () => {
    const address = parseListenAddress(listen);
    if (address === null) throw new OperatorFault('usage', `${JSON.stringify(listen)} is not HOST:PORT`);
    const port = await bindPort(address);
    const http = createServer((request, response) => {
      const answer = answers.get(
        /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+)$/.exec(request.url ?? '')?.[1] ?? '',
      );
      response.writeHead(answer === undefined ? 404 : 200, {
        'content-type': 'application/octet-stream',
        connection: 'close',
      });
      response.end(answer);
    });
    port.serve((socket) => http.emit('connection', socket));
    return { http, close: port.close };
  };
  return {
    type: 'http-01',
    async present(_identifier, token, keyAuthorization) {
      opened ??= open();
      await opened;
      answers.set(token, keyAuthorization);
    },
    async cleanUp(_identifier, token) {
      answers.delete(token);
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

/** The hook gets the record's name and value as arguments: `present NAME VALUE`, `cleanup NAME ""`. */
function runHook(command: string, action: string, identifier: string, keyAuthorization: string): void {
  const value = keyAuthorization === '' ? '' : createHash('sha256').update(keyAuthorization).digest('base64url');
  const { status, stderr, error } = spawnSync(command, [action, `_acme-challenge.${identifier}`, value], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0)
    throw new OperatorFault(
      'issuance-refused',
      `the DNS hook ${command} ${action} failed: ${error?.message ?? stderr.slice(0, 300)}`,
    );
}
