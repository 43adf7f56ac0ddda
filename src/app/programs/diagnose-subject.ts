/** One subject diagnosed: its endpoint as a client meets it, and its pair as it lies on this host. */
import { existsSync } from 'node:fs';
import { type CauseId, causeFinding } from '../../core/diagnosis/causes.ts';
import type { ClientTrust } from '../../core/diagnosis/chain-causes.ts';
import type { ClientLimits } from '../../core/diagnosis/client-limits.ts';
import { asItsDriver, explained, withoutTrust } from '../../core/diagnosis/explained.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { installedLeaf, judgePair } from '../../core/diagnosis/judge-pair.ts';
import { asksForPlaintext, urlFindings } from '../../core/diagnosis/judge-url.ts';
import type { ListeningProcess } from '../../core/diagnosis/pair-facts.ts';
import { urlFiles } from '../../core/diagnosis/url-files.ts';
import { saysNothingOfTls } from '../../core/diagnosis/url-reading.ts';
import { dialOf, type Target } from '../../core/probe/target.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { readPairFacts } from '../../edge/files/pair-facts.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { listeningProcess } from '../../edge/system/listening-process.ts';
import { diagnoseEndpoint } from '../../flow/diagnose/diagnose-endpoint.ts';
import { diagnosePlaintext } from '../../flow/diagnose/diagnose-plaintext.ts';
import type { Diagnosed, DiagnoseOptions } from '../../flow/diagnose/diagnose-ports.ts';
import { readPasswordFile } from '../passwords.ts';
import { clientIdentity } from './client-identity.ts';
import { clientTrust } from './client-trust.ts';
import type { Subject } from './diagnose-subjects.ts';
import { diagnosePorts } from './diagnose-world.ts';
import { ownPlaintextFindings } from './own-plaintext.ts';
import type { WantedTarget } from './probe-targets.ts';
import type { ReadLog } from './service-logs.ts';
import { ownWords, type SeenService } from './service-words.ts';

export interface ClientFlags {
  readonly ca?: string;
  readonly intermediates?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly passwordFile?: string;
  /** Seconds, of each connection. */
  readonly timeout: number;
}

/** What is wrong with one subject. */
export interface DiagnosedSubject {
  readonly target: string;
  readonly address: string | null;
  readonly findings: readonly Finding[];
  /** Where nothing is wrong: what was seen; null: nothing was looked at. */
  readonly healthy: string | null;
  /** Shows whether what was done helped. */
  readonly again: string | null;
  /** Of a service of the stack file; absent: no log was looked for. */
  readonly logs?: readonly ReadLog[];
}

export async function diagnoseSubject(
  paths: StatePaths,
  { text, wanted, pair, isReaderUsual, service, check, plaintextRefused, again }: Subject,
  flags: ClientFlags,
  limits: ClientLimits,
): Promise<DiagnosedSubject> {
  const lookedAt = wallClock();
  const endpoint = wanted && (await atEndpoint(paths, wanted, flags, limits));
  const address = endpoint?.address ?? null;
  const findings = endpoint?.findings ?? [];
  const listener = wanted && listenerOf(wanted, address);
  // Where root runs what usually has a user of its own, nobody is kept out.
  const facts = pair && readPairFacts(isReaderUsual && listener?.uid === 0 ? { ...pair, runAs: null } : pair);
  const onDisk =
    facts &&
    judgePair(facts, {
      ...trustFor(paths, wanted, flags),
      now: wallClock(),
      served: endpoint?.served ? [endpoint.served] : [],
      listener,
      protocol: wanted?.target.protocol ?? null,
      service: service?.name ?? null,
      unit: null,
    });
  const files = onDisk === null ? [] : flags.ca === undefined ? withoutTrust(onDisk) : onDisk;
  const seen: SeenService = {
    ...{ target: wanted?.target.text ?? text, listener, lookedAt, endpoint: findings, files, check },
    pairFiles: pair === null ? [] : [pair.certificate, pair.key],
    isServed: facts !== null && endpoint?.served?.fingerprint === installedLeaf(facts)?.fingerprint,
  };
  const own = service === null ? null : await ownWords(service, seen);
  const plaintext =
    service !== null && plaintextRefused != null && endpoint?.seen
      ? await ownPlaintextFindings(plaintextRefused, { service: service.name, target: seen.target })
      : [];
  return {
    target: text,
    address,
    findings: explained(own?.endpoint ?? findings, files, [...(own?.findings ?? []), ...plaintext]),
    healthy: endpoint?.seen ? `${endpoint.seen.version}, ${endpoint.seen.suite}` : '',
    again,
    ...(own !== null && { logs: own.logs }),
  };
}

/** Nobody was reached where nobody listens: then none is found either. */
function listenerOf({ target, connect }: WantedTarget, address: string | null): ListeningProcess | null {
  return address === null ? null : listeningProcess(address, (connect ?? target).port);
}

function trustFor(paths: StatePaths, wanted: WantedTarget | null, { ca, intermediates }: ClientFlags) {
  const trust = clientTrust(paths, ca ?? urlFiles(wanted?.target.url ?? null).ca ?? undefined, intermediates);
  return { ...trust, anchors: [...(wanted?.anchors ?? []), ...trust.anchors] };
}

async function atEndpoint(
  paths: StatePaths,
  wanted: WantedTarget,
  flags: ClientFlags,
  limits: ClientLimits,
): Promise<Diagnosed> {
  const { target, connect } = wanted;
  const files = urlFiles(target.url);
  const missing = Object.values(files).find((file) => file !== null && !existsSync(file)) ?? null;
  if (missing !== null) return namesNothing(wanted, missing);
  const clientCert = flags.clientCert ?? files.certificate ?? undefined;
  const clientKey = flags.clientKey ?? files.key ?? undefined;
  const unusable = clientPairFindings(clientCert, clientKey, wanted, trustFor(paths, wanted, flags));
  if (unusable.length > 0)
    return { target, address: null, reachable: true, findings: unusable, served: null, seen: null };
  const timeoutMs = flags.timeout * 1000;
  const options: DiagnoseOptions = {
    client: clientIdentity(clientCert, clientKey),
    clientChain: clientCert === undefined ? [] : readCertificates(clientCert),
    limits,
    password: flags.passwordFile === undefined ? (process.env.MYSQL_PWD ?? null) : passwordIn(flags.passwordFile),
    timeoutMs,
    trust: trustFor(paths, wanted, flags),
  };
  const { host, port } = connect ?? dialOf(target);
  const dials = (await addressesOf(host)).map((ip) => ({ host: ip, port }));
  const ports = diagnosePorts(timeoutMs);
  if (asksForPlaintext(target) && dials.length > 0) return diagnosePlaintext(ports, target, dials, timeoutMs);
  const diagnosed = await diagnoseEndpoint(ports, target, dials, options);
  return { ...diagnosed, findings: asItsDriver(urlCauses(target), diagnosed.findings) };
}

/** @throws OperatorFault input-unreadable */
function passwordIn(path: string): string {
  return Buffer.from(readPasswordFile(path)).toString('utf8');
}

/** A URL that says nothing of TLS is how a person names what is to be looked at; its driver may be told elsewhere. */
function urlCauses(target: Target): readonly Finding[] {
  const findings = urlFindings(target);
  return target.url !== null && saysNothingOfTls(target.url)
    ? findings.filter(({ id }) => id !== 'url-not-verifying')
    : findings;
}

/** A pair that no library loads: then the server never sees the client. */
const UNLOADABLE: readonly string[] = [
  'file-missing',
  'file-unusable',
  'key-mismatch',
  'key-type-mismatch',
] satisfies readonly CauseId[];

function clientPairFindings(
  certificate: string | undefined,
  key: string | undefined,
  { target }: WantedTarget,
  trust: ClientTrust,
): readonly Finding[] {
  if (certificate === undefined || key === undefined) return [];
  const facts = readPairFacts({ certificate, key, runAs: null });
  const context = { ...trust, now: wallClock(), served: [], listener: null, protocol: target.protocol };
  return judgePair(facts, { ...context, service: null, unit: null }).filter(
    ({ id, severity }) => severity === 'error' && UNLOADABLE.includes(id),
  );
}

/** The URL names a file that is not here: its driver refuses before it connects. */
function namesNothing({ target }: WantedTarget, file: string): Diagnosed {
  const finding = causeFinding('file-missing', {
    subject: file,
    where: { target: target.text },
    what: `The URL names ${file}, and there is no such file.`,
    evidence: { file },
    words: { file },
  });
  return { target, address: null, reachable: true, findings: [finding], served: null, seen: null };
}
