/** One GET of a stranger's page: bounded in size and time, certificates not verified, nothing decoded, nothing followed. */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import type { FetchPage, Page } from '../../flow/probe/look-at-web.ts';

const MOST_BYTES = 512 * 1024;
const MOST_FIELD_BYTES = 16 * 1024;

export const fetchPage: FetchPage = ({ address, tls, serverName, host, path, client, timeoutMs }) =>
  new Promise((resolve) => {
    const common = {
      host: address.host,
      port: address.port,
      path,
      method: 'GET',
      headers: { host, accept: 'text/html, */*;q=0.5', 'accept-encoding': 'identity', connection: 'close' },
      maxHeaderSize: MOST_FIELD_BYTES,
    };
    const request = tls
      ? requestHttps({
          ...common,
          agent: new Agent({
            keepAlive: false,
            maxCachedSessions: 0,
            servername: serverName ?? '',
            rejectUnauthorized: false,
            minVersion: 'TLSv1',
            ciphers: 'DEFAULT:@SECLEVEL=0',
            ALPNProtocols: ['http/1.1'],
            ...(client && { cert: client.certPem, key: client.keyPem }),
          }),
        })
      : requestHttp({ ...common, agent: false });
    const settle = (page: Page | null): void => {
      clearTimeout(deadline);
      request.destroy();
      resolve(page);
    };
    const deadline = setTimeout(() => settle(null), timeoutMs);
    request.on('error', () => settle(null));
    request.once('response', (response) => receive(response, settle));
    request.end();
  });

function receive(response: IncomingMessage, settle: (page: Page | null) => void): void {
  const chunks: Buffer[] = [];
  let received = 0;
  const page = (): Page => ({
    status: response.statusCode ?? 0,
    fields: fieldsOf(response.rawHeaders),
    body: Buffer.concat(chunks).toString('utf8'),
    isWhole: response.complete,
  });
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.byteLength;
    if (received > MOST_BYTES) settle(page());
  });
  response.once('end', () => settle(page()));
  response.once('close', () => settle(page()));
}

function fieldsOf(raw: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    // RFC 6797 §8.1: of several Strict-Transport-Security fields only the first counts.
    if (!fields.has(name)) fields.set(name, raw[i + 1] ?? '');
  }
  return fields;
}
