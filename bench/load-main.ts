/** The process that is all clients: it answers challenges and DNS, waits for loads, and reports each one's result. */
import { once } from 'node:events';
import { acmeLoad } from './acme-load-client.ts';
import { startHttp01Responder } from './http-01-responder.ts';
import { issueLoad } from './issue-load-client.ts';
import type { FromLoadProcess, ToLoadProcess } from './load-process.ts';
import { startLoopbackDns } from './loopback-dns.ts';

const HTTP_01_PORT = 80;
const DNS_PORT = 53;

const tell = (message: FromLoadProcess): void => void process.send?.(message);
const begin = async (): Promise<void> => {
  tell({ kind: 'prepared' });
  await once(process, 'message');
};

const responder = await startHttp01Responder(HTTP_01_PORT);
await startLoopbackDns(DNS_PORT);
tell({ kind: 'listening' });
for (;;) {
  const [message] = (await once(process, 'message')) as [ToLoadProcess];
  if (message.kind !== 'load') throw new Error(`${message.kind} without a load`);
  const { load } = message;
  const result = load.kind === 'acme' ? await acmeLoad(load, responder, begin) : await issueLoad(load, begin);
  tell({ kind: 'result', result });
}
