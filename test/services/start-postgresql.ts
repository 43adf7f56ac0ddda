/** A throw-away PostgreSQL cluster that begins in plaintext. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type RunningProgram, run as runProgram, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { greeting, speak } from './look.ts';
import { as, directoryFor } from './own-user.ts';

const DIRECTORIES = ['18', '17', '16', '15', '14', '13', '12'].map((version) => `/usr/lib/postgresql/${version}/bin`);
const bin = DIRECTORIES.find((path) => existsSync(join(path, 'postgres')));

/** Of the newest PostgreSQL here; empty where there is none. */
export const POSTGRES_BIN = bin ?? '';

/** For node:test's `skip`. */
export const skipWithoutPostgresql =
  bin === undefined ? 'skipped: postgresql is not installed (apt-get install postgresql)' : false;

/** Protocol 3.0: length 8, code 80877103; "S" comes back where TLS is spoken. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

export async function postgresPreamble(socket: Socket): Promise<void> {
  socket.write(SSL_REQUEST);
  assert.equal(await greeting(socket), 'S');
}

export function startupMessage(user: string, replication = false): Uint8Array {
  const words = `user\0${user}\0database\0postgres\0${replication ? 'replication\0true\0' : ''}\0`;
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 3, 0, 0]), Buffer.from(words)]);
  message.writeUInt32BE(message.byteLength, 0);
  return message;
}

/** "R" and four zeros: logged in without a password; "R" and another number: a password is asked for. */
export const LOGGED_IN = /^R\0{3}.\0{4}/s;
export const ASKED = /^R\0{3}.\0{3}[^\0]/s;
export const REFUSED = /^E/;

export interface Cluster {
  readonly port: number;
  readonly data: string;
  /** Of the server's user; its socket is here. */
  readonly directory: string;
  readonly output: () => string;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** As the server's user; SELECT 1 unless said otherwise. */
  readonly psql: (connection: string, sql?: string) => Promise<{ readonly status: unknown; readonly output: string }>;
}

/** A new data directory, whose rows trust everybody. */
export async function makeCluster(data: string): Promise<void> {
  const made = await runProgram(
    ...as('postgres', [
      `${bin}/initdb`,
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '--no-sync',
      '-E',
      'UTF8',
      '--no-instructions',
    ]),
  );
  assert.equal(made.status, 0, made.output);
}

/** @param hba rows of pg_hba.conf */
export async function startCluster(t: TestContext, hba: string): Promise<Cluster> {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('postgres'));
  const data = join(directory.own, 'data');
  await makeCluster(data);
  writeFileSync(join(data, 'pg_hba.conf'), hba);
  const port = await freePort();
  appendFileSync(
    join(data, 'postgresql.conf'),
    `port = ${port}\nlisten_addresses = '127.0.0.1, ::1'\nunix_socket_directories = '${directory.own}'\nfsync = off\n`,
  );
  let running: RunningProgram | null = null;
  const start = async (): Promise<void> => {
    const [program, args] = as('postgres', [`${bin}/postgres`, '-D', data]);
    running = await startServer(program, args, {
      // Also one that insists on TLS by now says something.
      isReady: async () => /^[RE]/.test(await speak(port, startupMessage('postgres')).catch(() => '')),
    });
  };
  const stop = async (): Promise<void> => void (await running?.stop());
  stack.defer(stop);
  await start();
  return {
    port,
    data,
    directory: directory.own,
    output: () => running?.output() ?? '',
    start,
    stop,
    psql: (connection, sql = 'SELECT 1') =>
      runProgram(...as('postgres', [`${bin}/psql`, '-XAtc', sql, connection]), { env: { HOME: directory.own } }),
  };
}

/** Over TCP too, which is what must stop. */
export const EVERYBODY = [
  '# TYPE DATABASE USER ADDRESS METHOD',
  'local all all trust',
  'host all all 127.0.0.1/32 trust',
  'host all all ::1/128 trust',
  'host replication all all trust',
  '',
].join('\n');
