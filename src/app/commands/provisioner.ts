/** What `fullchain provisioner` does. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { MIN_LIFETIME_SECONDS } from '../../core/issuance/certified-validity.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { newTokenKey } from '../../edge/signer/token-key.ts';
import { wallClock } from '../../edge/system/clock.ts';
import type { ProvisionerRecord } from '../../flow/ca/store-ports.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import type { AddFlags } from '../cli/provisioner.ts';
import { openRecords } from '../open-state.ts';
import { newPassword } from '../passwords.ts';

export async function listProvisioners(context: Context): Promise<void> {
  const { store, close } = openRecords(context.paths);
  const provisioners = (await store.listProvisioners()).map(documentOf);
  close();
  print(context, { provisioners }, () =>
    provisioners.map(
      (entry) =>
        `${entry.name.padEnd(16)} ${entry.type.padEnd(5)} default ${formatDuration(entry.defaultLifetimeSeconds)}, at most ${formatDuration(entry.maxLifetimeSeconds)}`,
    ),
  );
}

export async function addProvisioner(context: Context, name: string, flags: AddFlags): Promise<void> {
  const record = await newRecord(context.paths.provisionerPassword, name, flags);
  const { store, close } = openRecords(context.paths);
  const added = await store.insertProvisioner(record);
  close();
  if (!added) throw new OperatorFault('provisioner-exists', `there is a provisioner named ${name} already`);
  print(context, { ok: true, provisioner: documentOf(record) }, () => [
    `The provisioner ${name} was added${record.kind === 'acme' ? `: its directory is /acme/${name}/directory` : ''}.`,
  ]);
}

export async function removeProvisioner(context: Context, name: string): Promise<void> {
  const { store, close } = openRecords(context.paths);
  const removed = await store.removeProvisioner(name);
  close();
  if (!removed) throw new OperatorFault('provisioner-unknown', `there is no provisioner named ${name}`);
  print(context, { ok: true }, () => [`The provisioner ${name} was removed.`]);
}

async function newRecord(generatedPassword: string, name: string, flags: AddFlags): Promise<ProvisionerRecord> {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name))
    throw new OperatorFault(
      'usage',
      `${JSON.stringify(name)} is not a name for a provisioner: letters, digits, ".", "_" and "-"`,
    );
  if (flags.type !== 'acme' && flags.type !== 'jwk')
    throw new OperatorFault('usage', `${JSON.stringify(flags.type)} is not a type of provisioner; acme and jwk are`);
  if (flags.defaultLifetime < MIN_LIFETIME_SECONDS) {
    throw new OperatorFault('usage', `no certificate lives shorter than ${formatDuration(MIN_LIFETIME_SECONDS)}`);
  }
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
  const { password } = await newPassword(
    {
      ...passwordSource(flags.passwordFile, 'FULLCHAIN_PROVISIONER_PASSWORD'),
      generated: generatedPassword,
    },
    'the token key',
  );
  return { ...limits, ...(await newTokenKey(password)) };
}

function documentOf(record: ProvisionerRecord) {
  const { name, kind, defaultLifetimeSeconds, maxLifetimeSeconds, publicKey } = record;
  return { name, type: kind, defaultLifetimeSeconds, maxLifetimeSeconds, ...(publicKey && { keyId: publicKey.kid }) };
}
