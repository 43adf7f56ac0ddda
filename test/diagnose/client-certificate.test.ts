/** Servers that want a client certificate, and clients that show none, or the wrong one. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CAUSES } from '../../src/core/diagnosis/causes.ts';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { IS_ROOT } from '../services/applied.ts';
import { startMariaDb } from '../services/start-mariadb.ts';
import { skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { startRedis } from '../services/start-redis.ts';
import { freePort } from '../world/free-port.ts';
import {
  assertCause,
  assertHealthy,
  diagnose,
  keyPem,
  leafOf,
  nginxWith,
  nodeServer,
  opensslServer,
  type PairFiles,
  pem,
  switchTlsOn,
  tree,
  writePair,
} from './world.ts';

const skip = skipWithout('nginx', 'openssl');

interface Clients {
  readonly ca: string;
  readonly server: PairFiles;
  readonly args: (name: 'good' | 'foreign' | 'serverOnly' | 'expired' | 'bare' | null) => readonly string[];
}

function clientsIn(directory: string): Clients {
  const { root, intermediate } = tree();
  const foreign = tree('Foreign Root');
  const ca = join(directory, 'ca.crt');
  writeFileSync(ca, pem(root));
  const serverLeaf = leafOf(intermediate);
  const client = { names: [{ kind: 'dns', value: 'app' }], commonName: 'app', purposes: ['clientAuth'] } as const;
  const made = {
    good: [leafOf(intermediate, client), intermediate],
    foreign: [leafOf(foreign.intermediate, client), foreign.intermediate],
    serverOnly: [leafOf(intermediate, { ...client, purposes: ['serverAuth'] }), intermediate],
    expired: [leafOf(intermediate, { ...client, from: -40, until: -1 }), intermediate],
    // Without the intermediate: nobody gets from it to the root.
    bare: [leafOf(intermediate, client)],
  } as const;
  const files = Object.fromEntries(
    Object.entries(made).map(([name, chain]) => [name, writePair(directory, name, pem(...chain), keyPem(chain[0]))]),
  );
  return {
    ca,
    server: writePair(directory, 'server', pem(serverLeaf, intermediate), keyPem(serverLeaf)),
    args: (name) => {
      const pair = name === null ? undefined : files[name];
      return ['--ca', ca, ...(pair ? ['--client-cert', pair.cert, '--client-key', pair.key] : [])];
    },
  };
}

const CASES: readonly (readonly [shown: Parameters<Clients['args']>[0], id: keyof typeof CAUSES])[] = [
  [null, 'client-certificate-required'],
  ['foreign', 'client-certificate-untrusted'],
  ['bare', 'client-certificate-untrusted'],
  ['serverOnly', 'client-certificate-wrong-purpose'],
  ['expired', 'client-certificate-expired'],
];

test('a server that wants a client certificate, of each program and version', { skip, timeout: 180_000 }, async (t) => {
  const directory = scratch(t);
  const { ca, server, args } = clientsIn(directory);
  const verify = `ssl_verify_client on; ssl_client_certificate ${ca}; ssl_verify_depth 4;`;
  const ports = await nginxWith(t, {
    both: { pair: server, lines: verify },
    old: { pair: server, lines: `${verify} ssl_protocols TLSv1.2;` },
    optional: { pair: server, lines: verify.replace(' on;', ' optional;') },
  });
  const openssl13 = await opensslServer(t, server, '-Verify', '4', '-CAfile', ca, '-verify_return_error');
  const openssl12 = await opensslServer(t, server, '-Verify', '4', '-CAfile', ca, '-verify_return_error', '-tls1_2');
  const node = await nodeServer(t, {
    cert: readFileSync(server.cert),
    key: readFileSync(server.key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const targets = {
    nginx: `https://localhost:${ports.both}`,
    'nginx on TLS 1.2': `https://localhost:${ports.old}`,
    OpenSSL: `localhost:${openssl13}`,
    'OpenSSL on TLS 1.2': `localhost:${openssl12}`,
    'Node.js, which closes without a word': `localhost:${node}`,
  };
  for (const [name, target] of Object.entries(targets)) {
    for (const [shown, id] of CASES)
      await t.test(`${name}; ${shown ?? 'none'}: ${id}`, async () => {
        const finding = assertCause(await diagnose([target, ...args(shown)]), id);
        if (shown === null) assert.deepEqual(finding.evidence.acceptedAuthorities, ['CN=Diagnose Root']);
      });
    await t.test(`${name}; the right one: nothing`, async () => {
      assertHealthy(await diagnose([target, ...args('good')]));
    });
  }
  await t.test('a pair that no client can load never comes to the server', async () => {
    const [, , , cert, , key] = args('good');
    assert.ok(cert !== undefined && key !== undefined);
    const shown = (certificate: string, keyFile: string) =>
      diagnose([`https://localhost:${ports.both}`, '--ca', ca, '--client-cert', certificate, '--client-key', keyFile]);
    assertCause(await shown(cert, server.key), 'key-mismatch');
    assertCause(await shown(cert, join(directory, 'nowhere.key')), 'file-missing');
    assertCause(await shown(cert, cert), 'file-unusable');
  });
  await t.test('optional: nobody needs one', async () => {
    assertHealthy(await diagnose([`https://localhost:${ports.optional}`, ...args(null)]));
  });
});

test('PostgreSQL: certificates asked for in pg_hba.conf, and names that are users', {
  skip: skipWithoutPostgresql || (!IS_ROOT && 'skipped: needs root, to run the server as its own user'),
  timeout: 120_000,
}, async (t) => {
  const directory = scratch(t);
  const { ca, server, args } = clientsIn(directory);
  const pg = await startCluster(
    t,
    'hostssl postgres app all cert\nhostssl postgres other all cert\nhostssl all all all trust clientcert=verify-ca\n',
  );
  await switchTlsOn(pg, server, ca);
  const url = (user: string): string =>
    `postgresql://${user}@localhost:${pg.port}/postgres?sslmode=verify-full&sslrootcert=${ca}`;
  assertCause(await diagnose([url('postgres'), ...args(null)]), 'client-certificate-required');
  assertCause(await diagnose([url('postgres'), ...args('foreign')]), 'client-certificate-untrusted');
  assertCause(await diagnose([url('postgres'), ...args('serverOnly')]), 'client-certificate-wrong-purpose');
  assertHealthy(await diagnose([url('app'), ...args('good')]));
  const { evidence } = assertCause(await diagnose([url('other'), ...args('good')]), 'client-certificate-wrong-user');
  assert.deepEqual([evidence.user, evidence.certificate], ['other', 'CN=app']);
});

test('Redis refuses who shows none', {
  skip: skipWithout('redis-server') || (!IS_ROOT && 'skipped: needs root, to run the server as its own user'),
}, async (t) => {
  const directory = scratch(t);
  const { ca, server, args } = clientsIn(directory);
  for (const path of [directory, server.cert]) chmodSync(path, 0o755);
  chmodSync(server.key, 0o644);
  const port = await freePort();
  await startRedis(
    t,
    `tls-port ${port}\ntls-cert-file ${server.cert}\ntls-key-file ${server.key}\ntls-ca-cert-file ${ca}\n`,
  );
  assertCause(await diagnose([`rediss://localhost:${port}`, ...args(null)]), 'client-certificate-required');
  assertCause(await diagnose([`rediss://localhost:${port}`, ...args('foreign')]), 'client-certificate-untrusted');
  assertHealthy(await diagnose([`rediss://localhost:${port}`, ...args('good')]));
});

test('MariaDB, whose users have to show one, says so only as "access denied"', {
  skip:
    skipWithout('mariadbd', 'mariadb', 'mariadb-install-db') ||
    (!IS_ROOT && 'skipped: needs root, to run the server as its own user'),
  timeout: 60_000,
}, async (t) => {
  const directory = scratch(t);
  const { ca, server, args } = clientsIn(directory);
  const maria = await startMariaDb(t);
  chmodSync(directory, 0o755);
  chmodSync(server.key, 0o644);
  writeFileSync(
    join(maria.config, 'tls.cnf'),
    `[mysqld]\nssl_cert=${server.cert}\nssl_key=${server.key}\nssl_ca=${ca}\nrequire_secure_transport=ON\n`,
  );
  await maria.restart();
  const password = join(directory, 'password');
  writeFileSync(password, 'a\n', { mode: 0o600 });
  const url = `mysql://app@localhost:${maria.port}`;
  const with_ = (name: Parameters<Clients['args']>[0]) => diagnose([url, ...args(name), '--password-file', password]);
  assertHealthy(await with_(null));
  // Whether it insists on TLS it tells only those who log in.
  assert.equal((await maria.overSocket('SET GLOBAL require_secure_transport = OFF')).status, 0);
  assert.match(assertCause(await with_(null), 'plaintext-accepted').what, /require_secure_transport is off/);
  assertHealthy(await diagnose([url, ...args(null)]));
  assert.equal((await maria.overSocket('SET GLOBAL require_secure_transport = ON')).status, 0);
  assert.equal((await maria.overSocket("ALTER USER app@'127.0.0.1' REQUIRE X509")).status, 0);
  const finding = assertCause(await with_(null), 'client-certificate-required');
  assert.equal(finding.confidence, 'possible');
  assertHealthy(await with_('good'));
  assertCause(await with_('foreign'), 'client-certificate-untrusted');
  assertHealthy(await diagnose([url, ...args(null)]));
  // A wrong password is answered in the same words: neither reading is said to be the one.
  assert.equal((await maria.overSocket("ALTER USER app@'127.0.0.1' REQUIRE NONE")).status, 0);
  writeFileSync(password, 'b\n');
  const wrong = assertCause(await with_(null), 'client-certificate-required');
  assert.equal(wrong.confidence, 'possible');
  assert.match(wrong.what, /a wrong password is refused in the same words/);
  assert.match(wrong.remedy.command ?? '', /SHOW CREATE USER 'app'/);
  const shown = assertCause(await with_('good'), 'client-certificate-wrong-user');
  assert.equal(shown.confidence, 'possible');
  assert.match(shown.what, /a wrong password is refused in the same words/);
});
