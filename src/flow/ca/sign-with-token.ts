/** A one-time token and a CSR → a certificate (the second way to ask, beside ACME). */
import type { KeyObject } from 'node:crypto';
import { verifyJwsSignature } from '../../core/crypto/jws-signature.ts';
import type { IssuanceRequest } from '../../core/issuance/decide-issuance.ts';
import { acceptToken, type OneTimeToken, type TokenExpectation } from '../../core/issuance/one-time-token.ts';
import { sameNames } from '../../core/issuance/requested-names.ts';
import { parseCompactJws } from '../../core/jose/compact-jws.ts';
import { jwkFitsAlgorithm, type PublicJwk } from '../../core/jose/jwk.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Csr } from '../../core/x509/csr.ts';
import { commonNames } from '../../core/x509/name.ts';
import { checkedCsr } from './finalize-order.ts';
import { type IssuePorts, type IssueResult, issueCertificate } from './issue-certificate.ts';
import { issuanceLimits } from './provisioner-limits.ts';
import type { ProvisionerRecord, ProvisionerStore } from './store-ports.ts';

export type SignResult =
  | Extract<IssueResult, { kind: 'issued' }>
  /** `status`: 401 for the token, 400 for the CSR, 403 for what policy forbids. */
  | { readonly kind: 'denied'; readonly status: 400 | 401 | 403; readonly why: string };

export interface TokenPorts {
  readonly provisioners: Pick<ProvisionerStore, 'loadProvisioner'>;
  readonly tokenKey: (jwk: PublicJwk) => KeyObject;
  readonly expectation: Omit<TokenExpectation, 'provisioner'>;
}

export type VerifiedToken = {
  readonly kind: 'token';
  readonly token: OneTimeToken;
  readonly provisioner: ProvisionerRecord;
};

/** Whether a token was signed by one of our provisioners for this purpose. It is not spent by looking at it. */
export async function verifyToken(
  ports: TokenPorts,
  text: string,
  now: Instant,
): Promise<VerifiedToken | Extract<SignResult, { kind: 'denied' }>> {
  const jws = parseCompactJws(text);
  if ('why' in jws) return denied(401, jws.why);
  const provisioner =
    typeof jws.claims.iss === 'string' ? await ports.provisioners.loadProvisioner(jws.claims.iss) : null;
  if (!provisioner?.publicKey) return denied(401, 'no provisioner with a token key has the name of the token’s issuer');
  const { publicKey } = provisioner;
  if (jws.kid !== null && jws.kid !== publicKey.kid)
    return denied(401, 'the token was signed with another key of the provisioner');
  if (
    !jwkFitsAlgorithm(publicKey, jws.algorithm) ||
    !verifyJwsSignature(ports.tokenKey(publicKey), jws.algorithm, jws.signingInput, jws.signature)
  ) {
    return denied(401, 'the signature of the token does not verify');
  }
  const token = acceptToken(jws, { ...ports.expectation, provisioner: provisioner.name }, now);
  return 'why' in token ? denied(401, token.why) : { kind: 'token', token, provisioner };
}

/** Single use, also when used in parallel: the issuance is recorded under the token's id, which succeeds once. */
export async function signWithToken(
  ports: TokenPorts & IssuePorts,
  request: {
    readonly token: string;
    readonly csr: Uint8Array;
    readonly period: Pick<IssuanceRequest, 'notBefore' | 'notAfter'>;
  },
  now: Instant,
): Promise<SignResult> {
  const verified = await verifyToken(ports, request.token, now);
  if (verified.kind === 'denied') return verified;
  const csr = checkedCsr(request.csr);
  if ('kind' in csr) return denied(400, csr.problem.detail);
  const { token, provisioner } = verified;
  const mismatch = namesMismatch(token, csr);
  if (mismatch) return denied(403, mismatch);
  const commonName = commonNames(csr.subject)[0];
  const result = await issueCertificate(
    ports,
    {
      profile: token.profile,
      names: token.names,
      publicKey: csr.publicKey.raw,
      ...request.period,
      ...(commonName && { subject: { commonName } }),
    },
    issuanceLimits(provisioner),
    {
      origin: { kind: 'token', provisioner: provisioner.name, tokenId: token.id },
      provisioner: provisioner.name,
      accountId: null,
    },
    now,
  );
  if (result.kind === 'already')
    return denied(401, 'the token has been used already; make a new one with `fullchain token`');
  return result.kind === 'refused' ? denied(403, result.detail) : result;
}

/** The CSR may ask for exactly what the token allows; a CSR without names leaves them to the token. */
function namesMismatch(token: OneTimeToken, csr: Csr): string | null {
  if (csr.names.length > 0 && !sameNames(csr.names, token.names))
    return 'the names of the CSR are not those of the token';
  const stray = commonNames(csr.subject).find(
    (name) => name !== token.subject && !token.names.some((allowed) => 'value' in allowed && allowed.value === name),
  );
  return stray === undefined ? null : `the common name ${JSON.stringify(stray)} is not in the token`;
}

export function denied(status: 400 | 401 | 403, why: string): Extract<SignResult, { kind: 'denied' }> {
  return { kind: 'denied', status, why };
}
