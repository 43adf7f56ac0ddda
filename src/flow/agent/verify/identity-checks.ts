/** Who the service shows itself to be: the installed certificate, its chain, its names, and no others. */
import { revocationText } from '../../../core/revocation/revocation.ts';
import type { Certificate } from '../../../core/x509/certificate.ts';
import { parseCertificate } from '../../../core/x509/certificate.ts';
import { type PathResult, validatePath } from '../../../core/x509/path.ts';
import type { Attempt, AttemptResult } from '../../probe/attempt.ts';
import type { ServicePlan } from '../plan-service.ts';
import { type Check, finding, untried, type VerifyPorts } from './check.ts';

type Finding = Omit<Check, 'id'>;

/** Reserved by RFC 6761: nobody lists it. */
const WRONG_NAME = 'not-listed.invalid';

/** What is seen at each address of the service. */
export interface SeenAt {
  readonly at: string;
  readonly leaf: Certificate | null;
  /** Why there is none. */
  readonly why: string;
}

export function served({ installed: version, desired }: ServicePlan, seen: readonly SeenAt[]): Finding {
  const installed = version?.chain[0];
  const wanted = installed
    ? `the installed certificate, ${short(installed)}, at every address`
    : 'an installed certificate';
  const wrong = seen.filter(({ leaf }) => leaf === null || leaf.fingerprint !== installed?.fingerprint);
  const ok = installed !== undefined && wrong.length === 0;
  const observed = (ok ? seen : wrong).map(({ at, leaf, why }) => `${leaf ? short(leaf) : why} at ${at}`).join(', ');
  const { byHand } = desired;
  const own = byHand ? `; where that changes nothing, in ${byHand.where}, ${byHand.write}` : '';
  return finding(ok, wanted, observed, `Reload the service: fullchain apply${own}`);
}

function short({ fingerprint }: Certificate): string {
  return `${fingerprint.slice(0, 16)}…`;
}

const CHAIN_REMEDY = 'Install the whole chain: fullchain rotate';

/** @param sent in the order of the wire */
export function chain(
  sent: readonly Certificate[],
  ports: Pick<VerifyPorts, 'anchors' | 'clock' | 'revocation'>,
): Finding {
  const wanted =
    'leaf and intermediates in order, leading to the root of its issuer, without the root and without strays; not revoked';
  const [leaf, ...others] = sent;
  if (!leaf) return finding(false, wanted, 'no certificate was sent', CHAIN_REMEDY);
  const anchors = ports.anchors.map(certificateOf);
  const isRoot = (certificate: Certificate): boolean =>
    anchors.some(({ fingerprint }) => fingerprint === certificate.fingerprint);
  const path = validatePath({ leaf, intermediates: others, anchors, now: ports.clock(), purpose: 'server' });
  if (!path.ok) return finding(false, wanted, whyNot(path, sent), CHAIN_REMEDY);
  const revocation = ports.revocation(leaf);
  if (revocation !== null)
    return finding(false, wanted, `the leaf is ${revocationText(revocation)}`, 'Replace it now: fullchain apply');
  const flaw = sent.some(isRoot) ? 'the root is sent along' : orderFlaw(path.path.slice(0, -1), sent);
  return finding(flaw === null, wanted, flaw ?? `${sent.length} certificates, in order`, CHAIN_REMEDY);
}

function orderFlaw(expected: readonly Certificate[], sent: readonly Certificate[]): string | null {
  const wanted = expected.map(({ fingerprint }) => fingerprint);
  const found = sent.map(({ fingerprint }) => fingerprint);
  const strays = found.filter((fingerprint) => !wanted.includes(fingerprint));
  if (strays.length > 0) return `${strays.length} of ${sent.length} certificates do not belong to the chain`;
  if (new Set(found).size < found.length) return 'a certificate is sent twice';
  return wanted.every((fingerprint, index) => fingerprint === found[index])
    ? null
    : 'the certificates are not each followed by their issuer';
}

function whyNot({ detail }: Extract<PathResult, { ok: false }>, sent: readonly Certificate[]): string {
  return sent.length === 1 ? `the leaf alone is sent: ${detail}` : `${sent.length} certificates are sent: ${detail}`;
}

function certificateOf(pem: string): Certificate {
  return parseCertificate(Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, '')), (c) => c.charCodeAt(0)));
}

export async function names(
  { handshake, anchors }: VerifyPorts,
  { service }: ServicePlan,
  base: Attempt,
  lacked: string | null,
): Promise<Finding> {
  const wanted = 'a verifying client accepts every listed name';
  const tried = service.names.flatMap((name) =>
    (name.kind === 'dns' || name.kind === 'ip') && !name.value.startsWith('*.') ? [name.value] : [],
  );
  const refusals: string[] = [];
  for (const serverName of tried) {
    const result = await handshake({ ...base, anchors, serverName });
    if (lacked && isServersRefusal(result)) return untried(lacked);
    if (result.kind === 'refused') refusals.push(`${serverName}: ${result.why}`);
  }
  const observed = refusals.length === 0 ? `${tried.length} names accepted` : refusals.join('; ');
  return finding(refusals.length === 0, wanted, observed, 'Issue a certificate with all names: fullchain apply');
}

export async function wrongName(
  { handshake, anchors }: VerifyPorts,
  base: Attempt,
  lacked: string | null,
): Promise<Finding> {
  const result = await handshake({ ...base, anchors, serverName: WRONG_NAME });
  if (lacked && isServersRefusal(result)) return untried(lacked);
  return refusedByClient(
    result,
    `a verifying client refuses ${WRONG_NAME}`,
    'The certificate names more than it should: see its names with fullchain cert inspect',
  );
}

export async function foreignCa(
  { handshake, foreign }: VerifyPorts,
  base: Attempt,
  lacked: string | null,
): Promise<Finding> {
  const result = await handshake({ ...base, anchors: [foreign.rootPem] });
  if (lacked && isServersRefusal(result)) return untried(lacked);
  return refusedByClient(
    result,
    'a client that trusts only another authority refuses it',
    'The served chain leads to a foreign root: see it with fullchain cert inspect',
  );
}

/** What a client thinks of the certificate is known only after the handshake, which the server may end before. */
function isServersRefusal(result: AttemptResult): boolean {
  return result.kind === 'refused' && result.by === 'server';
}

/** A server that sends nothing is refused by nobody. */
function refusedByClient(result: AttemptResult, wanted: string, remedy: string): Finding {
  if (result.kind === 'established') return finding(false, wanted, 'it was accepted', remedy);
  return finding(result.by !== 'network' && result.by !== 'preamble', wanted, result.why, remedy);
}
