/** One client of an ACME server (RFC 8555 §6): a connection, a nonce that each reply renews, signed requests. */
import type { AccountKey } from './acme-account.ts';
import { httpsClient, type Reply } from './https-client.ts';

/** RFC 8555 §7.1.1, as far as it is used here. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
}

export interface Account {
  readonly key: AccountKey;
  readonly url: string;
}

export interface AcmeSession {
  /** Asks again with the nonce of the refusal when the server did not like the first (§6.5). */
  readonly post: (account: Account, url: string, payload: unknown) => Promise<Reply>;
  readonly newAccount: (key: AccountKey) => Promise<Account>;
  readonly directory: Directory;
  /** Requests sent so far. */
  readonly requestCount: () => number;
  readonly badNonceCount: () => number;
  readonly close: () => void;
}

const MAX_BAD_NONCES = 10;

/** Connected, with a nonce at hand. */
export async function openAcmeSession(directoryUrl: string, rootPem: string): Promise<AcmeSession> {
  const client = httpsClient(rootPem);
  let requests = 0;
  let badNonces = 0;
  let nonce: string | null = null;

  const send = async (method: string, url: string, body?: string): Promise<Reply> => {
    requests++;
    const reply = await client.send(method, url, body === undefined ? undefined : 'application/jose+json', body);
    const fresh = reply.headers['replay-nonce'];
    if (typeof fresh === 'string') nonce = fresh;
    return reply;
  };

  const directory = JSON.parse((await send('GET', directoryUrl)).text) as Directory;

  const takeNonce = async (): Promise<string> => {
    if (nonce === null) await send('HEAD', directory.newNonce);
    const taken = nonce;
    nonce = null;
    if (taken === null) throw new Error('newNonce gave no nonce');
    return taken;
  };

  const signed = async (key: AccountKey, kid: string | null, url: string, payload: unknown): Promise<Reply> => {
    for (let attempt = 0; ; attempt++) {
      const reply = await send('POST', url, key.signRequest(url, await takeNonce(), kid, payload));
      if (reply.status !== 400 || problemOf(reply) !== 'badNonce' || attempt === MAX_BAD_NONCES) return reply;
      badNonces++;
    }
  };

  await send('HEAD', directory.newNonce);
  return {
    directory,
    post: (account, url, payload) => signed(account.key, account.url, url, payload),
    async newAccount(key) {
      const reply = await signed(key, null, directory.newAccount, { termsOfServiceAgreed: true });
      const url = reply.headers.location;
      if (reply.status !== 201 || typeof url !== 'string')
        throw new Error(`newAccount: ${reply.status} ${reply.text.slice(0, 500)}`);
      return { key, url };
    },
    requestCount: () => requests,
    badNonceCount: () => badNonces,
    close: client.close,
  };
}

/** The last part of a problem's type ("badNonce"), or "" for what is no problem document (RFC 8555 §6.7). */
export function problemOf(reply: Reply): string {
  try {
    const { type } = JSON.parse(reply.text) as { readonly type?: unknown };
    return typeof type === 'string' ? (type.split(':').at(-1) ?? '') : '';
  } catch {
    // Servers that fail answer in any form.
    return '';
  }
}
