/**
 * The ACME error types (RFC 8555 §6.7 and its registry), each with the HTTP status it travels with.
 * One row a type; everything that names an ACME error takes its name from here.
 */

const PREFIX = 'urn:ietf:params:acme:error:';

export const ACME_PROBLEMS = {
  accountDoesNotExist: { status: 400, title: 'No such account' },
  alreadyReplaced: { status: 409, title: 'The certificate has been replaced already' },
  alreadyRevoked: { status: 400, title: 'The certificate is revoked already' },
  badCSR: { status: 400, title: 'The certificate signing request is not acceptable' },
  badNonce: { status: 400, title: 'The nonce is not acceptable; retry with a new one' },
  badPublicKey: { status: 400, title: 'The public key is not acceptable' },
  badRevocationReason: { status: 400, title: 'The revocation reason is not acceptable' },
  badSignatureAlgorithm: { status: 400, title: 'The signature algorithm is not supported' },
  caa: { status: 403, title: 'CAA records forbid issuance' },
  compound: { status: 400, title: 'Several problems, see subproblems' },
  connection: { status: 400, title: 'The validation target could not be reached' },
  dns: { status: 400, title: 'DNS did not answer as needed' },
  externalAccountRequired: { status: 400, title: 'An external account binding is required' },
  incorrectResponse: { status: 403, title: 'The challenge response is not the wanted one' },
  invalidContact: { status: 400, title: 'A contact address is not valid' },
  invalidProfile: { status: 400, title: 'No such profile' },
  malformed: { status: 400, title: 'The request is malformed' },
  orderNotReady: { status: 403, title: 'The order is not ready to be finalized' },
  rateLimited: { status: 429, title: 'Too many requests' },
  rejectedIdentifier: { status: 400, title: 'The authority does not issue for this identifier' },
  serverInternal: { status: 500, title: 'The authority failed' },
  tls: { status: 400, title: 'TLS failed during validation' },
  unauthorized: { status: 403, title: 'Not authorized' },
  unsupportedContact: { status: 400, title: 'The contact scheme is not supported' },
  unsupportedIdentifier: { status: 400, title: 'The identifier type is not supported' },
  userActionRequired: { status: 403, title: 'Somebody has to act first' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type AcmeProblemType = keyof typeof ACME_PROBLEMS;

/** A refusal in ACME's words. `detail` says what was seen and what was wanted. */
export interface AcmeProblem {
  readonly type: AcmeProblemType;
  readonly detail: string;
  /** Where the RFC's section fixes another status than the type's usual one (404, 405, 409, 415 …). */
  readonly status?: number;
  /** RFC 8555 §6.7.1: one entry an identifier. */
  readonly subproblems?: readonly AcmeSubproblem[];
  /** RFC 8555 §6.2: the algorithms that would do, for badSignatureAlgorithm. */
  readonly algorithms?: readonly string[];
  readonly retryAfterSeconds?: number;
  /** For a 409 on key change: the account that has the key (RFC 8555 §7.3.5). */
  readonly location?: string;
}

export interface AcmeSubproblem {
  readonly type: AcmeProblemType;
  readonly detail: string;
  readonly identifier: { readonly type: string; readonly value: string };
}

export interface Refused {
  readonly kind: 'refused';
  readonly problem: AcmeProblem;
}

/** The one constructor of refusals. */
export function refused(
  type: AcmeProblemType,
  detail: string,
  more: Omit<AcmeProblem, 'type' | 'detail'> = {},
): Refused {
  return { kind: 'refused', problem: { type, detail, ...more } };
}

/** The HTTP status of a problem. */
export function problemStatus(problem: AcmeProblem): number {
  return problem.status ?? ACME_PROBLEMS[problem.type].status;
}

/** RFC 9457 problem document. `subproblems` is absent, never null: certbot fails on null. */
export function problemDocument(problem: AcmeProblem): Record<string, unknown> {
  return {
    type: PREFIX + problem.type,
    title: ACME_PROBLEMS[problem.type].title,
    status: problemStatus(problem),
    detail: problem.detail,
    ...(problem.algorithms && { algorithms: problem.algorithms }),
    ...(problem.subproblems?.length && {
      subproblems: problem.subproblems.map((sub) => ({
        type: PREFIX + sub.type,
        detail: sub.detail,
        identifier: sub.identifier,
      })),
    }),
  };
}

/** The URN of a type, as challenge objects carry it. */
export function problemUrn(type: AcmeProblemType): string {
  return PREFIX + type;
}
