/** STATE/config.json: what was chosen when the authority was initialised. Parsed once, complete afterwards. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { OperatorFault } from '../core/faults/operator-faults.ts';

const schema = z.strictObject({
  /** Of this file's form. */
  version: z.literal(1),
  name: z.string().min(1),
  /** Names and addresses under which the authority is reached; the first is the one in links by default. */
  dnsNames: z.array(z.string().min(1)).min(1),
  listen: z.string(),
  httpListen: z.string().nullable(),
  validation: z.strictObject({
    /** "HOST:PORT" of resolvers; empty: the system's. */
    resolvers: z.array(z.string()),
    httpPort: z.number().int().min(1).max(65535),
    tlsAlpnPort: z.number().int().min(1).max(65535),
    /** CIDR blocks that validation may not reach, beside what is never reached; and exceptions are not possible for those. */
    denyAddresses: z.array(z.string()),
    /** When not empty, validation reaches only these. */
    allowAddresses: z.array(z.string()),
  }),
  /** Where the root key was left, when it never was in the state. */
  offlineRootDirectory: z.string().nullable(),
});

export type AuthorityConfig = z.infer<typeof schema>;

export const DEFAULT_CONFIG: Omit<AuthorityConfig, 'name' | 'dnsNames'> = {
  version: 1,
  listen: ':9000',
  httpListen: null,
  validation: { resolvers: [], httpPort: 80, tlsAlpnPort: 443, denyAddresses: [], allowAddresses: [] },
  offlineRootDirectory: null,
};

/** @throws OperatorFault config-invalid, with the place */
export function readConfig(path: string): AuthorityConfig {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new OperatorFault(
      'config-invalid',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { path },
      cause,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new OperatorFault('config-invalid', `${path}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`, {
    path,
  });
}
