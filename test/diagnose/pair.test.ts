/** `diagnose --cert --key`: each cause in a pair that is really broken, beside what nginx and PostgreSQL say of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { instantFromSeconds } from '../../src/core/time/instant.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import { encodeExtendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { listeningProcess } from '../../src/edge/system/listening-process.ts';
import { openssl } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { skipWithout } from '../servers/available.ts';
import { startNginx } from '../servers/nginx.ts';
import { run, startServer, until } from '../servers/process.ts';
import { account, IS_ROOT } from '../services/applied.ts';
import { as, directoryFor } from '../services/own-user.ts';
import { makeCluster, POSTGRES_BIN, skipWithoutPostgresql } from '../services/start-postgresql.ts';
import { makeLeaf, makeRoot, testKey } from '../vectors/made-certificate.ts';
import { freePort } from '../world/free-port.ts';
import { DAY, keyPem, only, PairSite, pemOf, shown, validFor } from './pair-site.ts';

const skip = skipWithout('nginx', 'openssl');
const asRoot = !IS_ROOT && 'skipped: needs root, to give files to other users';

test('a pair that is right: nothing is said, and nginx takes it', { skip }, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  site.write([leaf, site.intermediate]);
  assert.deepEqual(site.judge(), []);
  assert.equal((await site.nginx()).takes, true, (await site.nginx()).output);

  const traditional = leaf.key.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const { stdout: parameters } = openssl(['ecparam', '-name', 'prime256v1']);
  const rightKeys = {
    CRLF: keyPem(leaf.key).replaceAll('\n', '\r\n'),
    'text around the block': `Bag Attributes\n    friendlyName: x\n${keyPem(leaf.key)}\nthe end`,
    'a byte order mark before a comment': `\ufeff# a comment\n${keyPem(leaf.key)}`,
    'the traditional form behind its parameters': `${parameters}${traditional}`,
    'no line break at the end': keyPem(leaf.key).trimEnd(),
    'spaces at the ends of lines': keyPem(leaf.key).replaceAll('\n', '  \n'),
  };
  for (const [title, key] of Object.entries(rightKeys)) {
    site.writeKey(key);
    assert.deepEqual(site.judge(), [], title);
    const { takes, output } = await site.nginx();
    assert.equal(takes, true, `${title}: ${output}`);
  }
  site.writeKey(keyPem(leaf.key));
  site.write([leaf]);
  const trusted = openssl(['x509', '-in', site.path('tls.crt'), '-trustout', '-addtrust', 'serverAuth']);
  writeFileSync(site.path('tls.crt'), trusted.stdout + pemOf(site.intermediate));
  assert.match(trusted.stdout, /BEGIN TRUSTED/);
  assert.deepEqual(site.judge(), []);
  assert.equal((await site.nginx()).takes, true);
  // HAProxy's way: one file, closed.
  writeFileSync(site.path('both.pem'), pemOf(leaf, site.intermediate) + keyPem(leaf.key), { mode: 0o600 });
  assert.deepEqual(site.judge({}, null, ['both.pem', 'both.pem']), []);
  // The leaf is issued by the root itself: alone it is the whole chain.
  site.write([site.leaf({}, site.root)]);
  assert.deepEqual(site.judge(), []);
});

test('file-missing: a key, a link that leads nowhere, a directory; nothing that follows from it', {
  skip,
}, async (t) => {
  const site = new PairSite(t);
  site.write([site.leaf(), site.intermediate]);
  rmSync(site.path('tls.key'));
  assert.match(only(site.judge(), 'file-missing', site.path('tls.key')).what, /^There is no key .*tls\.key\.$/);
  assert.match((await site.nginx()).output, /cannot load certificate key .*No such file/);
  symlinkSync('archive/privkey2.pem', site.path('tls.key'));
  const dangling = only(site.judge(), 'file-missing', site.path('tls.key'));
  assert.match(dangling.what, /the link .*tls\.key leads to .*archive/);
  assert.deepEqual(dangling.evidence, { missing: site.path('archive'), link: site.path('tls.key') });
  const both = only(site.judge({}, null, ['gone/tls.crt', 'gone/tls.key']), 'file-missing', site.path('gone/tls.key'));
  assert.match(both.what, /Neither .*tls\.crt nor .*tls\.key is there: .*gone is not there/);
  symlinkSync('loop', site.path('loop'));
  only(site.judge({}, null, ['tls.crt', 'loop']), 'file-missing', site.path('loop'));
});

test('file-unusable: what is no usable PEM is named, and nginx refuses each', { skip }, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  const [good, key] = [pemOf(leaf, site.intermediate), keyPem(leaf.key)];
  const der = leaf.key.privateKey.export({ type: 'pkcs8', format: 'der' });
  const encrypted = (type: 'pkcs8' | 'sec1'): string =>
    leaf.key.privateKey
      .export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as { type: 'pkcs8'; format: 'pem' })
      .toString();
  site.write([leaf, site.intermediate]);
  const p12 = openssl([
    'pkcs12',
    '-export',
    '-in',
    site.path('tls.crt'),
    '-inkey',
    site.path('tls.key'),
    '-passout',
    'pass:',
    '-out',
    site.path('x.p12'),
  ]);
  assert.equal(p12.status, 0, p12.stderr);
  const body = good.split('\n');
  const secondBegins = body.lastIndexOf('-----BEGIN CERTIFICATE-----');

  const rows: readonly (readonly [
    title: string,
    crt: string | Uint8Array,
    key: string | Uint8Array,
    file: string,
    what: RegExp,
    line?: number,
  ])[] = [
    ['an empty key', good, '', 'tls.key', /is empty/],
    ['white space alone', good, '\n \n', 'tls.key', /is empty/],
    ['PKCS#8 encrypted', good, encrypted('pkcs8'), 'tls.key', /is encrypted/],
    ['encrypted in the traditional form', good, encrypted('sec1'), 'tls.key', /is encrypted/],
    ['a key in DER', good, der, 'tls.key', /binary \(DER\)/],
    ['a certificate in DER', leaf.der, key, 'tls.crt', /binary \(DER\)/],
    ['PKCS#12', readFileSync(site.path('x.p12')), key, 'tls.crt', /PKCS#12/],
    ['UTF-16', good, Buffer.from(`\ufeff${key}`, 'utf16le'), 'tls.key', /UTF-16/],
    ['UTF-16 without a mark', Buffer.from(good, 'utf16le'), key, 'tls.crt', /UTF-16/],
    ['a truncated key', good, key.slice(0, 120), 'tls.key', /cut off: the block that begins in line 1/],
    ['a truncated chain', good.slice(0, -100), key, 'tls.crt', /cut off/, secondBegins + 1],
    [
      'a block that begins within another',
      body.toSpliced(3, 0, '-----BEGIN CERTIFICATE-----').join('\n'),
      key,
      'tls.crt',
      /cut off/,
    ],
    [
      'no line break between two certificates',
      good.replace('-----END CERTIFICATE-----\n-', '-----END CERTIFICATE------'),
      key,
      'tls.crt',
      /lacks a line break/,
      secondBegins,
    ],
    ['indented, as out of YAML', good.replaceAll(/^/gm, '    '), key, 'tls.crt', /before the dashes/],
    ['a certificate in the key’s place', good, good, 'tls.key', /holds a certificate, and no private key/],
    [
      'a public key in the key’s place',
      good,
      leaf.key.privateKey.asymmetricKeyType === 'ec' ? pemPublic(leaf.key.publicKey) : '',
      'tls.key',
      /holds a public key/,
    ],
    [
      'a request in the certificate’s place',
      '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
      key,
      'tls.crt',
      /holds a certificate request/,
    ],
    ['rubbish', good, 'key goes here\n', 'tls.key', /no PEM/],
    ['base64 with a hole', good, key.replace(/\n(.{20})/, '\n????$1'), 'tls.key', /damaged/],
    [
      'a block that holds no certificate',
      `-----BEGIN CERTIFICATE-----\n${Buffer.from('no certificate').toString('base64')}\n-----END CERTIFICATE-----\n`,
      key,
      'tls.crt',
      /damaged/,
    ],
  ];
  for (const [title, crt, keyContent, file, what, line] of rows) {
    writeFileSync(site.path('tls.crt'), crt);
    site.writeKey(keyContent);
    const finding = only(site.judge(), 'file-unusable', site.path(file), line);
    assert.match(finding.what, what, title);
    assert.doesNotMatch(JSON.stringify(finding), new RegExp(key.slice(40, 80).replaceAll('+', '\\+')));
    const { takes, output } = await site.nginx();
    assert.equal(takes, false, `${title}: ${output}`);
  }
  writeFileSync(site.path('tls.crt'), key);
  chmodSync(site.path('tls.crt'), 0o600);
  writeFileSync(site.path('tls.key'), good);
  assert.match(only(site.judge(), 'file-unusable', site.path('tls.key')).what, /in each other’s place/);
  only(site.judge({}, null, ['tls.key', 'nginx']), 'file-unusable', site.path('nginx'));
  // What is served was read by somebody who has the password.
  site.write([leaf, site.intermediate]);
  site.writeKey(encrypted('pkcs8'));
  assert.deepEqual(site.judge({ served: [leaf.certificate] }), []);
});

function pemPublic(der: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

test('the commands of the remedies mend the files', { skip }, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  const [good, key] = [pemOf(leaf, site.intermediate), keyPem(leaf.key)];
  const rows: readonly (readonly [crt: string | Uint8Array, key: string | Uint8Array, mended?: string])[] = [
    [good.replaceAll(/^/gm, '    '), key],
    [good.replace('-----END CERTIFICATE-----\n-', '-----END CERTIFICATE------'), key],
    [Buffer.from(`\ufeff${good}`, 'utf16le'), key, 'tls.crt.pem'],
    [leaf.der, key, 'tls.crt.pem'],
    [good, leaf.key.privateKey.export({ type: 'pkcs8', format: 'der' }), 'tls.key.pem'],
  ];
  for (const [crt, keyContent, mended] of rows) {
    writeFileSync(site.path('tls.crt'), crt);
    site.writeKey(keyContent);
    const [finding] = site.judge({ known: [] });
    const { status, output } = await run('/bin/sh', ['-c', finding?.remedy.command ?? 'false']);
    assert.equal(status, 0, output);
    if (mended !== undefined) renameSync(site.path(mended), site.path(mended.slice(0, -4)));
    chmodSync(site.path('tls.key'), 0o600);
    // The leaf alone is another matter.
    assert.deepEqual(site.judge({ anchors: [site.root.certificate, site.intermediate.certificate] }), []);
    assert.equal((await site.nginx()).takes, true);
  }
});

test('key-mismatch and key-type-mismatch: nginx lets the second pass', { skip }, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  site.write([leaf, site.intermediate], testKey());
  assert.match(only(site.judge(), 'key-mismatch', site.path('tls.key')).what, /belongs to another one/);
  assert.match((await site.nginx()).output, /key values mismatch/);
  // Another curve is still the same type to OpenSSL, which notices.
  site.write([leaf, site.intermediate], testKey('ecdsa-p384'));
  assert.match(
    only(site.judge(), 'key-mismatch', site.path('tls.key')).what,
    /it is ecdsa-p384, the certificate is for ecdsa-p256/,
  );
  assert.equal((await site.nginx()).takes, false);
  site.write([leaf, site.intermediate], testKey('rsa-2048'));
  assert.match(
    only(site.judge(), 'key-type-mismatch', site.path('tls.key')).what,
    /it is rsa-2048, the certificate is for ecdsa-p256/,
  );
  assert.equal((await site.nginx()).takes, true);
});

test('chain-order: an error where the file does not start with the leaf, else a warning', { skip }, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  site.write([site.intermediate, leaf], leaf.key);
  const finding = only(site.judge(), 'chain-order', site.path('tls.crt'));
  assert.match(
    finding.what,
    /begins with CN=Site Intermediate; api\.internal, for which the key is, comes in line \d+/,
  );
  assert.match((await site.nginx()).output, /key values mismatch/);
  // Two leaves: the old one was left before the new one.
  site.write([site.leaf(), leaf, site.intermediate], leaf.key);
  only(site.judge(), 'chain-order', site.path('tls.crt'));
  assert.match((await site.nginx()).output, /key values mismatch/);
  site.write([leaf, site.root, site.intermediate]);
  assert.deepEqual(shown(site.judge()), ['chain-order warning']);
  assert.equal((await site.nginx()).takes, true);
  site.write([leaf, site.intermediate, site.root]);
  assert.deepEqual(site.judge(), []);
});

test('the certificates of the file: what clients would refuse', { skip }, async (t) => {
  const site = new PairSite(t);
  const crt = site.path('tls.crt');
  const { intermediate } = site;
  site.write([site.leaf()]);
  const incomplete = only(site.judge({ known: [intermediate.certificate] }), 'chain-incomplete', crt);
  assert.match(incomplete.what, /"CN=Site Intermediate" is missing/);
  // Nobody here knows the issuer: an intermediate or a foreign root.
  assert.deepEqual(shown(site.judge()), ['chain-incomplete error likely', 'unknown-ca error likely']);

  site.write([site.leaf({ validity: validFor(-9 * DAY, -DAY) }), intermediate]);
  only(site.judge(), 'certificate-expired', crt);
  site.write([site.leaf({ validity: validFor(DAY, 9 * DAY) }), intermediate]);
  // Only this host's clock says so.
  assert.deepEqual(shown(site.judge()), ['certificate-not-yet-valid error likely']);
  site.write([site.leaf({ extensions: { extKeyUsage: encodeExtendedKeyUsage(['clientAuth']) } }), intermediate]);
  only(site.judge(), 'certificate-wrong-purpose', crt);
  const own = makeRoot('host.internal', {
    validity: validFor(-DAY, DAY),
    extensions: { basicConstraints: null, keyUsage: null },
  });
  site.write([own]);
  only(site.judge(), 'self-signed', crt);
  assert.deepEqual(site.judge({ anchors: [own.certificate] }), []);
  const foreign = makeRoot('Foreign Root');
  site.write([makeLeaf(foreign, { validity: validFor(-DAY, DAY) }), foreign]);
  only(
    site.judge(),
    'unknown-ca',
    crt,
    readFileSync(crt, 'utf8').split('\n').lastIndexOf('-----BEGIN CERTIFICATE-----') + 1,
  );
  for (const args of [['-sha1'], ['-newkey', 'rsa:1024', '-keyout', site.path('weak.key'), '-sha256']]) {
    const key = args[0] === '-sha1' ? ['-newkey', 'rsa:2048', '-keyout', site.path('weak.key')] : [];
    const ca = ['-CA', site.path('ca.crt'), '-CAkey', site.path('ca.key')];
    writeFileSync(site.path('ca.crt'), pemOf(site.root));
    writeFileSync(site.path('ca.key'), keyPem(site.root.key), { mode: 0o600 });
    const made = openssl([
      'req',
      '-x509',
      '-nodes',
      ...key,
      ...args,
      ...ca,
      '-subj',
      '/CN=api.internal',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      '-addext',
      'subjectAltName=DNS:api.internal',
      '-days',
      '5',
      '-out',
      crt,
    ]);
    assert.equal(made.status, 0, made.stderr);
    renameSync(site.path('weak.key'), site.path('tls.key'));
    only(site.judge(), 'weak-certificate', crt);
  }
  // Independent causes are two findings.
  site.write([site.leaf({ validity: validFor(-9 * DAY, -DAY) }), intermediate], testKey());
  assert.deepEqual(shown(site.judge()).toSorted(), ['certificate-expired error', 'key-mismatch error']);
  // A whole other authority in the file has no more to say than that the key is not its own.
  site.write([intermediate], testKey());
  only(site.judge(), 'key-mismatch', site.path('tls.key'));
  site.write([site.leaf({ subject: encodeName({ commonName: 'x' }) }), intermediate]);
  assert.deepEqual(site.judge(), []);
});

test('file-unusable: a byte order mark is a warning under OpenSSL 3, and an error under Go', {
  skip: skip || skipWithout('caddy'),
}, async (t) => {
  const site = new PairSite(t);
  const leaf = site.leaf();
  const listener = {
    pid: 1,
    program: 'caddy',
    uid: 0,
    unit: null,
    startedAt: leaf.certificate.validity.notBefore,
    youngestStartedAt: leaf.certificate.validity.notBefore,
  };
  const caddyfile = site.path('Caddyfile');
  writeFileSync(
    caddyfile,
    `{\n admin off\n auto_https off\n}\nhttps://api.internal:1 {\n tls ${site.path('tls.crt')} ${site.path('tls.key')}\n}\n`,
  );
  const caddyTakes = async (): Promise<boolean> =>
    (
      await run('caddy', ['validate', '--config', caddyfile, '--adapter', 'caddyfile'], {
        env: { HOME: site.directory },
      })
    ).status === 0;
  for (const file of ['tls.crt', 'tls.key']) {
    site.write([leaf, site.intermediate]);
    assert.equal(await caddyTakes(), true);
    writeFileSync(site.path(file), `\ufeff${readFileSync(site.path(file), 'utf8')}`);
    assert.deepEqual(shown(site.judge()), ['file-unusable warning']);
    assert.equal((await site.nginx()).takes, true);
    const finding = only(site.judge({ listener }), 'file-unusable', site.path(file));
    assert.equal(await caddyTakes(), false);
    const { status, output } = await run('/bin/sh', ['-c', finding.remedy.command ?? 'false']);
    assert.equal(status, 0, output);
    assert.deepEqual(site.judge({ listener }), []);
    assert.equal(await caddyTakes(), true);
  }
});

test('key-permissions: who is kept out, by what; others who get in', { skip: skip || asRoot }, (t) => {
  const site = new PairSite(t);
  site.write([site.leaf(), site.intermediate]);
  const key = site.path('tls.key');
  const { uid, gid } = account(['games']);
  const rights = (owner: number, group: number, mode: number): void => {
    chownSync(key, owner, group);
    chmodSync(key, mode);
  };
  const reads = (user: string): boolean => canRead(user, key);

  rights(0, 0, 0o600);
  assert.deepEqual(site.judge(), []);
  assert.deepEqual(site.judge({}, 'root'), []);
  assert.match(
    only(site.judge({}, 'games'), 'key-permissions', key).what,
    /games cannot read .*: it belongs to root:root and has mode 0600/,
  );
  assert.equal(reads('games'), false);
  assert.equal(site.judge({}, String(uid))[0]?.id, 'key-permissions');

  rights(0, gid, 0o640);
  assert.deepEqual(site.judge({ protocol: 'postgres' }, 'games'), []);
  assert.equal(reads('games'), true);
  assert.deepEqual(site.judge(), []);
  rights(uid, gid, 0o600);
  assert.deepEqual(site.judge({}, 'games'), []);
  rights(uid, gid, 0o400);
  assert.deepEqual(site.judge({}, 'games'), []);
  // Only the first class that fits counts: its own owner is kept out, whatever the group may.
  rights(uid, gid, 0o040);
  only(site.judge({}, 'games'), 'key-permissions', key);
  assert.equal(reads('games'), false);

  for (const [mode, what] of [
    [0o644, /Everybody on this host may read/],
    [0o602, /Everybody on this host may replace/],
    [0o660, /group .* may replace/],
  ] as const) {
    rights(uid, gid, mode);
    const finding = only(site.judge({}, 'games'), 'key-permissions', key);
    assert.match(finding.what, what);
    assert.match(finding.remedy.command ?? '', /^chmod 600 /);
  }
  // Nobody else is in the group: no disclosure, and yet PostgreSQL refuses.
  rights(uid, gid, 0o640);
  assert.deepEqual(shown(site.judge({}, 'games')), ['key-permissions warning']);
  assert.match(
    only(site.judge({ protocol: 'postgres' }, 'games'), 'key-permissions', key).what,
    /only of a key that belongs to root/,
  );
  rights(uid, 0, 0o640);
  assert.deepEqual(shown(site.judge({}, 'games')), ['key-permissions warning']);
  // nogroup is the group of several users of Debian.
  rights(uid, account(['nobody']).gid, 0o640);
  only(site.judge({}, 'games'), 'key-permissions', key);

  // A directory on the way, also on the way of a link: certbot's.
  rights(uid, gid, 0o600);
  const archive = site.path('archive');
  mkdirSync(archive, { mode: 0o700 });
  renameSync(key, join(archive, 'privkey1.pem'));
  symlinkSync('archive/privkey1.pem', key);
  const walled = only(site.judge({}, 'games'), 'key-permissions', key);
  assert.equal(walled.evidence.directory, archive);
  assert.match(walled.what, /games cannot pass through .*archive \(mode 0700\)/);
  assert.equal(reads('games'), false);
  assert.equal(walled.remedy.command, `chmod o+x ${archive}`);
  chmodSync(archive, 0o701);
  assert.deepEqual(site.judge({}, 'games'), []);
  assert.equal(reads('games'), true);
  // It is the link's directory that is closed, and the file's own is open.
  const open = site.path('open');
  mkdirSync(open);
  renameSync(join(archive, 'privkey1.pem'), join(open, 'privkey1.pem'));
  rmSync(key);
  const closed = site.path('closed');
  mkdirSync(closed, { mode: 0o700 });
  symlinkSync('../open/privkey1.pem', join(closed, 'link.pem'));
  symlinkSync('closed/link.pem', key);
  assert.equal(only(site.judge({}, 'games'), 'key-permissions', key).evidence.directory, closed);
  assert.equal(reads('games'), false);
  // A master of root reads for workers of another user: who was named is judged as ever, and the master is told of.
  const startedAt = instantFromSeconds(1);
  const master = { pid: 1, program: 'nginx', uid: 0, unit: null, startedAt, youngestStartedAt: startedAt };
  const besides = site.judge({ listener: master }, 'games');
  assert.deepEqual(shown(besides), ['key-permissions warning']);
  assert.match(besides[0]?.what ?? '', /games cannot pass through .*closed/);
  assert.match(
    besides[0]?.why ?? '',
    /nginx \(process 1\), runs as root and reads its files as root: it is not kept out/,
  );
  assert.deepEqual(site.judge({ listener: master }), []);
  only(site.judge({ listener: { ...master, uid } }, 'games'), 'key-permissions', key);
  chmodSync(closed, 0o755);
  assert.deepEqual(site.judge({}, 'games'), []);
  // One directory keeps the user from both files: one cause.
  chmodSync(site.directory, 0o700);
  only(site.judge({}, 'games'), 'key-permissions', key);
  chmodSync(site.directory, 0o755);
  // The certificate too must be read.
  chmodSync(site.path('tls.crt'), 0o600);
  only(site.judge({}, 'games'), 'key-permissions', site.path('tls.crt'));
  // A key inside a file that everybody reads.
  chmodSync(site.path('tls.crt'), 0o644);
  writeFileSync(site.path('tls.crt'), readFileSync(site.path('tls.crt'), 'utf8') + readFileSync(key, 'utf8'));
  only(site.judge({}, 'games'), 'key-permissions', site.path('tls.crt'));
  assert.throws(() => site.judge({}, 'no-such-user'), { code: 'user-unknown' });
});

function canRead(user: string, path: string): boolean {
  const [program, args] = as(user, ['test', '-r', path]);
  return spawnSync(program, args).status === 0;
}

test('key-permissions: PostgreSQL starts with the keys of which nothing is said, and with no other', {
  skip: skip || skipWithoutPostgresql || asRoot,
}, async (t) => {
  const site = new PairSite(t);
  site.write([site.leaf(), site.intermediate]);
  const directory = directoryFor('postgres');
  t.after(() => directory[Symbol.dispose]());
  const data = join(directory.own, 'data');
  await makeCluster(data);
  const { uid, gid } = account(['postgres']);
  const rows: readonly (readonly [owner: number, group: number, mode: number, ok: boolean])[] = [
    [uid, gid, 0o600, true],
    [0, gid, 0o640, true],
    [uid, gid, 0o640, false],
    [0, gid, 0o644, false],
    [0, 0, 0o600, false],
    [0, gid, 0o660, false],
  ];
  for (const [owner, group, mode, ok] of rows) {
    chownSync(site.path('tls.key'), owner, group);
    chmodSync(site.path('tls.key'), mode);
    const errors = site.judge({ protocol: 'postgres' }, 'postgres');
    if (ok) assert.deepEqual(errors, []);
    else only(errors, 'key-permissions', site.path('tls.key'));
    const port = await freePort();
    const [program, args] = as('postgres', [
      `${POSTGRES_BIN}/postgres`,
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      `unix_socket_directories=${directory.own}`,
      ...['-c', 'ssl=on', '-c', `ssl_cert_file=${site.path('tls.crt')}`, '-c', `ssl_key_file=${site.path('tls.key')}`],
    ]);
    const server = await startServer(program, args, { isReady: () => acceptsConnections(port) }).catch(
      (fault: Error) => fault,
    );
    if (!(server instanceof Error)) await server.stop();
    assert.equal(
      server instanceof Error,
      !ok,
      `${owner}:${group} ${mode.toString(8)}: ${server instanceof Error ? server.message : ''}`,
    );
  }
});

test('served-not-installed: renewed and not reloaded, with the times; healthy once it is reloaded', {
  skip,
}, async (t) => {
  const site = new PairSite(t);
  const [old, renewed] = [site.leaf(), site.leaf()];
  site.write([old, site.intermediate]);
  const nginx = await startNginx({
    directory: site.path('server'),
    tls: { certificate: site.path('tls.crt'), key: site.path('tls.key') },
  });
  t.after(() => nginx.stop());
  const judged = async () => {
    const served = await servedLeaf(nginx.httpsPort);
    return site.judge({ served: [served], listener: listeningProcess('127.0.0.1', nginx.httpsPort) });
  };
  assert.deepEqual(await judged(), []);
  const found = listeningProcess('127.0.0.1', nginx.httpsPort);
  assert.deepEqual([found?.pid, found?.program, found?.uid], [nginx.pid, 'nginx', process.getuid?.()]);
  assert.equal(listeningProcess('192.0.2.1', nginx.httpsPort), null);

  // Times are whole seconds, and the kernel's own may be one off.
  await sleep(2100);
  site.write([renewed, site.intermediate]);
  const finding = only(await judged(), 'served-not-installed', site.path('tls.crt'));
  assert.match(finding.what, /the file was renewed at 20\S+Z, and nginx \(process \d+\) runs since 20\S+Z\.$/);
  const evidence = finding.evidence as { process: { pid: number; since: string }; fileModified: string };
  assert.equal(evidence.process.pid, nginx.pid);
  assert.ok(evidence.process.since < evidence.fileModified);
  assert.equal(finding.remedy.command, `kill -HUP ${nginx.pid}`);
  const [named] = site.judge({ served: [old.certificate], unit: 'web.service' });
  assert.equal(named?.remedy.command, 'systemctl reload web.service');

  assert.equal((await run('/bin/sh', ['-c', finding.remedy.command ?? 'false'])).status, 0);
  // The old worker may take another connection while it ends.
  await until(async () => (await judged()).length === 0, 'reloaded, and nothing is said', 10_000);

  // The service is younger than the file, and serves another one: it reads another file.
  const long = new Date(Date.now() - DAY);
  utimesSync(site.path('tls.crt'), long, long);
  const elsewhere = site.judge({ served: [old.certificate], listener: listeningProcess('127.0.0.1', nginx.httpsPort) });
  assert.deepEqual(shown(elsewhere), ['served-not-installed error likely']);
  assert.match(elsewhere[0]?.why ?? '', /reads another file/);
  // A pair that cannot be loaded is the cause, and the old certificate its consequence.
  site.write([renewed, site.intermediate], old.key);
  only(site.judge({ served: [old.certificate] }), 'key-mismatch', site.path('tls.key'));
  // A second pair of another type, of which only one is shown.
  site.write([renewed, site.intermediate]);
  const rsa = site.leaf({ key: testKey('rsa-2048') });
  assert.deepEqual(shown(site.judge({ served: [rsa.certificate] })), ['served-not-installed error likely']);
  assert.deepEqual(site.judge({ served: [rsa.certificate, renewed.certificate] }), []);
});

function servedLeaf(port: number): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(parseCertificate(raw));
    });
    socket.once('error', reject);
  });
}
