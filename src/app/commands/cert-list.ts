/** What `cert list`, `cert show` and `cert revoke` do. */
import { parseHex } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isRevocationReason } from '../../core/revocation/reason.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { addSeconds, formatRfc3339, type Instant } from '../../core/time/instant.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import { parseSerialNumber } from '../../core/x509/serial-number.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { revoke } from '../../flow/ca/revoke-certificate.ts';
import type { CertificateRecord, CertificateState, Store } from '../../flow/ca/store-ports.ts';
import type { ListFlags } from '../cli/cert-list.ts';
import { type Context, print } from '../cli/context.ts';
import { openRecords } from '../open-state.ts';

const STATES: readonly CertificateState[] = ['valid', 'expired', 'revoked'];

export async function listCertificates(context: Context, name: string | undefined, flags: ListFlags): Promise<void> {
  const now = wallClock();
  const serial = flags.serial === undefined ? undefined : serialOf(flags.serial);
  const state = flags.expiresWithin === undefined ? stateOf(flags.status) : 'valid';
  const { store, close } = openRecords(context.paths);
  const records = await store.listCertificates({
    now,
    // One more than the page tells whether there is a next one.
    limit: flags.limit + 1,
    ...(name !== undefined && { name }),
    ...(serial !== undefined && { serial }),
    ...(state !== undefined && { state }),
    ...(flags.provisioner !== undefined && { provisioner: flags.provisioner }),
    ...(flags.expiresWithin !== undefined && { expiresBefore: addSeconds(now, flags.expiresWithin) }),
    ...(flags.after !== undefined && { below: flags.after }),
  });
  close();
  const page = records.slice(0, flags.limit);
  const next = records.length > flags.limit ? (page.at(-1)?.id ?? null) : null;
  print(context, { certificates: page.map((record) => documentOf(record, now)), next }, () => [
    ...page.map((record) => lineOf(record, now)),
    ...(page.length === 0 ? ['No certificate matches.'] : []),
    ...(next === null ? [] : [`More: --after ${next}`]),
  ]);
}

export async function showCertificate(
  context: Context,
  text: string,
  flags: { readonly pem?: boolean },
): Promise<void> {
  const { store, close } = openRecords(context.paths);
  const record = await find(store, text).finally(close);
  const now = wallClock();
  const pem = pemFromDer('CERTIFICATE', record.der ?? new Uint8Array());
  if (flags.pem) process.stdout.write(pem);
  else {
    const document = {
      ...documentOf(record, now),
      issuedAt: formatRfc3339(record.createdAt),
      pem,
      ...(record.revokedAt !== null && {
        revokedAt: formatRfc3339(record.revokedAt),
        reason: record.revocationReason,
      }),
    };
    print(context, document, () =>
      Object.entries(document)
        .filter(([key]) => key !== 'pem')
        .map(([key, value]) => `${key.padEnd(12)} ${Array.isArray(value) ? value.join(', ') : value}`),
    );
  }
}

export async function revokeCertificate(context: Context, text: string, reason: string): Promise<void> {
  if (!isRevocationReason(reason))
    throw new OperatorFault('usage', `${JSON.stringify(reason)} is not a reason of RFC 5280 §5.3.1`);
  const { store, close } = openRecords(context.paths);
  try {
    const record = await find(store, text);
    const result = await revoke(store, record, reason, 'operator', wallClock());
    if (result.kind === 'refused') throw new OperatorFault('already-revoked', result.problem.detail);
    print(context, { ok: true, serial: record.serial }, () => [
      `Revoked ${record.serial} (${record.names.join(', ') || record.subject}).`,
    ]);
  } finally {
    close();
  }
}

async function find(store: Store, text: string): Promise<CertificateRecord> {
  const serial = parseSerialNumber(text);
  const bySerial = serial === null ? null : await store.findCertificate(serial);
  const fingerprint = parseHex(text);
  const record =
    bySerial ?? (fingerprint?.length === 64 ? await store.findCertificateByFingerprint(fingerprint) : null);
  if (!record?.der)
    throw new OperatorFault(
      'certificate-unknown',
      `no certificate has the serial number or fingerprint ${JSON.stringify(text)}`,
    );
  return record;
}

export function certificateState(record: CertificateRecord, now: Instant): CertificateState {
  if (record.revokedAt !== null) return 'revoked';
  return record.notAfter < now ? 'expired' : 'valid';
}

function documentOf(record: CertificateRecord, now: Instant) {
  return {
    serial: record.serial,
    fingerprint: record.fingerprint,
    subject: record.subject,
    names: record.names,
    notBefore: formatRfc3339(record.notBefore),
    notAfter: formatRfc3339(record.notAfter),
    issuer: record.der ? formatName(parseCertificate(record.der).issuer) : null,
    profile: record.profile,
    provisioner: record.provisioner,
    state: certificateState(record, now),
  };
}

function lineOf(record: CertificateRecord, now: Instant): string {
  const state = certificateState(record, now);
  const left = state === 'valid' ? `${formatDuration(record.notAfter - now)} left` : state;
  return `${record.serial}  ${left.padEnd(12)}  ${record.profile.padEnd(12)}  ${record.names.join(', ') || record.subject}`;
}

function serialOf(text: string) {
  const serial = parseSerialNumber(text);
  if (serial === null) throw new OperatorFault('usage', `${JSON.stringify(text)} is not a serial number`);
  return serial;
}

function stateOf(text: string | undefined): CertificateState | undefined {
  const state = STATES.find((known) => known === text);
  if (text !== undefined && state === undefined)
    throw new OperatorFault('usage', `${JSON.stringify(text)} is not a status; ${STATES.join(', ')} are`);
  return state;
}
