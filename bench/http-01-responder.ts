/** Answers http-01 challenges (RFC 8555 §8.3) on loopback, whatever the host is called. */
import { once } from 'node:events';
import { createServer } from 'node:http';

export interface Http01Responder {
  readonly present: (token: string, keyAuthorization: string) => void;
  readonly remove: (token: string) => void;
}

const PATH = '/.well-known/acme-challenge/';

export async function startHttp01Responder(port: number): Promise<Http01Responder> {
  const keyAuthorizations = new Map<string, string>();
  const server = createServer((request, response) => {
    const { url = '' } = request;
    const found = url.startsWith(PATH) ? keyAuthorizations.get(url.slice(PATH.length)) : undefined;
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/octet-stream' });
    response.end(found);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    present: (token, keyAuthorization) => void keyAuthorizations.set(token, keyAuthorization),
    remove: (token) => void keyAuthorizations.delete(token),
  };
}
