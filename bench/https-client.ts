/** HTTPS with few words: one connection that stays open, one request at a time, whole replies as text. */
import { Agent, request } from 'node:https';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpsClient {
  readonly send: (method: string, url: string, contentType?: string, body?: string) => Promise<Reply>;
  readonly close: () => void;
}

const REPLY_WITHIN_MS = 10_000;

/** No reply in time: a server that hangs, and not one that refuses. */
export class NoReply extends Error {}

/** @param rootPem the only root that is trusted */
export function httpsClient(rootPem: string): HttpsClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: rootPem });
  return {
    send: (method, url, contentType, body = '') =>
      new Promise((resolve, reject) => {
        const headers =
          contentType === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
        const sent = request(url, { method, agent, headers, timeout: REPLY_WITHIN_MS }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            text += part;
          });
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        });
        sent.on('error', reject);
        sent.on('timeout', () => sent.destroy(new NoReply(`no reply within ${REPLY_WITHIN_MS} ms`)));
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
