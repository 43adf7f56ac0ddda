/** The record of dns-01 (RFC 8555 §8.4). */
import { createHash } from 'node:crypto';

export interface TxtRecord {
  /** Without a dot at its end. */
  readonly name: string;
  readonly value: string;
}

export function challengeRecord(identifier: string, keyAuthorization: string): TxtRecord {
  return {
    name: `_acme-challenge.${identifier}`,
    value: createHash('sha256').update(keyAuthorization).digest('base64url'),
  };
}
