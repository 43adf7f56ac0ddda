/** The world of a diagnosis, wired: who is trusted, who was, and how a port is looked at. */
import type { Certificate } from '../../core/x509/certificate.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { isInitialised, type StatePaths } from '../../edge/files/state-directory.ts';
import { fetchBytes } from '../../edge/net/fetch-bytes.ts';
import { identifyPlaintext } from '../../edge/probe/identify-plaintext.ts';
import { readFlight } from '../../edge/probe/server-flight.ts';
import { handshake, plaintext } from '../../edge/probe/service-handshake.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';
import type { DiagnosePorts, DiagnoseTrust } from '../../flow/diagnose/diagnose-ports.ts';
import { retiredRoots } from '../trusted-roots.ts';
import { probeTrust } from './probe-trust.ts';

export function diagnosePorts(timeoutMs: number): DiagnosePorts {
  return {
    handshake,
    readFlight,
    plaintext,
    identify: identifyPlaintext,
    fetchIssuer: (url) => fetchIssuer(url, timeoutMs),
    clock: wallClock,
    pause: (ms) => sleep(ms),
  };
}

const MOST_BYTES = 64 * 1024;

/** Whatever the address is or answers: without an issuer the gap stays unexplained, and nothing else. */
async function fetchIssuer(url: string, timeoutMs: number): Promise<Certificate | null> {
  try {
    return parseCertificate(await fetchBytes(url, { timeoutMs, maxBytes: MOST_BYTES }));
  } catch {
    return null;
  }
}

/** @throws OperatorFault input-unreadable, input-invalid, state-incomplete, key-mismatch */
export function diagnoseTrust(
  paths: StatePaths,
  caFile: string | undefined,
  intermediatesFile: string | undefined,
): DiagnoseTrust {
  const { anchors, known } = probeTrust(paths, caFile);
  const given = intermediatesFile === undefined ? [] : readCertificates(intermediatesFile);
  return { anchors, known: [...given, ...known], retired: isInitialised(paths) ? retiredRoots(paths) : [] };
}
