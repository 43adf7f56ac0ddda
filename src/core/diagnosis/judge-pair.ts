/**
 * `diagnose --cert --key`: would a service start with this pair, would clients accept it, and is it what is served? Facts
 * in, findings out; what merely follows from another finding is left out.
 */
import { bytesEqual } from '../bytes/compare.ts';
import type { Protocol } from '../probe/protocol.ts';
import type { Instant } from '../time/instant.ts';
import { authorityInformationAccess } from '../x509/authority-information-access.ts';
import { basicConstraints } from '../x509/basic-constraints.ts';
import { type Certificate, isSelfIssued } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { namesEqual } from '../x509/name.ts';
import { describeKey, type PublicKeyInfo } from '../x509/public-key.ts';
import { type VerificationFinding, verifyChain } from '../x509/verification.ts';
import { CAUSES, causeFinding, shellQuoted } from './causes.ts';
import { type Finding, hasError, sortFindings } from './finding.ts';
import { fileFindings } from './judge-file.ts';
import { rightsFindings } from './judge-key-rights.ts';
import { servedFindings } from './judge-served.ts';
import type { CertificateBlock, FileFacts, KeyBlock, ListeningProcess, PairFacts } from './pair-facts.ts';

export interface PairContext {
  readonly anchors: readonly Certificate[];
  /** Intermediates known here: they give a missing one its name. */
  readonly known: readonly Certificate[];
  readonly now: Instant;
  /** The leaf of each chain that the endpoint presented; empty: nothing is known. */
  readonly served: readonly Certificate[];
  /** Who listens there; null: not found, or not on this host. */
  readonly listener: ListeningProcess | null;
  /** null: not known. */
  readonly protocol: Protocol | null;
  /** Of a stack file, for the remedies' commands. */
  readonly service: string | null;
  /** Of systemd, for reloading; null: not known. */
  readonly unit: string | null;
}

type ChainFacts = FileFacts<readonly CertificateBlock[]>;

/** Sorted; nothing where all is well. */
export function judgePair(facts: PairFacts, context: PairContext): Finding[] {
  const pair = leafOf(facts);
  const isServed = pair !== null && context.served.some(({ fingerprint }) => fingerprint === pair.leaf.fingerprint);
  const disk = [
    // What is served was read: then the service knows the password.
    ...fileFindings(facts, context.listener?.program ?? null).filter(
      ({ evidence }) => !(isServed && evidence.flaw === 'encrypted'),
    ),
    ...allRights(facts, context),
  ];
  if (pair === null) return sortFindings(disk);
  const match = [...orderErrors(facts, pair), ...keyFindings(facts, pair, context)];
  const isStray = match.some(({ id }) => id !== 'chain-order') && basicConstraints(pair.leaf)?.ca === true;
  const unloadable = hasError([...disk, ...match]);
  return sortFindings([
    ...disk,
    ...match,
    ...(isStray ? [] : chainFindings(facts.certificate, pair, context)),
    // A pair that cannot be loaded explains why another one is served.
    ...(unloadable ? [] : servedFindings(facts.certificate, pair.leaf, context)),
  ]);
}

/** Of the pair's certificate file, as the key tells it; null: there is none to be read. */
export function installedLeaf(facts: PairFacts): Certificate | null {
  return leafOf(facts)?.leaf ?? null;
}

interface Pair {
  readonly leaf: Certificate;
  /** Its place in the file. */
  readonly index: number;
  readonly blocks: readonly CertificateBlock[];
  /** null: it could not be read. */
  readonly key: KeyBlock | null;
}

function leafOf({ certificate: { status }, key }: PairFacts): Pair | null {
  if (status.kind !== 'usable') return null;
  const blocks = status.content;
  const keyBlock = key.status.kind === 'usable' ? key.status.content : null;
  const owned = keyBlock === null ? -1 : blocks.findIndex(({ certificate }) => fits(certificate, keyBlock.publicKey));
  const stray = isAuthority(blocks[0])
    ? blocks.findIndex((block) => !isAuthority(block) && !isSelfIssued(block.certificate))
    : -1;
  const index = Math.max(owned !== -1 ? owned : stray, 0);
  const leaf = blocks[index]?.certificate;
  return leaf === undefined ? null : { leaf, index, blocks, key: keyBlock };
}

function isAuthority(block: CertificateBlock | undefined): boolean {
  return block !== undefined && basicConstraints(block.certificate)?.ca === true;
}

function fits(certificate: Certificate, key: PublicKeyInfo): boolean {
  return bytesEqual(certificate.publicKey.raw, key.raw);
}

function allRights({ certificate, key, isOneFile, reader }: PairFacts, { protocol, listener }: PairContext): Finding[] {
  const context = { reader, listener, isForPostgres: protocol === 'postgres' };
  const ofKey = rightsFindings(key, context);
  if (isOneFile) return ofKey;
  const wall = ofKey[0]?.evidence.directory;
  // The same directory keeps both from the reader: one cause.
  return [
    ...ofKey,
    ...rightsFindings(certificate, context).filter(({ evidence }) => wall === undefined || evidence.directory !== wall),
  ];
}

function orderErrors({ certificate: { path } }: PairFacts, { leaf, index, blocks }: Pair): Finding[] {
  const [first] = blocks;
  if (index === 0 || first === undefined) return [];
  const name = describeCertificate(leaf);
  return [
    causeFinding('chain-order', {
      severity: 'error',
      subject: name,
      where: { file: path, line: first.line },
      what: `${path} begins with ${describeCertificate(first.certificate)}; ${name}, for which the key is, comes in line ${blocks[index]?.line}.`,
      why: 'Programs take the first certificate for the server’s own, and refuse the pair: key values mismatch.',
      evidence: { order: blocks.map(({ certificate }) => describeCertificate(certificate)) },
    }),
  ];
}

function keyFindings({ key: { path }, certificate }: PairFacts, pair: Pair, { service }: PairContext): Finding[] {
  const { leaf, key } = pair;
  if (key === null || fits(leaf, key.publicKey)) return [];
  const [has, wants] = [describeKey(key.publicKey), describeKey(leaf.publicKey)];
  const isSameType = key.publicKey.kind === leaf.publicKey.kind;
  const detail =
    isSameType && has === wants ? 'it belongs to another one' : `it is ${has}, the certificate is for ${wants}`;
  return [
    causeFinding(isSameType ? 'key-mismatch' : 'key-type-mismatch', {
      subject: describeCertificate(leaf),
      where: { file: path, line: key.line },
      what: `The key ${path} does not belong to the certificate ${certificate.path}: ${detail}.`,
      evidence: { certificate: certificate.path, keyType: has, certificateKeyType: wants },
      words: { service: service ?? undefined },
      ...(service === null && {
        remedy: {
          command: `openssl x509 -in ${shellQuoted(certificate.path)} -noout -pubkey; openssl pkey -in ${shellQuoted(path)} -pubout`,
        },
      }),
    }),
  ];
}

function chainFindings(file: ChainFacts, { leaf, index, blocks }: Pair, context: PairContext): Finding[] {
  const { anchors, known, now } = context;
  const rest = blocks.filter((_, place) => place !== index).map(({ certificate }) => certificate);
  const { findings } = verifyChain({
    ...{ chain: [leaf, ...rest], intermediates: [], known, anchors, now },
    ...{ purpose: 'server', name: null, key: null },
  });
  return findings
    .filter(({ id }) => id !== 'chain-order' || index === 0)
    .flatMap((found) => {
      if (found.id === 'unknown-ca' && rest.length === 0 && mayLackIssuer(leaf, context))
        return [lackingIssuer(file, blocks, leaf), { ...asCause(file, blocks, found, context), confidence: 'likely' }];
      return [asCause(file, blocks, found, context)];
    });
}

/** Alone in its file, issued by somebody that nobody here knows: an intermediate, or a foreign root. */
function mayLackIssuer(leaf: Certificate, { anchors }: PairContext): boolean {
  return !isSelfIssued(leaf) && !anchors.some(({ subject }) => namesEqual(subject, leaf.issuer));
}

function lackingIssuer(file: ChainFacts, blocks: readonly CertificateBlock[], leaf: Certificate): Finding {
  const [url] = authorityInformationAccess(leaf).caIssuersUrls;
  return causeFinding('chain-incomplete', {
    confidence: 'likely',
    subject: describeCertificate(leaf),
    where: { file: file.path, line: blocks[0]?.line ?? 1 },
    what: `${file.path} holds the leaf alone, and its issuer is none that is trusted here.`,
    evidence: {
      decides: 'the issuer’s certificate: an intermediate belongs into the file, a root to the clients',
      url: url ?? null,
    },
    remedy: {
      text: 'Get the issuer’s certificate: if it is an intermediate, put it behind the leaf; if it is a root, have clients trust it.',
      ...(url !== undefined && {
        command: `curl -sf ${shellQuoted(url)} | openssl x509 -inform DER >> ${shellQuoted(file.path)}`,
      }),
    },
  });
}

function asCause(
  { path }: ChainFacts,
  blocks: readonly CertificateBlock[],
  { id, severity, subject, what }: VerificationFinding,
  { service, known }: PairContext,
): Finding {
  const block = blocks.find(({ certificate }) => describeCertificate(certificate) === subject);
  const missing =
    id === 'chain-incomplete'
      ? known.find((one) => what.includes(JSON.stringify(describeCertificate(one))))
      : undefined;
  return causeFinding(id, {
    ...(severity !== CAUSES[id].severity && { severity }),
    // No second clock was asked.
    ...(id === 'certificate-not-yet-valid' && {
      confidence: 'likely' as const,
      remedy: {
        text: 'Compare the clock of this host with a good one first. If it is right, wait, or have another certificate issued that begins now.',
        command: 'timedatectl timesync-status',
      },
    }),
    subject,
    where: { file: path, line: block?.line ?? blocks[0]?.line ?? 1 },
    what: `${path}: ${what}.`,
    evidence: {
      order: blocks.map(({ certificate }) => describeCertificate(certificate)),
      ...(missing && { missing: describeCertificate(missing), missingFingerprint: missing.fingerprint }),
    },
    words: { service: service ?? undefined, target: path },
  });
}
