/** The exit status of a reload is evidence; the handshake is the proof. */
import { startText } from '../../core/services/start-text.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';
import type { HostPorts } from './agent-ports.ts';
import { type InstallPlan, isSettled } from './install-plan.ts';
import { StepFailed } from './step.ts';

/** How long a service may take to serve what it was told to: old workers end, sockets come back. */
const CONFIRM_TRIES_MS = [0, 50, 100, 200, 400, 800, 1600, 3200];

/** Looks in a row that must be right: for a moment after a reload old workers and new ones answer by turns. */
const STEADY_LOOKS = 2;

/**
 * Returns when every address of the endpoint serves the leaf; at once where there is no endpoint.
 *
 * @throws StepFailed confirm, with what is served in its place
 */
export async function confirmServed(
  host: Pick<HostPorts, 'addresses' | 'servedFingerprint' | 'sleep' | 'isListening'>,
  {
    endpoint,
    wanted,
    desired,
  }: Pick<InstallPlan, 'endpoint'> & {
    readonly wanted: Pick<InstallPlan['wanted'], 'names'>;
    readonly desired: Pick<InstallPlan['desired'], 'reload' | 'restart'>;
  },
  leaf: Certificate | undefined,
): Promise<void> {
  if (endpoint === null || leaf === undefined) return;
  const { protocol, address } = endpoint;
  const everywhere = (await host.addresses(address.host)).map((ip) => ({ host: ip, port: address.port }));
  if (everywhere.length === 0) throw notServed(address, 'the name does not resolve', lookAtLog(address));
  let [at, seen, steady]: [HostPort, string, number] = [address, '', 0];
  for (const waitMs of CONFIRM_TRIES_MS) {
    await host.sleep(waitMs);
    const looks = await Promise.all(
      everywhere.map(async (one) => ({
        one,
        served: await host.servedFingerprint(protocol, one, serverNameOf(wanted.names)),
      })),
    );
    const wrong = looks.find(({ served }) => served !== leaf.fingerprint);
    steady = wrong ? 0 : steady + 1;
    if (steady === STEADY_LOOKS) return;
    if (!wrong) continue;
    at = wrong.one;
    seen = whatInstead(wrong.served);
  }
  const isDown = !(await host.isListening(at));
  throw notServed(
    at,
    seen,
    isDown
      ? `Start the service if it does not run${startText(desired)} — else look at its log, then: fullchain cert inspect ${formatHostPort(at)}`
      : lookAtLog(at),
  );
}

/**
 * A plan that leaves nothing to do, held against what a client sees now: a service may have been started with other
 * files since, or be down. It is then to be reloaded and confirmed again.
 */
export async function heldAgainstService(
  host: Pick<HostPorts, 'servedFingerprint'>,
  plan: InstallPlan,
): Promise<InstallPlan> {
  const { endpoint, installed, wanted } = plan;
  const leaf = installed?.chain[0];
  if (endpoint === null || leaf === undefined || !isSettled(plan)) return plan;
  const served = await host.servedFingerprint(endpoint.protocol, endpoint.address, serverNameOf(wanted.names));
  if (served === leaf.fingerprint) return plan;
  return { ...plan, seenInstead: whatInstead(served) };
}

function whatInstead(served: Awaited<ReturnType<HostPorts['servedFingerprint']>>): string {
  return typeof served === 'string' ? `another certificate is served (${served.slice(0, 16)}…)` : served.why;
}

function notServed(at: HostPort, seen: string, remedy: string): StepFailed {
  const where = formatHostPort(at);
  return new StepFailed('confirm', `${where} does not serve the new certificate: ${seen}`, remedy);
}

function lookAtLog(at: HostPort): string {
  return `Look at the service's log, then: fullchain cert inspect ${formatHostPort(at)}`;
}

/** The first plain name: what a client would ask for by SNI. */
export function serverNameOf(names: readonly GeneralName[]): string | null {
  const name = names.find((candidate) => candidate.kind === 'dns' && !candidate.value.startsWith('*.'));
  return name?.kind === 'dns' ? name.value : null;
}
