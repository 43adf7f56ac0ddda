/** What real drivers do with a URL, at servers that are not the right one: do they tell them anything, and in which form? */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Greeting, type RogueServer, startRogue } from '../clients/rogue-server.ts';
import { run } from '../servers/process.ts';
import { testAuthority } from '../services/test-authority.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Reads [url…] from its input and prints [error…]; each connects, or tries to. */
const PYTHON = (connect: string): readonly [string, readonly string[]] => [
  '/usr/bin/python3',
  [
    '-c',
    `
import asyncio, json, sys, warnings
warnings.simplefilter("ignore")
def attempt(connect, url):
    try:
        connect(url)
        return ""
    except BaseException as fault:
        return type(fault).__name__ + ": " + str(fault)
${connect}
print(json.dumps([attempt(connect, url) for url in json.load(sys.stdin)]))`,
  ],
];

const NODE = (connect: string): readonly [string, readonly string[]] => [
  process.execPath,
  [
    '-e',
    `process.chdir(${JSON.stringify(PROJECT)}); console.error = () => {}; console.warn = () => {};
${connect}
(async () => {
  const errors = [];
  for (const url of JSON.parse(require('node:fs').readFileSync(0, 'utf8'))) {
    try { await connect(url); errors.push(''); } catch (fault) { errors.push(fault.name + ': ' + (fault.code ?? '') + ' ' + fault.message); }
  }
  console.log(JSON.stringify(errors)); process.exit(0);
})();`,
  ],
];

const ALCHEMY = `
from sqlalchemy import create_engine
def connect(url): create_engine(url).connect()`;

const ASYNCPG = PYTHON(`
from sqlalchemy.ext.asyncio import create_async_engine
async def reach(url):
    async with create_async_engine(url).connect(): pass
def connect(url): asyncio.run(reach(url))`);

export const DRIVERS = {
  libpq: ['postgres', PYTHON('import psycopg2\ndef connect(url): psycopg2.connect(url, connect_timeout=5)')],
  psycopg2: ['postgres', PYTHON(ALCHEMY)],
  asyncpg: ['postgres', ASYNCPG],
  'asyncpg with a root': ['postgres', ASYNCPG],
  pymysql: ['mysql', PYTHON(ALCHEMY)],
  'redis-py': ['redis', PYTHON('import redis\ndef connect(url): redis.from_url(url, socket_timeout=5).ping()')],
  ioredis: [
    'redis',
    NODE(`
const Redis = require('ioredis');
const connect = async (url) => {
  const redis = new Redis(url, { retryStrategy: null, lazyConnect: true, maxRetriesPerRequest: 0, connectTimeout: 5000 });
  let last; redis.on('error', (fault) => { last = fault; });
  try { await redis.connect(); await redis.ping(); } catch (fault) { throw last ?? fault; } finally { redis.disconnect(); }
};`),
  ],
  mysql2: [
    'mysql',
    NODE(
      `const connect = async (url) => { const c = await require('mysql2/promise').createConnection(url); c.destroy(); };`,
    ),
  ],
  'node-postgres': [
    'postgres',
    NODE(`
const { Client } = require('pg');
const connect = async (connectionString) => { const c = new Client({ connectionString, connectionTimeoutMillis: 5000 }); c.on('error', () => {}); await c.connect(); };`),
  ],
} as const satisfies Readonly<Record<string, readonly [Greeting, readonly [string, readonly string[]]]>>;

export type DriverName = keyof typeof DRIVERS;

export interface Measured {
  /** A server of another authority, with the right name, hears what is meant for the right one. */
  readonly tellsImpostor: boolean;
  /** So does one of the right authority with another name. */
  readonly tellsOtherName: boolean;
  /** Without TLS. */
  readonly tellsInPlaintext: boolean;
  /** Nothing was even begun. */
  readonly isRefused: boolean;
  readonly error: string;
}

/** @param urls with {port} and {ca} in them; the environment knows of no roots but those of Node.js programs, and PGSSLROOTCERT of asyncpg */
export async function measure(driver: DriverName, urls: readonly string[]): Promise<Measured[]> {
  const [greeting, [program, args]] = DRIVERS[driver];
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-urls-'));
  const right = testAuthority('Right Root');
  const impostor = testAuthority('Foreign Root').issue(['serverAuth']);
  const otherName = right.issue(['serverAuth'], 'elsewhere.internal');
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, right.ca);
  const start = (pair: { readonly chain: string; readonly key: string }): Promise<RogueServer[]> =>
    Promise.all(urls.map(() => startRogue(0, greeting, { cert: pair.chain, key: pair.key })));
  const [impostors, others] = await Promise.all([start(impostor), start(otherName)]);
  const servers = [...impostors, ...others];
  const told = new Map<RogueServer, string>();
  // Who was told something says no more: the client is not kept waiting.
  const watch = setInterval(() => {
    for (const server of servers)
      if (server.heard() !== '' && !told.has(server)) {
        told.set(server, server.heard());
        void server.close();
      }
  }, 10);
  try {
    const input = JSON.stringify(
      servers.map(({ port }, place) =>
        (urls[place % urls.length] ?? '').replace('{port}', String(port)).replaceAll('{ca}', ca),
      ),
    );
    const env = {
      HOME: directory,
      NODE_EXTRA_CA_CERTS: ca,
      ...(driver === 'asyncpg with a root' && { PGSSLROOTCERT: ca }),
    };
    const ran = await run(program, args, { input, env, withinMs: 60_000 });
    if (ran.status !== 0) throw new Error(ran.output);
    const errors = JSON.parse(ran.stdout) as string[];
    return urls.map((_, place) => {
      const [first, second] = [impostors[place], others[place]];
      if (first === undefined || second === undefined) throw new Error('a server for each');
      const heard = first.heard();
      return {
        tellsImpostor: heard !== '' && first.begun() > 0,
        tellsOtherName: second.heard() !== '' && second.begun() > 0,
        tellsInPlaintext: heard !== '' && first.begun() === 0,
        isRefused: heard === '' && first.begun() === 0,
        error: errors[place] ?? '',
      };
    });
  } finally {
    clearInterval(watch);
    await Promise.all(servers.filter((server) => !told.has(server)).map((server) => server.close()));
    rmSync(directory, { recursive: true, force: true });
  }
}
