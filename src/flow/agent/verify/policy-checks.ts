/** Which versions and suites of TLS the service takes. */
import { SUITES_12 as POLICY_SUITES_12, tlsPolicy } from '../../../core/services/tls-policy.ts';
import { SUITES_12, SUITES_13, suiteByName, suiteName } from '../../../core/tls/cipher-suites.ts';
import { ALL_GROUPS, GROUPS_12 } from '../../../core/tls/named-groups.ts';
import { PROTOCOL_VERSIONS, type ProtocolVersion } from '../../../core/tls/protocol-version.ts';
import type { Attempt } from '../../probe/attempt.ts';
import type { FlightResult } from '../../probe/server-flight.ts';
import type { ServicePlan } from '../plan-service.ts';
import { type Check, finding, type VerifyPorts } from './check.ts';
import { settingsRemedy } from './settings-remedy.ts';

type Finding = Omit<Check, 'id'>;

/** @param lacked why no client certificate can be shown to a service that insists on one */
export async function protocols(
  ports: VerifyPorts,
  plan: ServicePlan,
  base: Attempt,
  lacked: string | null,
): Promise<Finding> {
  const policy = tlsPolicy(plan.service.tls);
  const accepted: ProtocolVersion[] = [];
  for (const version of PROTOCOL_VERSIONS) {
    if (await takesVersion(ports, base, version, lacked !== null)) accepted.push(version);
  }
  const ok =
    accepted.length === policy.versions.length && policy.versions.every((version) => accepted.includes(version));
  return finding(
    ok,
    `${policy.versions.join(' and ')}; nothing below`,
    `accepted: ${accepted.join(', ') || 'none'}`,
    settingsRemedy('Set the versions of the policy', plan),
  );
}

/** What is current is tried to the end of the handshake where that can go well: it leaves no complaint in the service's log. */
async function takesVersion(
  ports: VerifyPorts,
  base: Attempt,
  version: ProtocolVersion,
  helloOnly: boolean,
): Promise<boolean> {
  if (!helloOnly && (version === 'TLSv1.2' || version === 'TLSv1.3')) {
    const result = await ports.handshake({ ...base, versions: { min: version, max: version } });
    return result.kind === 'established';
  }
  const suites = version === 'TLSv1.3' ? SUITES_13 : SUITES_12;
  return takenOf(await hello(ports, base, version, suites), version) !== null;
}

export async function suites(ports: VerifyPorts, plan: ServicePlan, base: Attempt): Promise<Finding> {
  const policy = tlsPolicy(plan.service.tls);
  const allowed12 = policy.suites12.map((suite) => suiteByName(POLICY_SUITES_12[suite]));
  const allowed13 = policy.suites13.map(suiteByName);
  const taken: string[] = [];
  for (const version of policy.versions) {
    const [all, allowed] = version === 'TLSv1.3' ? [SUITES_13, allowed13] : [SUITES_12, allowed12];
    const others = all.filter((suite) => !allowed.includes(suite));
    const suite = takenOf(await hello(ports, base, version, others), version);
    if (suite !== null) taken.push(`${suiteName(suite)} (${version})`);
  }
  return finding(
    taken.length === 0,
    'nothing outside the policy is negotiated',
    taken.length === 0 ? 'every other suite that is registered is refused' : `${taken.join(' and ')} was negotiated`,
    settingsRemedy('Set the suites of the policy', plan),
  );
}

function hello(
  { readFlight }: VerifyPorts,
  { protocol, address, serverName, timeoutMs }: Attempt,
  version: ProtocolVersion,
  offered: readonly number[],
): Promise<FlightResult> {
  return readFlight({
    protocol,
    address,
    timeoutMs,
    hello: {
      version,
      suites: offered,
      groups: version === 'TLSv1.3' ? ALL_GROUPS : GROUPS_12,
      serverName: serverName !== null && /[a-z]/i.test(serverName) && !serverName.includes(':') ? serverName : null,
      alpn: [],
      statusRequest: false,
    },
  });
}

/** The suite that the server chose in this version; null: it took another version, or nothing. */
function takenOf(result: FlightResult, version: ProtocolVersion): number | null {
  return result.kind === 'flight' && result.hello.version === version ? result.hello.suite : null;
}
