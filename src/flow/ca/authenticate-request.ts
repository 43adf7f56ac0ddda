/**
 * Who signed an ACME request (RFC 8555 §6.2–§6.5): JWS shape, algorithm, key, URL, nonce, signature, account,
 * in an order that spends the least work on what will be refused. Only this file makes an Authenticated value,
 * and the flows behind it accept nothing else.
 */
import type { KeyObject } from 'node:crypto';
import type { Account } from '../../core/acme/account.ts';
import { keyFromJwk, verifyJwsSignature } from '../../core/crypto/jws-signature.ts';
import { type Refused, refused } from '../../core/faults/acme-problems.ts';
import { type FlattenedJws, parseFlattenedJws } from '../../core/jose/flattened-jws.ts';
import {
  jwkFitsAlgorithm,
  jwkThumbprint,
  type PublicJwk,
  parsePublicJwk,
  type Thumbprint,
} from '../../core/jose/jwk.ts';
import { isJwsAlgorithm, JWS_ALGORITHM_NAMES, type JwsAlgorithm } from '../../core/jose/jws-algorithms.ts';
import type { AccountStore } from './store-ports.ts';

declare const authenticated: unique symbol;

/** A request whose signature was verified. An empty payload is a POST-as-GET (§6.3). */
export interface Authenticated<By> {
  readonly [authenticated]: true;
  readonly kind: 'authenticated';
  readonly by: By;
  readonly payload: Uint8Array;
  readonly url: string;
}

/** Signed with a key that the request itself carries: new accounts, and revocation by the certificate's key. */
export interface ByKey {
  readonly kind: 'key';
  readonly jwk: PublicJwk;
  readonly thumbprint: Thumbprint;
}

/** Signed by an account, named by its URL. */
export interface ByAccount {
  readonly kind: 'account';
  readonly account: Account;
}

export interface AuthenticatePorts {
  readonly loadAccount: AccountStore['loadAccount'];
  /** Spends a nonce: true at most once for each nonce that was given out. */
  readonly redeemNonce: (nonce: string) => boolean;
  /** The key object of an account's JWK; kept, because making one costs as much as using it. */
  readonly accountKey: (account: Account) => KeyObject;
}

export interface SignedRequest {
  /** The parsed JSON body. */
  readonly body: unknown;
  /** The URL as the client sees it. */
  readonly url: string;
  readonly provisioner: string;
  /** The number of the account that a kid names, or null when it is no account URL of this provisioner. */
  readonly accountIdOf: (kid: string) => number | null;
}

/** Requests by an account (`kid`). */
export async function authenticateAccount(
  ports: AuthenticatePorts,
  request: SignedRequest,
): Promise<Authenticated<ByAccount> | Refused> {
  const result = await authenticate(ports, request);
  if (result.kind === 'refused') return result;
  return result.by.kind === 'account'
    ? narrowed(result, result.by)
    : refused('malformed', 'this request is signed by an account: use kid, not jwk (RFC 8555 §6.2)');
}

/** Requests that carry their key (`jwk`): new-account. */
export async function authenticateKey(
  ports: AuthenticatePorts,
  request: SignedRequest,
): Promise<Authenticated<ByKey> | Refused> {
  const result = await authenticate(ports, request);
  if (result.kind === 'refused') return result;
  return result.by.kind === 'key'
    ? narrowed(result, result.by)
    : refused('malformed', 'this request carries its key: use jwk, not kid (RFC 8555 §6.2)');
}

/** Requests that may be signed either way: revoke-cert (§7.6). */
export async function authenticate(
  ports: AuthenticatePorts,
  request: SignedRequest,
): Promise<Authenticated<ByAccount | ByKey> | Refused> {
  const jws = parseFlattenedJws(request.body);
  if ('why' in jws) return refused('malformed', jws.why);
  const algorithm = checkHeader(jws, request.url);
  if (typeof algorithm !== 'string') return algorithm;
  // §6.5: the nonce is spent before the signature is looked at, so a repeated request costs next to nothing.
  if (!ports.redeemNonce(jws.header.nonce ?? ''))
    return refused('badNonce', 'the nonce is unknown, spent or too old; take the one of this answer');
  return jws.header.kid === undefined ? byKey(jws, algorithm, request) : byAccount(ports, jws, algorithm, request);
}

function checkHeader(jws: FlattenedJws, url: string): JwsAlgorithm | Refused {
  const { alg, nonce, kid, jwk } = jws.header;
  if (!isJwsAlgorithm(alg)) {
    return refused('badSignatureAlgorithm', `the algorithm ${JSON.stringify(alg.slice(0, 20))} is not supported`, {
      algorithms: JWS_ALGORITHM_NAMES,
    });
  }
  if ((kid === undefined) === (jwk === undefined))
    return refused('malformed', 'the protected header has exactly one of jwk and kid (RFC 8555 §6.2)');
  if (jws.header.url !== url) {
    // §6.4: "the server MUST reject the request as unauthorized".
    return refused(
      'unauthorized',
      `the url in the protected header is ${JSON.stringify(jws.header.url?.slice(0, 200) ?? null)}; the request went to ${url}`,
    );
  }
  return nonce === undefined ? refused('badNonce', 'the protected header has no nonce') : alg;
}

function byKey(jws: FlattenedJws, algorithm: JwsAlgorithm, request: SignedRequest): Authenticated<ByKey> | Refused {
  const jwk = parsePublicJwk(jws.header.jwk);
  if ('why' in jwk) return refused('badPublicKey', jwk.why);
  if (!jwkFitsAlgorithm(jwk, algorithm))
    return refused('badSignatureAlgorithm', `a ${jwk.kty} key of this kind does not sign with ${algorithm}`, {
      algorithms: JWS_ALGORITHM_NAMES,
    });
  const key = keyFromJwk(jwk);
  if (key === null) return refused('badPublicKey', 'the numbers of the jwk are not a public key');
  if (!verifyJwsSignature(key, algorithm, jws.signingInput, jws.signature)) return badSignature();
  return made({ kind: 'key', jwk, thumbprint: jwkThumbprint(jwk) }, jws, request);
}

async function byAccount(
  ports: AuthenticatePorts,
  jws: FlattenedJws,
  algorithm: JwsAlgorithm,
  request: SignedRequest,
): Promise<Authenticated<ByAccount> | Refused> {
  const kid = jws.header.kid ?? '';
  const id = request.accountIdOf(kid);
  const account = id === null ? null : await ports.loadAccount(id);
  // An account belongs to the directory it was made under.
  if (account === null || account.provisioner !== request.provisioner) {
    return refused('accountDoesNotExist', `no account has the URL ${JSON.stringify(kid.slice(0, 200))} here`);
  }
  if (!jwkFitsAlgorithm(account.jwk, algorithm))
    return refused('badSignatureAlgorithm', `the account's key does not sign with ${algorithm}`, {
      algorithms: JWS_ALGORITHM_NAMES,
    });
  if (!verifyJwsSignature(ports.accountKey(account), algorithm, jws.signingInput, jws.signature)) return badSignature();
  // §7.3.6: "it MUST return an error response with status code 401 (Unauthorized)".
  if (account.deactivatedAt !== null) return refused('unauthorized', 'the account is deactivated', { status: 401 });
  return made({ kind: 'account', account }, jws, request);
}

function badSignature(): Refused {
  return refused('malformed', 'the signature of the request does not verify with its key');
}

function made<By>(by: By, jws: FlattenedJws, request: SignedRequest): Authenticated<By> {
  return { kind: 'authenticated', by, payload: jws.payload, url: request.url } as Authenticated<By>;
}

function narrowed<By>(request: Authenticated<unknown>, by: By): Authenticated<By> {
  return { kind: 'authenticated', by, payload: request.payload, url: request.url } as Authenticated<By>;
}
