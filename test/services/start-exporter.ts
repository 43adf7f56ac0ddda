/** Throw-away programs of the exporter-toolkit: their web configuration is what brings them to TLS. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { nodeExporter } from '../../src/core/services/node-exporter.ts';
import { prometheus } from '../../src/core/services/prometheus.ts';
import type { ServiceKind } from '../../src/core/services/service-kind.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { type RunningProgram, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { as, directoryFor } from './own-user.ts';

export interface Program {
  readonly kind: ServiceKind;
  readonly command: string;
  readonly args: (directory: string, port: number) => readonly string[];
}

export const PROGRAMS: readonly Program[] = [
  {
    kind: prometheus,
    command: 'prometheus',
    args: (directory, port) => {
      writeFileSync(join(directory, 'prometheus.yml'), 'scrape_configs: []\n');
      return [
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/own/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ];
    },
  },
  {
    kind: nodeExporter,
    command: 'prometheus-node-exporter',
    args: (_, port) => [`--web.listen-address=127.0.0.1:${port}`, '--collector.disable-defaults', '--collector.uname'],
  },
];

export async function startProgram(t: TestContext, { command, args }: Program) {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('prometheus'));
  const etc = join(directory.path, 'etc');
  mkdirSync(etc);
  const config = join(etc, 'web.yml');
  const port = await freePort();
  const given = args(directory.path, port);
  let running: RunningProgram | null = null;
  stack.defer(async () => void (await running?.stop()));
  const restart = async (): Promise<void> => {
    await running?.stop();
    // Without the file there is no flag either: that is the plaintext program.
    const flag = existsSync(config) ? [`--web.config.file=${config}`] : [];
    const [program, argv] = as('prometheus', [command, ...given, ...flag]);
    running = await startServer(program, argv, { isReady: () => acceptsConnections(port) });
  };
  const pidFile = join(directory.path, 'pid');
  const restartScript = join(directory.path, 'restart');
  const [word, words] = as('prometheus', [command, ...given]);
  writeFileSync(
    restartScript,
    `#!/bin/sh
test -e ${pidFile} && kill -TERM "$(cat ${pidFile})" && while kill -0 "$(cat ${pidFile})" 2>/dev/null; do sleep 0.05; done
test -e ${config} && set -- --web.config.file=${config}
setsid ${[word, ...words].join(' ')} "$@" >/dev/null 2>&1 </dev/null &
echo $! > ${pidFile}
`,
  );
  chmodSync(restartScript, 0o755);
  stack.defer(() => {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
  });
  /** `restartScript` for whoever restarts it from outside; `restart` for the test itself. */
  return { restart, restartScript, config, port };
}
