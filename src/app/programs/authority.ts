/** The authority, wired: everything is constructed here in order, started, and stopped in reverse. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import { keyFromJwk } from '../../core/crypto/jws-signature.ts';
import { verifySignatureByIssuer } from '../../core/crypto/verify-signature.ts';
import type { PublicJwk, Thumbprint } from '../../core/jose/jwk.ts';
import { KEY_ALGORITHMS } from '../../core/x509/algorithm.ts';
import { parseDnsName } from '../../core/x509/dns-name.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { authorityServer } from '../../edge/http/authority-server.ts';
import { isOwnUrl, type OwnAddress } from '../../edge/http/external-url.ts';
import { bindPort, type ListenAddress, tlsOrPlain } from '../../edge/http/listener.ts';
import { nonces } from '../../edge/http/nonces.ts';
import { plainServer } from '../../edge/http/plain-server.ts';
import { clockStepWatch, monotonicMs, sleep, wallClock } from '../../edge/system/clock.ts';
import { healthChecker } from '../../flow/ca/check-health.ts';
import type { IssuePorts } from '../../flow/ca/issue-certificate.ts';
import { recover } from '../../flow/ca/recover.ts';
import { challenges } from '../../flow/ca/respond-to-challenge.ts';
import { keyIdOf } from '../authority-keys.ts';
import { clientAuthorities, listsOf } from '../client-authorities.ts';
import type { AuthorityConfig } from '../config.ts';
import { type LoadedIssuer, openState } from '../open-state.ts';
import { revocationLists } from '../revocation-lists.ts';
import { challengeValidators } from './challenge-validators.ts';
import { keepOwnCertificate } from './own-certificate.ts';

export interface AuthorityOptions {
  readonly paths: StatePaths;
  readonly config: AuthorityConfig;
  readonly listen: ListenAddress;
  readonly httpListen: ListenAddress | null;
  readonly password: Parameters<typeof openState>[1];
  readonly acceptClock: boolean;
  readonly logger: Logger;
}

export interface RunningAuthority {
  readonly url: string;
  readonly acmeDirectory: string;
  readonly rootFingerprint: string;
  readonly stop: () => Promise<void>;
}

const MAINTENANCE_EVERY_MS = 60_000;
/** Looking costs two calls of stat. */
const LOOK_FOR_ROTATION_EVERY_MS = 1000;

/** @throws OperatorFault for everything that an operator can put right */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  const { paths, config, logger } = options;
  const state = await openState(paths, options.password, { lock: true, acceptClock: options.acceptClock });
  // What a killed one has left; with the lock in hand it is nobody's.
  rmSync(paths.ready, { force: true });
  const stops: (() => void | Promise<void>)[] = [() => state.close()];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step();
  };
  try {
    const bound = await bindPort(options.listen);
    stops.push(bound.close);
    const httpBound = options.httpListen && (await bindPort(options.httpListen));
    if (httpBound) stops.push(httpBound.close);

    const own = ownAddress(config, options.listen, bound.port);
    const plainBase = plainUrl(config, httpBound?.port ?? bound.port);
    let issuer: LoadedIssuer = state.issuerAt(plainBase);
    const issuing: IssuePorts = { store: state.store, issuer: () => issuer, random: randomBytes };
    const onFault = (fault: unknown): void =>
      logger.error({ err: fault }, 'work in the background failed; it will be tried again');

    const work = challenges({
      store: state.store,
      validators: challengeValidators(config.validation),
      clock: wallClock,
      sleep,
      onFault,
    });
    const recovery = { store: state.store, issuer: () => issuer, clock: wallClock };
    const recovered = await recover(recovery, true);
    if (recovered.finished + recovered.abandoned > 0)
      logger.warn(recovered, 'issuances that a crash had interrupted were settled');
    await work.resume();
    stops.push(work.stop);

    const crlOf = revocationLists(state, () => issuer, plainBase);
    const currentCrl = async (): Promise<Uint8Array> =>
      (await crlOf(issuer.keyId)) ?? raise('the issuer in use has no revocation list');
    const issuerCertificate = (keyId: string): Uint8Array | null =>
      [issuer.certificate, ...state.previous()].find((certificate) => keyIdOf(certificate) === keyId)?.raw ?? null;
    const chainAbove = (keyId: string): readonly Uint8Array[] => {
      const certificate = issuerCertificate(keyId);
      return certificate ? [certificate] : [];
    };
    const tokenKey = keyCache((jwk: PublicJwk) => [JSON.stringify(jwk), jwk]);
    const nonceKeeper = nonces(randomBytes);
    const probe = randomBytes(32);
    const checkHealth = healthChecker(
      {
        store: state.store,
        issuer: () => issuer,
        keyWorks: async () =>
          verifySignatureByIssuer(
            issuer.publicKey,
            KEY_ALGORITHMS[issuer.keyAlgorithm].signatureAlgorithm,
            probe,
            await issuer.signRaw(probe),
          ),
        clock: wallClock,
        clockStep: clockStepWatch(),
      },
      monotonicMs,
    );

    const keeper = await keepOwnCertificate(issuing, [...own.names], chainAbove, wallClock);
    const server = await authorityServer(
      keeper.pair(),
      () => state.roots().bundle.map(({ raw }) => raw),
      {
        store: state.store,
        issuing,
        challenges: work,
        authentication: {
          loadAccount: state.store.loadAccount,
          redeemNonce: nonceKeeper.redeem,
          accountKey: keyCache((account: { jwk: PublicJwk; thumbprint: Thumbprint }) => [
            account.thumbprint,
            account.jwk,
          ]),
        },
        issueNonce: nonceKeeper.issue,
        own,
        clock: wallClock,
        chainAbove,
      },
      {
        store: state.store,
        renewing: { ...issuing, certificates: state.store, provisioners: state.store },
        tokensFor: (_request, purpose) => ({
          provisioners: state.store,
          tokenKey,
          expectation: {
            isAudience: (url) => isOwnUrl(url, own, [`/1.0/${purpose}`, `/${purpose}`]),
            rootFingerprint: state.roots().active.fingerprint,
          },
        }),
        checkHealth,
        roots: () => state.roots().bundle.map(({ raw, fingerprint }) => ({ der: raw, fingerprint })),
        chainAbove,
        currentCrl,
        clientLists: () => listsOf(clientAuthorities(paths, wallClock()), crlOf),
        clock: wallClock,
      },
      logger as unknown as FastifyBaseLogger,
    );
    stops.push(server.close);
    const plainPorts = {
      currentCrl,
      crlOf,
      issuerCertificate,
      httpsBase: own.defaultBase,
      onFault,
    };
    const plain = plainServer(plainPorts);
    bound.serve(tlsOrPlain(server.https, plain));
    httpBound?.serve((socket) => plain.emit('connection', socket));
    stops.push(() => {
      // Idle keep-alive connections go at once; whoever is being answered gets a moment.
      server.https.closeIdleConnections();
      plain.closeIdleConnections();
    });

    const maintenance = setInterval(() => {
      recover(recovery, false).catch(onFault);
      work.resume().catch(onFault);
      keeper
        .renewIfDue()
        .then((pair) => pair && server.replacePair(pair))
        .catch(onFault);
    }, MAINTENANCE_EVERY_MS);
    stops.push(() => clearInterval(maintenance));

    const readyNow = () => ({
      url: own.defaultBase,
      acmeDirectory: `${own.defaultBase}/acme/acme/directory`,
      rootFingerprint: state.roots().active.fingerprint,
      rootCertificate: paths.rootCertificate,
      pid: process.pid,
      /** Where certificates say that lists and issuers are, for commands that issue beside the running authority. */
      plainUrl: plainBase,
    });
    const announceReady = (): void => writeFileAtomically(paths.ready, `${JSON.stringify(readyNow())}\n`, 0o600);
    announceReady();
    stops.push(() => rmSync(paths.ready, { force: true }));

    /** An intermediate or roots that `ca rotate` has replaced meanwhile: from now on they are what is issued with. */
    let [isTakenUp, issuerOfOwn] = [true, issuer.keyId];
    const takeUp = async (): Promise<void> => {
      if (state.refresh()) isTakenUp = false;
      if (isTakenUp) return;
      issuer = state.issuerAt(plainBase);
      server.replacePair(issuer.keyId === issuerOfOwn ? keeper.pair() : await keeper.renew());
      issuerOfOwn = issuer.keyId;
      announceReady();
      // Only now: what failed before, on a full disk perhaps, is tried again.
      isTakenUp = true;
      logger.info(
        { issuer: issuer.keyId, roots: state.roots().bundle.map(({ fingerprint }) => fingerprint) },
        'took up what was rotated',
      );
    };
    stops.push(repeat(takeUp, LOOK_FOR_ROTATION_EVERY_MS, onFault));
    return { ...readyNow(), stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

function raise(what: string): never {
  throw new Error(what);
}

/** Again and again, never twice at once; what fails is tried again. Returns what ends it. */
function repeat(work: () => Promise<void>, everyMs: number, onFault: (fault: unknown) => void): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work()
      .catch(onFault)
      .finally(() => {
        running = null;
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Names that the authority's certificate covers, and the address that local programs reach it by. */
function ownAddress(config: AuthorityConfig, { host }: ListenAddress, port: number): OwnAddress {
  const listening = host === null ? null : (parseIpAddress(host) ?? parseDnsName(host));
  const names = new Set([
    ...config.dnsNames,
    'localhost',
    '127.0.0.1',
    '::1',
    ...(listening !== null && !isUnspecified(listening) ? [listening] : []),
  ]);
  const reached = listening === null || isUnspecified(listening) ? 'localhost' : listening;
  return { names, defaultBase: `https://${bracketed(reached)}:${port}` };
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function bracketed(name: string): string {
  return name.includes(':') ? `[${name}]` : name;
}

/** The base of the URLs inside certificates: plain HTTP, by the authority's first name, which other hosts know. */
function plainUrl(config: AuthorityConfig, port: number): string {
  return `http://${bracketed(config.dnsNames[0] ?? 'localhost')}${port === 80 ? '' : `:${port}`}`;
}

const KEY_CACHE_SIZE = 10_000;

/** Key objects of JWKs, made once: making one costs as much as using it. The oldest go when there are many. */
function keyCache<Source>(
  identify: (source: Source) => readonly [key: string, jwk: PublicJwk],
): (source: Source) => KeyObject {
  const cache = new Map<string, KeyObject>();
  return (source) => {
    const [id, jwk] = identify(source);
    const known = cache.get(id);
    if (known) return known;
    const key = keyFromJwk(jwk);
    if (key === null) throw new Error('a recorded key is not a public key');
    if (cache.size >= KEY_CACHE_SIZE) cache.delete(cache.keys().next().value ?? '');
    cache.set(id, key);
    return key;
  };
}
