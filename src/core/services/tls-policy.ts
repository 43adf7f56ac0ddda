/**
 * What TLS a service speaks: Mozilla's server side guideline 6.0 (https://ssl-config.mozilla.org/guidelines/6.0.json),
 * its "modern" and "intermediate". "old" is left out: nothing that we configure serves such clients.
 *
 * Names are OpenSSL's; suites have their IANA name beside it, for programs that want that one.
 */
import type { TlsPolicyName } from '../stack/stack.ts';
import { versionAtLeast } from './service-kind.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsPolicy {
  /** Oldest first. */
  readonly versions: readonly TlsVersion[];
  /** Suites of TLS 1.2; none where only TLS 1.3 is spoken. */
  readonly suites12: readonly Suite12[];
  readonly suites13: readonly string[];
  /** In order of preference; ask `groupsFor` which of them a host's OpenSSL knows. */
  readonly groups: readonly TlsGroup[];
  /** The client knows better which suite is fast on its hardware; all of them are strong. */
  readonly serverPrefersItsOrder: false;
}

/** OpenSSL's name → IANA's (RFC 5289, RFC 7905). */
export const SUITES_12 = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256': 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384': 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305': 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-CHACHA20-POLY1305': 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
} as const;

export type Suite12 = keyof typeof SUITES_12;

/** OpenSSL's name → the first OpenSSL that has it, and what other programs call it. */
export const TLS_GROUPS = {
  X25519MLKEM768: { since: '3.5', caddy: 'x25519mlkem768', go: null },
  X25519: { since: '1.1.0', caddy: 'x25519', go: 'X25519' },
  prime256v1: { since: '1.0.0', caddy: 'secp256r1', go: 'CurveP256' },
  secp384r1: { since: '1.0.0', caddy: 'secp384r1', go: 'CurveP384' },
} as const satisfies Record<string, { readonly since: string; readonly caddy: string; readonly go: string | null }>;

export type TlsGroup = keyof typeof TLS_GROUPS;

const SUITES_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;
const GROUPS = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'] as const satisfies readonly TlsGroup[];

export const TLS_POLICIES = {
  modern: {
    versions: ['TLSv1.3'],
    suites12: [],
    suites13: SUITES_13,
    groups: GROUPS,
    serverPrefersItsOrder: false,
  },
  intermediate: {
    versions: ['TLSv1.2', 'TLSv1.3'],
    suites12: [
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ],
    suites13: SUITES_13,
    groups: GROUPS,
    serverPrefersItsOrder: false,
  },
} as const satisfies Record<TlsPolicyName, TlsPolicy>;

/** With the types that do not depend on which policy it is. */
export function tlsPolicy(name: TlsPolicyName): TlsPolicy {
  return TLS_POLICIES[name];
}

/** The oldest version that is spoken. */
export function oldestVersion(policy: TlsPolicy): TlsVersion {
  return policy.versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3';
}

/**
 * The groups that a host's OpenSSL knows: one unknown name and a service refuses its whole configuration. Where the
 * version is not known, only what every OpenSSL in use has.
 */
export function groupsFor(policy: TlsPolicy, openssl: string | null): readonly TlsGroup[] {
  return policy.groups.filter((group) => versionAtLeast(openssl ?? '1.1.1', TLS_GROUPS[group].since));
}
