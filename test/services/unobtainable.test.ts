/**
 * Grafana and MySQL, which Debian does not have and these tests therefore never ran against: what is written for them, read by
 * parsers of others, and what they are told. That they do as their manuals say is not shown here.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { grafana } from '../../src/core/services/grafana.ts';
import { setMarkedBlock } from '../../src/core/services/marked-block.ts';
import { mysql } from '../../src/core/services/mysql.ts';
import type { Facts } from '../../src/core/services/service-kind.ts';
import { scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { serviceSpec } from './applied.ts';

const ACCOUNT = { user: 'nobody', uid: 65_534, gid: 65_534, openssl: '3.0.19' };

const INI = `; as packaged
[server]
protocol = http
http_port = 3000
[security]
admin_user = admin
`;

/** As Go's ini library: a section that comes again goes on, and the last value wins. */
function iniValues(text: string): Record<string, Record<string, string>> {
  const program =
    'import configparser,json,sys; c=configparser.ConfigParser(strict=False,interpolation=None); c.read_string(sys.stdin.read()); print(json.dumps({s:dict(c[s]) for s in c.sections()}))';
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', program], { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('Grafana: its own lines stay, and [server] serves the pair; from 11 on without a restart', {
  skip: skipWithout('python3'),
}, () => {
  const service = serviceSpec(grafana, 3000, { settings: { config: '/etc/grafana/grafana.ini' } });
  const desiredFor = (version: string) => {
    const facts: Facts = { ...ACCOUNT, files: { '/etc/grafana/grafana.ini': INI }, version };
    assert.equal(grafana.unsupported(service, facts), null);
    return grafana.desired(service, facts, { verifyClients: false });
  };
  const desired = desiredFor('11.2.0');
  const [change] = desired.configuration;
  assert.ok(change?.kind === 'block' && change.lines);
  const { server, security } = iniValues(setMarkedBlock(INI, 'svc', change.lines, change));
  assert.deepEqual(server, {
    protocol: 'https',
    http_port: '3000',
    cert_file: '/etc/grafana/fullchain-svc/current/tls.crt',
    cert_key: '/etc/grafana/fullchain-svc/current/tls.key',
    min_tls_version: 'TLS1.2',
    tls_ciphers:
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    certs_watch_interval: '1m',
  });
  assert.deepEqual(security, { admin_user: 'admin' });
  assert.equal(setMarkedBlock(setMarkedBlock(INI, 'svc', change.lines, change), 'svc', null, change), INI);
  assert.equal(desired.reload, null, 'it watches the pair itself');
  const older = desiredFor('10.4.1');
  assert.deepEqual(older.reload, older.restart);
  const asked = serviceSpec(grafana, 3000, { clients: { kind: 'required' }, settings: service.settings });
  assert.match(grafana.impossible(asked)?.why ?? '', /put nginx in front/);
});

test('MySQL 8: the drop-in is read as options of the server, and taken up live, TLS before plaintext is refused', {
  skip: skipWithout('my_print_defaults'),
}, (t) => {
  const directory = join(scratch(t), 'conf.d');
  mkdirSync(directory);
  const service = serviceSpec(mysql, 3306, { clients: { kind: 'optional' }, settings: { config: directory } });
  const facts: Facts = { ...ACCOUNT, files: {}, version: '8.0.36' };
  assert.equal(mysql.unsupported(service, facts), null);
  const desired = mysql.desired(service, facts, { verifyClients: true, revocationLists: 'lists' });
  const dropIn = desired.configuration.find(({ path }) => path.endsWith('.cnf'));
  assert.ok(dropIn?.kind === 'own-file' && dropIn.content);
  writeFileSync(dropIn.path, dropIn.content);
  const read = spawnSync('my_print_defaults', [`--defaults-file=${dropIn.path}`, 'mysqld'], { encoding: 'utf8' });
  const options = Object.fromEntries(
    read.stdout
      .trim()
      .split('\n')
      .map((line) => /^--([^=]+)=(.*)$/.exec(line)?.slice(1) ?? [line, '']),
  );
  const current = join(directory, '..', 'fullchain-svc', 'current');
  assert.deepEqual(
    { ...options, ssl_cipher: '', tls_ciphersuites: '' },
    {
      ssl_cert: `${current}/tls.crt`,
      ssl_key: `${current}/tls.key`,
      ssl_ca: `${current}/ca.crt`,
      ssl_crl: join(directory, '..', 'fullchain-svc', 'crl.pem'),
      tls_version: 'TLSv1.2,TLSv1.3',
      require_secure_transport: 'ON',
      ssl_cipher: '',
      tls_ciphersuites: '',
    },
  );
  assert.match(options.ssl_cipher ?? '', /^ECDHE-ECDSA-AES128-GCM-SHA256:/);
  assert.match(options.tls_ciphersuites ?? '', /^TLS_AES_128_GCM_SHA256:/);
  assert.ok(readFileSync(dropIn.path, 'utf8').endsWith('\n'));
  assert.equal(desired.restart, null);
  assert.ok(desired.reload?.kind === 'command');
  const statements = (desired.reload.argv.at(-1) ?? '').split('; ');
  assert.equal(statements.at(-2), 'ALTER INSTANCE RELOAD TLS');
  assert.equal(statements.at(-1), 'SET GLOBAL require_secure_transport = ON');
  assert.ok(statements.slice(0, -2).every((statement) => /^SET GLOBAL [a-z_]+ = '[^']*'$/.test(statement)));
  assert.match(mysql.unsupported(service, { ...facts, version: '8.0.11' }) ?? '', /too old/);
});
