/** The life of an ACME account (RFC 8555 §7.3): made, changed, deactivated, its key replaced. */
import { type Account, parseContacts } from '../../core/acme/account.ts';
import { parseObjectPayload } from '../../core/acme/payload.ts';
import { keyFromJwk, verifyJwsSignature } from '../../core/crypto/jws-signature.ts';
import { type Refused, refused } from '../../core/faults/acme-problems.ts';
import { parseFlattenedJws } from '../../core/jose/flattened-jws.ts';
import { jwkFitsAlgorithm, jwkThumbprint, parsePublicJwk } from '../../core/jose/jwk.ts';
import { isJwsAlgorithm, JWS_ALGORITHM_NAMES } from '../../core/jose/jws-algorithms.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Authenticated, ByAccount, ByKey } from './authenticate-request.ts';
import type { AccountStore } from './store-ports.ts';

export type AccountResult =
  | { readonly kind: 'account'; readonly created: boolean; readonly account: Account }
  | Refused;

/** §7.3: a key has at most one account, so asking again returns the first one. §7.3.1: onlyReturnExisting. */
export async function newAccount(
  store: Pick<AccountStore, 'findAccount' | 'insertAccount'>,
  request: Authenticated<ByKey>,
  provisioner: string,
  now: Instant,
): Promise<AccountResult> {
  const payload = parseObjectPayload(request.payload);
  if (payload.kind === 'refused') return payload;
  const { contact, onlyReturnExisting } = payload.value;
  const { jwk, thumbprint } = request.by;
  const existing = await store.findAccount(provisioner, thumbprint);
  if (existing?.deactivatedAt)
    return refused('unauthorized', 'the account of this key is deactivated', { status: 401 });
  if (existing) return { kind: 'account', created: false, account: existing };
  if (onlyReturnExisting === true) return refused('accountDoesNotExist', 'no account has this key');
  const contacts = parseContacts(contact);
  if (contacts.kind === 'refused') return contacts;
  const { created, account } = await store.insertAccount({
    provisioner,
    jwk,
    thumbprint,
    contact: contacts.contact,
    createdAt: now,
  });
  return { kind: 'account', created, account };
}

/** §7.3.2 update, §7.3.6 deactivation; an empty payload reads. */
export async function updateAccount(
  store: Pick<AccountStore, 'updateAccount' | 'loadAccount'>,
  request: Authenticated<ByAccount>,
  accountId: number,
  now: Instant,
): Promise<AccountResult> {
  const { account } = request.by;
  if (account.id !== accountId) return refused('unauthorized', 'an account can read and change only itself');
  if (request.payload.byteLength === 0) return { kind: 'account', created: false, account };
  const payload = parseObjectPayload(request.payload);
  if (payload.kind === 'refused') return payload;
  const { contact, status } = payload.value;
  if (status !== undefined && status !== 'deactivated' && status !== 'valid')
    return refused('malformed', 'a client can set the status only to "deactivated"');
  const contacts = contact === undefined ? null : parseContacts(contact);
  if (contacts?.kind === 'refused') return contacts;
  await store.updateAccount(accountId, {
    ...(contacts && { contact: contacts.contact }),
    ...(status === 'deactivated' && { deactivatedAt: now }),
  });
  const changed = await store.loadAccount(accountId);
  return changed
    ? { kind: 'account', created: false, account: changed }
    : refused('accountDoesNotExist', 'the account is gone');
}

/** §7.3.5: the outer JWS is signed by the old key, the inner one by the new key. */
export async function changeAccountKey(
  store: Pick<AccountStore, 'findAccount' | 'replaceAccountKey' | 'loadAccount'>,
  request: Authenticated<ByAccount>,
  accountUrl: (id: number) => string,
): Promise<AccountResult> {
  const { account } = request.by;
  const outer = parseObjectPayload(request.payload);
  if (outer.kind === 'refused') return outer;
  const inner = parseFlattenedJws(outer.value);
  if ('why' in inner) return refused('malformed', `inner JWS: ${inner.why}`);
  const { alg, url, nonce, jwk: innerJwk, kid } = inner.header;
  if (!isJwsAlgorithm(alg))
    return refused('badSignatureAlgorithm', 'inner JWS: the algorithm is not supported', {
      algorithms: JWS_ALGORITHM_NAMES,
    });
  if (innerJwk === undefined || kid !== undefined) return refused('malformed', 'inner JWS: carries the new key as jwk');
  if (nonce !== undefined) return refused('malformed', 'inner JWS: has no nonce');
  if (url !== request.url) return refused('malformed', 'inner JWS: its url is that of the outer JWS');
  const jwk = parsePublicJwk(innerJwk);
  if ('why' in jwk) return refused('badPublicKey', jwk.why);
  const key = jwkFitsAlgorithm(jwk, alg) ? keyFromJwk(jwk) : null;
  if (key === null) return refused('badPublicKey', `the new key does not sign with ${alg}`);
  if (!verifyJwsSignature(key, alg, inner.signingInput, inner.signature))
    return refused('malformed', 'inner JWS: the signature does not verify with the new key');

  const payload = parseObjectPayload(inner.payload);
  if (payload.kind === 'refused') return payload;
  if (payload.value.account !== accountUrl(account.id))
    return refused('malformed', 'inner JWS: account is not the URL of the account that signed');
  const oldKey = parsePublicJwk(payload.value.oldKey);
  if ('why' in oldKey || jwkThumbprint(oldKey) !== account.thumbprint)
    return refused('malformed', 'inner JWS: oldKey is not the key of the account');
  const thumbprint = jwkThumbprint(jwk);
  if (thumbprint === account.thumbprint) return refused('badPublicKey', 'the new key is the old one');

  if (!(await store.replaceAccountKey(account.id, jwk, thumbprint))) {
    const owner = await store.findAccount(account.provisioner, thumbprint);
    // §7.3.5: "the server MUST return … 409 (Conflict) … and provide the URL of that account".
    return refused('malformed', 'another account has the new key', {
      status: 409,
      ...(owner && { location: accountUrl(owner.id) }),
    });
  }
  const changed = await store.loadAccount(account.id);
  return changed
    ? { kind: 'account', created: false, account: changed }
    : refused('accountDoesNotExist', 'the account is gone');
}
