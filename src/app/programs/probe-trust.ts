/** Whom a probe trusts: the roots of this host's authority and of the system's store, or what --ca names instead. */
import { getCACertificates } from 'node:tls';
import { DerError } from '../../core/asn1/der-reader.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { isInitialised, type StatePaths } from '../../edge/files/state-directory.ts';
import { issuingCertificate, previousIntermediates, trustedRoots } from '../trusted-roots.ts';

export interface ProbeTrust {
  readonly anchors: readonly Certificate[];
  /** Known here, though nobody gives them: they only explain a gap. */
  readonly known: readonly Certificate[];
}

/** @throws OperatorFault input-unreadable, input-invalid, state-incomplete, key-mismatch */
export function probeTrust(paths: StatePaths, caFile: string | undefined): ProbeTrust {
  const isOwn = isInitialised(paths);
  const known = isOwn ? [issuingCertificate(paths), ...previousIntermediates(paths)] : [];
  if (caFile !== undefined) return { anchors: readCertificates(caFile), known };
  return { anchors: [...(isOwn ? trustedRoots(paths).bundle : []), ...systemRoots()], known };
}

/** The store holds oddities that are no fault of a server: those are left out. */
function systemRoots(): Certificate[] {
  return getCACertificates('system')
    .flatMap((pem) => pemBlocksLabelled(pem, 'CERTIFICATE'))
    .flatMap(({ der }) => {
      try {
        return [parseCertificate(der)];
      } catch (cause) {
        if (cause instanceof DerError) return [];
        throw cause;
      }
    });
}
