/** `fullchain provisioner`: who may ask for what, and how long it may live. */
import { type Command, Option } from 'commander';
import { DEFAULT_LIFETIME_SECONDS, DEFAULT_MAX_LIFETIME_SECONDS } from '../../flow/ca/provisioner-limits.ts';
import { contextOf, durationOption } from './context.ts';

export interface AddFlags {
  readonly type: string;
  readonly defaultLifetime: number;
  readonly maxLifetime: number;
  readonly passwordFile?: string;
}

export function addProvisionerCommands(program: Command): void {
  const provisioner = program
    .command('provisioner')
    .description('Who may ask for certificates, and for how long: ACME directories and token keys');

  provisioner
    .command('list')
    .description('All provisioners with their limits')
    .action(async (_flags: unknown, self: Command) => {
      const { listProvisioners } = await import('../commands/provisioner.ts');
      await listProvisioners(contextOf(self));
    });

  provisioner
    .command('add')
    .description('A new provisioner; a running authority knows it at once')
    .argument('<name>', 'in its URLs and tokens')
    .requiredOption('--type <type>', 'acme or jwk (one-time tokens)')
    .addOption(
      new Option('--default-lifetime <duration>', 'of a certificate that asks for none')
        .argParser(durationOption)
        .default(DEFAULT_LIFETIME_SECONDS, '24h'),
    )
    .addOption(
      new Option('--max-lifetime <duration>', 'longer requests are refused')
        .argParser(durationOption)
        .default(DEFAULT_MAX_LIFETIME_SECONDS, '90d'),
    )
    .option('--password-file <file>', 'password of the token key (else the one of the state)')
    .addHelpText(
      'after',
      '\nExamples:\n  fullchain provisioner add short --type acme --max-lifetime 24h\n  fullchain provisioner add deploy --type jwk --max-lifetime 3y --password-file FILE',
    )
    .action(async (name: string, flags: AddFlags, self: Command) => {
      const { addProvisioner } = await import('../commands/provisioner.ts');
      await addProvisioner(contextOf(self), name, flags);
    });

  provisioner
    .command('remove')
    .description('Removes a provisioner; its certificates stay valid and are not renewed')
    .argument('<name>')
    .action(async (name: string, _flags: unknown, self: Command) => {
      const { removeProvisioner } = await import('../commands/provisioner.ts');
      await removeProvisioner(contextOf(self), name);
    });
}
