/** What bringing a service to TLS needs of the world. */

import type { Hex } from '../../core/bytes/hex.ts';
import type { Pair, ProvenPair } from '../../core/renewal/stage-pair.ts';
import type {
  Action,
  ConfigurationChange,
  Facts,
  FactsWanted,
  InstallLayout,
  ServiceProtocol,
} from '../../core/services/service-kind.ts';
import type { HostPort, ServiceSpec } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';

/** A new key and a certificate for it from the service's issuer; the key exists nowhere else. @throws OperatorFault */
export type Obtain = (service: ServiceSpec) => Promise<Pair>;

/** A version of the pair as it lies on disk. */
export interface InstalledVersion {
  readonly number: number;
  readonly chain: readonly Certificate[];
  readonly trust: readonly Certificate[];
  readonly publicKey: Uint8Array;
  /** When a handshake proved that it is served; null: installed and not (yet) served. */
  readonly confirmedAt: Instant | null;
}

export interface InstallPorts {
  /** The version that `current` names; null when there is none; a flaw when it cannot be read. */
  readonly readCurrent: (layout: InstallLayout) => InstalledVersion | { readonly flaw: string } | null;
  /** Writes and syncs a version beside the others; nothing names it yet. Returns its number. */
  readonly stage: (layout: InstallLayout, pair: ProvenPair) => number;
  /** `current` names the version from now on: one rename, synced. */
  readonly activate: (layout: InstallLayout, version: number) => void;
  /** Records that a version is served, and removes all but the last five. */
  readonly confirm: (layout: InstallLayout, version: number, at: Instant) => void;
  /** Takes `current`, the versions and the copies away. */
  readonly remove: (layout: InstallLayout) => void;
}

export interface ConfigurationPorts {
  /** The text as it would be after the change; the present text as null when the file is missing. */
  readonly preview: (
    change: ConfigurationChange,
    service: string,
  ) => { readonly path: string; readonly before: string | null; readonly after: string | null };
  /** Writes a text atomically, keeping owner and mode of an existing file; null removes it. */
  readonly write: (path: string, text: string | null, mode: number) => void;
}

export interface HostPorts {
  readonly facts: (wanted: FactsWanted, users: readonly string[]) => Promise<Facts>;
  /** Runs an action to its end; what it printed when it fails. */
  readonly run: (action: Action) => Promise<{ readonly ok: boolean; readonly output: string }>;
  /** Connects as a client and returns the SHA-256 of the leaf that is served, or why there is none. */
  readonly servedFingerprint: (
    protocol: ServiceProtocol,
    address: HostPort,
    serverName: string | null,
  ) => Promise<Hex | { readonly why: string }>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => Instant;
}
