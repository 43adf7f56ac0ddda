/**
 * A stack: the services of a host that are to have TLS, who issues for them, and who may talk to them. This is what a
 * stack file means after parsing; nothing here can be wrong in form any more.
 */
import type { Hex } from '../bytes/hex.ts';
import type { KeyAlgorithm } from '../x509/algorithm.ts';
import type { GeneralName } from '../x509/general-name.ts';

export interface Stack {
  readonly name: string;
  /** null: the authority of this host's state directory. */
  readonly authority: AuthorityReference | null;
  /** By name; "internal" is always there. */
  readonly issuers: Readonly<Record<string, IssuerSpec>>;
  readonly services: readonly ServiceSpec[];
  readonly clients: readonly ClientSpec[];
}

/** An authority on another host. */
export interface AuthorityReference {
  readonly url: string;
  /** SHA-256 of its root. */
  readonly fingerprint: Hex;
  readonly tokenFile: string | null;
  readonly provisioner: string | null;
  readonly passwordFile: string | null;
}

export type IssuerSpec =
  | { readonly kind: 'internal' }
  | {
      readonly kind: 'acme';
      readonly directory: string;
      /** Root of a private authority. */
      readonly caFile: string | null;
      readonly contact: string | null;
      readonly challenge: AcmeChallengeSpec;
      /** Further issuers, in order. */
      readonly fallback: readonly string[];
    };

export type AcmeChallengeSpec =
  | { readonly kind: 'http-01-webroot'; readonly webroot: string }
  | { readonly kind: 'http-01-listen'; readonly listen: string }
  | { readonly kind: 'dns-01-exec'; readonly command: string }
  /** The protocol of lego's "httpreq". */
  | { readonly kind: 'dns-01-httpreq'; readonly url: string }
  | {
      readonly kind: 'dns-01-rfc2136';
      /** The authoritative server that takes updates. */
      readonly server: HostPort;
      readonly zone: string;
      /** Of the TSIG key, HMAC-SHA-256. */
      readonly keyName: string;
      readonly secretFile: string;
    };

export type TlsPolicyName = 'modern' | 'intermediate';

/** Who must show a client certificate: nobody, who wants to, everybody, or everybody and only these names. */
export type ClientPolicy =
  | { readonly kind: 'none' | 'optional' | 'required' }
  | { readonly kind: 'required-names'; readonly names: readonly string[] };

export interface HostPort {
  /** A DNS name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export const SERVICE_KINDS = [
  'nginx',
  'postgresql',
  'mysql',
  'redis',
  'caddy',
  'haproxy',
  'prometheus',
  'grafana',
  'node-exporter',
  'postfix',
  'dovecot',
  'files',
] as const;

export type ServiceKindName = (typeof SERVICE_KINDS)[number];

/** Of a key in the stack file; line and column from 1, as editors count. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ServiceSpec {
  readonly name: string;
  /** Where the stack file names it; absent: no file does. */
  readonly place?: FilePlace;
  readonly kind: ServiceKindName;
  readonly names: readonly GeneralName[];
  /** Where a client reaches it; null only for `files`, whose loop then closes at "installed". */
  readonly address: HostPort | null;
  readonly issuer: string;
  readonly lifetimeSeconds: number;
  readonly key: KeyAlgorithm;
  readonly tls: TlsPolicyName;
  readonly clients: ClientPolicy;
  /** A shell command in place of the kind's own way. */
  readonly reload: string | null;
  readonly restart: string | null;
  /** The user as whom the service reads its key; null: the kind's usual one. */
  readonly runAs: string | null;
  /** The kind's own keys, checked against its `settings`; paths are absolute. */
  readonly settings: Readonly<Record<string, string | number>>;
}

export interface ClientSpec {
  readonly name: string;
  /** As of a service. */
  readonly place?: FilePlace;
  /** Names of services. */
  readonly connects: readonly string[];
  readonly names: readonly GeneralName[];
  readonly directory: string;
  /** "user" or "user:group". */
  readonly owner: string | null;
  /** As the file's defaults say. */
  readonly lifetimeSeconds: number;
  readonly key: KeyAlgorithm;
}
