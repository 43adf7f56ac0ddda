/**
 * An authority on another host, for a stack. Who asks proves itself by a one-time token: signed here with the
 * provisioner's key (`provisioner` and `passwordFile`), or put into a file by a person (`tokenFile`) for the first certificate, after
 * which each pair in use authenticates the request for its successor.
 *
 * Its root is known by fingerprint. What follows from it (the bundle while a root is replaced) comes over connections
 * verified with roots known before, and is kept: a stopped authority stops no plan, no status and no proof.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { pemBlocksLabelled, pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { PROFILES } from '../../core/issuance/profile.ts';
import { sameNames } from '../../core/issuance/requested-names.ts';
import { parseCrl } from '../../core/revocation/crl.ts';
import { type Revocations, revocationsIn, saysMoreThan } from '../../core/revocation/revocation.ts';
import type { AuthorityReference } from '../../core/stack/stack.ts';
import { addSeconds, formatRfc3339 } from '../../core/time/instant.ts';
import { lifetimeSeconds } from '../../core/time/validity-period.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { lackedPurposes } from '../../core/x509/extended-key-usage.ts';
import { formatGeneralName } from '../../core/x509/general-name.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import { type Answer, fetchRoot, get, post } from '../../edge/authority-client/authority-client.ts';
import { chainOf } from '../../edge/authority-client/signed-chain.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { algorithmOfKey } from '../../edge/signer/key-pair.ts';
import { newCsr } from '../../edge/signer/new-csr.ts';
import { openTokenKey, signToken, WrongTokenPassword } from '../../edge/signer/token-key.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { readPasswordFile } from '../passwords.ts';
import {
  type CertificateRequest,
  type PairInUse,
  type StackAuthority,
  type StackRoots,
  sameRoots,
} from './stack-authority.ts';

const TOKEN_SECONDS = 300;

/** Of a list of a hundred thousand revoked certificates, four times over. */
const MAX_LISTS_BYTES = 1 << 25;
const DEFAULT_PROVISIONER = 'admin';

/** Certificates of an authority are issued a minute back, and end a second before the full lifetime. */
const LIFETIME_TOLERANCE_SECONDS = 90;

/**
 * @param directory what is kept between runs: roots and lists
 * @param listsWanted whether services refuse clients by its revocation lists: then they must be had
 * @throws OperatorFault authority-unreachable when it has never been reached, fingerprint-mismatch
 */
export async function openRemoteAuthority(
  reference: AuthorityReference,
  directory: string,
  listsWanted: boolean,
): Promise<StackAuthority> {
  const base = reference.url.replace(/\/+$/, '');
  const kept = join(directory, `${reference.fingerprint}.pem`);
  let roots = await knownRoots(base, reference.fingerprint, kept);
  const ca = (): string => roots.bundle.map(pem).join('');

  const keptLists = join(directory, `${reference.fingerprint}.crl.pem`);
  const askForLists = async (): Promise<string | null> => {
    const next = listsIn(await get(`${base}/crls`, { ca: ca() }, MAX_LISTS_BYTES), base);
    if (next !== null && next !== readText(keptLists)) keep(keptLists, next);
    return next;
  };
  /** Where no service reads them, an authority that is down hinders nothing. */
  const firstLists = (): Promise<string | null> => (listsWanted ? askForLists() : askForLists().catch(() => null));
  let lists = readText(keptLists) ?? (await firstLists());
  let revocations = revocationsOf(lists);

  let tokenKey: Promise<JWK> | null = null;
  const token = async (request: CertificateRequest): Promise<string> => {
    if (reference.tokenFile !== null && reference.passwordFile === null) return readToken(reference.tokenFile);
    const provisioner = reference.provisioner ?? DEFAULT_PROVISIONER;
    tokenKey ??= provisionerKey(await get(`${base}/provisioners`, { ca: ca() }), provisioner, reference.passwordFile);
    tokenKey.catch(() => {
      tokenKey = null;
    });
    const names = request.names.map(formatGeneralName);
    return signToken(await tokenKey, {
      provisioner,
      audience: `${base}/1.0/sign`,
      subject: request.commonName ?? names[0] ?? '',
      names,
      rootFingerprint: roots.active.fingerprint,
      profile: request.profile,
      issuedAt: wallClock(),
      lifetimeSeconds: TOKEN_SECONDS,
    });
  };
  const csrOf = (request: CertificateRequest): Promise<string> =>
    newCsr(request.key, algorithmOfKey(request.key) ?? 'ecdsa-p256', request.names, request.commonName);

  return {
    remote: true,
    roots: () => roots,
    async issue(request, previous) {
      const csr = await csrOf(request);
      const asksItself = previous !== null && !revocations.has(previous.certificate.serial);
      if (reference.passwordFile === null && asksItself && canSucceed(previous, request)) {
        const client = { ca: ca(), cert: previous.chainPem, key: previous.keyPem };
        return certificates(await post(`${base}/1.0/rekey`, { csr }, client));
      }
      // The last second of the lifetime is its own (RFC 5280 §4.1.2.5).
      const notAfter = formatRfc3339(addSeconds(wallClock(), request.lifetimeSeconds - 1));
      return certificates(await post(`${base}/1.0/sign`, { csr, ott: await token(request), notAfter }, { ca: ca() }));
    },
    revocation: ({ serial }) => revocations.get(serial) ?? null,
    revocationLists: () => lists,
    // It signs one before it hands it out.
    listToSign: () => null,
    async refresh() {
      const next = rootsOf(await get(`${base}/roots`, { ca: ca() }), base);
      const rootsChanged = !sameRoots(roots, next);
      if (rootsChanged) {
        keep(kept, pemOf(next));
        roots = next;
      }
      const nextLists = await askForLists();
      if (nextLists === lists) return rootsChanged;
      const nextRevocations = revocationsOf(nextLists);
      const changed = rootsChanged || listsWanted || saysMoreThan(nextRevocations, revocations);
      [lists, revocations] = [nextLists, nextRevocations];
      return changed;
    },
    close() {},
  };
}

/** As they were known last; at the first time, the root of the fingerprint, and what the authority says over TLS verified with it. */
async function knownRoots(base: string, fingerprint: string, kept: string): Promise<StackRoots> {
  const text = readText(kept);
  const known = text === null ? null : bundleOf(text);
  if (known !== null) return known;
  const pinned = await fetchRoot(base, fingerprint);
  const roots = rootsOf(await get(`${base}/roots`, { ca: pinned }), base);
  keep(kept, pemOf(roots));
  return roots;
}

function keep(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileAtomically(path, text, 0o644);
}

function pemOf({ bundle }: StackRoots): string {
  return bundle.map(pem).join('');
}

/** null: there is none. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}

function rootsOf({ status, body }: Answer, base: string): StackRoots {
  const roots = status === 200 && Array.isArray(body.crts) ? bundleOf(body.crts.join('\n')) : null;
  if (roots === null)
    throw new OperatorFault('authority-unreachable', `${base}/roots answered ${status} without roots`, { url: base });
  return roots;
}

/** As PEM of nothing but lists; null: the authority has none of one of its own. @throws OperatorFault authority-unreachable */
function listsIn({ status, body }: Answer, base: string): string | null {
  if (status === 404) return null;
  const lists = status === 200 && Array.isArray(body.crls) ? pemBlocksLabelled(body.crls.join('\n'), 'X509 CRL') : [];
  if (lists.length === 0)
    throw new OperatorFault('authority-unreachable', `${base}/crls answered ${status} without lists`, { url: base });
  return lists.map(({ der }) => pemFromDer('X509 CRL', parseCrl(der).raw)).join('');
}

/** What lists say that are kept as `listsIn` gives them. */
function revocationsOf(lists: string | null): Revocations {
  return revocationsIn(pemBlocksLabelled(lists ?? '', 'X509 CRL').map(({ der }) => parseCrl(der)));
}

/** The first is the active one. */
function bundleOf(text: string): StackRoots | null {
  const bundle = pemBlocksLabelled(text, 'CERTIFICATE').map(({ der }) => parseCertificate(der));
  const [active] = bundle;
  return active ? { active, bundle } : null;
}

/** Rekeying repeats names, usages and lifetime: only for a pair that is in force and has them as they are wanted now. */
function canSucceed({ certificate: leaf }: PairInUse, request: CertificateRequest): boolean {
  const lifetime = Math.abs(lifetimeSeconds(leaf.validity) - request.lifetimeSeconds);
  return (
    wallClock() < leaf.validity.notAfter &&
    lifetime <= LIFETIME_TOLERANCE_SECONDS &&
    sameNames(subjectAltNames(leaf), request.names) &&
    lackedPurposes(leaf, PROFILES[request.profile].purposes).length === 0
  );
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new OperatorFault(
      'token-refused',
      `the token in ${path} cannot be read, and nothing that is installed can ask in its place`,
      { path },
      cause,
    );
  }
}

async function provisionerKey({ body }: Answer, name: string, passwordFile: string | null): Promise<JWK> {
  const found = Array.isArray(body.provisioners)
    ? body.provisioners.find((provisioner: Record<string, unknown>) => provisioner?.name === name)
    : undefined;
  if (typeof found?.encryptedKey !== 'string')
    throw new OperatorFault('provisioner-unknown', `the authority has no provisioner named ${name} with a token key`);
  if (passwordFile === null)
    throw new OperatorFault(
      'password-missing',
      'the stack file names neither a tokenFile nor a passwordFile for its authority, so nothing can be asked for',
    );
  const password = readPasswordFile(passwordFile);
  try {
    return await openTokenKey(found.encryptedKey, password);
  } catch (cause) {
    if (!(cause instanceof WrongTokenPassword)) throw cause;
    throw new OperatorFault(
      'password-wrong',
      `the password in ${passwordFile} does not open the token key of ${name}`,
      { path: passwordFile },
      cause,
    );
  }
}

function certificates(answer: Answer): readonly Certificate[] {
  return chainOf(answer).map(parseCertificate);
}

function pem({ raw }: Certificate): string {
  return pemFromDer('CERTIFICATE', raw);
}
