/** Certificate profiles: what each kind of certificate may be used for. One row each. */
import type { KeyPurpose } from '../x509/extended-key-usage.ts';
import type { KeyUsage } from '../x509/key-usage.ts';
import type { PublicKeyInfo } from '../x509/public-key.ts';

interface ProfileRow {
  readonly ca: boolean;
  /** extKeyUsage; none for authorities, whose certificates are not limited to a purpose. */
  readonly purposes: readonly KeyPurpose[];
  readonly keyUsages: readonly KeyUsage[];
  /** keyEncipherment is for RSA key transport (TLS 1.2); with other keys it has no meaning (RFC 8813 §3). */
  readonly encipherWithRsa: boolean;
}

const AUTHORITY: Omit<ProfileRow, 'ca'> = {
  purposes: [],
  keyUsages: ['keyCertSign', 'cRLSign'],
  encipherWithRsa: false,
};

export const PROFILES = {
  server: { ca: false, purposes: ['serverAuth'], keyUsages: ['digitalSignature'], encipherWithRsa: true },
  client: { ca: false, purposes: ['clientAuth'], keyUsages: ['digitalSignature'], encipherWithRsa: false },
  peer: { ca: false, purposes: ['serverAuth', 'clientAuth'], keyUsages: ['digitalSignature'], encipherWithRsa: true },
  intermediate: { ca: true, ...AUTHORITY },
  root: { ca: true, ...AUTHORITY },
} as const satisfies Record<string, ProfileRow>;

export type ProfileName = keyof typeof PROFILES;

export type LeafProfileName = Exclude<ProfileName, 'intermediate' | 'root'>;

export function isProfile(text: string): text is ProfileName {
  return Object.hasOwn(PROFILES, text);
}

export function isLeafProfile(text: string): text is LeafProfileName {
  return isProfile(text) && !PROFILES[text].ca;
}

/** RFC 5280 §4.2.1.3. */
export function keyUsagesOf(profile: ProfileName, key: PublicKeyInfo): readonly KeyUsage[] {
  const row: ProfileRow = PROFILES[profile];
  return row.encipherWithRsa && key.kind === 'rsa' ? [...row.keyUsages, 'keyEncipherment'] : row.keyUsages;
}
