/** The options that describe a new authority, shared by `ca init` and `up`, and what they mean. */
import type { Command } from 'commander';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { defaultDnsNames, type InitialiseOptions } from '../programs/initialise.ts';
import { algorithmOption, countOption, durationOption, listOption, passwordSource } from './context.ts';

export interface InitialiseFlags {
  readonly name: string;
  readonly dns?: string[];
  readonly rootAlgorithm: KeyAlgorithm;
  readonly intermediateAlgorithm: KeyAlgorithm;
  readonly rootLifetime: number;
  readonly intermediateLifetime: number;
  readonly rootCommonName?: string;
  readonly intermediateCommonName?: string;
  readonly organization?: string;
  readonly country?: string;
  readonly rootPathLength?: number;
  readonly maxLifetime?: number;
  readonly passwordFile?: string;
  readonly rootPasswordFile?: string;
  readonly provisionerPasswordFile?: string;
  readonly rootOnlyOffline?: string;
}

const YEAR = 365 * 86400;

export function addInitialiseOptions(command: Command): Command {
  return command
    .option('--name <name>', 'of the authority; root and intermediate are called after it', 'Fullchain')
    .option('--dns <names>', 'names and addresses under which it is reached, the first in links', listOption)
    .option('--root-algorithm <algorithm>', 'key of the root', algorithmOption, 'ecdsa-p256')
    .option('--intermediate-algorithm <algorithm>', 'key of the intermediate', algorithmOption, 'ecdsa-p256')
    .option('--root-lifetime <duration>', 'of the root', durationOption, 10 * YEAR)
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
    .option('--root-password-file <file>', 'another password for the root key')
    .option('--provisioner-password-file <file>', 'password of the token key (else one is generated)')
    .option('--root-only-offline <dir>', 'leave the root key in DIR; it never touches the state directory');
}

/** @throws OperatorFault usage */
export function initialiseOptions(flags: InitialiseFlags): InitialiseOptions {
  const named = {
    ...(flags.organization && { organization: flags.organization }),
    ...(flags.country && { country: flags.country }),
  };
  if (flags.country !== undefined && !/^[A-Z]{2}$/.test(flags.country))
    throw new OperatorFault('usage', `${JSON.stringify(flags.country)} is not a two-letter country code`);
  for (const name of flags.dns ?? []) {
    const parsed = generalNameFromText(name);
    if (parsed?.kind !== 'dns' && parsed?.kind !== 'ip')
      throw new OperatorFault('usage', `--dns: ${JSON.stringify(name)} is neither a DNS name nor an IP address`);
  }
  return {
    name: flags.name,
    dnsNames: flags.dns ?? defaultDnsNames(),
    rootAlgorithm: flags.rootAlgorithm,
    intermediateAlgorithm: flags.intermediateAlgorithm,
    plan: {
      root: {
        subject: { commonName: flags.rootCommonName ?? `${flags.name} Root CA`, ...named },
        lifetimeSeconds: flags.rootLifetime,
        ...(flags.rootPathLength !== undefined && { pathLength: flags.rootPathLength }),
      },
      intermediate: {
        subject: { commonName: flags.intermediateCommonName ?? `${flags.name} Intermediate CA`, ...named },
        lifetimeSeconds: flags.intermediateLifetime ?? Math.min(5 * YEAR, flags.rootLifetime),
        pathLength: 0,
      },
    },
    config: {},
    password: passwordSource(flags.passwordFile),
    rootPassword: passwordSource(flags.rootPasswordFile, 'FULLCHAIN_ROOT_PASSWORD'),
    provisionerPassword: passwordSource(flags.provisionerPasswordFile, 'FULLCHAIN_PROVISIONER_PASSWORD'),
    offlineRootDirectory: flags.rootOnlyOffline ?? null,
    ...(flags.maxLifetime !== undefined && { maxLifetimeSeconds: flags.maxLifetime }),
  };
}
