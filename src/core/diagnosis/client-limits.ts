/** What a client takes: versions, suites and groups that a failed negotiation is explained for. */
import { SUITES_12 as SUITES_BY_OPENSSL_NAME, tlsPolicy } from '../services/tls-policy.ts';
import { SUITES_12, suiteByName } from '../tls/cipher-suites.ts';
import { ALL_GROUPS, groupName } from '../tls/named-groups.ts';
import { PROTOCOL_VERSIONS, type ProtocolVersion } from '../tls/protocol-version.ts';

export interface ClientLimits {
  /** Oldest first. */
  readonly versions: readonly ProtocolVersion[];
  /** Codes. */
  readonly suites: readonly number[];
  /** Codes. */
  readonly groups: readonly number[];
  /** As asked for, and not what a client of today takes anyway. */
  readonly isNarrowed: boolean;
}

export interface LimitFlags {
  readonly tlsMin?: string;
  readonly tlsMax?: string;
  /** IANA names with colons. */
  readonly suites?: string;
  readonly groups?: string;
}

/** A word that is none; `why` is for people. */
export interface BadLimit {
  readonly why: string;
}

/** Mozilla's intermediate configuration where nothing is said. */
export function clientLimits(flags: LimitFlags): ClientLimits | BadLimit {
  const policy = tlsPolicy('intermediate');
  const usual = [...policy.suites13, ...policy.suites12.map((name) => SUITES_BY_OPENSSL_NAME[name])];
  const [min, max] = [versionOf(flags.tlsMin ?? '1.2'), versionOf(flags.tlsMax ?? '1.3')];
  if (min === null || max === null)
    return { why: `--tls-min and --tls-max are one of ${PROTOCOL_VERSIONS.map(wordOf).join(', ')}` };
  if (min > max) return { why: '--tls-min lies above --tls-max' };
  // Of older versions there is no list of Mozilla's: whatever there is.
  const suites: number[] = flags.suites === undefined && min < 'TLSv1.2' ? [...SUITES_12] : [];
  for (const name of flags.suites?.split(':') ?? usual) {
    const code = suiteByName(name);
    if (code === null)
      return { why: `--suites: ${JSON.stringify(name)} is no suite; write IANA names such as TLS_AES_128_GCM_SHA256` };
    if (!suites.includes(code)) suites.push(code);
  }
  const groups: number[] = [];
  for (const name of flags.groups?.split(':') ?? USUAL_GROUPS) {
    const code = ALL_GROUPS.find(
      (known) => groupName(known).toLowerCase() === (ALIASES[name.toLowerCase()] ?? name.toLowerCase()),
    );
    if (code === undefined)
      return { why: `--groups: ${JSON.stringify(name)} is no group; write IANA names such as x25519:secp256r1` };
    groups.push(code);
  }
  const versions = PROTOCOL_VERSIONS.filter((version) => version >= min && version <= max);
  return { versions, suites, groups, isNarrowed: Object.values(flags).some((value) => value !== undefined) };
}

/** Mozilla's. */
const USUAL_GROUPS = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'];
const ALIASES: Readonly<Record<string, string>> = {
  prime256v1: 'secp256r1',
  'p-256': 'secp256r1',
  'p-384': 'secp384r1',
  'p-521': 'secp521r1',
};

function versionOf(text: string): ProtocolVersion | null {
  return PROTOCOL_VERSIONS.find((version) => wordOf(version) === text || version === text) ?? null;
}

/** "1.2", "SSLv3" */
function wordOf(version: ProtocolVersion): string {
  return version === 'SSLv3' ? version : version === 'TLSv1' ? '1.0' : version.slice('TLSv'.length);
}
