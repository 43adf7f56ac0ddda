/** What bringing a member of a stack to TLS needs of the world. */

import type { Hex } from '../../core/bytes/hex.ts';
import type { LeafProfileName } from '../../core/issuance/profile.ts';
import type { Pair, ProvenPair } from '../../core/renewal/stage-pair.ts';
import type {
  Action,
  ConfigurationChange,
  Facts,
  FactsWanted,
  InstallLayout,
  ServiceProtocol,
} from '../../core/services/service-kind.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import type { GeneralName } from '../../core/x509/general-name.ts';

/** What an issuer is asked for. */
export interface WantedCertificate {
  /** By its name in the stack. */
  readonly issuer: string;
  readonly profile: LeafProfileName;
  readonly names: readonly GeneralName[];
  readonly key: KeyAlgorithm;
  readonly lifetimeSeconds: number;
  /** null: none; peers read the names. */
  readonly commonName: string | null;
}

/**
 * A new key and a certificate for it; the key exists nowhere else.
 *
 * @param previous what it replaces: an issuer may want it as proof of who asks, or to count both as one
 * @throws OperatorFault
 */
export type Obtain = (wanted: WantedCertificate, previous: Pair | null) => Promise<Pair>;

/** How a service takes up what is on disk. */
export type TakeUp = 'reload' | 'restart';

/** A version of the pair as it lies on disk. */
export interface InstalledVersion {
  readonly number: number;
  readonly chain: readonly Certificate[];
  readonly trust: readonly Certificate[];
  readonly publicKey: Uint8Array;
  /** When a handshake proved that it is served; null: installed and not (yet) served. */
  readonly confirmedAt: Instant | null;
  /** What its service is still to be told while it is not confirmed. */
  readonly takeUp: TakeUp;
}

/** An installed file that is no longer as it was put there. */
export interface Drift {
  readonly path: string;
  /** For people. */
  readonly why: string;
  /** It is a key in use, and others could read it. */
  readonly isExposed: boolean;
}

export interface Flawed {
  /** Why it cannot be used, for people. */
  readonly flaw: string;
}

/** @throws OperatorFault disk-full, file-unwritable, from whatever writes */
export interface InstallPorts {
  /** The right to change this directory, whoever runs on this host; null: another process has it. */
  readonly lock: (layout: InstallLayout) => { readonly release: () => void } | null;
  /** The version that `current` names; null when there is none; a flaw when it cannot be read. */
  readonly readCurrent: (layout: InstallLayout) => InstalledVersion | Flawed | null;
  readonly readVersion: (layout: InstallLayout, number: number) => InstalledVersion | Flawed;
  /** Numbers of all versions, newest first. */
  readonly versions: (layout: InstallLayout) => readonly number[];
  /** With its key. @throws OperatorFault input-unreadable */
  readonly readPair: (layout: InstallLayout, number: number) => Pair;
  /** Writes and syncs a version beside the others; nothing names it yet. Returns its number. */
  readonly stage: (layout: InstallLayout, pair: ProvenPair, takeUp: TakeUp) => number;
  /** `current` names the version from now on: one rename, synced. null: it names none, and the copies are gone. */
  readonly activate: (layout: InstallLayout, version: number | null) => void;
  /** Whether something of a person's own lies aside, in whose place ours is. */
  readonly hasPutAside: (layout: InstallLayout) => boolean;
  /** Owners and modes that were changed, copies and links that are not what is behind `current`. */
  readonly drift: (layout: InstallLayout) => readonly Drift[];
  /** All of that as it is to be, each by a rename. */
  readonly repair: (layout: InstallLayout) => void;
  /** Records whether a version is served; if not, what its service is to be told. */
  readonly mark: (layout: InstallLayout, version: number, served: Instant | TakeUp) => void;
  /** Takes away all versions but these. */
  readonly prune: (layout: InstallLayout, kept: readonly number[]) => void;
  /** Takes `current`, the versions and the copies away. True when there was something. */
  readonly remove: (layout: InstallLayout) => boolean;
}

export interface ConfigurationPorts {
  /** The text as it would be after the change; the present text as null when the file is missing. */
  readonly preview: (
    change: ConfigurationChange,
    member: string,
  ) => { readonly path: string; readonly before: string | null; readonly after: string | null };
  /** Writes a text atomically, keeping owner and mode of an existing file; null removes it. @throws OperatorFault disk-full, file-unwritable */
  readonly write: (path: string, text: string | null, mode: number) => void;
}

export interface HostPorts {
  readonly facts: (wanted: FactsWanted, users: readonly string[]) => Promise<Facts>;
  /** Runs an action to its end; what it printed when it fails. */
  readonly run: (action: Action) => Promise<{ readonly ok: boolean; readonly output: string }>;
  /** Every IP address of a host name, an address as itself; empty: it does not resolve. */
  readonly addresses: (host: string) => Promise<readonly string[]>;
  /** Connects as a client and returns the SHA-256 of the leaf that is served, or why there is none. */
  readonly servedFingerprint: (
    protocol: ServiceProtocol,
    address: HostPort,
    serverName: string | null,
  ) => Promise<Hex | { readonly why: string }>;
  /** False only where it is certain that nobody listens there. */
  readonly isListening: (address: HostPort) => Promise<boolean>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => Instant;
}
