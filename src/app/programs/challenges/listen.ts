/** http-01 by a listener of our own, there only while something is proved: by one order, or by several at once. */
import { createServer } from 'node:http';
import { OperatorFault } from '../../../core/faults/operator-faults.ts';
import type { ChallengeHandler } from '../../../edge/acme-client/challenge-handler.ts';
import { bindPort, parseListenAddress } from '../../../edge/http/listener.ts';

interface Listener {
  readonly close: () => Promise<void>;
}

/** @param listen ":80", "127.0.0.1:8080" */
export function listeningChallenge(listen: string): ChallengeHandler {
  const answers = new Map<string, string>();
  let opened: Promise<Listener> | null = null;
  let closed: Promise<void> = Promise.resolve();
  return {
    type: 'http-01',
    async present(_identifier, token, keyAuthorization) {
      answers.set(token, keyAuthorization);
      // The port is free again only once the one before is closed.
      opened ??= closed.then(() => openListener(listen, answers));
      await opened;
    },
    async cleanUp(_identifier, token) {
      answers.delete(token);
      if (answers.size > 0 || opened === null) return;
      const last = opened;
      opened = null;
      // One that could not be opened has said so, and has nothing to close.
      closed = last.then(
        ({ close }) => close(),
        () => {},
      );
      await closed;
    },
  };
}

/** @throws OperatorFault usage, port-in-use, port-forbidden, address-unavailable */
async function openListener(listen: string, answers: ReadonlyMap<string, string>): Promise<Listener> {
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
}
