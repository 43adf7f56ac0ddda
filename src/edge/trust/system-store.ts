/**
 * The system's trust store: a directory of anchors, and a tool that makes the bundle and the links of it that
 * programs read. The bundle is looked at afterwards: an anchor that is not in it is not trusted, whatever the tool
 * said. Every step can be repeated, and a failed one is taken back.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Hex } from '../../core/bytes/hex.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { PinnedRoot } from '../../core/x509/pinned-root.ts';
import { requireTool, runTool, type Tool } from './run-tool.ts';
import { fingerprintsIn, type RootSelector, type StoreChange, storeFault } from './store-change.ts';

interface Family {
  /** Where an administrator puts anchors; its existence is how the family is recognised. */
  readonly anchors: string;
  readonly extension: '.crt' | '.pem';
  /** What most programs read. */
  readonly bundle: string;
  readonly tool: Tool;
  readonly args: readonly string[];
}

const DEBIAN: Family = {
  anchors: '/usr/local/share/ca-certificates',
  extension: '.crt',
  bundle: '/etc/ssl/certs/ca-certificates.crt',
  tool: { name: 'update-ca-certificates', package: 'ca-certificates' },
  args: [],
};

const FAMILIES: readonly Family[] = [
  // RHEL, Fedora
  {
    anchors: '/etc/pki/ca-trust/source/anchors',
    extension: '.pem',
    bundle: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    tool: { name: 'update-ca-trust', package: 'ca-certificates' },
    args: ['extract'],
  },
  // Debian, Ubuntu, Alpine
  DEBIAN,
  // Arch
  {
    anchors: '/etc/ca-certificates/trust-source/anchors',
    extension: '.crt',
    bundle: '/etc/ca-certificates/extracted/tls-ca-bundle.pem',
    tool: { name: 'update-ca-trust', package: 'ca-certificates-utils' },
    args: [],
  },
  // SUSE
  {
    anchors: '/etc/pki/trust/anchors',
    extension: '.pem',
    bundle: '/var/lib/ca-certificates/ca-bundle.pem',
    tool: { name: 'update-ca-certificates', package: 'ca-certificates' },
    args: [],
  },
];

/** Replaces a file or creates it: either the old or the new content is there, whatever happens in between. */
export type WriteFileAtomically = (path: string, content: string | Uint8Array, mode: number) => void;

export interface SystemStore {
  readonly family: Family;
  /** "" on the system itself. */
  readonly prefix: string;
  readonly anchors: string;
  readonly bundle: string;
  /** Path of the tool; null when it cannot work below a prefix. */
  readonly tool: string | null;
  readonly writeFile: WriteFileAtomically;
}

/**
 * The store of this system, or, with a prefix, one of the same kind below it.
 *
 * @throws OperatorFault trust-store-unsupported, tool-missing
 */
export function findSystemStore(
  prefix: string | null,
  searchPath: string,
  writeFile: WriteFileAtomically,
): SystemStore {
  const root = prefix ?? '';
  const family =
    FAMILIES.find(({ anchors }) => existsSync(join(root, '/', anchors))) ??
    (prefix === null ? undefined : (FAMILIES.find(({ anchors }) => existsSync(anchors)) ?? DEBIAN));
  if (!family) {
    const looked = FAMILIES.map(({ anchors }) => anchors).join(', ');
    throw new OperatorFault(
      'trust-store-unsupported',
      `none of ${looked} exists (the package ca-certificates brings it)`,
    );
  }
  const tool = prefix !== null && family !== DEBIAN ? null : requireTool(family.tool, searchPath);
  return {
    family,
    prefix: root,
    anchors: join(root, '/', family.anchors),
    bundle: join(root, '/', family.bundle),
    tool,
    writeFile,
  };
}

/** @throws OperatorFault trust-name-taken, trust-store-failed */
export function installInSystem(store: SystemStore, { certificate }: PinnedRoot, name: string): StoreChange {
  const { fingerprint, raw } = certificate;
  const existing = anchorFiles(store).find(({ fingerprints }) => fingerprints.includes(fingerprint));
  const path = existing?.path ?? join(store.anchors, `${name}${store.family.extension}`);
  if (existing && bundleHas(store, fingerprint) !== false)
    return { store: 'system', changed: false, path, what: `already in the system store: ${path}` };
  if (!existing && existsSync(path))
    throw new OperatorFault('trust-name-taken', `${path} holds another certificate`, { name });
  try {
    mkdirSync(store.anchors, { recursive: true });
    if (!existing) store.writeFile(path, pemFromDer('CERTIFICATE', raw), 0o644);
  } catch (cause) {
    throw storeFault(cause, path);
  }
  try {
    refresh(store, null);
    if (bundleHas(store, fingerprint) === false)
      throw new OperatorFault('trust-store-failed', `${store.family.tool.name} left the root out of ${store.bundle}`);
  } catch (fault) {
    if (!existing) unlinkSync(path);
    throw fault;
  }
  return { store: 'system', changed: true, path, what: `added to the system store: ${path}${byHand(store)}` };
}

/** @throws OperatorFault trust-store-failed */
export function uninstallFromSystem(store: SystemStore, selector: RootSelector): StoreChange {
  const found = anchorFiles(store).find((file) => isSelected(store, file, selector));
  const { fingerprint } = selector;
  // Without its file but in the bundle: a removal was cut short, or the distribution ships it.
  const isLeftOver = !found && fingerprint !== null && bundleHas(store, fingerprint) === true;
  if (!found && !isLeftOver)
    return { store: 'system', changed: false, path: store.anchors, what: `not in the system store: ${store.anchors}` };
  if (found && found.fingerprints.length > 1)
    throw new OperatorFault(
      'trust-store-failed',
      `${found.path} holds ${found.fingerprints.length} certificates, so it was not installed by this command; remove it by hand`,
    );
  const content = found ? readFileSync(found.path) : null;
  try {
    if (found) unlinkSync(found.path);
  } catch (cause) {
    throw storeFault(cause, found?.path ?? store.anchors);
  }
  try {
    forgetSoleBundle(store, found?.fingerprints[0] ?? fingerprint);
    refresh(store, found?.path ?? null);
  } catch (fault) {
    // As it was: the next try finds it again.
    if (found && content) store.writeFile(found.path, content, 0o644);
    throw fault;
  }
  const removed = found?.fingerprints[0] ?? fingerprint;
  const isStillThere = removed !== null && bundleHas(store, removed) === true;
  const path = found?.path ?? store.bundle;
  if (isStillThere && !found)
    return { store: 'system', changed: false, path, what: `comes with the system itself, and was left there: ${path}` };
  const note = isStillThere ? '; the system itself ships this root too, so it is still trusted' : byHand(store);
  return { store: 'system', changed: true, path, what: `removed from the system store: ${path}${note}` };
}

interface AnchorFile {
  readonly path: string;
  readonly fingerprints: readonly Hex[];
}

function anchorFiles({ anchors, family }: SystemStore): AnchorFile[] {
  if (!existsSync(anchors)) return [];
  return readdirSync(anchors, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(family.extension) && !entry.name.startsWith('.'))
    .map(({ name }) => {
      const path = join(anchors, name);
      return { path, fingerprints: fingerprintsIn(readFileSync(path, 'latin1')) };
    });
}

function isSelected({ family }: SystemStore, { path, fingerprints }: AnchorFile, selector: RootSelector): boolean {
  return (
    (selector.name === null || basename(path) === `${selector.name}${family.extension}`) &&
    (selector.fingerprint === null || fingerprints.includes(selector.fingerprint))
  );
}

/** Whether programs see it; null below a prefix whose bundle is not made here. */
function bundleHas({ bundle, tool }: SystemStore, fingerprint: Hex): boolean | null {
  if (tool === null) return null;
  return existsSync(bundle) && fingerprintsIn(readFileSync(bundle, 'latin1')).includes(fingerprint);
}

/** Debian's tool writes no bundle when no anchor is left, and so would leave the old one. */
function forgetSoleBundle({ bundle, tool }: SystemStore, fingerprint: Hex | null): void {
  if (tool === null || !existsSync(bundle)) return;
  const [only, ...others] = fingerprintsIn(readFileSync(bundle, 'latin1'));
  if (only === fingerprint && others.length === 0) unlinkSync(bundle);
}

function byHand({ tool, family }: SystemStore): string {
  return tool === null ? `; run ${[family.tool.name, ...family.args].join(' ')} inside it` : '';
}

/** Makes bundle and links anew. `removed` is the anchor that has gone since the last time. */
function refresh(store: SystemStore, removed: string | null): void {
  const { tool, family, prefix } = store;
  if (tool === null) return;
  if (family !== DEBIAN || !readFileSync(tool, 'latin1').includes('--certsconf')) {
    runTool(tool, family.args);
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'fullchain-trust-'));
  try {
    runTool(tool, [...prefixArgs(prefix), '--certsconf', configuration(prefix, scratch, removed)]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  const link = removed && join(dirname(store.bundle), `${linkName(removed)}.pem`);
  if (link && lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new OperatorFault('trust-store-failed', `${tool} left the link ${link} behind`);
}

/**
 * Debian's tool forgets an anchor whose file has gone (its link stays, and the hooks, such as that of the Java store,
 * hear nothing), unless its configuration says "!": so it is given its own configuration with one such line more.
 */
function configuration(prefix: string, scratch: string, removed: string | null): string {
  const own = join(prefix, '/etc/ca-certificates.conf');
  if (removed === null && existsSync(own)) return own;
  const path = join(scratch, 'ca-certificates.conf');
  const lines = existsSync(own) ? readFileSync(own, 'utf8') : '# no certificates of the distribution\n';
  writeFileSync(path, removed === null ? lines : `${lines.replace(/\n?$/, '\n')}!${linkName(removed)}.crt\n`);
  return path;
}

/** As update-ca-certificates makes it. */
function linkName(anchor: string): string {
  return basename(anchor, '.crt').replace(/[ ,]/g, '_').replace(/[()]/g, '=');
}

function prefixArgs(prefix: string): string[] {
  if (prefix === '') return [];
  const below = (path: string): string => {
    const directory = join(prefix, path);
    mkdirSync(directory, { recursive: true });
    return directory;
  };
  return [
    ...['--certsdir', below('/usr/share/ca-certificates')],
    ...['--localcertsdir', below('/usr/local/share/ca-certificates')],
    ...['--etccertsdir', below('/etc/ssl/certs')],
    ...['--hooksdir', below('/etc/ca-certificates/update.d')],
  ];
}
