/**
 * Everything the authority needs to know about one JWS "alg" (RFC 7518 §3, RFC 8037), in one place.
 * MAC algorithms and "none" are absent on purpose (RFC 8555 §6.2).
 */
export const JWS_ALGORITHMS = {
  ES256: { keyType: 'EC', curve: 'P-256', digest: 'sha256', signatureLength: 64, pss: false },
  ES384: { keyType: 'EC', curve: 'P-384', digest: 'sha384', signatureLength: 96, pss: false },
  ES512: { keyType: 'EC', curve: 'P-521', digest: 'sha512', signatureLength: 132, pss: false },
  EdDSA: { keyType: 'OKP', curve: 'Ed25519', digest: null, signatureLength: 64, pss: false },
  RS256: { keyType: 'RSA', curve: null, digest: 'sha256', signatureLength: null, pss: false },
  RS384: { keyType: 'RSA', curve: null, digest: 'sha384', signatureLength: null, pss: false },
  RS512: { keyType: 'RSA', curve: null, digest: 'sha512', signatureLength: null, pss: false },
  PS256: { keyType: 'RSA', curve: null, digest: 'sha256', signatureLength: null, pss: true },
  PS384: { keyType: 'RSA', curve: null, digest: 'sha384', signatureLength: null, pss: true },
  PS512: { keyType: 'RSA', curve: null, digest: 'sha512', signatureLength: null, pss: true },
} as const satisfies Record<string, JwsAlgorithmRow>;

interface JwsAlgorithmRow {
  readonly keyType: 'EC' | 'OKP' | 'RSA';
  readonly curve: string | null;
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null;
  readonly signatureLength: number | null;
  readonly pss: boolean;
}

export type JwsAlgorithm = keyof typeof JWS_ALGORITHMS;

export const JWS_ALGORITHM_NAMES = Object.keys(JWS_ALGORITHMS) as JwsAlgorithm[];

export function isJwsAlgorithm(name: string): name is JwsAlgorithm {
  return Object.hasOwn(JWS_ALGORITHMS, name);
}
