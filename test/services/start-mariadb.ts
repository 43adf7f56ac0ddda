/** A throw-away MariaDB that begins in plaintext, with a user "app" over TCP. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProgram, run as runProgram, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { greeting } from './look.ts';
import { as, directoryFor } from './own-user.ts';

/** After the server's greeting: the short form of the response, which asks for TLS (CLIENT_SSL, CLIENT_PROTOCOL_41). */
export async function mysqlPreamble(socket: Socket): Promise<void> {
  await greeting(socket);
  const request = Buffer.alloc(36);
  request.writeUIntLE(32, 0, 3);
  request[3] = 1;
  request.writeUInt32LE(0x0800 | 0x0200 | 0x8000 | 0x80000, 4);
  request.writeUInt32LE(1 << 24, 8);
  request[12] = 45;
  socket.write(request);
}

export async function startMariaDb(t: TestContext) {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('mysql'));
  const { own, path } = directory;
  const data = join(own, 'data');
  const config = join(path, 'conf.d');
  const socket = join(own, 'mysqld.sock');
  const main = join(path, 'my.cnf');
  mkdirSync(config);
  const port = await freePort();
  writeFileSync(
    main,
    `[mysqld]\ndatadir=${data}\ntmpdir=${own}\nsocket=${socket}\npid-file=${own}/mysqld.pid\nport=${port}\nbind-address=127.0.0.1\nskip-name-resolve\ninnodb-flush-log-at-trx-commit=0\ninnodb-buffer-pool-size=8M\ninnodb-log-file-size=4M\naria-log-dir-path=${data}\n!includedir ${config}\n`,
  );
  const made = await runProgram(
    ...as('mysql', [
      'mariadb-install-db',
      `--defaults-file=${main}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
    ]),
  );
  assert.equal(made.status, 0, made.output);
  const sql = (...args: readonly string[]) =>
    runProgram('mariadb', ['--no-defaults', '--batch', '--skip-column-names', ...args]);
  const overSocket = (statement: string) => sql(`--socket=${socket}`, '--user=root', '--execute', statement);
  let running: RunningProgram | null = null;
  const restart = async (): Promise<void> => {
    await running?.stop();
    const [program, args] = as('mysql', ['mariadbd', `--defaults-file=${main}`]);
    const server = await startServer(program, args, {
      isReady: async () => (await overSocket('SELECT 1')).status === 0,
    });
    running = server;
  };
  const pidFile = join(own, 'mysqld.pid');
  /** Whoever has started it. */
  const stop = async (): Promise<void> => {
    await running?.stop();
    if (!existsSync(pidFile)) return;
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
    for (let tries = 0; tries < 400 && existsSync(pidFile); tries++) await sleep(25);
  };
  stack.defer(stop);
  await restart();
  assert.equal((await overSocket("CREATE USER app@'127.0.0.1' IDENTIFIED BY 'a'")).status, 0);
  const overTcp = (...args: readonly string[]) =>
    sql('--host=127.0.0.1', `--port=${port}`, '--user=app', '--password=a', ...args, '--execute', 'SELECT 1');
  const restartScript = join(path, 'restart');
  const [program, args] = as('mysql', ['mariadbd', `--defaults-file=${main}`]);
  writeFileSync(
    restartScript,
    `#!/bin/sh
kill -TERM "$(cat ${pidFile})"
while [ -e ${pidFile} ]; do sleep 0.05; done
setsid ${[program, ...args].join(' ')} >/dev/null 2>&1 </dev/null &
until mariadb --no-defaults --socket=${socket} --user=root --execute 'SELECT 1' >/dev/null 2>&1; do sleep 0.05; done
`,
  );
  chmodSync(restartScript, 0o755);
  return { restart, restartScript, stop, port, config, socket, pidFile, path, overSocket, overTcp };
}
