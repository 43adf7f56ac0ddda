/** The options that describe a new authority, shared by `ca init` and `up`. */
import { type Command, Option } from 'commander';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { algorithmOption, countOption, durationOption, listOption } from './context.ts';

export interface InitialiseFlags {
  readonly name: string;
  readonly dns?: string[];
  readonly rootAlgorithm: KeyAlgorithm;
  readonly intermediateAlgorithm: KeyAlgorithm;
  readonly rootLifetime: number;
  readonly intermediateLifetime?: number;
  readonly rootCommonName?: string;
  readonly intermediateCommonName?: string;
  readonly organization?: string;
  readonly country?: string;
  readonly rootPathLength?: number;
  readonly maxLifetime?: number;
  readonly passwordFile?: string;
  readonly askPassword?: boolean;
  readonly rootPasswordFile?: string;
  readonly provisionerPasswordFile?: string;
  readonly rootOnlyOffline?: string;
}

export const YEAR_SECONDS = 365 * 86400;

/** Of an authority about which nothing was said. */
export const STANDARD_FLAGS = {
  name: 'Fullchain',
  rootAlgorithm: 'ecdsa-p256',
  intermediateAlgorithm: 'ecdsa-p256',
  rootLifetime: 10 * YEAR_SECONDS,
} as const satisfies InitialiseFlags;

export function addInitialiseOptions(command: Command): Command {
  return command
    .option('--name <name>', 'of the authority; root and intermediate are called after it', STANDARD_FLAGS.name)
    .option('--dns <names>', 'names and addresses under which it is reached, the first in links', listOption)
    .option('--root-algorithm <algorithm>', 'key of the root', algorithmOption, STANDARD_FLAGS.rootAlgorithm)
    .option(
      '--intermediate-algorithm <algorithm>',
      'key of the intermediate',
      algorithmOption,
      STANDARD_FLAGS.intermediateAlgorithm,
    )
    .addOption(
      new Option('--root-lifetime <duration>', 'of the root')
        .argParser(durationOption)
        .default(STANDARD_FLAGS.rootLifetime, '10y'),
    )
    .option('--intermediate-lifetime <duration>', 'of the intermediate (default: 5y, or the root’s)', durationOption)
    .option('--root-common-name <name>', 'in place of "NAME Root CA"')
    .option('--intermediate-common-name <name>', 'in place of "NAME Intermediate CA"')
    .option('--organization <name>', 'in the subjects of root and intermediate')
    .option('--country <code>', 'in the subjects of root and intermediate')
    .option('--root-path-length <count>', 'how many authorities may follow the root', countOption)
    .option('--max-lifetime <duration>', 'the longest that a leaf may live (default: 90d)', durationOption)
    .option(
      '--password-file <file>',
      'password of the keys, mode 0600 (else $FULLCHAIN_PASSWORD, else one is generated)',
    )
    .option('--ask-password', 'type the password of the keys on the terminal')
    .option('--root-password-file <file>', 'another password for the root key')
    .option('--provisioner-password-file <file>', 'password of the token key (else one is generated)')
    .option('--root-only-offline <dir>', 'leave the root key in DIR; it never touches the state directory');
}
