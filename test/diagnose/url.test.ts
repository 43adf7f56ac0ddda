/**
 * A URL's TLS parameters: what is said of them is what real drivers do, at servers that are not the right one. "Refused" is
 * a driver that does not even connect; "impostor" one that tells a server of a foreign authority what is meant for the right one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForPlaintext, urlFindings } from '../../src/core/diagnosis/judge-url.ts';
import { parseTarget, type Target } from '../../src/core/probe/target.ts';
import { skipWithoutPython } from '../clients/python.ts';
import { shown } from './pair-site.ts';
import { type DriverName, type Measured, measure } from './url-drivers.ts';

type Behaviour = 'refused' | 'impostor' | 'other name' | 'plaintext' | 'verifies';

/** The last: what is said, where it is not what the behaviour alone would have said. */
type Row = readonly [query: string, behaviour: Behaviour, says?: string];

const SAYS: Readonly<Record<Behaviour, string>> = {
  refused: 'url-parameter-invalid error',
  impostor: 'url-not-verifying error',
  'other name': 'url-not-verifying warning',
  plaintext: '',
  verifies: '',
};

const UNKNOWN_DRIVER = 'url-parameter-invalid error likely';
const LIBPQ = 'postgresql://u:geheim@localhost:{port}/db';

const TABLES: readonly { readonly driver: DriverName; readonly base: string; readonly rows: readonly Row[] }[] = [
  {
    driver: 'libpq',
    base: LIBPQ,
    rows: [
      ['', 'impostor'],
      ['?sslmode=disable', 'plaintext'],
      ['?sslmode=allow', 'plaintext', 'url-not-verifying error'],
      ['?sslmode=prefer', 'impostor'],
      ['?sslmode=prefer&sslrootcert={ca}', 'impostor'],
      ['?sslmode=require', 'impostor'],
      ['?sslmode=require&sslrootcert={ca}', 'other name'],
      ['?sslmode=require&channel_binding=require', 'impostor', 'url-not-verifying warning'],
      ['?sslmode=verify-ca&sslrootcert={ca}', 'other name'],
      ['?sslmode=verify-full&sslrootcert={ca}', 'verifies'],
      ['?sslmode=verify-full', 'verifies'],
      ['?sslmode=disable&sslmode=verify-full&sslrootcert={ca}', 'verifies'],
      ['?application_name=x&connect_timeout=3&target_session_attrs=any&ssl_min_protocol_version=TLSv1.2', 'impostor'],
      ['?sslmode=bogus', 'refused'],
      ['?sslmode=VERIFY-FULL', 'refused'],
      ['?sslmode=verify_full', 'refused'],
      ['?sslmode=', 'refused'],
      ['?ssl=require', 'refused'],
      ['?ssl=true', 'impostor'],
      ['?ssl=true&sslrootcert={ca}', 'other name'],
      ['?ssl=false', 'refused'],
      ['?ssl_mode=verify-full', 'refused'],
      ['?sslmod=require', 'refused'],
      ['?sslmode=verify-full&ssl_ca={ca}', 'refused'],
      ['?sslmode=verify-full&sslrootcert={ca}&pool_size=5', 'refused', 'url-parameter-invalid warning likely'],
    ],
  },
  {
    driver: 'psycopg2',
    base: 'postgresql+psycopg2://u:geheim@localhost:{port}/db',
    rows: [
      ['', 'impostor'],
      ['?sslmode=require', 'impostor'],
      ['?sslmode=verify-full&sslrootcert={ca}', 'verifies'],
      ['?sslmode=bogus', 'refused'],
      ['?ssl=true', 'refused'],
      ['?ssl=verify-full', 'refused'],
      ['?sslmode=disable&sslmode=verify-full', 'refused'],
      ['?sslmode=verify-full&pool_size=5', 'refused'],
    ],
  },
  {
    driver: 'asyncpg',
    base: 'postgresql+asyncpg://u:geheim@localhost:{port}/db',
    rows: [
      ['', 'impostor'],
      ['?ssl=', 'impostor'],
      ['?ssl=disable', 'plaintext'],
      ['?ssl=allow', 'plaintext', 'url-not-verifying error'],
      ['?ssl=prefer', 'impostor'],
      ['?ssl=require', 'impostor'],
      ['?ssl=true', 'refused'],
      ['?ssl=on', 'refused'],
      ['?ssl=VERIFY-FULL', 'refused'],
      ['?sslmode=require', 'refused'],
      ['?sslmode=verify-full&sslrootcert={ca}', 'refused'],
      ['?ssl=verify-full&sslrootcert={ca}', 'refused'],
      ['?ssl=verify-full&foo=bar', 'refused'],
    ],
  },
  {
    driver: 'asyncpg with a root',
    base: 'postgresql+asyncpg://u:geheim@localhost:{port}/db',
    rows: [
      ['?ssl=verify-ca', 'other name'],
      ['?ssl=verify-full', 'verifies'],
      ['?ssl=verify_full', 'verifies'],
    ],
  },
  {
    driver: 'pymysql',
    base: 'mysql+pymysql://u:geheim@localhost:{port}/db',
    rows: [
      ['', 'plaintext'],
      ['?charset=utf8mb4', 'plaintext'],
      ['?ssl_ca={ca}', 'verifies'],
      ['?ssl_ca={ca}&ssl_check_hostname=true', 'verifies'],
      ['?ssl_ca={ca}&ssl_check_hostname=false', 'other name'],
      ['?ssl_ca={ca}&ssl_check_hostname=0', 'other name'],
      ['?ssl_check_hostname=true', 'impostor'],
      ['?ssl_cipher=ECDHE-RSA-AES128-GCM-SHA256', 'impostor'],
      ['?ssl=true', 'refused'],
      ['?ssl={"ca":"x"}', 'refused'],
      ['?ssl_mode=REQUIRED', 'refused'],
      ['?ssl-mode=VERIFY_IDENTITY', 'refused'],
      ['?sslmode=require', 'refused'],
      ['?ssl-ca={ca}', 'refused'],
      ['?tls=true', 'refused'],
      ['?useSSL=true', 'refused'],
      ['?ssl_verify_identity=true&ssl_ca={ca}', 'impostor', 'url-parameter-invalid error'],
      ['?ssl_verify_cert=false&ssl_ca={ca}', 'impostor', 'url-parameter-invalid error'],
      ['?ssl_disabled=true', 'plaintext'],
      ['?ssl_disabled=false', 'plaintext', 'url-parameter-invalid error'],
    ],
  },
  {
    driver: 'redis-py',
    base: 'rediss://u:geheim@localhost:{port}/0',
    rows: [
      ['?ssl_ca_certs={ca}', 'other name', 'url-not-verifying warning likely'],
      ['?ssl_ca_certs={ca}&ssl_check_hostname=', 'other name', 'url-not-verifying warning likely'],
      ['?ssl_ca_certs={ca}&ssl_cert_reqs=required', 'other name', 'url-not-verifying warning likely'],
      // Python's CERT_OPTIONAL is no choice for a client: servers always show one.
      ['?ssl_ca_certs={ca}&ssl_cert_reqs=optional&ssl_check_hostname=true', 'verifies'],
      ['?ssl_ca_certs={ca}&ssl_check_hostname=true', 'verifies'],
      ['?ssl_ca_certs={ca}&ssl_check_hostname=1', 'verifies'],
      ['?ssl_ca_certs={ca}&ssl_check_hostname=False', 'other name'],
      ['?ssl_ca_certs={ca}&ssl_check_hostname=no', 'other name'],
      ['?ssl_cert_reqs=none', 'impostor'],
      ['?ssl_cert_reqs=bogus', 'refused'],
      ['?ssl_cert_reqs=None', 'refused'],
      ['?ssl_cert_reqs=CERT_REQUIRED', 'refused', 'url-parameter-invalid error likely'],
      ['?ssl=true', 'refused'],
      ['?sslmode=require', 'refused'],
      ['?tls=true', 'refused'],
      ['?ssl_verify=true', 'refused'],
      ['?ssl_ca={ca}', 'refused'],
      ['?ssl_ca_cert={ca}', 'refused'],
      ['?rejectUnauthorized=false', 'refused'],
    ],
  },
  {
    driver: 'mysql2',
    base: 'mysql://u:geheim@localhost:{port}/db',
    rows: [
      ['', 'plaintext', 'url-not-verifying error likely'],
      ['?ssl={}', 'other name'],
      ['?ssl={"rejectUnauthorized":true}', 'other name'],
      ['?ssl={"rejectUnauthorized":true,"verifyIdentity":true}', 'verifies'],
      ['?ssl={"rejectUnauthorized":false}', 'impostor'],
      ['?ssl=false', 'plaintext'],
      ['?ssl=true', 'refused'],
      ['?ssl=require', 'refused'],
      ['?ssl=skip-verify', 'refused'],
      ['?sslmode=require', 'plaintext', UNKNOWN_DRIVER],
      ['?rejectUnauthorized=false', 'plaintext', UNKNOWN_DRIVER],
      ['?tls=true', 'plaintext', UNKNOWN_DRIVER],
      ['?useSSL=true', 'plaintext', UNKNOWN_DRIVER],
    ],
  },
  {
    driver: 'node-postgres',
    base: LIBPQ,
    rows: [
      ['?sslmode=verify-full&sslrootcert={ca}', 'verifies'],
      ['?sslmode=no-verify', 'impostor'],
    ],
  },
];

const skip = await skipWithoutPython();

for (const { driver, base, rows } of TABLES) {
  test(`${driver}: what is said of each URL is what it does`, { skip }, async () => {
    const measured = await measure(
      driver,
      rows.map(([query]) => base + query),
    );
    for (const [place, [query, behaviour, says = SAYS[behaviour]]] of rows.entries()) {
      const fact = measured[place];
      assert.ok(fact);
      assert.equal(behaviourOf(fact), behaviour, `${driver} ${query}: ${fact.error}`);
      const target = targetOf(base + query);
      const findings = urlFindings(target);
      assert.equal(shown(findings).join(), says, `${driver} ${query}`);
      for (const { remedy, where, what } of findings) {
        assert.match(remedy.text, /^Use /);
        assert.deepEqual(where, { target: target.text });
        assert.doesNotMatch(JSON.stringify([remedy, where, what]), /geheim/);
      }
      // "allow" would take TLS too; mysql2 is only one of those that take a mysql: URL.
      if (behaviour !== 'plaintext' || says === '')
        assert.equal(asksForPlaintext(target), behaviour === 'plaintext', query);
    }
  });
}

function behaviourOf({ isRefused, tellsInPlaintext, tellsImpostor, tellsOtherName }: Measured): Behaviour {
  if (isRefused) return 'refused';
  if (tellsInPlaintext) return 'plaintext';
  return tellsImpostor ? 'impostor' : tellsOtherName ? 'other name' : 'verifies';
}

function targetOf(url: string): Target {
  const result = parseTarget(url.replace('{port}', '5').replaceAll('{ca}', '/etc/ca.crt'), null);
  assert.equal(result.kind, 'target', url);
  return (result as Extract<typeof result, { kind: 'target' }>).target;
}

test('ioredis takes nothing of a rediss URL, and verifies', { skip }, async () => {
  const queries = ['', '?ssl_cert_reqs=none', '?rejectUnauthorized=false', '?tls=false'];
  const measured = await measure(
    'ioredis',
    queries.map((query) => `rediss://u:geheim@localhost:{port}/0${query}`),
  );
  assert.deepEqual(
    measured.map(behaviourOf),
    queries.map(() => 'verifies'),
  );
  // redis-py's names in plaintext: it refuses them, ioredis passes them over.
  const plain = targetOf('redis://localhost:6379/0?ssl_cert_reqs=required');
  assert.deepEqual(shown(urlFindings(plain)), ['url-parameter-invalid error']);
  const [refused] = await measure('redis-py', ['redis://localhost:{port}/0?ssl_cert_reqs=required']);
  assert.equal(refused?.isRefused, true);
  const [byTls] = await measure('ioredis', ['redis://localhost:{port}/0?tls=true']);
  assert.match(byTls?.error ?? '', /UNABLE_TO_GET_ISSUER/);
  assert.equal(asksForPlaintext(targetOf('redis://localhost:6379/0?tls=true')), false);
});

/** Whose drivers are not here, and what has no driver. */
const UNMEASURED: readonly (readonly [url: string, says: string, plaintext?: boolean])[] = [
  ['redis://cache', '', true],
  ['http://example.org', '', true],
  ['https://example.org', ''],
  ['https://example.org/?ssl=require', ''],
  ['smtp://mail', ''],
  ['smtps://mail', ''],
  ['db.internal:5432', ''],
  ['mysql://db?ssl-mode=DISABLED', '', true],
  ['mysql://db?ssl-mode=PREFERRED', 'url-not-verifying error'],
  ['mysql://db?ssl-mode=required', 'url-not-verifying error'],
  ['mysql://db?ssl-mode=VERIFY_CA&ssl-ca=/ca', 'url-not-verifying warning'],
  ['mysql://db?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca', ''],
  ['mysql://db?ssl-ca=/ca', 'url-not-verifying warning likely'],
  ['mysql://db?ssl-mode=verify-full', 'url-parameter-invalid error'],
  ['mysql+mysqldb://db?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca', ''],
  ['mysql+mysqldb://db', 'url-not-verifying error likely'],
  ['mysql+mysqldb://db?sslmode=require', 'url-parameter-invalid error likely'],
  ['mysql+aiomysql://db', '', true],
  ['mysql+aiomysql://db?ssl_ca=/ca', 'url-parameter-invalid error likely'],
  ['mysql+asyncmy://db?ssl=true', 'url-parameter-invalid error likely'],
  ['mariadb+pymysql://db?ssl_ca=/ca', ''],
  ['postgresql+pg8000://db?sslmode=require', ''],
  ['postgres://db?sslmode=require', 'url-not-verifying error'],
  // libpq 16 means verify-full, an older one nothing.
  ['postgres://db?sslrootcert=system', 'url-not-verifying warning likely'],
];

for (const [url, says, plaintext = false] of UNMEASURED) {
  test(`${url}: ${says || 'nothing is said'}${plaintext ? ', and it asks for plaintext' : ''}`, () => {
    const target = targetOf(url);
    assert.equal(shown(urlFindings(target)).join(), says);
    assert.equal(asksForPlaintext(target), plaintext);
  });
}

test('several parameters of another driver are one finding, with what is right', () => {
  const [finding, ...more] = urlFindings(targetOf('postgresql+asyncpg://db/app?sslmode=verify-full&sslrootcert=/ca'));
  assert.deepEqual(more, []);
  assert.deepEqual(finding?.evidence, { driver: 'asyncpg under SQLAlchemy', parameters: ['sslmode', 'sslrootcert'] });
  assert.match(finding?.remedy.text ?? '', /^Use ssl=verify-full/);
});
