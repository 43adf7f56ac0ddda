/** What `fullchain trust` does. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Hex } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { describeCertificate, printable } from '../../core/x509/describe.ts';
import { formatName } from '../../core/x509/name.ts';
import { type PinnedRoot, parseFingerprint, pinRoot } from '../../core/x509/pinned-root.ts';
import { fetchRoot } from '../../edge/authority-client/authority-client.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { certificatesOf, readCertificates } from '../../edge/files/certificate-files.ts';
import { isInitialised } from '../../edge/files/state-directory.ts';
import {
  chromiumDatabase,
  findCertutil,
  installInNss,
  nssDatabases,
  requireCertutil,
  uninstallFromNss,
} from '../../edge/trust/nss-store.ts';
import { checkStoreName, type RootSelector, type StoreChange } from '../../edge/trust/store-change.ts';
import {
  findSystemStore,
  installInSystem,
  type SystemStore,
  uninstallFromSystem,
} from '../../edge/trust/system-store.ts';
import { type Context, print } from '../cli/context.ts';
import type { BundleFlags, SourceFlags, StoreFlags } from '../cli/trust.ts';

const STORES = ['system', 'nss'] as const;
type StoreKind = (typeof STORES)[number];

export async function installTrust(context: Context, flags: SourceFlags & StoreFlags): Promise<void> {
  const fingerprint = requiredFingerprint(flags);
  const wanted = chosenStores(flags, ['system']);
  const name = flags.name === undefined ? null : checkStoreName(flags.name);
  // Whatever can be missing is looked for before anything is changed.
  const { searchPath, home } = environment();
  const system = wanted.has('system') ? findSystemStore(rootDirectory(flags), searchPath, writeFileAtomically) : null;
  const certutil = wanted.has('nss') ? requireCertutil(searchPath) : null;
  const root = await pinnedRoot(context, flags, fingerprint);
  const inStores = name ?? defaultName(root);
  const changes: StoreChange[] = [];
  if (system) changes.push(installInSystem(system, root, inStores));
  if (certutil) {
    const own =
      flags.nssDirectory === undefined
        ? new Set([chromiumDatabase(home), ...nssDatabases(home)])
        : [resolve(flags.nssDirectory)];
    for (const directory of own) changes.push(installInNss(certutil, directory, root, inStores));
  }
  print(context, { ...document(changes), fingerprint }, () => [
    `${printable(describeCertificate(root.certificate))}  ${fingerprint}`,
    ...changes.map(({ what }) => `  ${what}`),
    ...(changes.some(({ changed }) => changed) ? hints(changes, system, inStores) : ['  Nothing was changed.']),
  ]);
}

export function uninstallTrust(context: Context, flags: SourceFlags & StoreFlags): void {
  if (flags.fingerprint === undefined && flags.name === undefined)
    throw new OperatorFault('usage', 'say which root, by --fingerprint or by --name');
  const selector: RootSelector = {
    fingerprint: flags.fingerprint === undefined ? null : requiredFingerprint(flags),
    name: flags.name === undefined ? null : checkStoreName(flags.name),
  };
  const { searchPath, home } = environment();
  const directories = flags.nssDirectory === undefined ? nssDatabases(home) : [resolve(flags.nssDirectory)];
  const found = findCertutil(searchPath);
  const wanted = chosenStores(flags, found && directories.length > 0 ? ['system', 'nss'] : ['system']);
  const system = wanted.has('system') ? findSystemStore(rootDirectory(flags), searchPath, writeFileAtomically) : null;
  const certutil = wanted.has('nss') ? requireCertutil(searchPath) : null;
  const changes = system ? [uninstallFromSystem(system, selector)] : [];
  if (certutil) changes.push(...directories.map((directory) => uninstallFromNss(certutil, directory, selector)));
  print(context, { ...document(changes), fingerprint: selector.fingerprint }, () => [
    ...changes.map(({ what }) => what),
    ...(changes.some(({ changed }) => changed) ? [] : ['Nothing was changed.']),
  ]);
}

export async function printBundle(context: Context, flags: BundleFlags): Promise<void> {
  const roots = await bundleRoots(context, flags);
  const pem = roots.map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join('');
  const out = flags.out === undefined ? null : resolve(flags.out);
  if (out !== null) writeFileAtomically(out, pem, 0o644);
  const list = roots.map((root) => ({
    subject: formatName(root.subject),
    fingerprint: root.fingerprint,
    notAfter: formatRfc3339(root.validity.notAfter),
    pem: pemFromDer('CERTIFICATE', root.raw),
  }));
  if (out === null && !context.json) process.stdout.write(pem);
  else
    print(context, { ok: true, roots: list, out }, () =>
      roots.map((root) => `${printable(describeCertificate(root))}  ${root.fingerprint}  written to ${out}`),
    );
}

/** With a fingerprint that root alone; without one, those of this host's state, which need no proof. */
async function bundleRoots(context: Context, flags: BundleFlags): Promise<readonly Certificate[]> {
  if (flags.fingerprint !== undefined || flags.url !== undefined || flags.root !== undefined)
    return [(await pinnedRoot(context, flags, requiredFingerprint(flags))).certificate];
  return readCertificates(stateRootFile(context));
}

/** @throws OperatorFault fingerprint-required */
function requiredFingerprint({ fingerprint }: SourceFlags): Hex {
  if (fingerprint === undefined)
    throw new OperatorFault(
      'fingerprint-required',
      'the root’s SHA-256 fingerprint is needed: what was merely fetched or found could be anybody’s root',
    );
  const parsed = parseFingerprint(fingerprint);
  if ('why' in parsed) throw new OperatorFault('fingerprint-required', parsed.why);
  return parsed.fingerprint;
}

/** @throws OperatorFault fingerprint-mismatch, trust-root-refused, authority-unreachable, input-unreadable, input-invalid */
async function pinnedRoot(context: Context, flags: SourceFlags, fingerprint: Hex): Promise<PinnedRoot> {
  if (flags.url !== undefined && flags.root !== undefined)
    throw new OperatorFault('usage', '--url and --root exclude each other');
  const { certificates, source } =
    flags.url === undefined
      ? fromFile(flags.root ?? stateRootFile(context))
      : await fetched(authorityUrl(flags.url), fingerprint);
  const candidate = certificates.find((certificate) => certificate.fingerprint === fingerprint);
  if (!candidate) {
    const seen = certificates.map((certificate) => certificate.fingerprint).join(', ');
    throw new OperatorFault('fingerprint-mismatch', `${source} has ${seen}, not the fingerprint ${fingerprint}`);
  }
  const pin = pinRoot(candidate, fingerprint);
  if (pin.kind === 'refused') throw new OperatorFault('trust-root-refused', printable(pin.why), { path: source });
  return pin.root;
}

function fromFile(path: string): { certificates: readonly Certificate[]; source: string } {
  return { certificates: readCertificates(path), source: path };
}

async function fetched(
  url: string,
  fingerprint: Hex,
): Promise<{ certificates: readonly Certificate[]; source: string }> {
  try {
    return { certificates: certificatesOf(Buffer.from(await fetchRoot(url, fingerprint)), url), source: url };
  } catch (cause) {
    // OpenSSL names the fault in many ways; all of them mean that what came is no certificate.
    if (cause instanceof OperatorFault || !(cause instanceof Error && 'code' in cause)) throw cause;
    throw new OperatorFault('fingerprint-mismatch', `${url} sent something that is no certificate`, { url }, cause);
  }
}

/** "https://ca:9000/" → "https://ca:9000". */
function authorityUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new OperatorFault('usage', `${JSON.stringify(text)} is not the https URL of an authority`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** @throws OperatorFault not-initialised */
function stateRootFile({ paths }: Context): string {
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority; else name one with --url or --root`, {
      path: paths.root,
    });
  return paths.rootCertificate;
}

/** Scratch directories stand for their store alone: nothing of the real system is touched beside them. */
function chosenStores(flags: StoreFlags, usual: readonly StoreKind[]): ReadonlySet<StoreKind> {
  const unknown = flags.store?.find((store) => !STORES.some((known) => known === store));
  if (unknown !== undefined)
    throw new OperatorFault('usage', `${JSON.stringify(unknown)} is not a store; ${STORES.join(' and ')} are`);
  if (flags.store?.length) return new Set(STORES.filter((store) => flags.store?.includes(store)));
  const scratch: StoreKind[] = [
    ...(flags.rootDirectory === undefined ? [] : (['system'] as const)),
    ...(flags.nssDirectory === undefined ? [] : (['nss'] as const)),
  ];
  return new Set(scratch.length > 0 ? scratch : usual);
}

function rootDirectory({ rootDirectory }: StoreFlags): string | null {
  return rootDirectory === undefined ? null : resolve(rootDirectory);
}

function environment(): { searchPath: string; home: string } {
  return { searchPath: process.env.PATH ?? '', home: homedir() };
}

/** "bakery-ia-internal-ca-9f3c1a22": readable, and another one for each root. */
function defaultName({ certificate }: PinnedRoot): string {
  const slug = describeCertificate(certificate)
    .replace(/^.*?CN=([^,]*).*$/s, '$1')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 48);
  return `${slug || 'root'}-${certificate.fingerprint.slice(0, 8)}`;
}

function document(changes: readonly StoreChange[]) {
  return { ok: true, stores: changes.map(({ store, changed, path }) => ({ store, changed, path })) };
}

/** Programs that bring a list of their own, or look elsewhere. */
function hints(changes: readonly StoreChange[], system: SystemStore | null, name: string): string[] {
  const anchor = changes.find(({ store }) => store === 'system')?.path;
  if (!system || anchor === undefined) return ['Running browsers see it after a restart.'];
  const sudo = process.env.SUDO_USER;
  return [
    'Programs that look elsewhere:',
    `  Node              NODE_EXTRA_CA_CERTS=${anchor}`,
    `  Python requests   REQUESTS_CA_BUNDLE=${system.bundle}`,
    `  Java              keytool -importcert -noprompt -cacerts -alias ${name} -file ${anchor}`,
    ...(changes.some(({ store }) => store === 'nss')
      ? []
      : [`  Chromium, Firefox fullchain trust install --store nss …${sudo ? `  (as ${sudo}, without sudo)` : ''}`]),
  ];
}
