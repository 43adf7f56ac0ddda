/** What is wrong at an endpoint and with the pair on disk, together: what merely follows from the other is left out. */
import type { CauseId } from './causes.ts';
import { type Finding, hasError, sortFindings } from './finding.ts';

/** A service with a pair that it cannot use does not start, or ends every handshake. */
const FOLLOWS_FROM_UNUSABLE: readonly string[] = [
  'connection-refused',
  'closed-by-peer',
  'handshake-refused',
  'key-type-mismatch',
  'no-common-suite',
  'tls-off',
] satisfies readonly CauseId[];

/** Of the pair: a service cannot load it. */
const UNUSABLE: readonly string[] = [
  'key-mismatch',
  'key-type-mismatch',
  'key-permissions',
  'file-missing',
  'file-unusable',
  'config-refused',
] satisfies readonly CauseId[];

/** About the chain that is served; after a reload it is another one. */
const ABOUT_THE_CHAIN: readonly string[] = [
  'certificate-expired',
  'certificate-expiring',
  'certificate-not-yet-valid',
  'unknown-ca',
  'chain-incomplete',
  'chain-order',
  'self-signed',
  'retired-ca',
  'name-mismatch',
  'ip-not-in-certificate',
  'no-subject-alt-name',
  'certificate-wrong-purpose',
  'weak-certificate',
  'certificate-invalid',
] satisfies readonly CauseId[];

/** Whether a service that could not take up its configuration looks like this. */
export function mayFollowFromLoad({ id }: Finding): boolean {
  return id === 'served-not-installed' || FOLLOWS_FROM_UNUSABLE.includes(id);
}

/** @param service what the service itself says of its configuration: its check, its log */
export function explained(
  endpoint: readonly Finding[],
  files: readonly Finding[],
  service: readonly Finding[] = [],
): Finding[] {
  const stale = files.find(({ id }) => id === 'served-not-installed');
  // Who cannot take up its configuration goes on with the pair that it had.
  const why = service.find((finding) => hasError([finding]) && UNUSABLE.includes(finding.id));
  const pair = [...files.filter((finding) => finding !== stale || why === undefined), ...service];
  const isUnusable = hasError(pair.filter(({ id }) => UNUSABLE.includes(id)));
  const follows = endpoint.filter(
    ({ id }) =>
      (isUnusable && FOLLOWS_FROM_UNUSABLE.includes(id)) ||
      (stale !== undefined && ABOUT_THE_CHAIN.includes(id)) ||
      pair.some((other) => other.id === id),
  );
  const cause = (why ?? stale) || pair.find(({ id }) => UNUSABLE.includes(id));
  const known = why !== undefined && stale !== undefined ? [stale, ...follows] : follows;
  return sortFindings([
    ...pair.map((finding) => (finding === cause && known.length > 0 ? withEvidence(finding, known) : finding)),
    ...endpoint.filter((finding) => !follows.includes(finding)),
  ]);
}

function withEvidence(finding: Finding, follows: readonly Finding[]): Finding {
  return { ...finding, evidence: { ...finding.evidence, follows: follows.map(({ id, what }) => ({ id, what })) } };
}

/** What verifies the name alone. */
const ABOUT_THE_NAME: readonly string[] = [
  'name-mismatch',
  'ip-not-in-certificate',
  'no-subject-alt-name',
] satisfies readonly CauseId[];

/** A driver that does not verify is not refused by what it does not look at: that is then only worth a warning. */
export function asItsDriver(url: readonly Finding[], endpoint: readonly Finding[]): Finding[] {
  const blind = url.find(({ id }) => id === 'url-not-verifying');
  const unseen = blind === undefined ? [] : blind.severity === 'error' ? ABOUT_THE_CHAIN : ABOUT_THE_NAME;
  return sortFindings([
    ...url,
    ...endpoint.map(
      (finding): Finding => (unseen.includes(finding.id) ? { ...finding, severity: 'warning' } : finding),
    ),
  ]);
}

/**
 * What a pair is worth as files, where nobody said whom clients trust: whether its authority is trusted on this host is no
 * flaw of the files.
 */
export function withoutTrust(pair: readonly Finding[]): Finding[] {
  return pair
    .filter(({ id, confidence }) => id !== 'unknown-ca' && (id !== 'chain-incomplete' || confidence === undefined))
    .map((finding): Finding => (finding.id === 'self-signed' ? { ...finding, severity: 'info' } : finding));
}
