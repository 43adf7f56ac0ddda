/** CRLs and what goes into them, in SQLite. */
import type { RevocationReason } from '../../core/revocation/reason.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { SerialNumber } from '../../core/x509/serial-number.ts';
import type { CrlStore } from '../../flow/ca/store-ports.ts';
import type { Database } from './database.ts';

interface CrlRow {
  number: number;
  der: Uint8Array;
  this_update: number;
  next_update: number;
  last_revocation_id: number;
}

export function sqliteCrlStore(db: Database): CrlStore {
  const latest = db.prepare('SELECT * FROM crl WHERE issuer_key_id = ? ORDER BY number DESC LIMIT 1');
  const lastRevocation = db.prepare('SELECT max(id) AS id FROM revocation WHERE issuer_key_id = ?');
  const revoked = db.prepare(
    `SELECT c.serial, r.revoked_at, r.reason FROM revocation r JOIN certificate c ON c.id = r.certificate_id
     WHERE r.issuer_key_id = ? AND c.not_after >= ? ORDER BY r.id`,
  );
  const insert = db.prepare(
    `INSERT INTO crl (number, issuer_key_id, der, this_update, next_update, last_revocation_id)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM crl WHERE issuer_key_id = ?2 AND number >= ?1)`,
  );
  const removeOlder = db.prepare('DELETE FROM crl WHERE issuer_key_id = ? AND number < ?');

  return {
    latestCrl: (issuerKeyId) =>
      db.read(() => {
        const row = latest.get(issuerKeyId) as CrlRow | undefined;
        return row
          ? {
              number: row.number,
              der: row.der,
              thisUpdate: row.this_update as Instant,
              nextUpdate: row.next_update as Instant,
              lastRevocationId: row.last_revocation_id,
            }
          : null;
      }),
    lastRevocationId: (issuerKeyId) => db.read(() => Number(lastRevocation.get(issuerKeyId)?.id ?? 0)),
    listRevoked: (issuerKeyId, validAfter) =>
      db.read(() =>
        (
          revoked.all(issuerKeyId, validAfter) as unknown as { serial: string; revoked_at: number; reason: string }[]
        ).map((row) => ({
          serial: row.serial as SerialNumber,
          revokedAt: row.revoked_at as Instant,
          reason: row.reason as RevocationReason,
        })),
      ),
    storeCrl: (issuerKeyId, { der, thisUpdate, nextUpdate, lastRevocationId }, number) =>
      db.write(() => {
        const stored = insert.run(number, issuerKeyId, der, thisUpdate, nextUpdate, lastRevocationId).changes === 1;
        // The newest alone is served; its number is what keeps the sequence strictly increasing.
        if (stored) removeOlder.run(issuerKeyId, number);
        return stored;
      }),
  };
}
