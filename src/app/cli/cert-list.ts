/** `cert list`, `cert show`, `cert revoke`: what the authority has issued. */
import type { Command } from 'commander';
import { contextOf, countOption, durationOption } from './context.ts';

export interface ListFlags {
  readonly name?: string;
  readonly serial?: string;
  readonly status?: string;
  readonly provisioner?: string;
  readonly expiresWithin?: number;
  readonly limit: number;
  readonly after?: number;
}

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
      const { listCertificates } = await import('../commands/cert-list.ts');
      await listCertificates(contextOf(self), name, flags);
    });
}

export function addCertShowCommand(cert: Command): void {
  cert
    .command('show')
    .description('One certificate of the authority, by serial number or fingerprint')
    .argument('<serial>', 'hex, as `cert list` prints it')
    .option('--pem', 'the certificate itself')
    .action(async (text: string, flags: { pem?: boolean }, self: Command) => {
      const { showCertificate } = await import('../commands/cert-list.ts');
      await showCertificate(contextOf(self), text, flags);
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
      const { revokeCertificate } = await import('../commands/cert-list.ts');
      await revokeCertificate(contextOf(self), text, flags.reason);
    });
}
