/** MariaDB shuts a host out that began too many connections which came to nothing: looking at it must not be the reason. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { lookupService } from 'node:dns/promises';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generalNameFromText } from '../../src/core/issuance/requested-names.ts';
import { scratch } from '../ca/command-line.ts';
import { keyPem, leafOf, pem, tree, writePair } from '../diagnose/world.ts';
import { skipWithout } from '../servers/available.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startMariaDb } from '../services/start-mariadb.ts';

/** Of the range for benchmarks (RFC 2544): of 127.0.0.1 no errors are counted. */
const ADDRESS = '198.18.71.1';
const MOST_ERRORS = 6;

/** On the loopback interface. @returns why not; null: it is there */
async function ownAddress(t: TestContext): Promise<string | null> {
  const ip = (verb: string) => spawnSync('ip', ['address', verb, `${ADDRESS}/32`, 'dev', 'lo']).status === 0;
  if (!ip('add')) return 'no address can be added to the loopback interface';
  t.after(() => void ip('del'));
  // The server asks for the name of each host, and remembers only an answer.
  const answer = await Promise.race([
    lookupService(ADDRESS, 1).then(
      () => null,
      ({ code }: NodeJS.ErrnoException) => (code === 'ENOTFOUND' || code === 'EAI_NONAME' ? null : `resolver: ${code}`),
    ),
    new Promise<string>((resolve) => setTimeout(resolve, 2000, 'the resolver takes too long').unref()),
  ]);
  return answer;
}

test('probes and diagnoses of MariaDB from another host do not have it shut out', {
  skip: skipWithout('mariadbd', 'mariadb', 'mariadb-install-db', 'ip') || (!IS_ROOT && 'skipped: needs root'),
  timeout: 120_000,
}, async (t) => {
  const why = await ownAddress(t);
  if (why !== null) return t.skip(`skipped: ${why}`);
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const authority = tree();
  const names = [generalNameFromText(ADDRESS)].flatMap((name) => name ?? []);
  const leaf = leafOf(authority.intermediate, { names });
  const pair = writePair(directory, 'server', pem(leaf, authority.intermediate), keyPem(leaf));
  chmodSync(pair.key, 0o644);
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(authority.root));
  const maria = await startMariaDb(t);
  writeFileSync(
    join(maria.config, 'host.cnf'),
    `[mysqld]\nssl_cert=${pair.cert}\nssl_key=${pair.key}\nbind-address=${ADDRESS}\nskip_name_resolve=OFF\nperformance_schema=ON\nmax_connect_errors=${MOST_ERRORS}\nrequire_secure_transport=ON\n`,
  );
  await maria.restart();
  assert.equal((await maria.overSocket("CREATE USER shop@'%'")).status, 0);
  const errors = async (): Promise<string> =>
    (
      await maria.overSocket('SELECT SUM_CONNECT_ERRORS, COUNT_HOST_BLOCKED_ERRORS FROM performance_schema.host_cache')
    ).output.trim();
  const counted = async (): Promise<number> => Number((await errors()).split('\t')[0]);
  const look = async (...args: readonly string[]) => {
    const { stdout } = await run(process.execPath, [
      LAUNCHER,
      ...args,
      '--json',
      '--ca',
      ca,
      '--state',
      '/nonexistent',
    ]);
    return JSON.parse(stdout).targets[0];
  };
  for (let round = 0; round < 3; round++) {
    const probed = await look('probe', `${ADDRESS}:${maria.port}`, '--starttls', 'mysql');
    assert.deepEqual(probed.protocols, ['TLSv1.2', 'TLSv1.3'], JSON.stringify(probed));
    assert.ok(probed.suites.length > 6);
    assert.deepEqual((await look('diagnose', `mysql://shop@${ADDRESS}:${maria.port}`)).findings, []);
  }
  assert.equal(await errors(), '0\t0');
  // At a port that nobody knows the greeting is waited for, and whoever was named otherwise sees it in place of TLS.
  const unknown = await look('probe', `${ADDRESS}:${maria.port}`);
  assert.deepEqual([unknown.starttls, unknown.protocols], ['mysql', ['TLSv1.2', 'TLSv1.3']]);
  assert.deepEqual((await look('diagnose', `${ADDRESS}:${maria.port}`)).findings, []);
  // A busy machine may greet after the wait is over: that is one for each look.
  const late = await counted();
  assert.ok(late <= 2, `${late} connect errors`);
  // A URL is taken at its word: its one ClientHello is met by the greeting, and that is enough.
  for (const [count, command, url] of [
    [1, 'diagnose', 'https'],
    [2, 'probe', 'https'],
    [3, 'diagnose', 'postgres'],
  ] as const) {
    const { findings } = await look(command, `${url}://${ADDRESS}:${maria.port}`);
    assert.equal(findings[0]?.evidence.protocol, 'mysql', JSON.stringify(findings));
    assert.ok((await counted()) <= late + count, `${await counted()} connect errors`);
  }
  // Without TLS it is left as politely.
  writeFileSync(join(maria.config, 'off.cnf'), '[mysqld]\nskip_ssl\nrequire_secure_transport=OFF\n');
  await maria.restart();
  const off = await look('probe', `${ADDRESS}:${maria.port}`);
  assert.equal(off.findings[0]?.id, 'tls-off', JSON.stringify(off.findings));
  const offDiagnosed = await look('diagnose', `${ADDRESS}:${maria.port}`);
  assert.equal(offDiagnosed.findings[0]?.id, 'tls-off', JSON.stringify(offDiagnosed.findings));
  assert.ok((await counted()) <= 2, `${await counted()} connect errors`);
});
