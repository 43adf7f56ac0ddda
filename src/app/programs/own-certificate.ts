/**
 * The authority's own TLS certificate: issued by itself like any other, its key only in memory, and replaced in
 * the running process at two thirds of its life.
 */

import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import type { Instant } from '../../core/time/instant.ts';
import { instantAtFraction, type ValidityPeriod } from '../../core/time/validity-period.ts';
import type { OwnTlsPair } from '../../edge/http/authority-server.ts';
import { generateKey, publicKeyDer } from '../../edge/signer/key-pair.ts';
import { type IssuePorts, issueCertificate } from '../../flow/ca/issue-certificate.ts';
import { BACKDATE_SECONDS } from '../../flow/ca/provisioner-limits.ts';

export interface OwnCertificateKeeper {
  readonly pair: () => OwnTlsPair;
  /** The new pair, if it was time for one. */
  readonly renewIfDue: () => Promise<OwnTlsPair | null>;
  /** A new pair at once, because another issuer issues now. */
  readonly renew: () => Promise<OwnTlsPair>;
}

const LIFETIME_SECONDS = 24 * 3600;
const RENEW_AT_FRACTION = 2 / 3;

/** @throws OperatorFault issuance-refused */
export async function keepOwnCertificate(
  issuing: IssuePorts,
  names: readonly string[],
  chainAbove: (keyId: string) => readonly Uint8Array[],
  clock: () => Instant,
): Promise<OwnCertificateKeeper> {
  const make = async (): Promise<{ pair: OwnTlsPair; validity: ValidityPeriod }> => {
    const key = await generateKey('ecdsa-p256');
    const result = await issueCertificate(
      issuing,
      {
        profile: 'server',
        names: names.flatMap((name) => generalNameFromText(name) ?? []),
        publicKey: publicKeyDer(key),
      },
      {
        defaultLifetimeSeconds: LIFETIME_SECONDS,
        maxLifetimeSeconds: LIFETIME_SECONDS,
        backdateSeconds: BACKDATE_SECONDS,
      },
      { origin: { kind: 'authority' }, provisioner: 'authority', accountId: null },
      clock(),
    );
    if (result.kind !== 'issued')
      throw new OperatorFault(
        'issuance-refused',
        `the authority’s own certificate: ${result.kind === 'refused' ? result.detail : result.kind}`,
      );
    const keyPem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    return { pair: { chain: [result.der, ...chainAbove(result.record.issuerKeyId)], keyPem }, validity: result.record };
  };
  let current = await make();
  const renew = async (): Promise<OwnTlsPair> => {
    current = await make();
    return current.pair;
  };
  return {
    pair: () => current.pair,
    renewIfDue: async () => (clock() < instantAtFraction(current.validity, RENEW_AT_FRACTION) ? null : await renew()),
    renew,
  };
}
