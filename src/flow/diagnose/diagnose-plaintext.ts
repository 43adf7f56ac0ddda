/** A client whose URL asks for no TLS: is it served so, refused, or not even understood? */
import { causeFinding } from '../../core/diagnosis/causes.ts';
import type { Confidence, Finding } from '../../core/diagnosis/finding.ts';
import { starttlsOf } from '../../core/probe/protocol.ts';
import { loginOf, type Target } from '../../core/probe/target.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import { EVERYTHING } from '../probe/probe-endpoint.ts';
import { failureOf } from '../probe/probe-failure.ts';
import type { Diagnosed, DiagnosePorts } from './diagnose-ports.ts';
import { noTls } from './no-tls.ts';

/** @param dials in the order in which a client tries them; not empty */
export async function diagnosePlaintext(
  ports: DiagnosePorts,
  target: Target,
  dials: readonly HostPort[],
  timeoutMs: number,
): Promise<Diagnosed> {
  let last: Diagnosed | null = null;
  for (const dial of dials) {
    last = await atAddress(ports, target, dial, timeoutMs);
    if (last.reachable) return last;
  }
  if (last === null) throw new RangeError('a client has an address to connect to');
  return last;
}

async function atAddress(ports: DiagnosePorts, target: Target, dial: HostPort, timeoutMs: number): Promise<Diagnosed> {
  const { protocol } = target;
  const [plain, tls] = await Promise.all([
    ports.plaintext(protocol, dial, timeoutMs, loginOf(target.url)),
    ports.readFlight({ protocol, address: dial, timeoutMs, hello: { ...EVERYTHING, serverName: null } }),
  ]);
  const speaksTls = tls.kind === 'flight' || tls.kind === 'alert';
  const diagnosed = (finding: Finding | null): Diagnosed => ({
    ...{ target, address: dial.host, served: null, seen: null },
    reachable: speaksTls || plain.kind === 'service' || tls.kind !== 'unreachable',
    findings: finding === null ? [] : [finding],
  });
  if (/^HTTP\/1\.[01] 30[1278] /.test(plain.detail)) return diagnosed(null);
  // MariaDB and MySQL say so of a wrong password and of plaintext alike.
  const isDenied = protocol === 'mysql' && /denied/i.test(plain.detail);
  if (plain.kind === 'service' && !(isDenied && speaksTls)) return diagnosed(served(target, dial, plain.detail));
  if (speaksTls) return diagnosed(refused(target, dial, plain.detail, isDenied ? 'likely' : 'certain'));
  const failure = failureOf(tls);
  const direct = { protocol: 'tls', address: dial, timeoutMs, hello: { ...EVERYTHING, serverName: null } } as const;
  const first = tls.kind === 'unreachable' ? tls : await ports.readFlight(direct);
  if (first.kind === 'flight' || first.kind === 'alert')
    return diagnosed(refused({ ...target, protocol: 'tls' }, dial, plain.detail));
  const { finding } = await noTls(() => ports.identify(dial, timeoutMs), target, dial, failure);
  return diagnosed(finding);
}

function served(target: Target, dial: HostPort, said: string): Finding {
  return causeFinding('plaintext-service', {
    subject: formatHostPort(dial),
    where: { target: target.text },
    what: `The URL asks for no TLS, and ${formatHostPort(dial)} serves it in plaintext.`,
    evidence: { protocol: protocolOf(target), said },
    remedy: {
      text: 'Connect with TLS that verifies (rediss://, https://, sslmode=verify-full), and switch TLS on in the service if it has none.',
    },
  });
}

function refused(target: Target, dial: HostPort, said: string, confidence: Confidence = 'certain'): Finding {
  const isInsisting = starttlsOf(target.protocol) !== null;
  return causeFinding(isInsisting ? 'tls-required' : 'tls-service', {
    subject: formatHostPort(dial),
    where: { target: target.text },
    what: isInsisting
      ? `The URL asks for no TLS, and the server lets nobody in without.`
      : `The URL asks for no TLS, and ${formatHostPort(dial)} speaks nothing else.`,
    confidence,
    evidence: { protocol: protocolOf(target), said },
  });
}

/** As `plaintext-service` names it everywhere. */
function protocolOf({ protocol }: Target): string {
  return protocol === 'postgres' ? 'postgresql' : protocol === 'https' ? 'http' : protocol;
}
