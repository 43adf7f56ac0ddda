/** TARGET of `cert inspect`, `verify` and `lint`: a file, standard input, or a server. */
import { existsSync } from 'node:fs';
import { DerError } from '../../core/asn1/der-reader.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { StarttlsWord } from '../../core/probe/protocol.ts';
import { parseTarget, sniOf, type Target } from '../../core/probe/target.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { readInput } from '../../edge/files/certificate-files.ts';
import { type PkiObject, pkiObjects } from '../../edge/files/pki-objects.ts';
import { sentChain } from '../sent-chain.ts';

export interface PkiTarget {
  /** For messages. */
  readonly where: string;
  /** null for files. */
  readonly server: Target | null;
  readonly objects: readonly PkiObject[];
}

export interface TargetOptions {
  readonly servername: string | undefined;
  readonly starttls: StarttlsWord | undefined;
  readonly timeout: number;
}

/** A file that exists is the file, whatever it is called. @throws OperatorFault */
export async function readTarget(text: string, { servername, starttls, timeout }: TargetOptions): Promise<PkiTarget> {
  if (text === '-') return { where: 'standard input', server: null, objects: pkiObjects(readInput(text), text) };
  if (existsSync(text)) return { where: text, server: null, objects: pkiObjects(readInput(text), text) };
  const parsed = parseTarget(text, starttls ?? null);
  if (parsed.kind === 'refused' && text.includes('://')) throw new OperatorFault('usage', parsed.why);
  if (parsed.kind !== 'target')
    throw new OperatorFault(
      'input-unreadable',
      `there is no file ${JSON.stringify(text)} (a server is written host:port)`,
      { path: text },
    );
  const { target } = parsed;
  const chain = await sentChain(target, { serverName: servername ?? sniOf(target.host), timeoutMs: timeout * 1000 });
  return { where: formatHostPort(target), server: target, objects: chain.map(sentCertificate) };
}

function sentCertificate(der: Uint8Array, index: number): PkiObject {
  try {
    return { kind: 'certificate', certificate: parseCertificate(der) };
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return {
      kind: 'unreadable',
      label: 'CERTIFICATE',
      why: `certificate ${index + 1} is not well formed: ${cause.message}`,
    };
  }
}
