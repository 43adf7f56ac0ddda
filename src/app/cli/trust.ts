/** `fullchain trust`: the root in the trust stores of this host, out again, and as a file. */
import type { Command } from 'commander';
import { contextOf, listOption } from './context.ts';

export interface SourceFlags {
  readonly url?: string;
  readonly root?: string;
  readonly fingerprint?: string;
}

export interface StoreFlags {
  readonly store?: string[];
  readonly name?: string;
  readonly rootDirectory?: string;
  readonly nssDirectory?: string;
}

export interface BundleFlags extends SourceFlags {
  readonly out?: string;
}

export function addTrustCommands(program: Command): void {
  const trust = program.command('trust').description('The root in the trust stores of this host; out again; as a file');

  addStoreOptions(
    addSourceOptions(trust.command('install').description('Make this host trust a root whose fingerprint you know')),
    'system',
  )
    .option('--name <name>', 'in the stores (default: from its common name and fingerprint)')
    .addHelpText(
      'after',
      `
The fingerprint comes from the authority's own host (fullchain ca status there), over a channel that you trust:
a root that was fetched proves nothing about itself.

Examples:
  sudo fullchain trust install --url https://ca.internal:9000 --fingerprint 9f3c…
  sudo fullchain trust install --root root_ca.crt --fingerprint 9F:3C:…
  fullchain trust install --store nss --url https://ca.internal:9000 --fingerprint 9f3c…    Chromium, Firefox`,
    )
    .action(async (flags: SourceFlags & StoreFlags, self: Command) => {
      const { installTrust } = await import('../commands/trust.ts');
      await installTrust(contextOf(self), flags);
    });

  addStoreOptions(trust.command('uninstall').description('Take a root out of the trust stores, without a trace'), 'all')
    .option('--fingerprint <hex>', 'SHA-256 of the root')
    .option('--name <name>', 'of the root in the stores')
    .addHelpText('after', '\nExample:\n  sudo fullchain trust uninstall --fingerprint 9f3c…')
    .action(async (flags: SourceFlags & StoreFlags, self: Command) => {
      const { uninstallTrust } = await import('../commands/trust.ts');
      uninstallTrust(contextOf(self), flags);
    });

  addSourceOptions(trust.command('bundle').description('The roots as PEM on standard output'))
    .option('--out <file>', 'write them there instead')
    .addHelpText(
      'after',
      `
Examples:
  fullchain trust bundle --out roots.pem                this host's authority
  fullchain trust bundle --url https://ca.internal:9000 --fingerprint 9f3c… > roots.pem`,
    )
    .action(async (flags: BundleFlags, self: Command) => {
      const { printBundle } = await import('../commands/trust.ts');
      await printBundle(contextOf(self), flags);
    });
}

function addSourceOptions(command: Command): Command {
  return command
    .option('--url <url>', 'fetch the root from this authority')
    .option('--root <file>', 'take it from this file (default, without --url: of this host’s authority)')
    .option('--fingerprint <hex>', 'SHA-256 of the root, known beforehand');
}

function addStoreOptions(command: Command, usual: string): Command {
  return command
    .option('--store <stores>', `system, nss (default: ${usual})`, listOption)
    .option('--root-directory <dir>', 'the system’s store below this directory instead of /')
    .option('--nss-directory <dir>', 'this NSS database instead of the user’s');
}
