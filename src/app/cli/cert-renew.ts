/** `cert renew` and `cert rekey`: by the certificate itself over mutual TLS. */
import type { Command } from 'commander';
import { contextOf } from './context.ts';

export interface RenewFlags {
  readonly url?: string;
  readonly root?: string;
}

export function addCertRenewCommands(cert: Command): void {
  for (const [name, description, withNewKey] of [
    ['renew', 'A new certificate for the same key and names', false],
    ['rekey', 'A new certificate and a new key for the same names', true],
  ] as const) {
    cert
      .command(name)
      .description(`${description}, asked for with the certificate itself`)
      .argument('<cert>', 'file with the chain; it is replaced')
      .argument('<key>', `file with the key${withNewKey ? '; it is replaced' : ''}`)
      .option('--url <url>', 'of the authority (default: the one of this host)')
      .option('--root <file>', 'root certificate to verify it with (default: the one of this host)')
      .option('--force', 'accepted for those who are used to it; renewal is never refused as too early')
      .addHelpText(
        'after',
        `\nExample:\n  fullchain cert ${name} db.crt db.key --url https://ca.internal:9000 --root root_ca.crt`,
      )
      .action(async (certFile: string, keyFile: string, flags: RenewFlags, self: Command) => {
        const { renew } = await import('../commands/cert-renew.ts');
        await renew(contextOf(self), certFile, keyFile, flags, withNewKey);
      });
  }
}
