/**
 * Where the pair of a service lies: beside its configuration, so that whoever reads the one can reach the other, also in
 * a container or a chroot; or where `directory` says. Configuration names files below `current`, which never change.
 */
import type { ServiceSpec } from '../stack/stack.ts';
import type { Facts, InstallLayout, SettingShape } from './service-kind.ts';
import { setting } from './setting.ts';

export const DIRECTORY_SETTING = {
  type: 'path',
  isOwn: true,
  required: false,
  description: 'Where certificate and key are kept; else fullchain-NAME beside the configuration.',
} as const satisfies SettingShape;

export interface PairLayout extends InstallLayout {
  /** As configuration names them. */
  readonly paths: PairPaths;
}

export interface PairPaths {
  /** Leaf first, then intermediates. */
  readonly certificate: string;
  readonly key: string;
  /** The roots by which this service verifies its peers. */
  readonly ca: string;
  /** Revocation lists of the authorities above clients: not a part of the versions, since it changes without them. */
  readonly revocationLists: string;
  /** Key and chain in one file, for services that want it so: it can never be a mixed pair. */
  readonly combined: string;
}

/** In every version. */
export const CHAIN_FILE = 'tls.crt';
export const KEY_FILE = 'tls.key';

/** Some programs look for the key first, some for the leaf. */
export type CombinedOrder = 'key-first' | 'chain-first';

/** @param beside the file or directory of the service's configuration */
export function pairLayout(
  service: ServiceSpec,
  { uid, gid }: Facts,
  beside: string,
  combined: CombinedOrder | null = null,
): PairLayout {
  const directory = pairDirectory(service, beside);
  const current = `${directory}/current`;
  return {
    directory,
    files: [
      { name: CHAIN_FILE, content: ['chain'], mode: 0o644 },
      { name: KEY_FILE, content: ['key'], mode: 0o600 },
      { name: 'ca.crt', content: ['ca'], mode: 0o644 },
      ...(combined === null ? [] : [combinedFile(combined)]),
    ],
    owner: { uid, gid },
    copies: [],
    links: [],
    paths: {
      certificate: `${current}/${CHAIN_FILE}`,
      key: `${current}/${KEY_FILE}`,
      ca: `${current}/ca.crt`,
      revocationLists: `${directory}/crl.pem`,
      combined: `${current}/tls.pem`,
    },
  };
}

function combinedFile(order: CombinedOrder): InstallLayout['files'][number] {
  return { name: 'tls.pem', content: order === 'key-first' ? ['key', 'chain'] : ['chain', 'key'], mode: 0o600 };
}

export function pairDirectory(service: ServiceSpec, beside: string): string {
  return setting(service, 'directory') ?? `${parentDirectory(beside)}/fullchain-${service.name}`;
}

/** Of an absolute path; "/" has none, and is its own. */
export function parentDirectory(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(0, Math.max(0, trimmed.lastIndexOf('/')));
}
