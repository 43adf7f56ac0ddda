/** The site of examples/aragora.yaml, with ports and directories that are free here. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type AcmeWorld, startAcmeWorld } from '../interop/acme-world.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { type Fullchain, LAUNCHER, startFullchain } from '../servers/fullchain.ts';
import { type Ran, run, startServer, until } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { startUpstream } from '../services/upstream.ts';
import { adapted, readExample } from '../world/adapted-example.ts';
import { freePort } from '../world/free-port.ts';

export const NAMES = ['aragora.test', 'www.aragora.test'];

export interface Site {
  readonly port: number;
  readonly redirectHttp: number;
  readonly ca: string;
  readonly webroot: string;
  readonly nginx: string;
  readonly file: string;
  readonly state: string;
  /** The ACME server. */
  readonly authority: {
    readonly stop: () => Promise<unknown>;
    readonly start: () => Promise<void>;
    /** As its operator. */
    readonly revokeNewest: () => Promise<void>;
  };
  /** Not in this process's time: the DNS server and the upstream are in it. */
  readonly fullchain: (...args: readonly string[]) => Promise<Ran>;
}

/**
 * nginx that knows no site and has no certificate, something behind it, an authority that asks nginx for the proof.
 *
 * @param lifetime of what the authority issues, such as "60s"; absent: its usual one
 */
export async function startSite(t: TestContext, lifetime?: string): Promise<Site> {
  const stack = cleanup(t);
  const world = stack.use(await startAcmeWorld(NAMES));
  const upstream = stack.use(await startUpstream());
  const path = join(world.directory, 'nginx');
  const [config, webroot, state] = [join(path, 'conf.d'), join(path, 'acme'), join(world.directory, 'stack')];
  mkdirSync(config, { recursive: true });
  const [plain, port, redirectHttp] = [await freePort(), await freePort(), world.http01Port];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(path, 'nginx.conf'),
    `${user} pid ${path}/nginx.pid; error_log ${path}/error.log; worker_processes 1; events {}
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${plain}; return 204; } include ${config}/*.conf; }
`,
  );
  const nginx = `${pathOf('nginx')} -p ${path} -c ${path}/nginx.conf -e ${path}/error.log`;
  const [program = '', ...args] = nginx.split(' ');
  stack.use(await startServer(program, [...args, '-g', 'daemon off;'], { isReady: () => acceptsConnections(plain) }));
  const file = join(world.directory, 'aragora.yaml');
  if (lifetime !== undefined)
    await world.fullchain('provisioner', 'add', 'short', '--type', 'acme', '--default-lifetime', lifetime);
  const directoryUrl =
    lifetime === undefined ? world.ca.acmeDirectory : world.ca.acmeDirectory.replace('/acme/acme/', '/acme/short/');
  writeFileSync(
    file,
    adapted(readExample('aragora.yaml'), [
      ['acme: https://ca.internal:9000/acme/acme/directory', `acme: ${directoryUrl}`],
      ['caFile: /etc/fullchain/ca.internal.crt', `caFile: ${world.ca.rootCertificate}`],
      ['webroot: /var/www/acme', `webroot: ${webroot}`],
      ['address: 127.0.0.1:443', `address: 127.0.0.1:${port}`],
      ['config: /etc/nginx/conf.d', `config: ${config}\n    command: ${nginx}`],
      ['upstream: http://127.0.0.1:8080', `upstream: ${upstream.url}`],
      ['redirectHttp: 80', `redirectHttp: ${redirectHttp}`],
    ]),
  );
  const fullchain = (...command: readonly string[]) => run(process.execPath, [LAUNCHER, ...command, '--state', state]);
  assert.equal((await fullchain('ca', 'init')).status, 0);
  return {
    port,
    redirectHttp,
    ca: readFileSync(world.ca.rootCertificate, 'utf8'),
    webroot,
    nginx,
    file,
    state,
    authority: authorityOf(stack, world),
    fullchain: (...command) => fullchain(...command, '--json', '--file', file),
  };
}

function authorityOf(stack: AsyncDisposableStack, { ca, dns, http01Port, fullchain }: AcmeWorld): Site['authority'] {
  let running: Pick<Fullchain, 'stop'> = ca;
  return {
    stop: () => running.stop(),
    async revokeNewest() {
      const { certificates } = (await fullchain('cert', 'list')) as {
        certificates: { serial: string; notBefore: string; profile: string }[];
      };
      const [newest] = certificates
        .filter(({ profile }) => profile === 'server')
        .sort((a, b) => b.notBefore.localeCompare(a.notBefore));
      await fullchain('cert', 'revoke', newest?.serial ?? assert.fail('nothing was issued'), '--reason', 'superseded');
    },
    async start() {
      const listen = [
        '--listen',
        new URL(ca.url).host,
        '--resolver',
        dns.address,
        '--http-01-port',
        String(http01Port),
      ];
      running = stack.use(await startFullchain(ca.state, listen));
    },
  };
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export function ask(name: string, port: number, path: string, ca?: string): Promise<Answer> {
  const options = { host: '127.0.0.1', port, path, headers: { host: name }, agent: false } as const;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked =
    ca === undefined ? plainRequest(options) : secureRequest({ ...options, agent: false, ca, servername: name });
  asked.on('error', reject).on('response', async (answer) => {
    const body = (await answer.setEncoding('utf8').toArray()).join('');
    resolve({ status: answer.statusCode, headers: answer.headers, body });
  });
  asked.end();
  return promise;
}

/** What a WebSocket says back. */
export async function echo(site: Site, words: string): Promise<string> {
  const open = await openWebSocket(site);
  const heard = await open.echo(words);
  open.close();
  return heard;
}

export interface OpenWebSocket {
  /** What comes back, as long as what was sent. */
  readonly echo: (words: string) => Promise<string>;
  readonly close: () => void;
}

export async function openWebSocket({ port, ca }: Site): Promise<OpenWebSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'aragora.test' });
  let heard = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    heard += data.toString('latin1');
  });
  socket.write(
    'GET /ws HTTP/1.1\r\nhost: aragora.test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n',
  );
  const evidence = (): string => heard;
  await until(() => heard.includes('\r\n\r\n'), 'the WebSocket', 10_000, evidence);
  assert.match(heard, /^HTTP\/1\.1 101 /);
  return {
    async echo(words) {
      heard = '';
      socket.write(words);
      await until(() => heard.length >= words.length, 'the echo', 10_000, evidence);
      return heard;
    },
    close: () => socket.destroy(),
  };
}
