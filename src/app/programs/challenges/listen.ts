/** http-01 by a listener of our own, there only while something is proved. */
import { createServer } from 'node:http';
import { OperatorFault } from '../../../core/faults/operator-faults.ts';
import type { OpenChallengeHandler } from '../../../edge/acme-client/challenge-handler.ts';
import { bindPort, parseListenAddress } from '../../../edge/http/listener.ts';

/** @param listen ":80", "127.0.0.1:8080"; it is opened with the first challenge */
export function listeningChallenge(listen: string): OpenChallengeHandler {
  const answers = new Map<string, string>();
  let opened: Promise<{ readonly close: () => Promise<void> }> | null = null;
  const open = async () => {
    const address = parseListenAddress(listen);
    if (address === null) throw new OperatorFault('usage', `${JSON.stringify(listen)} is not HOST:PORT`);
    const port = await bindPort(address);
    const http = createServer((request, response) => {
      const token = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]+)$/.exec(request.url ?? '')?.[1] ?? '';
      const answer = answers.get(token);
      response.writeHead(answer === undefined ? 404 : 200, {
        'content-type': 'application/octet-stream',
        connection: 'close',
      });
      response.end(answer);
    });
    port.serve((socket) => http.emit('connection', socket));
    return { close: port.close };
  };
  return {
    type: 'http-01',
    async present(_identifier, token, keyAuthorization) {
      opened ??= open();
      await opened;
      answers.set(token, keyAuthorization);
    },
    async cleanUp(_identifier, token) {
      answers.delete(token);
    },
    async close() {
      // One that could not be opened has said so already, and has nothing to close.
      const open = await opened?.catch(() => null);
      await open?.close();
    },
  };
}
