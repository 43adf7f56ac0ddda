/** What `probe` and `diagnose` look at: targets from arguments, from a file, and from the services of a stack file. */

import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isStarttlsWord, STARTTLS_WORDS, type StarttlsWord } from '../../core/probe/protocol.ts';
import { parseTarget, type Target } from '../../core/probe/target.ts';
import { reachableName } from '../../core/services/connection-url.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { serviceProtocol } from '../../core/services/service-protocol.ts';
import { oldestVersion, tlsPolicy } from '../../core/services/tls-policy.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort, ServiceSpec, Stack } from '../../core/stack/stack.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import { readCertificates, readInput } from '../../edge/files/certificate-files.ts';
import { readStack } from './read-stack.ts';

export interface WantedTarget {
  readonly target: Target;
  /** In place of the target's host and port; null: these. */
  readonly connect: HostPort | null;
  /** false: it is known to refuse TLS 1.2. */
  readonly may12: boolean;
  /** Roots that are trusted for this target besides. */
  readonly anchors: readonly Certificate[];
}

export interface TargetFlags {
  /** Targets, one a line. */
  readonly file?: string;
  /** A stack file. */
  readonly stack?: string;
  readonly starttls?: string;
  readonly connect?: string;
}

/** @throws OperatorFault usage, input-unreadable, stack-file-invalid, input-invalid */
export function wantedTargets(texts: readonly string[], flags: TargetFlags): readonly WantedTarget[] {
  const starttls = starttlsOption(flags.starttls);
  const all = [...texts, ...(flags.file === undefined ? [] : linesOf(flags.file))];
  const wanted = [
    ...all.map((text) => {
      const target = targetOf(text, starttls);
      return { target, connect: connectOption(flags.connect, target.port), may12: true, anchors: [] };
    }),
    ...(flags.stack === undefined ? [] : stackTargets(readStack(flags.stack))),
  ];
  if (wanted.length === 0)
    throw new OperatorFault('usage', 'name a target: host:port, a URL, --file FILE or -f fullchain.yaml');
  return wanted;
}

function starttlsOption(text: string | undefined): StarttlsWord | null {
  if (text === undefined) return null;
  if (!isStarttlsWord(text))
    throw new OperatorFault('usage', `${JSON.stringify(text)} is no protocol; ${STARTTLS_WORDS.join(', ')} are`);
  return text;
}

function targetOf(text: string, starttls: StarttlsWord | null): Target {
  const result = parseTarget(text, starttls);
  if (result.kind === 'target') return result.target;
  throw new OperatorFault(
    'usage',
    result.kind === 'refused' ? result.why : `${text} is for diagnose: probe looks at what speaks TLS`,
  );
}

/** Blank lines and comments are left out. */
function linesOf(path: string): string[] {
  return Buffer.from(readInput(path))
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** "10.0.0.7", "10.0.0.7:8443", "[::1]:8443", "::1" or a name. */
export function connectOption(text: string | undefined, port: number): HostPort | null {
  if (text === undefined) return null;
  if (parseIpAddress(text)) return { host: text, port };
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const given = digits === undefined ? port : Number(digits);
  if (host === undefined || given < 1 || given > 65535)
    throw new OperatorFault('usage', `${JSON.stringify(text)} is no ADDRESS[:PORT]`);
  return { host, port: given };
}

function stackTargets(stack: Stack): WantedTarget[] {
  return stack.services.flatMap((service) => serviceTarget(stack, service) ?? []);
}

/** Where a service of the stack is reached; null: nowhere. */
export function serviceTarget({ issuers }: Stack, service: ServiceSpec): WantedTarget | null {
  const { address } = service;
  if (address === null) return null;
  const host = reachableName(service);
  const text = formatHostPort({ host, port: address.port });
  const protocol = serviceProtocol(SERVICE_KIND_TABLE[service.kind], service);
  const issuer = issuers[service.issuer];
  return {
    target: { text, protocol, host, port: address.port, url: null },
    connect: address,
    may12: oldestVersion(tlsPolicy(service.tls)) === 'TLSv1.2',
    anchors: issuer?.kind === 'acme' && issuer.caFile !== null ? readCertificates(issuer.caFile) : [],
  };
}
