/** What one client of the stack needs: a certificate that services of the stack accept, and roots for all that it connects to. */
import { clientInstall } from '../../core/services/client-install.ts';
import type { ClientSpec, ServiceSpec } from '../../core/stack/stack.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatGeneralName } from '../../core/x509/general-name.ts';
import { type InstallPlan, type InstallWish, type PlanPorts, planInstall } from './install-plan.ts';

/** The authority of the stack: services know clients by its root alone. */
const ISSUER = 'internal';

/**
 * @param services of the whole stack
 * @param asked a rotation was asked for
 * @throws OperatorFault user-unknown
 */
export async function planClient(
  ports: PlanPorts,
  client: ClientSpec,
  services: readonly ServiceSpec[],
  asked: boolean,
): Promise<InstallPlan> {
  return planInstall(ports, await clientWish(ports, client, services), asked);
}

/** @throws OperatorFault user-unknown */
export async function clientWish(
  ports: PlanPorts,
  client: ClientSpec,
  services: readonly ServiceSpec[],
): Promise<InstallWish> {
  const { owner, names, key, lifetimeSeconds } = client;
  const facts = await ports.host.facts({ files: [], version: null, ...(owner !== null && { owner }) }, []);
  return {
    member: { kind: 'client', name: client.name },
    wanted: {
      issuer: ISSUER,
      profile: 'client',
      names,
      key,
      lifetimeSeconds,
      // PostgreSQL maps it to a user; MySQL and Redis log it.
      commonName: names[0] ? formatGeneralName(names[0]) : client.name,
    },
    endpoint: null,
    desired: clientInstall(client, services, facts),
    trust: rootsFor(ports, client, services),
  };
}

function rootsFor(
  { stackTrust, anchors }: PlanPorts,
  { connects }: ClientSpec,
  services: readonly ServiceSpec[],
): readonly Certificate[] {
  const issuers = new Set(services.filter(({ name }) => connects.includes(name)).map(({ issuer }) => issuer));
  issuers.delete(ISSUER);
  const all = [...stackTrust(), ...[...issuers].flatMap((issuer) => [...anchors(issuer)])];
  return [...new Map(all.map((certificate) => [certificate.fingerprint, certificate])).values()];
}
