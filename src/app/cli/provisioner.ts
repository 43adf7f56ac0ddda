/** `fullchain provisioner`: who may ask for what, and how long it may live. */
import type { Command } from 'commander';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { newTokenKey } from '../../edge/signer/token-key.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { DEFAULT_LIFETIME_SECONDS, DEFAULT_MAX_LIFETIME_SECONDS } from '../../flow/ca/provisioner-limits.ts';
import type { ProvisionerRecord } from '../../flow/ca/store-ports.ts';
import { openRecords } from '../open-state.ts';
import { newPassword } from '../passwords.ts';
import { contextOf, durationOption, passwordSource, print } from './context.ts';

interface AddFlags {
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
      const context = contextOf(self);
      const { store, close } = openRecords(context.paths);
      const provisioners = (await store.listProvisioners()).map(documentOf);
      close();
      print(context, { provisioners }, () =>
        provisioners.map(
          (entry) =>
            `${entry.name.padEnd(16)} ${entry.type.padEnd(5)} default ${formatDuration(entry.defaultLifetimeSeconds)}, at most ${formatDuration(entry.maxLifetimeSeconds)}`,
        ),
      );
    });

  provisioner
    .command('add')
    .description('A new provisioner; a running authority knows it at once')
    .argument('<name>', 'in its URLs and tokens')
    .requiredOption('--type <type>', 'acme or jwk (one-time tokens)')
    .option(
      '--default-lifetime <duration>',
      'of a certificate that asks for none',
      durationOption,
      DEFAULT_LIFETIME_SECONDS,
    )
    .option('--max-lifetime <duration>', 'longer requests are refused', durationOption, DEFAULT_MAX_LIFETIME_SECONDS)
    .option('--password-file <file>', 'password of the token key (else the one of the state)')
    .addHelpText(
      'after',
      '\nExamples:\n  fullchain provisioner add short --type acme --max-lifetime 24h\n  fullchain provisioner add deploy --type jwk --max-lifetime 3y --password-file FILE',
    )
    .action(async (name: string, flags: AddFlags, self: Command) => {
      const context = contextOf(self);
      const record = await newRecord(context.paths.provisionerPassword, name, flags);
      const { store, close } = openRecords(context.paths);
      const added = await store.insertProvisioner(record);
      close();
      if (!added) throw new OperatorFault('provisioner-exists', `there is a provisioner named ${name} already`);
      print(context, { ok: true, provisioner: documentOf(record) }, () => [
        `The provisioner ${name} was added${record.kind === 'acme' ? `: its directory is /acme/${name}/directory` : ''}.`,
      ]);
    });

  provisioner
    .command('remove')
    .description('Removes a provisioner; its certificates stay valid and are not renewed')
    .argument('<name>')
    .action(async (name: string, _flags: unknown, self: Command) => {
      const context = contextOf(self);
      const { store, close } = openRecords(context.paths);
      const removed = await store.removeProvisioner(name);
      close();
      if (!removed) throw new OperatorFault('provisioner-unknown', `there is no provisioner named ${name}`);
      print(context, { ok: true }, () => [`The provisioner ${name} was removed.`]);
    });
}

async function newRecord(generatedPassword: string, name: string, flags: AddFlags): Promise<ProvisionerRecord> {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name))
    throw new OperatorFault(
      'usage',
      `${JSON.stringify(name)} is not a name for a provisioner: letters, digits, ".", "_" and "-"`,
    );
  if (flags.type !== 'acme' && flags.type !== 'jwk')
    throw new OperatorFault('usage', `${JSON.stringify(flags.type)} is not a type of provisioner; acme and jwk are`);
  if (flags.defaultLifetime > flags.maxLifetime)
    throw new OperatorFault(
      'usage',
      `the default lifetime ${formatDuration(flags.defaultLifetime)} is above the maximum ${formatDuration(flags.maxLifetime)}`,
    );
  const limits = {
    name,
    kind: flags.type,
    defaultLifetimeSeconds: flags.defaultLifetime,
    maxLifetimeSeconds: flags.maxLifetime,
    createdAt: wallClock(),
  } as const;
  if (flags.type === 'acme') return { ...limits, publicKey: null, encryptedKey: null };
  const { password } = newPassword({
    ...passwordSource(flags.passwordFile, 'FULLCHAIN_PROVISIONER_PASSWORD'),
    generated: generatedPassword,
  });
  return { ...limits, ...(await newTokenKey(password)) };
}

function documentOf(record: ProvisionerRecord) {
  const { name, kind, defaultLifetimeSeconds, maxLifetimeSeconds, publicKey } = record;
  return { name, type: kind, defaultLifetimeSeconds, maxLifetimeSeconds, ...(publicKey && { keyId: publicKey.kid }) };
}
