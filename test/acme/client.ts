/**
 * A raw ACME client (RFC 8555 §6): one signed request at a time, of which every part can be made wrong. It repeats
 * nothing by itself and throws for no answer: what comes back is what the test looks at.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { jwkThumbprint, parsePublicJwk } from '../../src/core/jose/jwk.ts';

export type AccountAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'EdDSA';

export interface AccountKey {
  readonly alg: AccountAlgorithm;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly thumbprint: string;
}

const GENERATE: Readonly<
  Record<AccountAlgorithm, () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>
> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

const DIGEST = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512', RS256: 'sha256', EdDSA: null } as const;

export function accountKey(alg: AccountAlgorithm = 'ES256', pair = GENERATE[alg]()): AccountKey {
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }) };
  const parsed = parsePublicJwk(jwk);
  if ('why' in parsed) throw new Error(parsed.why);
  return { alg, privateKey: pair.privateKey, jwk, thumbprint: jwkThumbprint(parsed) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON object of the body; empty where there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What is different from a right request; undefined members of `header` are left out of it. */
export interface Deviation {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly jws?: (right: Readonly<Record<string, string>>) => unknown;
  /** Signs in place of the client's key. */
  readonly key?: AccountKey;
  readonly contentType?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in place of the JSON of the JWS. */
  readonly rawBody?: string | Uint8Array;
  readonly method?: string;
  /** Asked for on the wire, while the JWS names `url`. */
  readonly target?: string;
}

export interface Resources {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string;
  readonly keyChange: string;
}

export interface AcmeClient {
  readonly key: AccountKey;
  readonly resources: Resources;
  /** The account's URL, once it has one. */
  kid: string | null;
  readonly get: (url: string, method?: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  /** @param payload an object, or null for POST-as-GET, or the octets themselves */
  readonly post: (url: string, payload: unknown, deviation?: Deviation) => Promise<Answer>;
  /** The members of a JWS signed by this client's key, not sent. */
  readonly sign: (
    header: Readonly<Record<string, unknown>>,
    payload: unknown,
    key?: AccountKey,
  ) => Record<string, string>;
  readonly nonce: () => Promise<string>;
  /** The same account and connection pool, with nonces of its own. */
  readonly twin: () => AcmeClient;
  readonly close: () => void;
}

export interface ClientOptions {
  readonly rootPem: string;
  readonly directory: string;
  readonly key?: AccountKey;
}

export async function acmeClient(options: ClientOptions): Promise<AcmeClient> {
  const agent = new Agent({ keepAlive: true, ca: options.rootPem, maxSockets: 32 });
  const answer = await send(agent, options.directory, 'GET', {});
  if (answer.status !== 200) throw new Error(`no directory: ${answer.status} ${answer.text}`);
  return clientWith(agent, answer.body as unknown as Resources, options.key ?? accountKey(), null);
}

/** A client with an account. */
export async function registered(options: ClientOptions, payload: object = {}): Promise<AcmeClient> {
  const client = await acmeClient(options);
  const answer = await client.post(client.resources.newAccount, payload);
  if (answer.status !== 201 && answer.status !== 200) throw new Error(`no account: ${answer.text}`);
  client.kid = String(answer.headers.location);
  return client;
}

function clientWith(agent: Agent, resources: Resources, key: AccountKey, kid: string | null): AcmeClient {
  const nonces: string[] = [];
  const keep = (answer: Answer): Answer => {
    const nonce = answer.headers['replay-nonce'];
    if (typeof nonce === 'string') nonces.push(nonce);
    return answer;
  };
  const client: AcmeClient = {
    key,
    resources,
    kid,
    get: (url, method = 'GET', headers = {}) => send(agent, url, method, headers),
    sign: (header, payload, by = key) => signed(header, payload, by),
    async nonce() {
      if (nonces.length === 0) keep(await send(agent, resources.newNonce, 'HEAD', {}));
      return nonces.pop() ?? '';
    },
    async post(url, payload, deviation = {}) {
      const by = deviation.key ?? key;
      const who = client.kid === null ? { jwk: by.jwk } : { kid: client.kid };
      const header = { alg: by.alg, nonce: await client.nonce(), url, ...who, ...deviation.header };
      const right = signed(header, payload, by);
      const body = deviation.rawBody ?? JSON.stringify(deviation.jws ? deviation.jws(right) : right);
      const { contentType = 'application/jose+json' } = deviation;
      const headers = { ...(contentType !== null && { 'content-type': contentType }), ...deviation.headers };
      return keep(await send(agent, deviation.target ?? url, deviation.method ?? 'POST', headers, body));
    },
    twin: () => clientWith(agent, resources, key, client.kid),
    close: () => agent.destroy(),
  };
  return client;
}

function signed(header: Readonly<Record<string, unknown>>, payload: unknown, by: AccountKey): Record<string, string> {
  const encoded = {
    protected: Buffer.from(JSON.stringify(header)).toString('base64url'),
    payload: payload === null ? '' : octetsOf(payload).toString('base64url'),
  };
  const signature = sign(DIGEST[by.alg], Buffer.from(`${encoded.protected}.${encoded.payload}`), {
    key: by.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return { ...encoded, signature: signature.toString('base64url') };
}

function octetsOf(payload: unknown): Buffer {
  return payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
}

export function send(
  agent: Agent,
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Whatever the Host header says, it is the address of the URL that must be in the certificate.
    const { hostname } = new URL(url);
    const servername = isIP(hostname) ? '' : hostname;
    const outgoing = request(url, { method, agent, headers, servername }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, body: objectOf(text) });
      });
    });
    outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`no answer from ${url} within 30 s`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return {};
  }
}
