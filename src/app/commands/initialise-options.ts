/** What the options of a new authority mean. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import { passwordSource } from '../cli/context.ts';
import { type InitialiseFlags, YEAR_SECONDS } from '../cli/initialise-flags.ts';
import { defaultDnsNames, type InitialiseOptions } from '../programs/initialise.ts';

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
        lifetimeSeconds: flags.intermediateLifetime ?? Math.min(5 * YEAR_SECONDS, flags.rootLifetime),
        pathLength: 0,
      },
    },
    config: {},
    password: passwordSource(flags.passwordFile, 'FULLCHAIN_PASSWORD', flags.askPassword === true),
    rootPassword: passwordSource(flags.rootPasswordFile, 'FULLCHAIN_ROOT_PASSWORD'),
    provisionerPassword: passwordSource(flags.provisionerPasswordFile, 'FULLCHAIN_PROVISIONER_PASSWORD'),
    offlineRootDirectory: flags.rootOnlyOffline ?? null,
    ...(flags.maxLifetime !== undefined && { maxLifetimeSeconds: flags.maxLifetime }),
  };
}
