/** What `fullchain ca` does. */
import { readFileSync } from 'node:fs';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { contains, remainingSeconds } from '../../core/time/validity-period.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import { describeKey } from '../../core/x509/public-key.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { authorityCertificates, readReady } from '../authority-files.ts';
import { type Context, print } from '../cli/context.ts';
import type { InitialiseFlags } from '../cli/initialise-flags.ts';
import { readConfig } from '../config.ts';
import { initialise } from '../programs/initialise.ts';
import { initialiseOptions } from './initialise-options.ts';

export async function initialiseAuthority(context: Context, flags: InitialiseFlags): Promise<void> {
  const made = await initialise(context.paths, initialiseOptions(flags));
  const document = {
    ok: true,
    state: context.paths.root,
    rootFingerprint: made.rootFingerprint,
    rootCertificate: context.paths.rootCertificate,
    generated: made.generated,
  };
  print(context, document, () => [
    `The authority was made in ${context.paths.root}.`,
    `  root fingerprint  ${made.rootFingerprint}`,
    `  root certificate  ${context.paths.rootCertificate}`,
    ...made.generated.map(({ what, file }) => `  ${what}: ${file} (generated, mode 0600; keep a copy elsewhere)`),
    flags.rootOnlyOffline
      ? `  root key          ${flags.rootOnlyOffline}/root_ca_key, and nowhere else`
      : '  The root key is needed only to make intermediates: move it off this host (--root-only-offline does from the start).',
    `Start it: fullchain up --state ${context.paths.root}`,
  ]);
}

export function showStatus(context: Context): void {
  const { root, intermediate } = authorityCertificates(context.paths);
  const config = readConfig(context.paths.config);
  const running = readReady(context.paths);
  const certificates = [summary('root', root), summary('intermediate', intermediate)];
  print(
    context,
    { name: config.name, state: context.paths.root, rootFingerprint: root.fingerprint, running, certificates },
    () => [
      `${config.name}  ${running ? `running at ${running.url} (pid ${running.pid})` : 'not running'}`,
      `  root fingerprint  ${root.fingerprint}`,
      ...certificates.map(
        (entry) =>
          `  ${entry.role.padEnd(12)}  ${entry.subject}  ${entry.key}  until ${entry.notAfter} (${entry.remaining})`,
      ),
    ],
  );
}

export function listAuthorities(context: Context): void {
  const { root, intermediate } = authorityCertificates(context.paths);
  const certificates = [summary('root', root), summary('intermediate', intermediate)];
  print(context, { certificates }, () =>
    certificates.map((entry) => `${entry.role.padEnd(12)}  ${entry.subject}  ${entry.fingerprint}`),
  );
}

export function exportCertificate(context: Context, what: string): void {
  if (what !== 'root') throw new OperatorFault('usage', `${JSON.stringify(what)} cannot be exported; root can`);
  authorityCertificates(context.paths);
  process.stdout.write(readFileSync(context.paths.rootCertificate, 'utf8'));
}

function summary(role: string, certificate: Certificate) {
  const now = wallClock();
  const remaining = remainingSeconds(certificate.validity, now);
  return {
    role,
    subject: formatName(certificate.subject),
    key: describeKey(certificate.publicKey),
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    notBefore: formatRfc3339(certificate.validity.notBefore),
    notAfter: formatRfc3339(certificate.validity.notAfter),
    remaining: contains(certificate.validity, now) ? `${formatDuration(remaining)} left` : 'not valid now',
  };
}
