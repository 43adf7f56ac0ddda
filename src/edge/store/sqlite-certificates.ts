/** Issuances, certificates, revocations and CRLs in SQLite. */
import type { Hex } from '../../core/bytes/hex.ts';
import type { RevocationReason } from '../../core/revocation/reason.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { SerialNumber } from '../../core/x509/serial-number.ts';
import type {
  CertificateQuery,
  CertificateRecord,
  CertificateStore,
  IssuanceOrigin,
  IssuanceStore,
} from '../../flow/ca/store-ports.ts';
import type { Database } from './database.ts';

interface Row {
  id: number;
  serial: string;
  issuer_key_id: string;
  subject: string;
  names: string;
  not_before: number;
  not_after: number;
  profile: string;
  provisioner: string;
  account_id: number | null;
  created_at: number;
  tbs: Uint8Array | null;
  der: Uint8Array | null;
  fingerprint: string | null;
  abandoned_why: string | null;
  replaces_id: number | null;
  revoked_at: number | null;
  reason: string | null;
}

const SELECT =
  'SELECT c.*, r.revoked_at, r.reason FROM certificate c LEFT JOIN revocation r ON r.certificate_id = c.id';

/** The uniqueness key of an order's only issuance. */
export function orderKey(orderId: number): string {
  return `order:${orderId}`;
}

function onceKey(origin: IssuanceOrigin): string | null {
  if (origin.kind === 'order') return orderKey(origin.orderId);
  return origin.kind === 'token' ? `token:${origin.provisioner}:${origin.tokenId}` : null;
}

export function sqliteCertificateStore(db: Database): IssuanceStore & CertificateStore {
  const insert = db.prepare(
    `INSERT INTO certificate (serial, once_key, issuer_key_id, subject, names, not_before, not_after, profile,
       provisioner, account_id, created_at, tbs, replaces_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once_key) DO NOTHING`,
  );
  const insertName = db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (?, ?)');
  const sign = db.prepare(
    'UPDATE certificate SET der = ?, fingerprint = ?, tbs = NULL WHERE id = ? AND der IS NULL AND abandoned_why IS NULL',
  );
  const abandon = db.prepare('UPDATE certificate SET abandoned_why = ? WHERE id = ? AND der IS NULL');
  const byId = db.prepare(`${SELECT} WHERE c.id = ?`);
  const bySerial = db.prepare(`${SELECT} WHERE c.serial = ?`);
  const unfinished = db.prepare(`${SELECT} WHERE c.der IS NULL AND c.abandoned_why IS NULL`);
  const revoke = db.prepare(
    `INSERT INTO revocation (certificate_id, issuer_key_id, revoked_at, reason, requested_by)
     SELECT id, issuer_key_id, ?, ?, ? FROM certificate WHERE id = ? ON CONFLICT (certificate_id) DO NOTHING`,
  );

  const load = (id: number): CertificateRecord | null => recordOf(byId.get(id) as Row | undefined);

  return {
    recordIntent: (intent) =>
      db.write(() => {
        const result = insert.run(
          intent.serial,
          onceKey(intent.origin),
          intent.issuerKeyId,
          intent.subject,
          JSON.stringify(intent.names),
          intent.notBefore,
          intent.notAfter,
          intent.profile,
          intent.provisioner,
          intent.accountId,
          intent.createdAt,
          intent.tbs,
          intent.origin.kind === 'renewal' ? intent.origin.certificateId : null,
        );
        return result.changes === 1
          ? { kind: 'recorded' as const, id: Number(result.lastInsertRowid) }
          : { kind: 'already' as const };
      }),

    recordCertificate: (id, der, fingerprint) =>
      db.write(() => {
        const first = sign.run(der, fingerprint, id).changes === 1;
        const record = load(id);
        if (!record?.der)
          throw new Error(`issuance ${id} cannot take a certificate: ${record?.abandonedWhy ?? 'no such record'}`);
        if (first) for (const name of record.names) insertName.run(name, id);
        return record;
      }),

    abandonIntent: (id, why) =>
      db.write(() => {
        abandon.run(why, id);
      }),

    listUnfinishedIntents: () =>
      db.read(() => (unfinished.all() as unknown as Row[]).map((row) => present(recordOf(row)))),

    loadCertificate: (id) => db.read(() => load(id)),
    findCertificateByFingerprint: (fingerprint) =>
      db.read(() => recordOf(db.prepare(`${SELECT} WHERE c.fingerprint = ?`).get(fingerprint) as Row | undefined)),
    findCertificate: (serial) => db.read(() => recordOf(bySerial.get(serial) as Row | undefined)),
    listCertificates: (query) => db.read(() => list(db, query)),
    revokeCertificate: (id, at, reason, requestedBy) =>
      db.write(() => revoke.run(at, reason, requestedBy, id).changes === 1),
  };
}

function list(db: Database, query: CertificateQuery): CertificateRecord[] {
  const where = ['c.der IS NOT NULL'];
  const values: (string | number)[] = [];
  const condition = (sql: string, ...bound: (string | number)[]): void => {
    where.push(sql);
    values.push(...bound);
  };
  if (query.below !== undefined) condition('c.id < ?', query.below);
  if (query.serial !== undefined) condition('c.serial = ?', query.serial);
  if (query.provisioner !== undefined) condition('c.provisioner = ?', query.provisioner);
  if (query.expiresBefore !== undefined) condition('c.not_after < ?', query.expiresBefore);
  if (query.state === 'revoked') condition('r.revoked_at IS NOT NULL');
  if (query.state === 'valid') condition('r.revoked_at IS NULL AND c.not_after >= ?', query.now);
  if (query.state === 'expired') condition('r.revoked_at IS NULL AND c.not_after < ?', query.now);
  if (query.name !== undefined) {
    const exact = db.prepare('SELECT 1 FROM certificate_name WHERE name = ? LIMIT 1').get(query.name);
    if (exact) condition('c.id IN (SELECT certificate_id FROM certificate_name WHERE name = ?)', query.name);
    else
      condition(
        "(c.names LIKE ? ESCAPE '\\' OR c.subject LIKE ? ESCAPE '\\')",
        likePart(query.name),
        likePart(query.name),
      );
  }
  const rows = db
    .prepare(`${SELECT} WHERE ${where.join(' AND ')} ORDER BY c.id DESC LIMIT ?`)
    .all(...values, query.limit);
  return (rows as unknown as Row[]).map((row) => present(recordOf(row)));
}

function likePart(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('a row that was just read is missing');
  return value;
}

function recordOf(row: Row | undefined): CertificateRecord | null {
  return row
    ? {
        id: row.id,
        serial: row.serial as SerialNumber,
        issuerKeyId: row.issuer_key_id as Hex,
        subject: row.subject,
        names: JSON.parse(row.names) as string[],
        notBefore: row.not_before as Instant,
        notAfter: row.not_after as Instant,
        profile: row.profile,
        provisioner: row.provisioner,
        accountId: row.account_id,
        createdAt: row.created_at as Instant,
        tbs: row.tbs,
        der: row.der,
        fingerprint: row.fingerprint as Hex | null,
        abandonedWhy: row.abandoned_why,
        replacesId: row.replaces_id,
        revokedAt: row.revoked_at as Instant | null,
        revocationReason: row.reason as RevocationReason | null,
      }
    : null;
}
