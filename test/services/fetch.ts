/** A request over HTTP or HTTPS to a server on loopback, by whatever name. */
import { type IncomingHttpHeaders, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { TestPair } from './test-authority.ts';

export interface Asked {
  readonly port: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: over plain HTTP. */
  readonly ca?: string;
  readonly client?: TestPair;
  /** For SNI and verification; else service.internal. "": no SNI, and the address is verified. */
  readonly serverName?: string;
  /** Whether the name of the server has to be right; else it has. */
  readonly isVerified?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function ask({
  port,
  path = '/',
  headers = {},
  ca,
  client,
  serverName = 'service.internal',
  isVerified = true,
}: Asked): Promise<Answer> {
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    path,
    headers: { host: 'service.internal', ...headers },
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request =
      ca === undefined
        ? plainRequest(options)
        : secureRequest({
            ...options,
            agent: false,
            ca,
            servername: serverName,
            rejectUnauthorized: isVerified,
            ...(client && { cert: client.chain, key: client.key }),
          });
    request.setTimeout(10_000, () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.end();
  });
}
