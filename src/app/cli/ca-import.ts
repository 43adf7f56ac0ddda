/** `fullchain ca import`: an authority made by hand, taken over. */
import type { Command } from 'commander';
import { algorithmOption, contextOf, durationOption, listOption } from './context.ts';
import type { InitialiseFlags } from './initialise-flags.ts';
import { STANDARD_FLAGS, YEAR_SECONDS } from './initialise-flags.ts';

export interface ImportFlags
  extends Omit<
    InitialiseFlags,
    'name' | 'rootAlgorithm' | 'rootLifetime' | 'rootCommonName' | 'rootPathLength' | 'rootOnlyOffline'
  > {
  readonly name?: string;
  readonly keyPasswordFile?: string;
  readonly rootFingerprint?: string;
}

export function addImportCommand(ca: Command): void {
  ca.command('import')
    .description('Take over an authority that was made by hand: its root goes on, with an intermediate below it')
    .argument('<tree>', 'directory with the root’s certificate and private key, wherever in it they are')
    .option('--key-password-file <file>', 'password of the keys in the tree, mode 0600')
    .option('--root-fingerprint <sha256>', 'which root, where the tree has several')
    .option('--name <name>', 'of the authority (default: the root’s common name)')
    .option('--dns <names>', 'names and addresses under which it is reached, the first in links', listOption)
    .option(
      '--intermediate-algorithm <algorithm>',
      'key of the intermediate',
      algorithmOption,
      STANDARD_FLAGS.intermediateAlgorithm,
    )
    .option(
      '--intermediate-lifetime <duration>',
      'default: 5y, as far as the root reaches',
      durationOption,
      5 * YEAR_SECONDS,
    )
    .option('--intermediate-common-name <name>', 'default: the root’s, with "Intermediate"')
    .option('--max-lifetime <duration>', 'the longest that a leaf may live (default: 90d)', durationOption)
    .option(
      '--password-file <file>',
      'password of the keys in the state, mode 0600 (else $FULLCHAIN_PASSWORD, else one is generated)',
    )
    .option('--ask-password', 'type the password of the keys on the terminal')
    .option('--root-password-file <file>', 'another password for the root key')
    .option('--provisioner-password-file <file>', 'password of the token key (else one is generated)')
    .addHelpText(
      'after',
      `
The tree is only read. What was issued before stays valid and is listed; keys that lie there in the open are named.

Examples:
  fullchain ca import infrastructure/tls
  fullchain ca import infrastructure/tls --name "Bakery IA Internal CA" --dns ca.internal --json
  fullchain ca import /root/ca --key-password-file old-password --password-file /etc/fullchain/password`,
    )
    .action(async (tree: string, flags: ImportFlags, self: Command) => {
      const { importCommand } = await import('../commands/ca-import.ts');
      await importCommand(contextOf(self), tree, flags);
    });
}
