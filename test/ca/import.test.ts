/** S-14: an authority made by hand with OpenSSL is taken over, and goes on. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fullchain, openssl, scratch } from './command-line.ts';

/** The tree of the Bakery's guide, as its script makes it. */
function bakeryTree(t: TestContext): string {
  const tree = join(scratch(t), 'tls');
  for (const name of ['ca', 'postgres', 'redis']) mkdirSync(join(tree, name), { recursive: true });
  const [caKey, caCert] = [join(tree, 'ca/ca-key.pem'), join(tree, 'ca/ca-cert.pem')];
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:4096',
    '-sha256',
    '-nodes',
    '-keyout',
    caKey,
    '-out',
    caCert,
    '-days',
    '3650',
    '-subj',
    '/CN=Bakery IA Internal CA',
  );
  const leaves = [
    ['postgres', 'server', 'DNS:*.bakery-ia.svc.cluster.local,DNS:localhost'],
    ['redis', 'redis', 'DNS:redis-service.bakery-ia.svc.cluster.local,DNS:localhost'],
  ] as const;
  for (const [directory, name, names] of leaves) {
    const at = (file: string): string => join(tree, directory, file);
    run(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      at(`${name}-key.pem`),
      '-out',
      at('request.csr'),
      '-subj',
      `/CN=${directory}`,
    );
    writeFileSync(at('san.cnf'), `subjectAltName=${names}\n`);
    run(
      'x509',
      '-req',
      '-in',
      at('request.csr'),
      '-CA',
      caCert,
      '-CAkey',
      caKey,
      '-CAcreateserial',
      '-days',
      '1095',
      '-sha256',
      '-extfile',
      at('san.cnf'),
      '-out',
      at(`${name}-cert.pem`),
    );
    writeFileSync(at('ca-cert.pem'), readFileSync(caCert));
  }
  writeFileSync(join(tree, 'generate-certificates.sh'), '#!/bin/sh\n# openssl req …\n');
  chmodSync(join(tree, 'redis/redis-key.pem'), 0o644);
  return tree;
}

/** A root with a key of P-256, ten years long. */
function selfSigned(key: string, certificate: string, subject: string, ...more: readonly string[]): void {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run('req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '3650', '-subj', subject, ...more);
}

function run(...args: readonly string[]): void {
  const { status, stderr } = openssl(args);
  assert.equal(status, 0, stderr);
}

test('S-14: the Bakery’s tree is taken over, listed and flagged; what comes next leads to its root', async (t) => {
  const tree = bakeryTree(t);
  const [state, root] = [join(scratch(t), 'state'), join(tree, 'ca/ca-cert.pem')];
  const before = snapshot(tree);
  const imported = fullchain(['ca', 'import', tree, '--json', '--state', state]);
  assert.equal(imported.status, 0, imported.stderr);
  const answer = JSON.parse(imported.stdout);
  assert.deepEqual(snapshot(tree), before, 'the tree is only read');

  await t.test('the root is the same, and a new intermediate issues below it', () => {
    assert.equal(answer.root.subject, 'CN=Bakery IA Internal CA');
    assert.equal(readFileSync(join(state, 'certs/root_ca.crt'), 'utf8').trim(), readFileSync(root, 'utf8').trim());
    assert.equal(answer.intermediate.taken, false);
    run('verify', '-CAfile', root, join(state, 'certs/intermediate_ca.crt'));
  });

  await t.test('the inventory has every certificate, its names, its end and the files that hold it', () => {
    assert.deepEqual(
      answer.issued
        .map(({ names, key, files }: { names: string[]; key: string; files: string[] }) => [
          names,
          key,
          files.map((file) => file.slice(tree.length)),
        ])
        .sort(),
      [
        [['*.bakery-ia.svc.cluster.local', 'localhost'], 'rsa-2048', ['/postgres/server-cert.pem']],
        [['redis-service.bakery-ia.svc.cluster.local', 'localhost'], 'rsa-2048', ['/redis/redis-cert.pem']],
      ],
    );
    for (const { notAfter } of answer.issued) {
      const years = (Date.parse(notAfter) - Date.now()) / (365 * 86_400_000);
      assert.ok(years > 2.9 && years < 3.1, notAfter);
    }
  });

  await t.test(
    'the key of the authority that lies in the open is flagged, and so is a key that others may read',
    () => {
      assert.deepEqual(
        answer.findings.map(({ id, severity, where }: { id: string; severity: string; where: { file: string } }) => [
          id,
          severity,
          where.file.slice(tree.length),
        ]),
        [
          ['key-in-tree', 'error', '/ca/ca-key.pem'],
          ['key-permissions', 'error', '/redis/redis-key.pem'],
        ],
      );
      for (const { remedy } of answer.findings) assert.match(remedy.command, /^(shred -u|chmod 600) /);
    },
  );

  await t.test('its keys are encrypted at rest, readable for nobody else', () => {
    for (const name of ['root_ca_key', 'intermediate_ca_key']) {
      const path = join(state, 'secrets', name);
      assert.match(readFileSync(path, 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }
    const [password] = answer.generated.filter(({ what }: { what: string }) => what.includes('root'));
    run('pkey', '-in', join(state, 'secrets/root_ca_key'), '-passin', `file:${password.file}`, '-noout');
  });

  await t.test('a new certificate leads to the root that everybody has; the next rotation keeps it valid', () => {
    const at = (name: string): string => join(tree, name);
    const issue = (name: string): void => {
      const issued = fullchain([
        'cert',
        'issue',
        'auth-db.bakery-ia.svc.cluster.local',
        '--cert',
        at(`${name}.crt`),
        '--key',
        at(`${name}.key`),
        '--state',
        state,
      ]);
      assert.equal(issued.status, 0, issued.stderr);
      run(
        'verify',
        '-CAfile',
        root,
        '-untrusted',
        at(`${name}.crt`),
        '-verify_hostname',
        'auth-db.bakery-ia.svc.cluster.local',
        at(`${name}.crt`),
      );
    };
    issue('first');
    const rotated = fullchain(['ca', 'rotate', 'intermediate', '--json', '--state', state]);
    assert.equal(rotated.status, 0, rotated.stdout + rotated.stderr);
    issue('second');
    for (const old of ['postgres/server-cert.pem', 'redis/redis-cert.pem']) run('verify', '-CAfile', root, at(old));
    run('verify', '-CAfile', root, '-untrusted', at('first.crt'), at('first.crt'));
  });
});

/** Names, sizes and modes of everything. */
function snapshot(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mode, mtimeMs } = statSync(join(directory, name));
      return `${name} ${size} ${mode} ${mtimeMs}`;
    });
}

test('an encrypted key is opened by its password, and by nothing else', (t) => {
  const directory = scratch(t);
  const [tree, password, wrong] = [join(directory, 'tree'), join(directory, 'password'), join(directory, 'wrong')];
  mkdirSync(tree);
  writeFileSync(password, 'old secret\n', { mode: 0o600 });
  writeFileSync(wrong, 'another\n', { mode: 0o600 });
  run(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-384',
    '-keyout',
    join(tree, 'ca.key'),
    '-out',
    join(tree, 'ca.crt'),
    '-days',
    '3650',
    '-subj',
    '/CN=Locked CA',
    '-passout',
    `file:${password}`,
  );
  const attempt = (...more: readonly string[]) =>
    fullchain(['ca', 'import', tree, '--json', ...more, '--state', join(directory, 'state')]);
  const none = attempt();
  assert.equal(none.status, 1);
  assert.match(none.stdout, /import-refused.*ca\.key is encrypted: give its password with --key-password-file/);
  assert.match(attempt('--key-password-file', wrong).stdout, /import-refused.*the password opens no key/);
  assert.equal(existsSync(join(directory, 'state/config.json')), false);
  const opened = attempt('--key-password-file', password);
  assert.equal(opened.status, 0, opened.stdout);
  assert.deepEqual(
    JSON.parse(opened.stdout).findings.map(({ id, severity }: { id: string; severity: string }) => [id, severity]),
    [['key-in-tree', 'warning']],
  );
});

test('an intermediate that is there goes on', (t) => {
  const directory = scratch(t);
  const at = (name: string): string => join(directory, 'tree', name);
  mkdirSync(join(directory, 'tree'));
  selfSigned(at('root.key'), at('root.crt'), '/CN=Two Step Root');
  run(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    at('sub.key'),
    '-out',
    at('sub.csr'),
    '-subj',
    '/CN=Two Step Issuing',
  );
  writeFileSync(
    at('ext'),
    'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
  );
  run(
    'x509',
    '-req',
    '-in',
    at('sub.csr'),
    '-CA',
    at('root.crt'),
    '-CAkey',
    at('root.key'),
    '-CAcreateserial',
    '-days',
    '1800',
    '-extfile',
    at('ext'),
    '-out',
    at('sub.crt'),
  );
  const state = join(directory, 'state');
  const imported = fullchain(['ca', 'import', join(directory, 'tree'), '--json', '--state', state]);
  assert.equal(imported.status, 0, imported.stdout);
  assert.deepEqual(
    [JSON.parse(imported.stdout).intermediate.subject, JSON.parse(imported.stdout).intermediate.taken],
    ['CN=Two Step Issuing', true],
  );
  const issued = fullchain([
    'cert',
    'issue',
    'a.internal',
    '--cert',
    at('a.crt'),
    '--key',
    at('a.key'),
    '--state',
    state,
  ]);
  assert.equal(issued.status, 0, issued.stderr);
  run('verify', '-CAfile', at('root.crt'), '-untrusted', at('sub.crt'), at('a.crt'));
});

const REFUSED: readonly (readonly [what: string, make: (at: (name: string) => string) => void, why: RegExp])[] = [
  ['nothing', () => {}, /no self-signed authority whose private key is here too/],
  [
    'a certificate without its key',
    (at) => {
      selfSigned(at('../elsewhere.key'), at('ca.crt'), '/CN=Alone');
    },
    /no self-signed authority whose private key is here too/,
  ],
  [
    'a key of another certificate',
    (at) => {
      selfSigned(at('../elsewhere.key'), at('ca.crt'), '/CN=Alone');
      run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', at('ca.key'));
    },
    /no self-signed authority whose private key is here too/,
  ],
  [
    'a root below which nothing may be',
    (at) => {
      selfSigned(at('ca.key'), at('ca.crt'), '/CN=Short', '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0');
    },
    /it allows no intermediate below it/,
  ],
  [
    'a root of RSA-1024',
    (at) => {
      run(
        'req',
        '-x509',
        '-newkey',
        'rsa:1024',
        '-nodes',
        '-keyout',
        at('ca.key'),
        '-out',
        at('ca.crt'),
        '-subj',
        '/CN=Weak',
      );
    },
    /its key is too weak/,
  ],
  [
    'two roots',
    (at) => {
      for (const name of ['one', 'two']) selfSigned(at(`${name}.key`), at(`${name}.crt`), `/CN=${name}`);
    },
    /several authorities.*choose one with --root-fingerprint/,
  ],
];

for (const [what, make, why] of REFUSED) {
  test(`refused, and nothing is made: ${what}`, (t) => {
    const directory = scratch(t);
    mkdirSync(join(directory, 'tree'));
    make((name) => join(directory, 'tree', name));
    const state = join(directory, 'state');
    const { status, stdout } = fullchain(['ca', 'import', join(directory, 'tree'), '--json', '--state', state]);
    assert.equal(status, 1);
    assert.equal(JSON.parse(stdout).error?.code ?? JSON.parse(stdout).code, 'import-refused', stdout);
    assert.match(stdout, why);
    assert.equal(existsSync(join(state, 'config.json')), false);
  });
}
