/** What a served chain is worth to a client, as causes: core/x509 judges, here what it finds gets its name and its context. */
import { sniOf, type Target } from '../probe/target.ts';
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { authorityInformationAccess } from '../x509/authority-information-access.ts';
import { type Certificate, isSelfIssued } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { formatGeneralName } from '../x509/general-name.ts';
import { formatName, namesEqual } from '../x509/name.ts';
import { validatePath } from '../x509/path.ts';
import { subjectAltNames } from '../x509/subject-alt-name.ts';
import { type Verification, type VerificationFinding, verifyChain } from '../x509/verification.ts';
import { CAUSES, type CauseId, causeFinding } from './causes.ts';
import type { Finding, FindingPlace } from './finding.ts';

/** Whom a client trusts, and what is known besides. */
export interface ClientTrust {
  readonly anchors: readonly Certificate[];
  /** Known here, and sent by nobody: they give a missing link its name. */
  readonly known: readonly Certificate[];
  /** Roots of ours that were replaced. */
  readonly retired: readonly Certificate[];
}

export interface ServedChain extends ClientTrust {
  /** In the order of the wire. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly target: Target;
  readonly now: Instant;
  /** The peer's clock; null: it does not say. */
  readonly peerTime: Instant | null;
}

/** Differences up to this are the network's, and of a `Date` that counts in seconds. */
const CLOCK_TOLERANCE_SECONDS = 60;

export function chainFindings(served: ServedChain): Finding[] {
  const found = verifyServed(served, served.now).findings;
  const skew = clockSkew(served, found);
  if (skew !== null)
    return [skew, ...found.filter(({ id }) => !ABOUT_TIME.includes(id)).map((flaw) => finding(flaw, served))];
  return found.flatMap((flaw) => [finding(flaw, served), ...otherReading(flaw, served)]);
}

const ABOUT_TIME: readonly string[] = ['certificate-expired', 'certificate-not-yet-valid'];

/** As a client of this name does, for servers. */
export function verifyServed(
  { chain, target, anchors, known }: Pick<ServedChain, 'chain' | 'target' | 'anchors' | 'known'>,
  now: Instant,
): Verification {
  return verifyChain({
    ...{ chain, anchors, known, now },
    intermediates: [],
    purpose: 'server',
    name: target.host.replace(/\.$/, ''),
    key: null,
  });
}

/** The dates are wrong by this host's clock and right by the peer's: then it is the clock. */
function clockSkew(served: ServedChain, found: readonly VerificationFinding[]): Finding | null {
  const { now, peerTime, target } = served;
  if (peerTime === null || !found.some(({ id }) => ABOUT_TIME.includes(id))) return null;
  const seconds = now - peerTime;
  if (Math.abs(seconds) <= CLOCK_TOLERANCE_SECONDS) return null;
  if (verifyServed(served, peerTime).findings.some(({ id }) => ABOUT_TIME.includes(id))) return null;
  return causeFinding('clock-skew', {
    subject: 'the clock of this host',
    where: { target: target.text },
    what: `The clock of this host is ${spanOf(Math.abs(seconds))} ${seconds < 0 ? 'behind' : 'ahead of'} the server's; by the server's, the certificate is valid.`,
    evidence: { here: formatRfc3339(now), there: formatRfc3339(peerTime), seconds },
  });
}

function spanOf(seconds: number): string {
  const units = [
    [86_400, 'days'],
    [3600, 'hours'],
    [60, 'minutes'],
  ] as const;
  const [length, unit] = units.find(([one]) => seconds >= 2 * one) ?? ([1, 'seconds'] as const);
  return `${Math.round(seconds / length)} ${unit}`;
}

function finding(flaw: VerificationFinding, served: ServedChain): Finding {
  const { chain, target, peerTime } = served;
  const where: FindingPlace = { target: target.text };
  const [leaf] = chain;
  const retired = flaw.id === 'unknown-ca' || flaw.id === 'self-signed' ? retiredAbove(served) : null;
  if (retired !== null)
    return causeFinding('retired-ca', {
      subject: describeCertificate(leaf),
      where,
      what: `The certificate was issued below ${JSON.stringify(formatName(retired.subject))}, an authority of ours that was replaced.`,
      evidence: {
        issuer: formatName(leaf.issuer),
        root: formatName(retired.subject),
        rootFingerprint: retired.fingerprint,
      },
    });
  const { id } = flaw;
  const isAmbiguous = isLoneLeaf(flaw, served);
  return causeFinding(id, {
    subject: flaw.subject,
    where,
    what: sentence(flaw),
    severity: flaw.severity,
    // Without the peer's clock a wrong one of this host looks the same.
    confidence: isAmbiguous || (id === 'certificate-not-yet-valid' && peerTime === null) ? 'likely' : 'certain',
    evidence: evidenceOf(id, served),
    words: { host: target.host, leaf: 'leaf.crt', intermediate: 'intermediate.crt' },
    ...(id === 'chain-incomplete' && { remedy: missingLink(served) }),
    ...(isAmbiguous && { remedy: LONE }),
    ...(id === 'certificate-not-yet-valid' &&
      peerTime === null && {
        remedy: {
          text: 'Compare the clock of this host with a good one first (the server does not say its own): if it is behind, that is the cause. Else wait, or have another certificate issued that begins now.',
          command: 'timedatectl timesync-status',
        },
      }),
  });
}

/** Most begin with the certificate's name. */
function sentence({ what, subject }: VerificationFinding): string {
  return what.startsWith(subject) ? `${what}.` : `${subject}: ${what}.`;
}

/** The replaced root of ours that the chain leads to, whatever else is wrong with it. */
function retiredAbove({ chain: [leaf, ...sent], known, retired, now }: ServedChain): Certificate | null {
  return (
    retired.find((root) => {
      const at = [now, leaf.validity.notAfter].sort((a, b) => a - b)[0] ?? now;
      const path = validatePath({ leaf, intermediates: [...sent, ...known], anchors: [root], now: at, purpose: 'any' });
      return path.ok || path.path.some(({ fingerprint }) => fingerprint === root.fingerprint);
    }) ?? null
  );
}

function missingLink({ chain: [leaf] }: ServedChain): { readonly text: string; readonly command?: string } {
  const [url] = authorityInformationAccess(leaf).caIssuersUrls;
  const text = CAUSES['chain-incomplete'].remedy;
  return url === undefined || !/^https?:\/\/[\w.:/[\]%~-]+$/.test(url)
    ? { text }
    : { text, command: `curl -s ${url} | openssl x509 -inform DER >> tls.crt` };
}

/**
 * Of the chain only the leaf leads anywhere, and its issuer is known to nobody here: a root that is not trusted, or an
 * intermediate that was left out. Where an authority of that name is trusted, it is another one.
 */
function isLoneLeaf({ id }: VerificationFinding, { chain: [leaf, ...sent], anchors }: ServedChain): boolean {
  return (
    id === 'unknown-ca' &&
    !isSelfIssued(leaf) &&
    !sent.some(({ subject }) => namesEqual(subject, leaf.issuer)) &&
    !anchors.some(({ subject }) => namesEqual(subject, leaf.issuer))
  );
}

const LONE = {
  text: 'Get the certificate of its issuer and give it with --intermediates: that decides. If it is an intermediate, the server has to send it; if it is a root, this client has to trust it (--ca FILE, or the system’s store), or somebody else’s server answers here.',
} as const;

/** What the same evidence fits too. */
function otherReading(flaw: VerificationFinding, served: ServedChain): Finding[] {
  const [leaf] = served.chain;
  if (!isLoneLeaf(flaw, served) || retiredAbove(served) !== null) return [];
  const issuer = formatName(leaf.issuer);
  return [
    causeFinding('chain-incomplete', {
      subject: flaw.subject,
      where: { target: served.target.text },
      what: `${flaw.subject}: if ${JSON.stringify(issuer)} is an intermediate, the server leaves it out.`,
      confidence: 'likely',
      evidence: { ...evidenceOf('chain-incomplete', served), decides: 'the certificate of the issuer' },
      remedy: { ...LONE, ...('command' in missingLink(served) && { command: missingLink(served).command ?? '' }) },
    }),
  ];
}

function evidenceOf(id: CauseId, { chain, target }: ServedChain): Finding['evidence'] {
  const [leaf] = chain;
  switch (id) {
    case 'name-mismatch':
    case 'ip-not-in-certificate':
    case 'no-subject-alt-name':
      return { asked: target.host, sni: sniOf(target.host), names: namesNearestFirst(leaf, target.host) };
    case 'certificate-expired':
    case 'certificate-not-yet-valid':
      return {
        chain: chain.map((certificate) => ({
          subject: formatName(certificate.subject),
          notBefore: formatRfc3339(certificate.validity.notBefore),
          notAfter: formatRfc3339(certificate.validity.notAfter),
        })),
      };
    default:
      return { chain: chain.map(describeCertificate), issuer: formatName(chain.at(-1)?.issuer ?? leaf.issuer) };
  }
}

const MOST_NAMES = 50;

/** The nearest first: a person looks for the one that was meant. */
function namesNearestFirst(leaf: Certificate, asked: string): string[] {
  const names = subjectAltNames(leaf)
    .slice(0, MOST_NAMES)
    .map((name) => (name.kind === 'dns' || name.kind === 'ip' ? name.value : formatGeneralName(name)));
  return names
    .map((name) => [distance(name, asked), name] as const)
    .sort(([a], [b]) => a - b)
    .map(([, name]) => name);
}

/** Levenshtein's; names are short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row.at(-1) ?? 0;
}
