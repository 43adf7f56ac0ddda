/**
 * What every ACME client needs around it: our authority, a DNS that knows the names, ports for the challenges.
 * No port below 1024 and no name of the outside: the authority asks this DNS, and validates at these ports.
 */
import { createServer } from 'node:http';
import { type Fullchain, LAUNCHER, startFullchain } from '../servers/fullchain.ts';
import { run, temporaryDirectory } from '../servers/process.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';

export interface AcmeWorld extends AsyncDisposable {
  readonly ca: Fullchain;
  readonly dns: DnsServer;
  /** Of the test; gone with the world. */
  readonly directory: string;
  readonly http01Port: number;
  readonly tlsAlpn01Port: number;
  /** Where `curl --data VALUE URL/present/NAME` and `…/cleanup/NAME` set and remove TXT records. */
  readonly txtRecordsUrl: string;
  /** `fullchain ARGS --state … --json`, as a value. @throws unless it ends with status 0 */
  readonly fullchain: (...args: readonly string[]) => Promise<unknown>;
}

/** @param names resolve to 127.0.0.1, and so does every name below them that TXT records are set for */
export async function startAcmeWorld(names: readonly string[], args: readonly string[] = []): Promise<AcmeWorld> {
  await using building = new AsyncDisposableStack();
  const { path: directory } = building.use(temporaryDirectory());
  const dns = building.adopt(await startDnsServer(), ({ close }) => close());
  for (const name of names) dns.set(name, { A: ['127.0.0.1'] });
  const txtRecords = building.adopt(await startTxtRecords(dns), ({ close }) => close());
  const [http01Port, tlsAlpn01Port] = [await freePort(), await freePort()];
  const ports = ['--http-01-port', `${http01Port}`, '--tls-alpn-01-port', `${tlsAlpn01Port}`];
  const ca = building.use(await startFullchain(`${directory}/state`, ['--resolver', dns.address, ...ports, ...args]));
  const parts = building.move();
  return {
    ca,
    dns,
    directory,
    http01Port,
    tlsAlpn01Port,
    txtRecordsUrl: `http://127.0.0.1:${txtRecords.port}`,
    fullchain: async (...command) => {
      const ran = await run(process.execPath, [LAUNCHER, ...command, '--state', ca.state, '--json']);
      if (ran.status !== 0) throw new Error(`fullchain ${command.join(' ')}: status ${ran.status}\n${ran.output}`);
      return JSON.parse(ran.stdout);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The handle by which a client's script, another process, writes to the DNS of the test. */
async function startTxtRecords(dns: DnsServer): Promise<{ port: number; close: () => Promise<void> }> {
  const texts = new Map<string, readonly string[]>();
  const server = createServer(async (request, response) => {
    const [, verb, name = ''] = (request.url ?? '').replace(/\.$/, '').split('/');
    const value = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    const others = (texts.get(name) ?? []).filter((text) => text !== value);
    const TXT = verb === 'present' ? [...others, value] : others;
    texts.set(name, TXT);
    if (TXT.length > 0) dns.set(name, { TXT });
    else dns.remove(name);
    response.end('done\n');
  });
  return startTcpServer(server, '127.0.0.1', 0);
}
