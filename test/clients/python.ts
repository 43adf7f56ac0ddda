/** Python of the system with the libraries of applications, run with a client's connection.env as its environment. */
import { existsSync } from 'node:fs';
import { type Ran, run } from '../servers/process.ts';

/** Not the first one on PATH: Debian's modules belong to Debian's Python. */
const PYTHON = '/usr/bin/python3';
const MODULES = ['asyncpg', 'sqlalchemy', 'psycopg2', 'redis', 'pymysql'];

/** For node:test's `skip`. */
export async function skipWithoutPython(): Promise<string | false> {
  if (!existsSync(PYTHON)) return 'skipped: python3 is not installed (apt-get install python3)';
  const { status } = await run(PYTHON, ['-c', `import ${MODULES.join(', ')}`]);
  return status === 0
    ? false
    : 'skipped: a library is not installed (apt-get install python3-asyncpg python3-sqlalchemy python3-psycopg2 python3-redis python3-pymysql)';
}

/** @param env path of connection.env; its variables are all that the program knows */
export function python(env: string, program: string): Promise<Ran> {
  return inEnvironment(env, [PYTHON, '-c', program]);
}

/** As `EnvironmentFile=` would, by the shell. */
export function inEnvironment(env: string, argv: readonly string[]): Promise<Ran> {
  return run('/bin/sh', ['-c', 'set -a; . "$0"; exec timeout 20 "$@"', env, ...argv]);
}
