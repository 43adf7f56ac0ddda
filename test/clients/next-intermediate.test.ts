/** Clients from outside the stack, below an intermediate that is new: with its list handed out before, nobody is refused. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pemBlocksLabelled } from '../../src/core/bytes/pem.ts';
import { parseCrl } from '../../src/core/revocation/crl.ts';
import { startAgent, until } from '../agent/running-agent.ts';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { type Client, clientIn, startNginxStack } from '../stack/nginx-stack.ts';
import { FAKETIME_LIBRARY, needsFaketime } from '../surroundings/faketime.ts';

const skip = skipWithout('nginx');

function ca(state: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = fullchain(['ca', ...args, '--json', '--state', state]);
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout);
}

/** By hand, from whatever issues now. */
function outsider(state: string, directory: string, name: string): Client {
  const { certificate, key } = clientIn(directory);
  const pair = { certificate: certificate.replace('client', name), key: key.replace('client', name) };
  const wanted = ['cert', 'issue', name, '--profile', 'client', '--cert', pair.certificate, '--key', pair.key];
  const { status, stderr } = fullchain([...wanted, '--state', state]);
  assert.equal(status, 0, stderr);
  return pair;
}

const issuerOf = ({ certificate }: Client) =>
  openssl(['x509', '-in', certificate, '-noout', '-issuer']).stdout.replace('issuer=', '');

test('nginx: prepared and applied, the new intermediate issues for clients that are let in at once', {
  skip,
}, async (t) => {
  const stack = await startNginxStack(t);
  const { state, directory } = stack;
  await stack.answer('apply');
  const before = outsider(state, directory, 'before');
  assert.equal(await stack.get(before), '200');

  const prepared = ca(state, 'rotate', 'intermediate', '--prepare');
  assert.equal(prepared.phase, 'prepared');
  assert.match(prepared.plan.join(' '), /fullchain apply/);
  assert.equal(prepared.next, `fullchain ca rotate intermediate --state ${state}`);
  const meanwhile = outsider(state, directory, 'meanwhile');
  assert.equal(issuerOf(meanwhile), issuerOf(before), 'the old one issues');
  const planned = await stack.plan('site');
  assert.deepEqual(
    planned.map(({ action, why }) => [action, why]),
    [['reload', 'the revocation list of another authority is there']],
  );
  await stack.answer('apply');
  assert.deepEqual(
    (await stack.plan('site')).map(({ action }) => action),
    ['none'],
  );

  const issues = ca(state, 'rotate', 'intermediate');
  assert.deepEqual([issues.phase, issues.resumed, issues.plan], ['active', false, []]);
  const after = outsider(state, directory, 'after');
  assert.notEqual(issuerOf(after), issuerOf(before));
  for (const client of [before, meanwhile, after]) assert.equal(await stack.get(client), '200');
});

test('nginx: at once, and the command says what is to be done and why', { skip }, async (t) => {
  const stack = await startNginxStack(t);
  const { state, directory } = stack;
  await stack.answer('apply');
  const rotated = ca(state, 'rotate', 'intermediate');
  assert.equal(rotated.phase, 'active');
  assert.match(rotated.plan.join(' '), /fullchain apply .* until then they refuse clients .* --prepare first/);
  const early = outsider(state, directory, 'early');
  assert.equal(await stack.get(early), '400', 'nginx has no list of its issuer yet');
  await stack.answer('apply');
  // Workers from before the reload may answer once more.
  await until(async () => (await stack.get(early)) === '200', 'the reload');
});

test('PostgreSQL, kept by the agent: never refused', {
  skip: skipWithoutPostgresql || (!IS_ROOT && 'skipped: needs root, to run servers as their own users'),
}, async (t) => {
  const { state, file, directory, letsIn } = await databaseStack(t);
  const agent = startAgent(t, file, state, '--interval', '1s');
  await until(() => agent.log().some(({ msg }) => /was read/.test(msg)), 'the agent');
  ca(state, 'rotate', 'intermediate', '--prepare');
  await until(() => agent.log().some(({ msg, service }) => service === 'db' && /brought/.test(msg)), 'the list');
  assert.equal(await letsIn(outsider(state, directory, 'meanwhile')), '');
  // What it handed out before is what counts, not that it would be quick afterwards.
  assert.equal(await agent.stop(), 0);
  ca(state, 'rotate', 'intermediate');
  assert.equal(await letsIn(outsider(state, directory, 'after')), '');
});

test('what is prepared may wait: its list is signed on, and no key of the root is needed to let it issue', {
  skip: skip || needsFaketime,
}, async (t) => {
  const stack = await startNginxStack(t, 'defaults: { lifetime: 60d }\n');
  const { state, pair } = stack;
  await stack.answer('apply');
  ca(state, 'rotate', 'intermediate', '--prepare');
  const env = { LD_PRELOAD: FAKETIME_LIBRARY ?? '', FAKETIME: '+10d' };
  const applied = await stack.commandWith(env, 'apply');
  assert.equal(applied.status, 0, applied.output);
  const lists = pemBlocksLabelled(readFileSync(join(pair, 'crl.pem'), 'utf8'), 'X509 CRL').map(({ der }) =>
    parseCrl(der),
  );
  assert.equal(lists.length, 3);
  const inTenDays = Date.now() / 1000 + 10 * 86_400;
  assert.ok(lists.every(({ nextUpdate }) => (nextUpdate ?? 0) > inTenDays));

  renameSync(join(state, 'secrets/root_ca_key'), join(state, 'root_ca_key.away'));
  assert.equal(ca(state, 'rotate', 'intermediate').phase, 'active');
});

/** PostgreSQL that wants a client certificate of everybody. */
async function databaseStack(t: TestContext) {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const pg = await startCluster(t, EVERYBODY);
  writeFileSync(
    file,
    `stack: shop
services:
  db: { kind: postgresql, names: [localhost], address: "localhost:${pg.port}", data: ${pg.data}, clients: required, directory: ${pg.data}/tls }
clients:
  app: { connects: [db], names: [app], directory: ${directory}/app }
`,
  );
  const applied = await run(process.execPath, [LAUNCHER, 'apply', '--file', file, '--state', state]);
  assert.equal(applied.status, 0, applied.output);
  return {
    state,
    file,
    directory,
    /** Why not; empty: it is let in. */
    async letsIn({ certificate, key }: Client): Promise<string> {
      const where = `host=localhost port=${pg.port} user=postgres dbname=postgres connect_timeout=10 sslmode=verify-full`;
      const files = `sslrootcert=${directory}/app/ca.crt sslcert=${certificate} sslkey=${key}`;
      const { status, output } = await run('psql', [`${where} ${files}`, '-XAtc', 'SELECT 1']);
      return status === 0 ? '' : output;
    },
  };
}
