/** The estate of examples/kldload.yaml, in plaintext, with ports and directories that are free here; without Grafana, which Debian does not have. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, run, temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { PROGRAMS, startProgram } from '../services/start-exporter.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { startNginx } from '../services/start-nginx.ts';
import { EVERYBODY, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { adapted, type Replacement, readExample } from '../world/adapted-example.ts';
import { freePort } from '../world/free-port.ts';

/** Services of the example, Grafana aside. */
export const SERVICES = ['postgres', 'mariadb', 'redis', 'api', 'prometheus', 'node-exporter', 'web-ui'];

export interface Kldload {
  readonly directory: string;
  readonly state: string;
  readonly file: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly fullchain: (...args: readonly string[]) => Promise<Ran>;
}

/** @param lifetime of its certificates, such as "60s" */
export async function startKldload(t: TestContext, lifetime: string): Promise<Kldload> {
  const stack = cleanup(t);
  const { path: directory } = stack.use(temporaryDirectory());
  const [prometheus, exporter] = PROGRAMS;
  if (!prometheus || !exporter) assert.fail();
  const [pg, maria, redis, nginx, prom, node, webUi] = await Promise.all([
    startCluster(t, EVERYBODY),
    startMariaDb(t),
    startRedis(t),
    startNginx(t),
    startProgram(t, prometheus),
    startProgram(t, exporter),
    webUiIn(stack, directory),
  ]);
  for (const { restartScript } of [prom, node]) assert.equal((await run(restartScript, [])).status, 0);
  const edits: readonly Replacement[] = [
    ['  lifetime: 24h', `  lifetime: ${lifetime}`],
    ['address: 127.0.0.1:5432', `address: 127.0.0.1:${pg.port}`],
    ['data: /var/lib/postgresql/15/main', `data: ${pg.data}`],
    ['address: 127.0.0.1:3306', `address: 127.0.0.1:${maria.port}`],
    [
      'config: /etc/mysql/conf.d',
      `config: ${maria.config}\n    socket: ${maria.socket}\n    restart: ${maria.restartScript}`,
    ],
    ['address: 127.0.0.1:6379', `address: 127.0.0.1:${redis.port}`],
    ['config: /etc/redis/redis.conf', `config: ${redis.config}`],
    ['passwordFile: /etc/redis/password', `passwordFile: ${redis.passwordFile}`],
    ['address: 127.0.0.1:443', `address: 127.0.0.1:${nginx.port}`],
    ['config: /etc/nginx/conf.d', `config: ${nginx.config}\n    command: ${nginx.settings.command}`],
    ['upstream: http://127.0.0.1:8080', `upstream: ${nginx.settings.upstream}`],
    ['address: 127.0.0.1:9090', `address: 127.0.0.1:${prom.port}`],
    ['config: /etc/prometheus/web.yml', `config: ${prom.config}\n    restart: ${prom.restartScript}`],
    ['address: 127.0.0.1:9100', `address: 127.0.0.1:${node.port}`],
    ['config: /etc/node_exporter/tls.yml', `config: ${node.config}\n    restart: ${node.restartScript}`],
    ['address: 127.0.0.1:8443', `address: 127.0.0.1:${webUi.port}`],
    ['certificate: /etc/kldload/tls/server.crt', `certificate: ${webUi.certificate}`],
    ['key: /etc/kldload/tls/server.key', `key: ${webUi.key}`],
    ['ca: /etc/kldload/tls/ca.crt', `ca: ${directory}/web-ui/ca.crt`],
    ['reload: systemctl restart kldload-webui', `reload: ${webUi.restartScript}`],
    ['directory: /etc/kldload/clients/client-api', `directory: ${directory}/client-api`],
    ['directory: /etc/kldload/clients/app-service', `directory: ${directory}/app-service`],
    ['directory: /etc/prometheus/tls', `directory: ${directory}/prometheus`],
  ];
  const example = readExample('kldload.yaml').replace(/^ {2}grafana:\n(?: {4}.*\n)+\n/m, '');
  assert.doesNotMatch(example, /grafana/);
  const text = adapted(example, edits);
  const [file, state] = [join(directory, 'kldload.yaml'), join(directory, 'state')];
  writeFileSync(file, text);
  const fullchain = (...args: readonly string[]) => run(process.execPath, [LAUNCHER, ...args, '--state', state]);
  const init = await fullchain('ca', 'init');
  assert.equal(init.status, 0, init.output);
  return {
    directory,
    state,
    file,
    ports: {
      postgres: pg.port,
      mariadb: maria.port,
      redis: redis.port,
      api: nginx.port,
      prometheus: prom.port,
      'node-exporter': node.port,
      'web-ui': webUi.port,
    },
    fullchain: (command = '', ...args) => fullchain(command, ...args, '--json', '--file', file),
  };
}

/** Started by its first reload: without a certificate it does not start. */
async function webUiIn(stack: AsyncDisposableStack, directory: string) {
  const port = await freePort();
  const own = join(directory, 'web-ui');
  mkdirSync(own);
  const [certificate, key] = [join(own, 'server.crt'), join(own, 'server.key')];
  const [environment, pidFile, restartScript] = [join(own, 'kldload.env'), join(own, 'pid'), join(own, 'restart')];
  writeFileSync(environment, `TLS_CERT=${certificate}\nTLS_KEY=${key}\nPORT=${port}\n`);
  writeFileSync(
    restartScript,
    `#!/bin/sh
set -a; . ${environment}
test -e ${pidFile} && kill -TERM "$(cat ${pidFile})" && while kill -0 "$(cat ${pidFile})" 2>/dev/null; do sleep 0.05; done
setsid /usr/bin/python3 ${join(import.meta.dirname, 'web-ui.py')} >/dev/null 2>&1 </dev/null &
echo $! > ${pidFile}
`,
  );
  chmodSync(restartScript, 0o755);
  stack.defer(() => {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
  return { port, certificate, key, restartScript };
}
