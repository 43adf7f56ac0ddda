/** STATE/config.json: what was chosen when the authority was initialised. Parsed once, complete afterwards. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AddressRangeError, addressPolicy } from '../core/acme/address-policy.ts';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import { generalNameFromText } from '../core/issuance/requested-names.ts';
import { parseListenAddress } from '../edge/http/listener.ts';
import { dnsResolver } from '../edge/net/resolver.ts';

const listenAddress = z.string().refine((text) => parseListenAddress(text) !== null, {
  error: ({ input }) => `${JSON.stringify(input)} is not HOST:PORT`,
});

const ownName = z.string().refine((text) => ['dns', 'ip'].includes(generalNameFromText(text)?.kind ?? ''), {
  error: ({ input }) => `${JSON.stringify(input)} is neither a DNS name nor an IP address`,
});

/** What the reader of such a text says about it. */
function readable(read: (text: string) => unknown) {
  return z.string().superRefine((text, { addIssue }) => {
    try {
      read(text);
    } catch (fault) {
      if (!(fault instanceof RangeError || fault instanceof AddressRangeError)) throw fault;
      addIssue({ code: 'custom', message: fault.message });
    }
  });
}

const network = readable((text) => addressPolicy({ allow: [], deny: [text] }));

const schema = z.strictObject({
  /** Of this file's form. */
  version: z.literal(1),
  name: z.string().min(1),
  /** Names and addresses under which the authority is reached; the first is the one in links by default. */
  dnsNames: z.array(ownName).min(1),
  listen: listenAddress,
  httpListen: listenAddress.nullable(),
  validation: z.strictObject({
    /** "HOST:PORT" of resolvers; empty: the system's. */
    resolvers: z.array(readable((text) => dnsResolver([text]))),
    httpPort: z.number().int().min(1).max(65535),
    tlsAlpnPort: z.number().int().min(1).max(65535),
    /** CIDR blocks that validation may not reach, beside what is never reached; and exceptions are not possible for those. */
    denyAddresses: z.array(network),
    /** When not empty, validation reaches only these. */
    allowAddresses: z.array(network),
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
