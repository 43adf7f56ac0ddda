/** Certificates for a stack from an ACME server: any public one, or a private one with its root. */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { IssuerSpec, ServiceSpec } from '../../core/stack/stack.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { assembleCsr, encodeCsrInfo } from '../../core/x509/csr.ts';
import { validatePath } from '../../core/x509/path.ts';
import { acmeFault } from '../../edge/acme-client/acme-fault.ts';
import type { ChallengeHandler } from '../../edge/acme-client/challenge-handler.ts';
import { obtainCertificate } from '../../edge/acme-client/obtain.ts';
import { certificateId, fetchRenewalInfo, type RenewalInfo } from '../../edge/acme-client/renewal-info.ts';
import { type AcmeSession, acmeSession } from '../../edge/acme-client/signed-request.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { publicKeyDer, signWith } from '../../edge/signer/key-pair.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';
import { accountKey } from './acme-account-key.ts';
import { challengeHandler } from './challenges/challenge-handler.ts';

type AcmeIssuerSpec = Extract<IssuerSpec, { kind: 'acme' }>;

export interface IssuedChain {
  /** Leaf first. */
  readonly chain: readonly Certificate[];
  /** The root to which it leads. */
  readonly trust: readonly Certificate[];
}

export interface AcmeIssuer {
  /** Roots that its certificates may lead to. */
  readonly anchors: readonly Certificate[];
  /**
   * @param replaces the leaf that the new one takes the place of; null: none
   * @throws OperatorFault acme-refused, acme-rate-limited, challenge-failed, authority-unreachable, and those of the
   *   challenge; its facts have `retryAfterSeconds` where the server said so
   */
  readonly issue: (
    service: Pick<ServiceSpec, 'names' | 'key'>,
    key: KeyObject,
    replaces?: Certificate | null,
  ) => Promise<IssuedChain>;
  /** When the issuer would like the certificate to be renewed; null: it does not say. @throws OperatorFault as `issue` */
  readonly renewalInfo: (leaf: Certificate) => Promise<RenewalInfo | null>;
}

/**
 * @param name of the issuer in the stack file
 * @param accounts directory for account keys, 0700
 */
export async function openAcmeIssuer(name: string, spec: AcmeIssuerSpec, accounts: string): Promise<AcmeIssuer> {
  const anchors = spec.caFile === null ? publicRoots() : readCertificates(spec.caFile);
  const ca = spec.caFile === null ? null : readFileSync(spec.caFile, 'utf8');
  const session = acmeSession(await accountKey(accounts, spec.directory), ca);
  // One for all orders: they may be under way at once, and share a port.
  const challenge = challengeHandler(spec.challenge);
  const asFault = (cause: unknown): never => {
    throw acmeFault(cause, name, spec.directory);
  };
  return {
    anchors,
    async issue(service, key, replaces = null) {
      const ders = await order(session, spec, challenge, service, key, replaces).catch(asFault);
      return checkedChain(name, ders, key, anchors);
    },
    renewalInfo: (leaf) => fetchRenewalInfo(session, spec.directory, leaf).catch(asFault),
  };
}

/** The roots that Node.js ships, which are Mozilla's. */
export function publicRoots(): readonly Certificate[] {
  return rootCertificates.flatMap((pem) =>
    pemBlocksLabelled(pem, 'CERTIFICATE').map(({ der }) => parseCertificate(der)),
  );
}

async function order(
  session: AcmeSession,
  spec: AcmeIssuerSpec,
  challenge: ChallengeHandler,
  service: Pick<ServiceSpec, 'names' | 'key'>,
  key: KeyObject,
  replaces: Certificate | null,
): Promise<Uint8Array[]> {
  const identifiers = service.names.flatMap((entry) =>
    entry.kind === 'dns' || entry.kind === 'ip' ? [{ type: entry.kind, value: entry.value }] : [],
  );
  const info = encodeCsrInfo({ publicKey: publicKeyDer(key), names: service.names });
  const csr = assembleCsr(info, service.key, await signWith(key, service.key)(info));
  const id = replaces && certificateId(replaces);
  const { directory, contact } = spec;
  return obtainCertificate(
    session,
    { directory, contact, identifiers, csr, sleep, ...(id && { replaces: id }) },
    challenge,
  );
}

/** Nothing that the server sends is installed unseen. @throws OperatorFault acme-refused */
function checkedChain(
  issuer: string,
  ders: readonly Uint8Array[],
  key: KeyObject,
  anchors: readonly Certificate[],
): IssuedChain {
  const refuse = (what: string, cause?: unknown): OperatorFault =>
    new OperatorFault('acme-refused', `the issuer ${issuer} sent ${what}`, { issuer }, cause);
  let chain: readonly Certificate[];
  try {
    chain = ders.map(parseCertificate);
  } catch (cause) {
    throw refuse('a chain that cannot be read', cause);
  }
  const [leaf, ...intermediates] = chain;
  if (!leaf) throw refuse('an empty chain');
  if (!bytesEqual(leaf.publicKey.raw, publicKeyDer(key))) throw refuse('a certificate for another key');
  const path = validatePath({ leaf, intermediates, anchors, now: wallClock(), purpose: 'server' });
  if (!path.ok) throw refuse(`a chain that leads to none of the roots trusted for it: ${path.detail}`);
  return { chain, trust: path.path.slice(-1) };
}
