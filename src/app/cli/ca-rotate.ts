/** `fullchain ca rotate`: another intermediate, another root. */
import type { Command } from 'commander';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { algorithmOption, contextOf, durationOption } from './context.ts';

interface PasswordFlags {
  readonly passwordFile?: string;
  readonly askPassword?: boolean;
  readonly rootPasswordFile?: string;
}

export interface IntermediateFlags extends PasswordFlags {
  readonly prepare?: boolean;
  readonly rootKey?: string;
  readonly intermediateAlgorithm?: KeyAlgorithm;
  readonly intermediateLifetime?: number;
  readonly intermediateCommonName?: string;
}

export interface RootFlags extends PasswordFlags {
  readonly prepare?: boolean;
  readonly activate?: boolean;
  readonly retire?: boolean;
  readonly cancel?: boolean;
  readonly force?: boolean;
  readonly rootAlgorithm?: KeyAlgorithm;
  readonly rootLifetime?: number;
  readonly rootCommonName?: string;
  readonly intermediateAlgorithm?: KeyAlgorithm;
  readonly intermediateLifetime?: number;
  readonly rootOnlyOffline?: string;
}

export function addRotateCommands(ca: Command): void {
  const rotate = ca.command('rotate').description('Replace the intermediate, or step by step the root');

  passwordOptions(rotate.command('intermediate').description('A new issuing key and certificate, below the same root'))
    .option('--prepare', 'make it and hand out its revocation list; the same without --prepare lets it issue')
    .option('--root-key <file>', 'the root’s key, when it is not in the state directory')
    .option('--intermediate-algorithm <algorithm>', 'of the new key (default: as before)', algorithmOption)
    .option('--intermediate-lifetime <duration>', 'default: as before, as far as the root reaches', durationOption)
    .option('--intermediate-common-name <name>', 'default: as before, with G2, G3 …')
    .addHelpText(
      'after',
      `
What was issued before stays valid. Cut short, the same command goes on with what was begun. Services that refuse revoked
clients refuse those of an authority whose list they lack: where clients from outside the stack renew, prepare first.

Examples:
  fullchain ca rotate intermediate --prepare     then fullchain apply on every host
  fullchain ca rotate intermediate               issues from it: at once where nothing was prepared
  fullchain ca rotate intermediate --root-key /mnt/usb/ca/root_ca_key --root-password-file /mnt/usb/ca/root_password
  fullchain ca rotate intermediate --intermediate-algorithm ecdsa-p384`,
    )
    .action(async (flags: IntermediateFlags, self: Command) => {
      const { rotateIntermediateCommand } = await import('../commands/ca-rotate.ts');
      await rotateIntermediateCommand(contextOf(self), flags);
    });

  passwordOptions(rotate.command('root').description('A new root in three steps: prepare, activate, retire'))
    .option('--prepare', '1. make it, and trust it beside the old one, which goes on issuing')
    .option('--activate', '2. issue below it from now on')
    .option('--retire', '3. trust the old one no more')
    .option('--cancel', 'in place of 2: drop the new root again, and destroy its key')
    .option('--force', 'retire although certificates below the old root are in use')
    .option('--root-algorithm <algorithm>', 'of the new root’s key (default: as before)', algorithmOption)
    .option('--root-lifetime <duration>', 'default: as before', durationOption)
    .option('--root-common-name <name>', 'default: as before, with G2, G3 …')
    .option(
      '--intermediate-algorithm <algorithm>',
      'of the new intermediate’s key (default: as before)',
      algorithmOption,
    )
    .option('--intermediate-lifetime <duration>', 'default: as before', durationOption)
    .option('--root-only-offline <dir>', 'leave the new root’s key in DIR (default: where the old one’s is)')
    .addHelpText(
      'after',
      `
Between the steps hosts take up first both roots, then their new certificates; no connection fails. Each step may be
repeated, and goes on with what was cut short. fullchain ca status says how far it is.

Examples:
  fullchain ca rotate root --prepare     then fullchain apply on every host
  fullchain ca rotate root --activate    then fullchain rotate on every host
  fullchain ca rotate root --retire      then fullchain apply on every host`,
    )
    .action(async (flags: RootFlags, self: Command) => {
      const { rotateRootCommand } = await import('../commands/ca-rotate.ts');
      await rotateRootCommand(contextOf(self), flags);
    });
}

function passwordOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'password of the authority’s keys (else $FULLCHAIN_PASSWORD)')
    .option('--ask-password', 'type it on the terminal')
    .option('--root-password-file <file>', 'password of the root key (else $FULLCHAIN_ROOT_PASSWORD)');
}
