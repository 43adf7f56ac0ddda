/** What `cert verify` does: gathers the chain, the anchors and the key; core/x509/verification.ts judges. */
import { getCACertificates } from 'node:tls';
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { CAUSES } from '../../core/diagnosis/causes.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { asciiHost, withoutPassword } from '../../core/probe/target.ts';
import type { Crl } from '../../core/revocation/crl.ts';
import { type Instant, parseRfc3339 } from '../../core/time/instant.ts';
import { basicConstraints } from '../../core/x509/basic-constraints.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { certificateEntry } from '../../core/x509/certificate-entry.ts';
import { describeCertificate, describeRemaining, printable } from '../../core/x509/describe.ts';
import type { PathPurpose } from '../../core/x509/path-check.ts';
import { ANY_POLICY_INPUTS } from '../../core/x509/policy-tree.ts';
import { type PublicKeyInfo, parseSubjectPublicKeyInfo } from '../../core/x509/public-key.ts';
import { type Verification, type VerificationRequest, verifyChain } from '../../core/x509/verification.ts';
import { readCertificates, readInput } from '../../edge/files/certificate-files.ts';
import { certificatesAmong, pkiObjects } from '../../edge/files/pki-objects.ts';
import { isInitialised } from '../../edge/files/state-directory.ts';
import { decryptPrivateKey, WrongPassword } from '../../edge/signer/encrypted-key.ts';
import { publicKeyDer } from '../../edge/signer/key-pair.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { authorityCertificates } from '../authority-files.ts';
import type { VerifyFlags } from '../cli/cert-inspect.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import { findPassword } from '../passwords.ts';
import { judgedTarget } from './judged-target.ts';
import { readTarget } from './pki-target.ts';

export function verify(context: Context, text: string, flags: VerifyFlags): Promise<void> {
  return judgedTarget(context, text, { path: [], policies: [] }, () => judge(context, text, flags));
}

async function judge(context: Context, text: string, flags: VerifyFlags): Promise<void> {
  const now = instantOf(flags.at);
  const target = await readTarget(text, {
    servername: flags.name === undefined ? undefined : asciiHost(flags.name),
    starttls: flags.starttls,
    timeout: flags.timeout,
  });
  const [leaf, ...sent] = certificatesAmong(target.objects, target.where);
  if (!leaf) throw new OperatorFault('input-invalid', `${target.where} holds no certificate`, { path: target.where });
  const name = flags.name === undefined ? (target.server?.host ?? null) : asciiHost(flags.name);
  const { anchors, known } = trusted(context, flags.ca);
  const request: VerificationRequest = {
    chain: [leaf, ...sent],
    intermediates: flags.intermediates === undefined ? [] : readCertificates(flags.intermediates),
    known,
    anchors: anchors.map(({ certificate }) => certificate),
    now,
    purpose: (flags.purpose as PathPurpose | undefined) ?? (basicConstraints(leaf)?.ca ? 'any' : 'server'),
    name,
    ...revocationOf(flags),
    ...policiesOf(flags),
    key: flags.key === undefined ? null : await publicKeyOf(context, flags.key, flags.passwordFile),
  };
  const verification = verifyChain(request);
  const document = {
    ok: verification.ok,
    path: verification.path.map(certificateEntry),
    policies: verification.policies,
    findings: verification.findings.map((finding) => ({
      ...finding,
      where: { target: withoutPassword(text) },
      why: CAUSES[finding.id].why,
      remedy: { text: CAUSES[finding.id].remedy, command: null },
      evidence: {},
    })),
  };
  print(context, document, () => linesOf(request, verification, anchors));
  if (!verification.ok) process.exitCode = 1;
}

function revocationOf({ crl = [], crlAll = false }: VerifyFlags): Pick<VerificationRequest, 'revocation'> {
  if (crl.length > 0) return { revocation: { lists: crl.flatMap(readLists), areAuthoritiesRequired: crlAll } };
  if (crlAll) throw new OperatorFault('usage', '--crl-all says how strictly lists count; give them with --crl FILE');
  return {};
}

/** @throws OperatorFault input-unreadable, input-invalid */
function readLists(path: string): Crl[] {
  const lists = pkiObjects(readInput(path), path).flatMap((object) => {
    if (object.kind === 'unreadable') throw new OperatorFault('input-invalid', `${path}: ${object.why}`, { path });
    return object.kind === 'revocation-list' ? [object.crl] : [];
  });
  if (lists.length === 0) throw new OperatorFault('input-invalid', `${path} holds no revocation list`, { path });
  return lists;
}

function policiesOf({ policy = [] }: VerifyFlags): Pick<VerificationRequest, 'policies'> {
  if (policy.length === 0) return {};
  const odd = policy.find((text) => !/^[0-2](?:\.(?:0|[1-9]\d{0,38})){1,30}$/.test(text));
  if (odd !== undefined)
    throw new OperatorFault('usage', `${JSON.stringify(odd)} is not an object identifier; write 2.23.140.1.2.1`);
  return { policies: { ...ANY_POLICY_INPUTS, acceptable: new Set(policy), isRequired: true } };
}

interface Anchor {
  readonly certificate: Certificate;
  /** Who says that it is trusted. */
  readonly by: string;
}

function trusted(
  { paths }: Context,
  file: string | undefined,
): { anchors: readonly Anchor[]; known: readonly Certificate[] } {
  const own = isInitialised(paths) ? authorityCertificates(paths) : null;
  const known = own ? [own.intermediate] : [];
  if (file !== undefined) {
    const anchors = anchorsIn([Buffer.from(readInput(file)).toString('latin1')], `by ${file}`);
    // Nothing readable: then let the strict reader say why.
    return {
      anchors:
        anchors.length > 0 ? anchors : readCertificates(file).map((certificate) => ({ certificate, by: `by ${file}` })),
      known,
    };
  }
  return {
    anchors: [
      ...(own ? [{ certificate: own.root, by: 'as the root of this host’s authority' }] : []),
      ...anchorsIn(new Set(getCACertificates('system')), 'by the system’s store'),
    ],
    known,
  };
}

/** Bundles of anchors hold oddities that are no fault of the certificate in question: those are left out. */
function anchorsIn(pems: Iterable<string>, by: string): Anchor[] {
  return [...pems]
    .flatMap((pem) => pemBlocksLabelled(pem, 'CERTIFICATE', 'X509 CERTIFICATE'))
    .flatMap(({ der }) => {
      try {
        return [{ certificate: parseCertificate(der), by }];
      } catch (cause) {
        if (cause instanceof DerError) return [];
        throw cause;
      }
    });
}

/** @throws OperatorFault key-unusable, password-missing, password-wrong */
async function publicKeyOf({ paths }: Context, path: string, passwordFile: string | undefined): Promise<PublicKeyInfo> {
  const pem = Buffer.from(readInput(path)).toString('latin1');
  const source = { ...passwordSource(passwordFile), generated: paths.password };
  const password = pem.includes('ENCRYPTED') ? await findPassword(source, path) : new Uint8Array();
  if (password === null) throw new OperatorFault('password-missing', `${path} is encrypted`, { path });
  try {
    return parseSubjectPublicKeyInfo(publicKeyDer(decryptPrivateKey(pem, password)));
  } catch (cause) {
    if (cause instanceof WrongPassword)
      throw new OperatorFault('password-wrong', `the password does not open ${path}`, { path }, cause);
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    throw new OperatorFault('key-unusable', `${path} is not a private key that can be read`, { path }, cause);
  }
}

function instantOf(text: string | undefined): Instant {
  if (text === undefined) return wallClock();
  const instant = parseRfc3339(text);
  if (instant === null)
    throw new OperatorFault('usage', `${JSON.stringify(text)} is not a time; write 2026-11-25T12:00:00Z`);
  return instant;
}

function linesOf(
  request: VerificationRequest,
  { ok, path, isAnchored, findings }: Verification,
  anchors: readonly Anchor[],
): string[] {
  const [leaf] = request.chain;
  const purpose = request.purpose === 'any' ? '' : ` as a ${request.purpose}`;
  const forName = request.name === null ? ' (no name was asked for: --name)' : ` for ${request.name}`;
  const who = describeCertificate(leaf);
  const verdict = ok
    ? `${paint('green', 'ok:', process.stdout)} ${printable(`${who} is valid${forName}${purpose}`)}${request.revocation ? ', not revoked' : ''}${request.key ? ', and the key belongs to it' : ''}`
    : `${paint('red', 'refused:', process.stdout)} ${printable(who)}`;
  return [
    verdict,
    ...findings.flatMap(({ id, severity, what }) => [
      `  ${paint(severity === 'error' ? 'red' : 'yellow', severity, process.stdout)}  ${printable(what)}  ${paint('dim', `(${id})`, process.stdout)}`,
      `         ${CAUSES[id].remedy}`,
    ]),
    isAnchored ? 'Path:' : 'Path, as far as it could be built:',
    ...path.map((certificate, index) => {
      const by = anchors.find((anchor) => bytesEqual(anchor.certificate.raw, certificate.raw))?.by;
      const note = by === undefined ? '' : `, trusted ${by}`;
      return `  ${index === 0 ? '' : '← '}${printable(describeCertificate(certificate))}  (${describeRemaining(certificate.validity, request.now)}${note})`;
    }),
  ];
}
