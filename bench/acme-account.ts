/** An ES256 account key and the JWS that it signs (RFC 8555 §6.2, RFC 7515 §7.2.2). */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

export interface AccountKey {
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638. */
  readonly thumbprint: string;
  /** @param kid the account's URL; null names the key itself. @param payload null is POST-as-GET (§6.3). */
  readonly signRequest: (url: string, nonce: string, kid: string | null, payload: unknown) => string;
}

export function newAccountKey(): AccountKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  return {
    jwk,
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    signRequest(url, nonce, kid, payload) {
      const encodedHeader = encoded({ alg: 'ES256', ...(kid === null ? { jwk } : { kid }), nonce, url });
      const encodedPayload = payload === null ? '' : encoded(payload);
      const input = Buffer.from(`${encodedHeader}.${encodedPayload}`);
      const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `{"protected":"${encodedHeader}","payload":"${encodedPayload}","signature":"${signature.toString('base64url')}"}`;
    },
  };
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
