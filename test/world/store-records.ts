/** Records for stores: complete in every part that is not overridden, and none of them twice. */
import { createHash } from 'node:crypto';
import type { Account } from '../../src/core/acme/account.ts';
import { tokenFromRandom } from '../../src/core/acme/authorization.ts';
import type { Identifier } from '../../src/core/acme/identifier.ts';
import { type Hex, hexFromBytes } from '../../src/core/bytes/hex.ts';
import { jwkThumbprint, type PublicJwk } from '../../src/core/jose/jwk.ts';
import { type SerialNumber, serialFromRandom } from '../../src/core/x509/serial-number.ts';
import type {
  CertificateRecord,
  IssuanceIntent,
  IssuanceStore,
  OrderDraft,
  ProvisionerRecord,
  StoredCrl,
} from '../../src/flow/ca/store-ports.ts';
import { at } from '../vectors/made-certificate.ts';

let counter = 0;

/** Octets that no other call returns, the same in every run. */
function distinct(byteLength: number): Uint8Array {
  counter++;
  return createHash('shake256', { outputLength: byteLength }).update(String(counter)).digest();
}

export const ISSUER: Hex = hexFromBytes(new Uint8Array(20).fill(0x15));
export const OTHER_ISSUER: Hex = hexFromBytes(new Uint8Array(20).fill(0x07));

export function ecJwk(): PublicJwk {
  const [x, y] = [Buffer.from(distinct(32)).toString('base64url'), Buffer.from(distinct(32)).toString('base64url')];
  return { kty: 'EC', crv: 'P-256', x, y };
}

export function serial(): SerialNumber {
  return serialFromRandom(distinct(16));
}

export function accountDraft(
  overrides: Partial<Omit<Account, 'id' | 'deactivatedAt'>> = {},
): Omit<Account, 'id' | 'deactivatedAt'> {
  const jwk = overrides.jwk ?? ecJwk();
  return {
    provisioner: 'acme',
    jwk,
    thumbprint: jwkThumbprint(jwk),
    contact: ['mailto:ops@example.com'],
    createdAt: at('2026-11-25T00:00:00Z'),
    ...overrides,
  };
}

export function dnsIdentifiers(...values: readonly string[]): Identifier[] {
  return values.map((value) => ({ type: 'dns', value }));
}

/** One token an identifier. */
export function orderDraft(overrides: Partial<Omit<OrderDraft, 'tokens'>> = {}): OrderDraft {
  const identifiers = overrides.identifiers ?? dnsIdentifiers('a.test');
  return {
    accountId: 1,
    provisioner: 'acme',
    identifiers,
    tokens: identifiers.map(() => tokenFromRandom(distinct(24))),
    notBefore: null,
    notAfter: null,
    createdAt: at('2026-11-25T00:00:00Z'),
    expiresAt: at('2026-11-26T00:00:00Z'),
    ...overrides,
  };
}

export function intent(overrides: Partial<IssuanceIntent> = {}): IssuanceIntent {
  return {
    origin: { kind: 'authority' },
    serial: serial(),
    tbs: distinct(32),
    issuerKeyId: ISSUER,
    subject: 'CN=a.test',
    names: ['a.test'],
    notBefore: at('2026-11-25T00:00:00Z'),
    notAfter: at('2026-11-26T00:00:00Z'),
    profile: 'server',
    provisioner: 'acme',
    accountId: null,
    createdAt: at('2026-11-25T00:01:00Z'),
    ...overrides,
  };
}

/** An intent and its certificate, recorded. The DER is no DER: a store keeps bytes. */
export async function issued(
  store: IssuanceStore,
  overrides: Partial<IssuanceIntent> = {},
): Promise<CertificateRecord> {
  const recorded = await store.recordIntent(intent(overrides));
  if (recorded.kind !== 'recorded') throw new Error('the order or token has an issuance already');
  const der = distinct(64);
  return store.recordCertificate(recorded.id, der, fingerprintOf(der));
}

export function fingerprintOf(der: Uint8Array): Hex {
  return hexFromBytes(createHash('sha256').update(der).digest());
}

export function crl(overrides: Partial<Omit<StoredCrl, 'number'>> = {}): Omit<StoredCrl, 'number'> {
  return {
    der: distinct(64),
    thisUpdate: at('2026-11-25T00:00:00Z'),
    nextUpdate: at('2026-12-02T00:00:00Z'),
    lastRevocationId: 0,
    ...overrides,
  };
}

export function provisioner(overrides: Partial<ProvisionerRecord> = {}): ProvisionerRecord {
  return {
    name: 'acme',
    kind: 'acme',
    defaultLifetimeSeconds: 86_400,
    maxLifetimeSeconds: 7_776_000,
    publicKey: null,
    encryptedKey: null,
    createdAt: at('2026-11-25T00:00:00Z'),
    ...overrides,
  };
}
