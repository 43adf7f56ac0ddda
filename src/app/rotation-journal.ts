/**
 * What a rotation has decided before it does anything: serial numbers, keys, names. Whoever finds it goes on with it, so
 * that a crash leads to no second key and no second certificate.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../core/bytes/hex.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { NameAttributes } from '../core/x509/name.ts';
import type { SerialNumber } from '../core/x509/serial-number.ts';
import { syncDirectory, writeFileAtomically } from '../edge/files/atomic-file.ts';

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);

/** An authority's certificate that is being made. */
const begun = z.strictObject({
  keyId: hex.transform((text) => text as Hex),
  serial: hex.transform((text) => text as SerialNumber),
  subject: z.record(z.string(), z.string()).transform((subject) => subject as NameAttributes),
  lifetimeSeconds: z.number().int().positive(),
});

const intermediateRotation = z.strictObject({
  version: z.literal(1),
  startedAt: z.string(),
  /** SHA-256 of the root that signs it. */
  root: hex,
  intermediate: begun,
});

const rootRotation = z.strictObject({
  version: z.literal(1),
  startedAt: z.string(),
  phase: z.enum(['preparing', 'prepared', 'activated', 'cancelling']),
  /** SHA-256 of the root that is replaced. */
  oldRoot: hex.transform((text) => text as Hex),
  root: begun.extend({ pathLength: z.number().int().positive().optional() }),
  intermediate: begun,
  /** Where the key of the new root is left; null: in the state. */
  offlineRootDirectory: z.string().nullable(),
});

export type BegunCertificate = z.infer<typeof begun>;
export type IntermediateRotation = z.infer<typeof intermediateRotation>;
export type RootRotation = z.infer<typeof rootRotation>;

/** @returns null when none is under way @throws OperatorFault config-invalid */
export function readIntermediateRotation(path: string): IntermediateRotation | null {
  return readJournal(path, intermediateRotation);
}

/** @returns null when none is under way @throws OperatorFault config-invalid */
export function readRootRotation(path: string): RootRotation | null {
  return readJournal(path, rootRotation);
}

export function writeRotation(path: string, journal: IntermediateRotation | RootRotation): void {
  writeFileAtomically(path, `${JSON.stringify(journal, null, 2)}\n`, 0o600);
}

export function removeRotation(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

function readJournal<T>(path: string, schema: z.ZodType<T>): T | null {
  if (!existsSync(path)) return null;
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new OperatorFault('config-invalid', `${path}: ${issue?.path.join('.')}: ${issue?.message}`, { path });
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new OperatorFault('config-invalid', `${path} cannot be read: ${cause.message}`, { path }, cause);
  }
}
