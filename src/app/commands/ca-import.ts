/** What `fullchain ca import` does and says. */
import { resolve } from 'node:path';
import { formatRfc3339 } from '../../core/time/instant.ts';
import { formatGeneralName } from '../../core/x509/general-name.ts';
import { formatName } from '../../core/x509/name.ts';
import { describeKey } from '../../core/x509/public-key.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import type { ImportFlags } from '../cli/ca-import.ts';
import { type Context, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import { STANDARD_FLAGS } from '../cli/initialise-flags.ts';
import { readPasswordFile } from '../passwords.ts';
import { type Imported, importAuthority } from '../programs/import-authority.ts';
import { initialiseOptions } from './initialise-options.ts';

interface Flag {
  readonly id: 'key-in-tree' | 'key-permissions';
  readonly severity: 'error' | 'warning';
  readonly where: { readonly file: string };
  readonly what: string;
  readonly remedy: { readonly text: string; readonly command: string };
}

export async function importCommand(context: Context, tree: string, flags: ImportFlags): Promise<void> {
  const options = initialiseOptions({ ...STANDARD_FLAGS, ...flags, name: flags.name ?? STANDARD_FLAGS.name });
  const imported = await importAuthority(context.paths, {
    ...options,
    tree: resolve(tree),
    keyPassword: flags.keyPasswordFile === undefined ? null : readPasswordFile(flags.keyPasswordFile),
    rootFingerprint: flags.rootFingerprint?.replaceAll(':', '').toLowerCase() ?? null,
    name: flags.name ?? null,
    intermediate: {
      lifetimeSeconds: options.plan.intermediate.lifetimeSeconds,
      commonName: flags.intermediateCommonName ?? null,
    },
  });
  const { root, intermediate, intermediateTaken, issued, generated } = imported;
  const findings = flagsOf(imported);
  const inventory = issued.map(({ certificate, files }) => ({
    subject: formatName(certificate.subject),
    names: subjectAltNames(certificate).map(formatGeneralName),
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    key: describeKey(certificate.publicKey),
    notAfter: formatRfc3339(certificate.validity.notAfter),
    files,
  }));
  const document = {
    ok: true,
    state: context.paths.root,
    root: {
      subject: formatName(root.subject),
      fingerprint: root.fingerprint,
      notAfter: formatRfc3339(root.validity.notAfter),
    },
    intermediate: {
      subject: formatName(intermediate.subject),
      fingerprint: intermediate.fingerprint,
      notAfter: formatRfc3339(intermediate.validity.notAfter),
      taken: intermediateTaken,
    },
    issued: inventory,
    generated,
    findings,
  };
  print(context, document, () => [
    `The authority was taken over into ${context.paths.root}; nothing in ${resolve(tree)} was changed.`,
    `  root          ${document.root.subject}, until ${document.root.notAfter}`,
    `                ${root.fingerprint}: whoever trusts it now goes on as before`,
    `  issues now    ${document.intermediate.subject}, until ${document.intermediate.notAfter}${intermediateTaken ? ', as before' : ', made for it'}`,
    ...generated.map(({ what, file }) => `  ${what}: ${file} (generated, mode 0600; keep a copy elsewhere)`),
    `It has issued ${inventory.length} certificates that are here:`,
    ...inventory.map(
      ({ notAfter, names, subject, files }) => `  ${notAfter}  ${names.join(', ') || subject}  ${files.join(', ')}`,
    ),
    ...findings.flatMap(({ severity, what, remedy }) => [
      `${paint(severity === 'error' ? 'red' : 'yellow', `${severity}:`, process.stdout)} ${what}`,
      `  next: ${remedy.text} ${remedy.command}`,
    ]),
    `Next: fullchain ca status --state ${context.paths.root}`,
  ]);
}

function flagsOf({ authorityKeys, exposedKeys }: Imported): readonly Flag[] {
  return [
    ...authorityKeys.map(
      ({ path, encrypted, mode }): Flag => ({
        id: 'key-in-tree',
        severity: encrypted ? 'warning' : 'error',
        where: { file: path },
        what: `${path} is the private key of the authority, ${encrypted ? 'encrypted' : 'unencrypted'}, mode ${octal(mode)}: whoever copies this tree can issue certificates`,
        remedy: {
          text: 'It is in the state now, encrypted. When a backup of the state is made, destroy this one, also in version control and backups:',
          command: `shred -u ${path}`,
        },
      }),
    ),
    ...exposedKeys.map(
      ({ path, mode }): Flag => ({
        id: 'key-permissions',
        severity: 'error',
        where: { file: path },
        what: `${path} is a private key that others may read, mode ${octal(mode)}`,
        remedy: { text: 'Close it, and give the service a new key:', command: `chmod 600 ${path}` },
      }),
    ),
  ];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
