/** What `fullchain ca` does. */
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { authorityCertificates } from '../authority-files.ts';
import { type Context, print } from '../cli/context.ts';
import type { InitialiseFlags } from '../cli/initialise-flags.ts';
import { initialise } from '../programs/initialise.ts';
import { trustedRoots } from '../trusted-roots.ts';
import { authorityRows } from './ca-status.ts';
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

export function listAuthorities(context: Context): void {
  const certificates = authorityRows(context.paths);
  print(context, { certificates }, () =>
    certificates.map((entry) => `${entry.role.padEnd(22)}  ${entry.subject}  ${entry.fingerprint}`),
  );
}

/** The active root, every root that is trusted now, or what issues. */
export function exportCertificate(context: Context, what: string): void {
  const { root, intermediate } = authorityCertificates(context.paths);
  const exported: Readonly<Record<string, () => readonly Certificate[]>> = {
    root: () => [root],
    roots: () => trustedRoots(context.paths).bundle,
    intermediate: () => [intermediate],
  };
  const certificates = Object.hasOwn(exported, what) ? exported[what]?.() : undefined;
  if (!certificates)
    throw new OperatorFault(
      'usage',
      `${JSON.stringify(what)} cannot be exported; ${Object.keys(exported).join(', ')} can`,
    );
  process.stdout.write(certificates.map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join(''));
}
