/** What `fullchain token` does. */
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isLeafProfile } from '../../core/issuance/profile.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import { parseSerialNumber } from '../../core/x509/serial-number.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { openTokenKey, signToken, WrongTokenPassword } from '../../edge/signer/token-key.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { authorityCertificates, readReady } from '../authority-files.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import type { TokenFlags } from '../cli/token.ts';
import { readConfig } from '../config.ts';
import { openRecords } from '../open-state.ts';
import { findPassword } from '../passwords.ts';

export async function printToken(context: Context, names: readonly string[], flags: TokenFlags): Promise<void> {
  const token = await makeToken(context.paths, [...names, ...(flags.san ?? [])], flags);
  print(context, { token }, () => [token]);
}

async function makeToken(paths: StatePaths, names: readonly string[], flags: TokenFlags): Promise<string> {
  if (!isLeafProfile(flags.profile))
    throw new OperatorFault('usage', `${JSON.stringify(flags.profile)} is not a profile; server, client and peer are`);
  for (const name of names) {
    const known = flags.revoke ? parseSerialNumber(name) : generalNameFromText(name);
    if (known === null)
      throw new OperatorFault(
        'usage',
        `${JSON.stringify(name)} is not a ${flags.revoke ? 'serial number' : 'name that can be certified'}`,
      );
  }
  if (flags.lifetime > 3600) throw new OperatorFault('usage', 'a token lives at most an hour');
  const { root } = authorityCertificates(paths);
  const { store, close } = openRecords(paths);
  const provisioner = await store.loadProvisioner(flags.provisioner);
  close();
  if (!provisioner?.encryptedKey)
    throw new OperatorFault('provisioner-unknown', `no provisioner named ${flags.provisioner} has a token key`);
  const password = await findPassword(
    {
      ...passwordSource(flags.passwordFile, 'FULLCHAIN_PROVISIONER_PASSWORD'),
      generated: paths.provisionerPassword,
    },
    'the token key',
  );
  if (password === null)
    throw new OperatorFault('password-missing', 'the token key is encrypted and no password was given');
  const key = await openTokenKey(provisioner.encryptedKey, password).catch((cause: unknown) => {
    if (cause instanceof WrongTokenPassword)
      throw new OperatorFault(
        'password-wrong',
        `the password does not open the token key of ${provisioner.name}`,
        { path: paths.provisionerPassword },
        cause,
      );
    throw cause;
  });
  const base = (flags.url ?? readReady(paths)?.url ?? defaultUrl(paths)).replace(/\/+$/, '');
  return signToken(key, {
    provisioner: provisioner.name,
    audience: `${base}/1.0/${flags.revoke ? 'revoke' : 'sign'}`,
    subject: names[0] ?? '',
    names: flags.revoke ? [] : names,
    rootFingerprint: root.fingerprint,
    profile: flags.profile,
    issuedAt: wallClock(),
    lifetimeSeconds: flags.lifetime,
  });
}

function defaultUrl(paths: StatePaths): string {
  const { dnsNames, listen } = readConfig(paths.config);
  return `https://${dnsNames[0] ?? 'localhost'}:${listen.split(':').at(-1)}`;
}
