import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { makeRoot } from '../../../test/vectors/made-certificate.ts';
import { integer } from '../../core/asn1/der-writer.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { type PinnedRoot, pinRoot } from '../../core/x509/pinned-root.ts';
import { chromiumDatabase, findCertutil, installInNss, nssDatabases, uninstallFromNss } from './nss-store.ts';

const certutil = findCertutil(process.env.PATH ?? '') ?? '';
const needsCertutil = certutil ? {} : { skip: 'certutil is not installed (package libnss3-tools)' };

/** NSS takes no two certificates with the same issuer and serial. */
let serial = 1;

function pinned(commonName: string): PinnedRoot {
  const { certificate } = makeRoot(commonName, { serial: integer(serial++) });
  const result = pinRoot(certificate, certificate.fingerprint);
  if (result.kind === 'refused') throw new Error(result.why);
  return result.root;
}

const root = pinned('Test Root');
/** As after a rotation: another key, the same subject. NSS keeps both below names of their own. */
const next = pinned('Test Root');
const byFingerprint = ({ certificate }: PinnedRoot) => ({ fingerprint: certificate.fingerprint, name: null });

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-nss-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function run(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(certutil, args, { encoding: 'utf8', input });
  assert.equal(status, 0, stderr);
  return stdout;
}

function database(t: TestContext): string {
  const directory = scratch(t);
  run(['-N', '-d', `sql:${directory}`, '--empty-password']);
  return directory;
}

const listed = (directory: string): string[] =>
  run(['-L', '-d', `sql:${directory}`])
    .split('\n')
    .filter((line) => /,.*,/.test(line) && !line.includes('S/MIME'))
    .map((line) => line.trim().replace(/\s{2,}/, ' '));

test(
  'an installed root is trusted for servers and for nothing else; a second time changes nothing',
  needsCertutil,
  (t) => {
    const directory = database(t);
    const change = installInNss(certutil, directory, root, 'test-root');
    assert.deepEqual(
      { store: change.store, changed: change.changed, path: change.path },
      { store: 'nss', changed: true, path: directory },
    );
    assert.deepEqual(listed(directory), ['test-root C,,']);
    assert.equal(installInNss(certutil, directory, root, 'another-name').changed, false);
    assert.deepEqual(listed(directory), ['test-root C,,']);
  },
);

test('a root that is there without trust gets it, and keeps what it had for mail', needsCertutil, (t) => {
  const directory = database(t);
  run(
    ['-A', '-a', '-d', `sql:${directory}`, '-n', 'by hand', '-t', ',C,'],
    pemFromDer('CERTIFICATE', root.certificate.raw),
  );
  assert.equal(installInNss(certutil, directory, root, 'test-root').changed, true);
  assert.deepEqual(listed(directory), ['by hand C,C,']);
});

test('of two roots with one subject exactly the one is removed', needsCertutil, (t) => {
  for (const [first, second] of [
    [root, next],
    [next, root],
  ] as const) {
    const directory = database(t);
    installInNss(certutil, directory, first, 'first');
    installInNss(certutil, directory, second, 'second');
    assert.deepEqual(listed(directory), ['first C,,', 'second C,,']);
    assert.equal(uninstallFromNss(certutil, directory, byFingerprint(first)).changed, true);
    assert.deepEqual(listed(directory), ['second C,,']);
    assert.equal(installInNss(certutil, directory, second, 'x').changed, false);
    assert.equal(uninstallFromNss(certutil, directory, byFingerprint(first)).changed, false);
  }
});

test('a name that another certificate has is left to it', needsCertutil, (t) => {
  const directory = database(t);
  installInNss(certutil, directory, pinned('Other Root'), 'taken');
  assert.throws(() => installInNss(certutil, directory, root, 'taken'), { code: 'trust-name-taken' });
});

test(
  'a database that was made for the root goes with it, with the directories that were made for it',
  needsCertutil,
  (t) => {
    const home = scratch(t);
    const directory = chromiumDatabase(home);
    installInNss(certutil, directory, root, 'test-root');
    installInNss(certutil, directory, next, 'next-root');
    assert.deepEqual(nssDatabases(home), [directory]);
    uninstallFromNss(certutil, directory, byFingerprint(root));
    assert.deepEqual(listed(directory), ['next-root C,,']);
    uninstallFromNss(certutil, directory, { fingerprint: null, name: 'next-root' });
    assert.deepEqual(readdirSync(home), []);
  },
);

test('a database that was there stays, and so does what others put beside ours', needsCertutil, (t) => {
  const directory = database(t);
  installInNss(certutil, directory, root, 'test-root');
  uninstallFromNss(certutil, directory, byFingerprint(root));
  assert.deepEqual(listed(directory), []);
  const home = scratch(t);
  installInNss(certutil, chromiumDatabase(home), root, 'test-root');
  writeFileSync(join(home, '.pki', 'note'), '');
  uninstallFromNss(certutil, chromiumDatabase(home), byFingerprint(root));
  assert.deepEqual(readdirSync(join(home, '.pki')), ['note']);
});

test(
  'a database with a password is refused with what certutil says, and nothing hangs on a prompt',
  needsCertutil,
  (t) => {
    const directory = scratch(t);
    const password = join(directory, 'password');
    writeFileSync(password, 'secret\n');
    run(['-N', '-d', `sql:${directory}`, '-f', password]);
    assert.throws(() => installInNss(certutil, directory, root, 'test-root'), { code: 'trust-store-failed' });
    assert.deepEqual(listed(directory), []);
  },
);

test('the profiles of Firefox are found wherever its packages put them', (t) => {
  const home = scratch(t);
  const profiles = [
    '.mozilla/firefox/abc.default',
    'snap/firefox/common/.mozilla/firefox/def.default',
    '.var/app/org.mozilla.firefox/.mozilla/firefox/ghi',
  ].map((path) => join(home, path));
  for (const profile of profiles) {
    mkdirSync(profile, { recursive: true });
    writeFileSync(join(profile, 'cert9.db'), '');
  }
  mkdirSync(join(home, '.mozilla/firefox/Crash Reports'));
  writeFileSync(join(home, '.mozilla/firefox/profiles.ini'), '');
  assert.deepEqual(nssDatabases(home), profiles);
  assert.equal(existsSync(chromiumDatabase(home)), false);
});
