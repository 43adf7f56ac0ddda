/** Renew and rekey by the certificate itself over mutual TLS (the third way to ask). */
import { DerError } from '../../core/asn1/der-reader.ts';
import { bytesEqual } from '../../core/bytes/compare.ts';
import type { ProfileName } from '../../core/issuance/profile.ts';
import { sameNames } from '../../core/issuance/requested-names.ts';
import { formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { contains, lifetimeSeconds } from '../../core/time/validity-period.ts';
import { type Certificate, parseCertificate } from '../../core/x509/certificate.ts';
import { commonNames } from '../../core/x509/name.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import { checkedCsr } from './finalize-order.ts';
import { type IssuePorts, issueCertificate } from './issue-certificate.ts';
import { BACKDATE_SECONDS, issuanceLimits } from './provisioner-limits.ts';
import { denied, type SignResult } from './sign-with-token.ts';
import type { CertificateRecord, CertificateStore, ProvisionerStore } from './store-ports.ts';

export interface RenewPorts extends IssuePorts {
  readonly certificates: Pick<CertificateStore, 'findCertificate'>;
  readonly provisioners: Pick<ProvisionerStore, 'loadProvisioner'>;
}

export type OwnCertificate = {
  readonly kind: 'own';
  readonly record: CertificateRecord;
  readonly certificate: Certificate;
};

/**
 * The certificate with which a client authenticated, if it is one of ours, in force and not revoked. TLS has
 * proven that the client holds its key; everything else is proven here against our own records.
 */
export async function recognise(
  certificates: Pick<CertificateStore, 'findCertificate'>,
  der: Uint8Array,
  now: Instant,
): Promise<OwnCertificate | Extract<SignResult, { kind: 'denied' }>> {
  const certificate = readCertificate(der);
  const record = certificate && (await certificates.findCertificate(certificate.serial));
  if (!certificate || !record?.der || !bytesEqual(record.der, der))
    return denied(401, 'the client certificate was not issued by this authority');
  if (record.revokedAt !== null)
    return denied(401, `the client certificate was revoked at ${formatRfc3339(record.revokedAt)}`);
  if (!contains(certificate.validity, now))
    return denied(
      401,
      `the client certificate was valid until ${formatRfc3339(certificate.validity.notAfter)}; ask for a new one with a token or ACME`,
    );
  return { kind: 'own', record, certificate };
}

/** null for what is not well formed: TLS takes more than we do, and we sign nothing of the kind. */
function readCertificate(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return null;
  }
}

/**
 * The same names, profile and lifetime again; the same key, or with a CSR (rekey) that CSR's key.
 *
 * @param presented DER of the client certificate of the TLS connection
 */
export async function renewCertificate(
  ports: RenewPorts,
  presented: Uint8Array,
  csrDer: Uint8Array | null,
  now: Instant,
): Promise<SignResult> {
  const own = await recognise(ports.certificates, presented, now);
  if (own.kind === 'denied') return own;
  const { record, certificate } = own;
  const provisioner = await ports.provisioners.loadProvisioner(record.provisioner);
  if (!provisioner)
    return denied(403, `the provisioner ${record.provisioner} no longer exists, so its certificates are not renewed`);
  const names = subjectAltNames(certificate);
  const csr = csrDer === null ? null : checkedCsr(csrDer);
  if (csr && 'kind' in csr) return denied(400, csr.problem.detail);
  if (csr && csr.names.length > 0 && !sameNames(csr.names, names))
    return denied(403, 'the names of the CSR are not those of the certificate');
  const commonName = commonNames(certificate.subject)[0];
  const wanted = lifetimeSeconds(certificate.validity) - BACKDATE_SECONDS;
  const result = await issueCertificate(
    ports,
    {
      profile: record.profile as ProfileName,
      names,
      publicKey: (csr ?? certificate).publicKey.raw,
      lifetimeSeconds: Math.min(Math.max(wanted, 1), provisioner.maxLifetimeSeconds),
      ...(commonName && { subject: { commonName } }),
    },
    issuanceLimits(provisioner),
    {
      origin: { kind: 'renewal', certificateId: record.id },
      provisioner: provisioner.name,
      accountId: record.accountId,
    },
    now,
  );
  if (result.kind === 'issued') return result;
  return denied(403, result.kind === 'refused' ? result.detail : 'the renewal has been issued already');
}
