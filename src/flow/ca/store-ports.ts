/**
 * What the authority's flows need of storage. Every writing function resolves only when the record is on
 * disk (synced), and is all or nothing. "Not found" is null. A storage failure (disk full, damage) throws a
 * StoreFault; the caller may repeat the whole flow.
 */
import type { Account } from '../../core/acme/account.ts';
import type { AttemptOutcome, Authorization, ChallengeType } from '../../core/acme/authorization.ts';
import type { Identifier } from '../../core/acme/identifier.ts';
import type { OrderSnapshot } from '../../core/acme/order.ts';
import type { Hex } from '../../core/bytes/hex.ts';
import type { PublicJwk, Thumbprint } from '../../core/jose/jwk.ts';
import type { RevocationReason } from '../../core/revocation/reason.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { SerialNumber } from '../../core/x509/serial-number.ts';

export interface AccountStore {
  /** By the account's number, under any provisioner. */
  readonly loadAccount: (id: number) => Promise<Account | null>;
  readonly findAccount: (provisioner: string, thumbprint: Thumbprint) => Promise<Account | null>;
  /** At most one account a key and provisioner: whoever comes second gets the first one's account. */
  readonly insertAccount: (
    draft: Omit<Account, 'id' | 'deactivatedAt'>,
  ) => Promise<{ readonly created: boolean; readonly account: Account }>;
  /** Only what is given changes. */
  readonly updateAccount: (
    id: number,
    change: { readonly contact?: readonly string[]; readonly deactivatedAt?: Instant },
  ) => Promise<void>;
  /** At most one account a key: false when another account of the provisioner has the key. */
  readonly replaceAccountKey: (id: number, jwk: PublicJwk, thumbprint: Thumbprint) => Promise<boolean>;
}

export interface OrderDraft {
  readonly accountId: number;
  readonly provisioner: string;
  readonly identifiers: readonly Identifier[];
  /** One a identifier, in the same order. */
  readonly tokens: readonly string[];
  readonly notBefore: Instant | null;
  readonly notAfter: Instant | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly replaces?: string;
}

export interface OrderStore {
  readonly insertOrder: (draft: OrderDraft) => Promise<OrderSnapshot>;
  readonly loadOrder: (id: number) => Promise<OrderSnapshot | null>;
  /** Orders that replace the certificate with this identifier (RFC 9773 §5). */
  readonly ordersReplacing: (certId: string) => Promise<readonly OrderSnapshot[]>;
  /** Numbers of an account's orders in ascending order, after `after`, at most `limit`. */
  readonly listOrderIds: (accountId: number, after: number, limit: number) => Promise<readonly number[]>;
  /** Removes orders and their authorizations whose expiry lies before `before`; returns how many orders. */
  readonly removeExpiredOrders: (before: Instant) => Promise<number>;
}

export interface AuthorizationStore {
  readonly loadAuthorization: (id: number) => Promise<Authorization | null>;
  /** At most one attempt an authorization: false when there is one already, or it is deactivated. */
  readonly recordAttempt: (id: number, type: ChallengeType, startedAt: Instant) => Promise<boolean>;
  /** Records the attempt (unless it is recorded) and how it ended, at most once; returns the authorization as it is then. */
  readonly recordOutcome: (
    id: number,
    type: ChallengeType,
    startedAt: Instant,
    outcome: AttemptOutcome,
  ) => Promise<Authorization | null>;
  readonly deactivateAuthorization: (id: number, at: Instant) => Promise<void>;
  /** Attempts that were begun and have no outcome: work for the recovery after a crash. */
  readonly listUnfinishedAttempts: () => Promise<readonly Authorization[]>;
}

/** Why a certificate exists: at most one certificate for each order and each token. */
export type IssuanceOrigin =
  | { readonly kind: 'order'; readonly orderId: number }
  | { readonly kind: 'token'; readonly provisioner: string; readonly tokenId: string }
  | { readonly kind: 'renewal'; readonly certificateId: number }
  | { readonly kind: 'authority' };

/** Written before the signature is made: no certificate exists that the authority does not know. */
export interface IssuanceIntent {
  readonly origin: IssuanceOrigin;
  readonly serial: SerialNumber;
  readonly tbs: Uint8Array;
  readonly issuerKeyId: Hex;
  readonly subject: string;
  readonly names: readonly string[];
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly profile: string;
  readonly provisioner: string;
  readonly accountId: number | null;
  readonly createdAt: Instant;
}

export interface CertificateRecord extends Omit<IssuanceIntent, 'tbs' | 'origin'> {
  readonly id: number;
  /** null while only the intent is recorded. */
  readonly der: Uint8Array | null;
  readonly fingerprint: Hex | null;
  readonly tbs: Uint8Array | null;
  readonly abandonedWhy: string | null;
  /** What a renewal replaces; null: it is none, or nobody said so. */
  readonly replacesId: number | null;
  readonly revokedAt: Instant | null;
  readonly revocationReason: RevocationReason | null;
}

export interface IssuanceStore {
  /** "already" when the order or token has an issuance; nothing is written then. */
  readonly recordIntent: (
    intent: IssuanceIntent,
  ) => Promise<{ readonly kind: 'recorded'; readonly id: number } | { readonly kind: 'already' }>;
  /** The signed certificate of an intent. The first one recorded stays; returns the record. */
  readonly recordCertificate: (id: number, der: Uint8Array, fingerprint: Hex) => Promise<CertificateRecord>;
  readonly abandonIntent: (id: number, why: string) => Promise<void>;
  readonly listUnfinishedIntents: () => Promise<readonly CertificateRecord[]>;
}

export type CertificateState = 'valid' | 'expired' | 'revoked';

export interface CertificateQuery {
  /** Exact name, or a part of one when it holds no match as a whole. */
  readonly name?: string;
  readonly serial?: SerialNumber;
  readonly state?: CertificateState;
  readonly expiresBefore?: Instant;
  readonly provisioner?: string;
  /** Newest first: continue below this number. */
  readonly below?: number;
  readonly limit: number;
  readonly now: Instant;
}

export interface CertificateStore {
  readonly loadCertificate: (id: number) => Promise<CertificateRecord | null>;
  readonly findCertificate: (serial: SerialNumber) => Promise<CertificateRecord | null>;
  /** By SHA-256 of the DER; not indexed: for people, not for requests. */
  readonly findCertificateByFingerprint: (fingerprint: Hex) => Promise<CertificateRecord | null>;
  /** Newest first; intents without a certificate are not listed. */
  readonly listCertificates: (query: CertificateQuery) => Promise<readonly CertificateRecord[]>;
  /** At most once: false when it is revoked already. */
  readonly revokeCertificate: (
    id: number,
    at: Instant,
    reason: RevocationReason,
    requestedBy: string,
  ) => Promise<boolean>;
}

export interface StoredCrl {
  readonly number: number;
  readonly der: Uint8Array;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant;
  /** Number of the newest revocation that it holds. */
  readonly lastRevocationId: number;
}

export interface RevokedEntry {
  readonly serial: SerialNumber;
  readonly revokedAt: Instant;
  readonly reason: RevocationReason;
}

export interface CrlStore {
  readonly latestCrl: (issuerKeyId: Hex) => Promise<StoredCrl | null>;
  readonly lastRevocationId: (issuerKeyId: Hex) => Promise<number>;
  /** Of certificates that were valid after `validAfter`. */
  readonly listRevoked: (issuerKeyId: Hex, validAfter: Instant) => Promise<readonly RevokedEntry[]>;
  /** Takes the next number, strictly above every earlier one, and keeps the list that `build` makes with it. */
  readonly storeCrl: (issuerKeyId: Hex, crl: Omit<StoredCrl, 'number'>, number: number) => Promise<boolean>;
}

export type ProvisionerKind = 'acme' | 'jwk';

export interface ProvisionerRecord {
  readonly name: string;
  readonly kind: ProvisionerKind;
  readonly defaultLifetimeSeconds: number;
  readonly maxLifetimeSeconds: number;
  /** JWK: who may sign tokens, and that key encrypted under the provisioner's password (compact JWE). */
  readonly publicKey: (PublicJwk & { readonly kid: string }) | null;
  readonly encryptedKey: string | null;
  readonly createdAt: Instant;
}

export interface ProvisionerStore {
  readonly loadProvisioner: (name: string) => Promise<ProvisionerRecord | null>;
  readonly listProvisioners: () => Promise<readonly ProvisionerRecord[]>;
  /** false when the name is taken. */
  readonly insertProvisioner: (record: ProvisionerRecord) => Promise<boolean>;
  readonly removeProvisioner: (name: string) => Promise<boolean>;
}

/** Everything at once: what a program opens, hands out in the pieces above, and closes. */
export interface Store
  extends AccountStore,
    OrderStore,
    AuthorizationStore,
    IssuanceStore,
    CertificateStore,
    CrlStore,
    ProvisionerStore {
  /** A write that must reach the disk: what /health asks. */
  readonly probe: (now: Instant) => Promise<void>;
  /** The latest time at which anything was recorded; null in a new store. */
  readonly latestRecordedAt: () => Promise<Instant | null>;
  readonly close: () => void;
}

/** Storage failed: the disk is full, the database is damaged or locked. */
export class StoreFault extends Error {
  readonly code: 'disk-full' | 'database-damaged' | 'database-locked' | 'database-failed';
  constructor(code: StoreFault['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StoreFault';
    this.code = code;
  }
}
