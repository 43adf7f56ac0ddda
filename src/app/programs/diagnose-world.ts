/** The world of a diagnosis, wired. */
import { setTimeout } from 'node:timers/promises';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { fetchBytes } from '../../edge/net/fetch-bytes.ts';
import { identifyPlaintext } from '../../edge/probe/identify-plaintext.ts';
import { plaintext } from '../../edge/probe/plaintext.ts';
import { readFlight } from '../../edge/probe/server-flight.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';
import type { DiagnosePorts } from '../../flow/diagnose/diagnose-ports.ts';

export function diagnosePorts(timeoutMs: number): DiagnosePorts {
  return {
    handshake,
    readFlight,
    plaintext,
    identify: identifyPlaintext,
    patience: (ms) => setTimeout(ms, undefined, { ref: false }),
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
