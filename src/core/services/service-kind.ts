/**
 * What a kind of service is: its own keys in the stack file, which facts about the host decide, and what follows
 * from them: files, directives, how it is checked and reloaded, how a client begins. All of it is data; who reads
 * files, runs commands and connects is elsewhere.
 *
 * One kind a file. A kind never learns the host by itself: `facts` names what it needs to know, and gets it.
 */
import type { ServiceKindName, ServiceSpec } from '../stack/stack.ts';

export interface ServiceKind {
  readonly name: ServiceKindName;
  /** Its own keys in the stack file. */
  readonly settings: Readonly<Record<string, SettingShape>>;
  /** How a client begins: plain TLS, or what comes before it. */
  readonly protocol: ServiceProtocol;
  /** Where it depends on the service which of several it is; absent: `protocol`. */
  readonly protocolOf?: (service: ServiceSpec) => ServiceProtocol;
  /**
   * As whom the service reads its key, first that exists on the host; the stack file's runAs goes before. Empty where the
   * service reads it before it gives up its privileges: the owner is then who runs Fullchain.
   */
  readonly users: readonly string[];
  /** What its certificate is for: a service that shows it as a client too (replication, its own reload) is a peer. */
  readonly profile: (service: ServiceSpec) => 'server' | 'peer';
  /** What must be read before anything is decided. */
  readonly facts: (service: ServiceSpec) => FactsWanted;
  /** What of the stack file this kind can never do, whatever is on the host; null: nothing. The file's parser says it, with its place. */
  readonly impossible: (service: ServiceSpec) => Objection | null;
  /**
   * Why what is on the host, such as the version that is there, cannot do what the stack file asks, for people; null: it
   * can. Asked before `desired`, which then never does less than was asked.
   */
  readonly unsupported: (service: ServiceSpec, facts: Facts) => string | null;
  /** Everything that is to be on the host. */
  readonly desired: (service: ServiceSpec, facts: Facts, trust: Trust) => Desired;
}

export interface Objection {
  /** Of the stack file: whose value is at fault. */
  readonly key: string;
  readonly why: string;
}

export interface SettingShape {
  readonly type: 'path' | 'string' | 'port' | 'url' | 'mode';
  readonly required: boolean;
  readonly description: string;
  /** A place that no two members can have; absent: several may name it. */
  readonly isOwn?: true;
}

/** "smtps" and "imaps": TLS from the first byte (RFC 8314). */
export type ServiceProtocol = 'tls' | 'https' | 'postgres' | 'mysql' | 'redis' | 'smtp' | 'smtps' | 'imap' | 'imaps';

export interface FactsWanted {
  /** Files whose text decides (configuration that gets a marked block). Missing ones come back as null. */
  readonly files: readonly string[];
  /** A command whose output names the version, such as ["nginx", "-v"]; null where versions do not matter. */
  readonly version: readonly string[] | null;
  /** "user" or "user:group" to whom the files are to belong, in place of the kind's users; absent: these. */
  readonly owner?: string;
}

export interface Facts {
  readonly files: Readonly<Record<string, string | null>>;
  /** "1.22.1"; null when the command is missing or says nothing. */
  readonly version: string | null;
  /** Of the OpenSSL library on this host, "3.0.19": which groups and suites it knows. */
  readonly openssl: string | null;
  /** As whom the service reads its key. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** The declared owner, where this process cannot give files to it: they stay its own. */
  readonly ownerOutOfReach?: string;
}

/** What the certificate of a service is checked against by its peers. */
export interface Trust {
  /** Whether clients are verified at all, and against the bundle `ca.crt` of the installed version. */
  readonly verifyClients: boolean;
  /** PEM of the lists of every authority above them; absent: there are none, or clients are not verified. */
  readonly revocationLists?: string;
  /** Where its issuer proves names by files below /.well-known/acme-challenge/ (http-01 with a webroot); absent: it does not. */
  readonly challengeWebroot?: string;
}

/**
 * The pair lies in versioned directories, `versions/1`, `versions/2` …, and `current` is a link to one of them:
 * configuration names files below `current`, and one rename swaps everything at once.
 */
export interface InstallLayout {
  /** Holds `versions` and `current`; created if missing. */
  readonly directory: string;
  /** Files of a version. */
  readonly files: readonly InstalledFile[];
  /** Of the files; the directories belong to who runs Fullchain, and everybody may pass through them. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Fixed places that the service or the person insists on: replaced after the swap, in this order, each by rename. */
  readonly copies: readonly { readonly file: string; readonly to: string; readonly mode: number }[];
  /** Files that can also be reached as DIRECTORY/NAME: links to what is behind `current`, which never change. */
  readonly links: readonly string[];
}

export interface InstalledFile {
  /** "tls.crt", "tls.key", "ca.crt", "tls.pem". */
  readonly name: string;
  readonly content: readonly InstalledPart[];
  /** Such as 0o600. */
  readonly mode: number;
}

/** chain: leaf first, without the root. ca: the bundle of roots that this service trusts. */
export type InstalledPart = 'chain' | 'key' | 'ca';

/** A file of the service's configuration as it is to be. */
export type ConfigurationChange =
  /** A file of ours alone (a drop-in): the whole content; null removes it. */
  | {
      readonly kind: 'own-file';
      readonly path: string;
      readonly content: string | null;
      readonly mode: number;
      readonly why: string;
      /** Needs no pair, and must be in force before one is ordered: the listener that answers http-01. */
      readonly beforeIssue?: true;
      /** Not settings but data that they name: a reload takes it up, and a diff says nothing. */
      readonly isData?: true;
    }
  /** One marked block in a person's file; nothing else in it is touched. null takes the block out. */
  | {
      readonly kind: 'block';
      readonly path: string;
      readonly lines: readonly string[] | null;
      /** Where a new block goes; an existing one stays where it is. */
      readonly place: 'start' | 'end';
      /** Begins a comment line in this file: "#" or ";". */
      readonly comment: string;
      /** Of a file that is not there yet; an existing one keeps its own. */
      readonly mode: number;
      readonly why: string;
    };

/** Something to do on the host, as data. */
export type Action =
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly why: string }
  | { readonly kind: 'shell'; readonly command: string; readonly why: string }
  /** The first line of the file is the process id. */
  | {
      readonly kind: 'signal';
      readonly pidFile: string;
      readonly signal: 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2';
      readonly why: string;
    }
  /**
   * Commands over RESP, tried in TLS and in plaintext, since the port may be about to change from one to the other. A
   * plaintext server does not answer a ClientHello at all, hence `first`: what it is believed to speak now.
   */
  | {
      readonly kind: 'redis';
      readonly host: string;
      readonly ports: readonly number[];
      readonly passwordFile: string | null;
      /**
       * The layout directory of its own pair, shown when the server asks for a certificate: the version in use, then older
       * ones, since what the server takes is decided by what it was told last.
       */
      readonly pair: string;
      readonly first: 'tls' | 'plaintext';
      readonly commands: readonly (readonly string[])[];
      readonly why: string;
    };

export interface Desired {
  readonly install: InstallLayout;
  readonly configuration: readonly ConfigurationChange[];
  /** Run before anything is reloaded; a failure leaves everything as it was. */
  readonly check: Action | null;
  /** After a new pair, or a new configuration that the service takes without a restart. */
  readonly reload: Action | null;
  /** When the configuration changed in a way that only a restart brings into force; null: reload is enough. */
  readonly restart: Action | null;
  /** After everything was taken out; absent: the restart if there is one, else the reload. */
  readonly removal?: Action;
  /**
   * Shows that plaintext is refused where a client without credentials cannot see it: the action succeeds and prints this,
   * line endings at the end aside. Absent: the first words in plaintext show it.
   */
  readonly plaintextRefused?: { readonly action: Action; readonly output: string };
  /** Why clients in plaintext are served as the stack file wants it, for people; absent: they are refused. */
  readonly plaintextTaken?: string;
  /**
   * Where the directives are a person's own and what they are to say, for people; absent: the configuration above says
   * everything. "where" is a file, with the line where that is known.
   */
  readonly byHand?: { readonly where: string; readonly write: string };
  /** What a person should know before it is done. */
  readonly notes: readonly string[];
}

/** Versions as numbers, for "at least" questions. */
export function versionAtLeast(version: string | null, wanted: string): boolean {
  if (version === null) return false;
  const [a, b] = [version, wanted].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
