/** An issuer by ACME as a stack has it, for one directory. */
import { generateKeyPairSync } from 'node:crypto';
import { type AcmeIssuer, openAcmeIssuer } from '../../src/app/programs/acme-issuer.ts';
import { generalNameFromText } from '../../src/core/issuance/requested-names.ts';
import type { AcmeChallengeSpec } from '../../src/core/stack/stack.ts';

export interface IssuerOptions {
  readonly directory: string;
  readonly caFile: string;
  readonly challenge: AcmeChallengeSpec;
  /** Where account keys lie. */
  readonly accounts: string;
}

export function issuerAt({ accounts, ...spec }: IssuerOptions): Promise<AcmeIssuer> {
  return openAcmeIssuer('ours', { kind: 'acme', contact: 'ops@site.test', fallback: [], ...spec }, accounts);
}

export function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function serviceFor(...names: readonly string[]) {
  return { names: names.flatMap((name) => generalNameFromText(name) ?? []), key: 'ecdsa-p256' as const };
}
