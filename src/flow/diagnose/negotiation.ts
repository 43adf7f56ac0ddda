/**
 * Whether a client and a server have a version, a suite and a group in common, by hellos of our own that offer exactly what the
 * client takes; and if not, which of the three is missing, with what both sides have.
 */

import { type CauseId, causeFinding } from '../../core/diagnosis/causes.ts';
import type { ClientLimits } from '../../core/diagnosis/client-limits.ts';
import type { Finding, FindingPlace } from '../../core/diagnosis/finding.ts';
import { type Gap, type GapField, isSettled } from '../../core/probe/gap.ts';
import { addSeconds } from '../../core/time/instant.ts';
import { SUITES_13, suiteName } from '../../core/tls/cipher-suites.ts';
import { groupName } from '../../core/tls/named-groups.ts';
import type { ProtocolVersion } from '../../core/tls/protocol-version.ts';
import type { Endpoint, SweepPorts } from '../probe/questions.ts';
import { type Sweep, sweep } from '../probe/sweep.ts';

const MOST_CONNECTIONS = 250;
const LONGEST_SECONDS = 30;

/** Whether the server takes any version with what the client has for it. */
export async function isCommonGround(ports: SweepPorts, endpoint: Endpoint, limits: ClientLimits): Promise<boolean> {
  const { serverName, ...where } = endpoint;
  for (const version of limits.versions.toReversed()) {
    const suites = suitesFor(version, limits);
    if (suites.length === 0) continue;
    const offer = { version, suites, groups: limits.groups, alpn: [], statusRequest: false, serverName };
    const answer = await ports.readFlight({ ...where, hello: offer });
    if (answer.kind === 'flight' && answer.hello.version === version) return true;
  }
  return false;
}

export interface Negotiation {
  /** null: they have everything in common, the server took nothing at all, or it is not known. */
  readonly finding: Finding | null;
  /** What was not seen, and may be what they have in common; null: what there is was seen. */
  readonly unseen: Gap | null;
  readonly server: Sweep;
}

export async function negotiate(
  ports: SweepPorts,
  endpoint: Endpoint,
  limits: ClientLimits,
  where: FindingPlace,
): Promise<Negotiation> {
  const until = addSeconds(ports.clock(), LONGEST_SECONDS);
  const server = await sweep(ports, endpoint, { connections: MOST_CONNECTIONS, until });
  if (server.versions.length === 0) return { finding: null, unseen: server.gaps[0] ?? null, server };
  return { ...missingPart(server, limits, endpoint, where), server };
}

type Missing = Omit<Negotiation, 'server'>;

/** Nothing is missing because it was not seen: the asking may have been cut short. */
function missingPart(server: Sweep, limits: ClientLimits, { address }: Endpoint, where: FindingPlace): Missing {
  const { gaps } = server;
  const gapIn = (field: GapField, versions: readonly (ProtocolVersion | undefined)[]): Gap | null =>
    gaps.find((gap) => versions.some((version) => !isSettled([gap], field, version))) ?? null;
  const found = (
    unseen: Gap | null,
    id: CauseId,
    what: string,
    client: readonly string[],
    theirs: readonly string[],
  ): Missing => {
    if (unseen !== null) return { finding: null, unseen };
    const evidence = { client: [...client], server: [...theirs] };
    const finding = causeFinding(id, { subject: `${address.host}:${address.port}`, where, what, evidence });
    return { finding, unseen };
  };
  const versions = limits.versions.filter((version) => server.versions.includes(version));
  const others = gapIn(
    'protocols',
    limits.versions.filter((version) => !versions.includes(version)),
  );
  if (versions.length === 0)
    return found(
      others,
      'no-common-protocol',
      `The server speaks ${listOf(server.versions)}; the client ${listOf(limits.versions)}.`,
      limits.versions,
      server.versions,
    );
  const theirs = (version: ProtocolVersion): readonly number[] =>
    server.suites.flatMap((suite) => (suite.version === version ? [suite.code] : []));
  const usable = versions.filter((version) =>
    suitesFor(version, limits).some((code) => theirs(version).includes(code)),
  );
  if (usable.length === 0) {
    const [mine, taken] = [limits.suites, versions.flatMap(theirs)].map((codes) => codes.map(suiteName));
    return found(
      others ?? gapIn('suites', versions),
      'no-common-suite',
      `In ${listOf(versions)} the server takes ${listOf(taken ?? [])}; the client has none of them.`,
      mine ?? [],
      taken ?? [],
    );
  }
  if (
    server.groups.length > 0 &&
    !server.groups.some((group) => limits.groups.includes(group)) &&
    usesGroups(usable, server)
  )
    return found(
      others ?? gapIn('suites', versions) ?? gapIn('groups', [undefined]),
      'no-common-group',
      `The server exchanges keys over ${listOf(server.groups.map(groupName))}; the client has none of them.`,
      limits.groups.map(groupName),
      server.groups.map(groupName),
    );
  return { finding: null, unseen: null };
}

function suitesFor(version: ProtocolVersion, { suites }: ClientLimits): readonly number[] {
  return suites.filter((code) => SUITES_13.includes(code) === (version === 'TLSv1.3'));
}

/** RSA key exchange needs none. */
function usesGroups(versions: readonly ProtocolVersion[], { suites }: Sweep): boolean {
  return suites
    .filter(({ version }) => versions.includes(version))
    .every(({ version, code }) => version === 'TLSv1.3' || /^TLS_ECDHE_/.test(suiteName(code)));
}

function listOf(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return names.length < 2 ? (names[0] ?? 'nothing') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
