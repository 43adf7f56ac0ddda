/** TARGET of `cert inspect`, `verify` and `lint`: a file, standard input, or a server. */
import { existsSync } from 'node:fs';
import { DerError } from '../../core/asn1/der-reader.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { readInput } from '../../edge/files/certificate-files.ts';
import { type PkiObject, pkiObjects } from '../../edge/files/pki-objects.ts';
import { type Endpoint, formatEndpoint, parseEndpoint, peerChain, serverNameOf } from '../../edge/net/peer-chain.ts';

export interface PkiTarget {
  /** For messages. */
  readonly where: string;
  /** null for files. */
  readonly endpoint: Endpoint | null;
  readonly objects: readonly PkiObject[];
}

/** A file that exists is the file, whatever it is called. @throws OperatorFault */
export async function readTarget(
  text: string,
  { servername, timeout }: { readonly servername: string | undefined; readonly timeout: number },
): Promise<PkiTarget> {
  if (text === '-') return { where: 'standard input', endpoint: null, objects: pkiObjects(readInput(text), text) };
  const exists = existsSync(text);
  const endpoint = exists ? null : parseEndpoint(text);
  if (endpoint) {
    const chain = await peerChain(endpoint, {
      serverName: servername ?? serverNameOf(endpoint),
      timeoutMs: timeout * 1000,
    });
    return { where: formatEndpoint(endpoint), endpoint, objects: chain.map(sentCertificate) };
  }
  if (!exists)
    throw new OperatorFault(
      'input-unreadable',
      `there is no file ${JSON.stringify(text)} (a server is written host:port)`,
      { path: text },
    );
  return { where: text, endpoint: null, objects: pkiObjects(readInput(text), text) };
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
