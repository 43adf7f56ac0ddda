/** With Debian's own tool where it is installed, and with tools that misbehave. Always below a scratch directory. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { makeRoot } from '../../../test/vectors/made-certificate.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { type PinnedRoot, pinRoot } from '../../core/x509/pinned-root.ts';
import { writeFileAtomically } from '../files/atomic-file.ts';
import { fingerprintsIn } from './store-change.ts';
import { findSystemStore, installInSystem, uninstallFromSystem } from './system-store.ts';

const TOOL = '/usr/sbin/update-ca-certificates';
const needsTool = existsSync(TOOL) ? {} : { skip: 'update-ca-certificates is not installed (package ca-certificates)' };
const PATH = '/usr/sbin:/usr/bin:/bin';

function pinned(commonName: string): PinnedRoot {
  const { certificate } = makeRoot(commonName);
  const result = pinRoot(certificate, certificate.fingerprint);
  if (result.kind === 'refused') throw new Error(result.why);
  return result.root;
}

const root = pinned('Test Root');
const other = pinned('Other Root');
const byFingerprint = ({ certificate }: PinnedRoot) => ({ fingerprint: certificate.fingerprint, name: null });

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-system-store-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory for PATH with an update-ca-certificates of our own. */
function fakeTool(t: TestContext, script: string): string {
  const directory = scratch(t);
  const path = join(directory, 'update-ca-certificates');
  writeFileSync(path, `#!/bin/sh\n# knows --certsconf\n${script}\n`);
  chmodSync(path, 0o755);
  return directory;
}

const storeBelow = (prefix: string, searchPath: string) => findSystemStore(prefix, searchPath, writeFileAtomically);
const tree = (directory: string): string[] => readdirSync(directory, { recursive: true }).map(String).sort();
const bundleOf = (prefix: string): string[] =>
  fingerprintsIn(readFileSync(join(prefix, 'etc/ssl/certs/ca-certificates.crt'), 'latin1'));

test(
  'an installed root is world-readable, in the bundle and linked by its hash; a second time changes nothing',
  needsTool,
  (t) => {
    const prefix = scratch(t);
    const store = storeBelow(prefix, PATH);
    const change = installInSystem(store, root, 'test-root');
    const path = join(prefix, 'usr/local/share/ca-certificates/test-root.crt');
    assert.deepEqual({ changed: change.changed, path: change.path }, { changed: true, path });
    assert.equal(statSync(path).mode & 0o777, 0o644);
    assert.deepEqual(bundleOf(prefix), [root.certificate.fingerprint]);
    assert.match(readdirSync(join(prefix, 'etc/ssl/certs')).join(' '), /\b[0-9a-f]{8}\.0\b/);
    const before = tree(prefix);
    const again = installInSystem(store, root, 'another-name');
    assert.deepEqual({ changed: again.changed, path: again.path }, { changed: false, path });
    assert.deepEqual(tree(prefix), before);
  },
);

test(
  'an uninstalled root leaves no trace: not in the directory, the bundle, the links, nor with the hooks',
  needsTool,
  (t) => {
    const prefix = scratch(t);
    const store = storeBelow(prefix, PATH);
    installInSystem(store, other, 'other-root');
    const heard = join(prefix, 'heard');
    const hook = join(prefix, 'etc/ca-certificates/update.d/tell');
    writeFileSync(hook, `#!/bin/sh\ncat >> ${heard}\n`);
    chmodSync(hook, 0o755);
    const before = tree(prefix);
    installInSystem(store, root, 'test-root');
    assert.equal(uninstallFromSystem(store, byFingerprint(root)).changed, true);
    assert.deepEqual(bundleOf(prefix), [other.certificate.fingerprint]);
    const link = join(prefix, 'etc/ssl/certs/test-root.pem');
    assert.equal(readFileSync(heard, 'utf8'), `+${link}\n-${link}\n`);
    rmSync(heard);
    assert.deepEqual(tree(prefix), before);
    assert.equal(uninstallFromSystem(store, byFingerprint(root)).changed, false);
  },
);

test('the last root goes as completely as the first', needsTool, (t) => {
  const prefix = scratch(t);
  const store = storeBelow(prefix, PATH);
  installInSystem(store, root, 'test-root');
  uninstallFromSystem(store, { fingerprint: null, name: 'test-root' });
  assert.deepEqual(readdirSync(join(prefix, 'etc/ssl/certs')), []);
});

test('the distribution’s own selection stays as its configuration has it', needsTool, (t) => {
  const prefix = scratch(t);
  mkdirSync(join(prefix, 'usr/share/ca-certificates/vendor'), { recursive: true });
  mkdirSync(join(prefix, 'etc'));
  for (const [name, { certificate }] of [
    ['in', other],
    ['out', pinned('Distrusted')],
  ] as const)
    writeFileSync(
      join(prefix, `usr/share/ca-certificates/vendor/${name}.crt`),
      pemFromDer('CERTIFICATE', certificate.raw),
    );
  const configuration = 'vendor/in.crt\n!vendor/out.crt';
  writeFileSync(join(prefix, 'etc/ca-certificates.conf'), configuration);
  const store = storeBelow(prefix, PATH);
  installInSystem(store, root, 'test-root');
  assert.deepEqual(bundleOf(prefix), [other.certificate.fingerprint, root.certificate.fingerprint]);
  uninstallFromSystem(store, byFingerprint(root));
  assert.deepEqual(bundleOf(prefix), [other.certificate.fingerprint]);
  assert.equal(readFileSync(join(prefix, 'etc/ca-certificates.conf'), 'utf8'), configuration);
  const shipped = uninstallFromSystem(store, byFingerprint(other));
  assert.equal(shipped.changed, false);
  assert.match(shipped.what, /comes with the system itself/);
});

test('an installation that was cut short before the tool ran is finished by the next', needsTool, (t) => {
  const prefix = scratch(t);
  const store = storeBelow(prefix, PATH);
  mkdirSync(store.anchors, { recursive: true });
  writeFileSync(join(store.anchors, 'by-hand.crt'), pemFromDer('CERTIFICATE', root.certificate.raw));
  const change = installInSystem(store, root, 'test-root');
  assert.deepEqual([change.changed, change.path], [true, join(store.anchors, 'by-hand.crt')]);
  assert.deepEqual(bundleOf(prefix), [root.certificate.fingerprint]);
});

test('a removal that was cut short before the tool ran is finished by the next', needsTool, (t) => {
  const store = storeBelow(scratch(t), PATH);
  installInSystem(store, root, 'test-root');
  installInSystem(store, other, 'other-root');
  rmSync(join(store.anchors, 'test-root.crt'));
  assert.equal(uninstallFromSystem(store, byFingerprint(root)).changed, true);
  assert.deepEqual(fingerprintsIn(readFileSync(store.bundle, 'latin1')), [other.certificate.fingerprint]);
});

test('a name that another root has is left to it', needsTool, (t) => {
  const store = storeBelow(scratch(t), PATH);
  installInSystem(store, other, 'taken');
  assert.throws(() => installInSystem(store, root, 'taken'), { code: 'trust-name-taken' });
  assert.deepEqual(fingerprintsIn(readFileSync(join(store.anchors, 'taken.crt'), 'latin1')), [
    other.certificate.fingerprint,
  ]);
});

test('a file with more certificates than ours is not removed', needsTool, (t) => {
  const store = storeBelow(scratch(t), PATH);
  mkdirSync(store.anchors, { recursive: true });
  const path = join(store.anchors, 'both.crt');
  writeFileSync(path, [root, other].map(({ certificate }) => pemFromDer('CERTIFICATE', certificate.raw)).join(''));
  assert.throws(() => uninstallFromSystem(store, byFingerprint(root)), {
    code: 'trust-store-failed',
    message: /holds 2 certificates/,
  });
  assert.ok(existsSync(path));
});

for (const [what, script, message] of [
  ['fails', 'echo "no space" >&2; exit 7', /exited with status 7: no space/],
  ['succeeds and does nothing', 'exit 0', /left the root out of/],
] as const)
  test(`when the tool ${what}, an installation is taken back`, (t) => {
    const store = storeBelow(scratch(t), fakeTool(t, script));
    assert.throws(() => installInSystem(store, root, 'test-root'), { code: 'trust-store-failed', message });
    assert.deepEqual(readdirSync(store.anchors), []);
  });

test('when the tool fails, a removal is taken back', (t) => {
  const store = storeBelow(scratch(t), fakeTool(t, 'exit 1'));
  mkdirSync(store.anchors, { recursive: true });
  const path = join(store.anchors, 'test-root.crt');
  const pem = pemFromDer('CERTIFICATE', root.certificate.raw);
  writeFileSync(path, pem);
  assert.throws(() => uninstallFromSystem(store, byFingerprint(root)), { code: 'trust-store-failed' });
  assert.equal(readFileSync(path, 'utf8'), pem);
});

test('a tool that leaves the link behind is found out', (t) => {
  const store = storeBelow(scratch(t), fakeTool(t, 'exit 0'));
  mkdirSync(store.anchors, { recursive: true });
  mkdirSync(join(store.bundle, '..'), { recursive: true });
  const path = join(store.anchors, 'test-root.crt');
  writeFileSync(path, pemFromDer('CERTIFICATE', root.certificate.raw));
  symlinkSync(path, join(store.bundle, '..', 'test-root.pem'));
  assert.throws(() => uninstallFromSystem(store, byFingerprint(root)), {
    code: 'trust-store-failed',
    message: /left the link/,
  });
});

test('the family is the one whose directory exists; below a prefix only Debian’s tool can work', (t) => {
  for (const [directory, file] of [
    ['etc/pki/ca-trust/source/anchors', 'test-root.pem'],
    ['etc/ca-certificates/trust-source/anchors', 'test-root.crt'],
    ['etc/pki/trust/anchors', 'test-root.pem'],
  ] as const) {
    const prefix = scratch(t);
    mkdirSync(join(prefix, directory), { recursive: true });
    const store = storeBelow(prefix, '');
    const change = installInSystem(store, root, 'test-root');
    assert.equal(change.path, join(prefix, directory, file));
    assert.match(change.what, /; run update-ca-\w+/);
    assert.equal(installInSystem(store, root, 'test-root').changed, false);
    assert.equal(uninstallFromSystem(store, byFingerprint(root)).changed, true);
    assert.deepEqual(readdirSync(join(prefix, directory)), []);
  }
});
