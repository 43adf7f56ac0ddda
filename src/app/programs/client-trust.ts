/** Whom a client trusts: the roots of this host's authority and of the system's store, or what --ca names instead. */
import { getCACertificates } from 'node:tls';
import { DerError } from '../../core/asn1/der-reader.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import type { ClientTrust } from '../../core/diagnosis/chain-causes.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { isInitialised, type StatePaths } from '../../edge/files/state-directory.ts';
import { issuingCertificate, previousIntermediates, retiredRoots, trustedRoots } from '../trusted-roots.ts';

/**
 * @param caFile of --ca
 * @param intermediatesFile of --intermediates
 * @throws OperatorFault input-unreadable, input-invalid, state-incomplete, key-mismatch
 */
export function clientTrust(
  paths: StatePaths,
  caFile: string | undefined,
  intermediatesFile: string | undefined,
): ClientTrust {
  const isOwn = isInitialised(paths);
  const given = intermediatesFile === undefined ? [] : readCertificates(intermediatesFile);
  const ours = isOwn ? [issuingCertificate(paths), ...previousIntermediates(paths)] : [];
  return {
    anchors:
      caFile === undefined
        ? [...(isOwn ? trustedRoots(paths).bundle : []), ...systemRoots()]
        : readCertificates(caFile),
    known: [...given, ...ours],
    retired: isOwn ? retiredRoots(paths) : [],
  };
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
