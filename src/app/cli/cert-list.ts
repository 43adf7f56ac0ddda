/** `cert list`, `cert show`, `cert revoke`: what the authority has issued. */
import type { Command } from 'commander';
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
import { openRecords } from '../open-state.ts';
import { contextOf, countOption, durationOption, print } from './context.ts';

interface ListFlags {
  readonly name?: string;
  readonly serial?: string;
  readonly status?: string;
  readonly provisioner?: string;
  readonly expiresWithin?: number;
  readonly limit: number;
  readonly after?: number;
}

const STATES: readonly CertificateState[] = ['valid', 'expired', 'revoked'];

export function addCertListCommand(cert: Command): void {
  cert
    .command('list')
    .description('What the authority has issued, newest first')
    .argument('[name]', 'a name of the certificate, or a part of one')
    .option('--serial <hex>', 'exactly this serial number')
    .option('--status <status>', 'valid, expired or revoked')
    .option('--provisioner <name>', 'issued through this provisioner')
    .option('--expires-within <duration>', 'valid, and not for longer than this', durationOption)
    .option('--limit <count>', 'on one page', countOption, 100)
    .option('--after <next>', 'the next page: the value of "next"', countOption)
    .addHelpText(
      'after',
      '\nExamples:\n  fullchain cert list\n  fullchain cert list db.internal --status valid\n  fullchain cert list --expires-within 7d --json',
    )
    .action(async (name: string | undefined, flags: ListFlags, self: Command) => {
      const context = contextOf(self);
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
    });
}

export function addCertShowCommand(cert: Command): void {
  cert
    .command('show')
    .description('One certificate of the authority, by serial number or fingerprint')
    .argument('<serial>', 'hex, as `cert list` prints it')
    .option('--pem', 'the certificate itself')
    .action(async (text: string, flags: { pem?: boolean }, self: Command) => {
      const context = contextOf(self);
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
    });
}

export function addCertRevokeCommand(cert: Command): void {
  cert
    .command('revoke')
    .description('Revokes a certificate; the next revocation list has it')
    .argument('<serial>', 'hex, as `cert list` prints it')
    .option(
      '--reason <reason>',
      'keyCompromise, superseded, cessationOfOperation, affiliationChanged, …',
      'unspecified',
    )
    .addHelpText('after', '\nExample:\n  fullchain cert revoke 5f3a… --reason keyCompromise')
    .action(async (text: string, flags: { reason: string }, self: Command) => {
      const context = contextOf(self);
      const { reason } = flags;
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
    });
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
