/** `fullchain ca`: the authority's own life. */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { contains, remainingSeconds } from '../../core/time/validity-period.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { formatName } from '../../core/x509/name.ts';
import { describeKey } from '../../core/x509/public-key.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { isInitialised, type StatePaths } from '../../edge/files/state-directory.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { readConfig } from '../config.ts';
import { initialise } from '../programs/initialise.ts';
import { contextOf, print } from './context.ts';
import { addInitialiseOptions, type InitialiseFlags, initialiseOptions } from './initialise-options.ts';

export function addCaCommands(program: Command): void {
  const ca = program.command('ca').description('The authority’s own life: make it, look at it, hand out its root');

  addInitialiseOptions(ca.command('init').description('Make root and intermediate in an empty state directory'))
    .addHelpText(
      'after',
      `
Examples:
  fullchain ca init --name "kldload Internal CA" --dns ca.internal,10.0.0.5
  fullchain ca init --root-algorithm rsa-4096 --root-lifetime 10y --root-common-name "Bakery IA Internal CA"
  fullchain ca init --root-only-offline /mnt/usb/ca     the root key never touches this disk`,
    )
    .action(async (flags: InitialiseFlags, self: Command) => {
      const context = contextOf(self);
      const made = await initialise(context.paths, initialiseOptions(flags));
      print(
        context,
        {
          ok: true,
          state: context.paths.root,
          rootFingerprint: made.rootFingerprint,
          rootCertificate: context.paths.rootCertificate,
          generated: made.generated,
        },
        () => [
          `The authority was made in ${context.paths.root}.`,
          `  root fingerprint  ${made.rootFingerprint}`,
          `  root certificate  ${context.paths.rootCertificate}`,
          ...made.generated.map(({ what, file }) => `  ${what}: ${file} (generated, mode 0600; keep a copy elsewhere)`),
          ...(flags.rootOnlyOffline
            ? [`  root key          ${flags.rootOnlyOffline}/root_ca_key, and nowhere else`]
            : [
                '  The root key is needed only to make intermediates: move it off this host (--root-only-offline does from the start).',
              ]),
          `Start it: fullchain up --state ${context.paths.root}`,
        ],
      );
    });

  ca.command('status')
    .description('Root, intermediate, their dates, and where the authority listens')
    .action((_flags: unknown, self: Command) => {
      const context = contextOf(self);
      const { root, intermediate } = authorityCertificates(context.paths);
      const config = readConfig(context.paths.config);
      const running = readReady(context.paths);
      const document = {
        name: config.name,
        state: context.paths.root,
        rootFingerprint: root.fingerprint,
        running,
        certificates: [summary('root', root), summary('intermediate', intermediate)],
      };
      print(context, document, () => [
        `${config.name}  ${running ? `running at ${running.url} (pid ${running.pid})` : 'not running'}`,
        `  root fingerprint  ${root.fingerprint}`,
        ...document.certificates.map(
          (entry) =>
            `  ${entry.role.padEnd(12)}  ${entry.subject}  ${entry.key}  until ${entry.notAfter} (${entry.remaining})`,
        ),
      ]);
    });

  ca.command('list')
    .description('The authority’s certificates')
    .action((_flags: unknown, self: Command) => {
      const context = contextOf(self);
      const { root, intermediate } = authorityCertificates(context.paths);
      const certificates = [summary('root', root), summary('intermediate', intermediate)];
      print(context, { certificates }, () =>
        certificates.map((entry) => `${entry.role.padEnd(12)}  ${entry.subject}  ${entry.fingerprint}`),
      );
    });

  ca.command('export')
    .description('A certificate of the authority as PEM on standard output')
    .argument('<what>', 'root')
    .action((what: string, _flags: unknown, self: Command) => {
      if (what !== 'root') throw new OperatorFault('usage', `${JSON.stringify(what)} cannot be exported; root can`);
      const { paths } = contextOf(self);
      authorityCertificates(paths);
      process.stdout.write(readFileSync(paths.rootCertificate, 'utf8'));
    });
}

export function authorityCertificates(paths: StatePaths): {
  readonly root: Certificate;
  readonly intermediate: Certificate;
} {
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority`, { path: paths.root });
  const [root] = readCertificates(paths.rootCertificate);
  const [intermediate] = readCertificates(paths.intermediateCertificate);
  if (!root || !intermediate)
    throw new OperatorFault('state-incomplete', 'a certificate of the authority is missing', { path: paths.root });
  return { root, intermediate };
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

/** What the running authority wrote when it was ready; null when its process is gone. */
export function readReady(paths: StatePaths): { readonly url: string; readonly pid: number } | null {
  try {
    const { url, pid } = JSON.parse(readFileSync(paths.ready, 'utf8')) as { url: string; pid: number };
    process.kill(pid, 0);
    return { url, pid };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT' || code === 'ESRCH' || cause instanceof SyntaxError) return null;
    throw cause;
  }
}
