/** A throw-away nginx with an upstream behind it, where a site is still to be written. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { startServer, temporaryDirectory } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { startUpstream } from './upstream.ts';

/** nginx that knows nothing of our service yet, but includes the directory where it will be written. */
export async function startNginx(t: TestContext) {
  const stack = cleanup(t);
  const directory = stack.use(temporaryDirectory());
  const { path } = directory;
  const config = join(path, 'conf.d');
  mkdirSync(config);
  const main = join(path, 'nginx.conf');
  const [plainPort, port, redirectHttp] = [await freePort(), await freePort(), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  );
  writeFileSync(
    main,
    `${process.getuid?.() === 0 ? 'user root;\n' : ''}pid ${path}/nginx.pid;\nerror_log ${path}/error.log;\nworker_processes 2;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server { listen 127.0.0.1:${plainPort}; return 204; }
  include ${config}/*.conf;
}
`,
  );
  const program = pathOf('nginx') ?? 'nginx';
  const server = await startServer(
    program,
    ['-p', path, '-c', main, '-e', join(path, 'error.log'), '-g', 'daemon off;'],
    {
      isReady: () => acceptsConnections(plainPort),
    },
  );
  stack.defer(async () => void (await server.stop()));
  const upstream = stack.use(await startUpstream());
  const webroot = join(path, 'acme');
  mkdirSync(join(webroot, '.well-known', 'acme-challenge'), { recursive: true });
  writeFileSync(join(webroot, '.well-known', 'acme-challenge', 'token'), 'token.thumbprint');
  const settings = {
    config,
    upstream: upstream.url,
    redirectHttp,
    command: `${program} -p ${path} -c ${main} -e ${path}/error.log`,
  };
  return { port, redirectHttp, config, webroot, directory: path, settings };
}
