import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OperatorFault } from '../../src/core/faults/operator-faults.ts';
import { subjectAltNames } from '../../src/core/x509/subject-alt-name.ts';
import { skipWithout } from '../servers/available.ts';
import { startBind } from '../servers/bind.ts';
import { LAUNCHER, startFullchain } from '../servers/fullchain.ts';
import { run, temporaryDirectory } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { issuerAt, newKey, serviceFor } from './issuing.ts';

const ZONE = 'aragora.test';
const RECORD = `_acme-challenge.${ZONE}`;

test('a wildcard and its apex by updates of a real DNS server; wrong credentials are called so', {
  skip: skipWithout('named'),
}, async (t) => {
  const stack = cleanup(t);
  const { path } = stack.use(temporaryDirectory());
  const bind = stack.use(await startBind(join(path, 'bind'), ZONE, [ZONE]));
  const ca = stack.use(await startFullchain(join(path, 'state'), ['--resolver', bind.address]));
  const updates = {
    kind: 'dns-01-rfc2136',
    server: { host: '127.0.0.1', port: bind.port },
    zone: ZONE,
    keyName: 'acme',
    secretFile: bind.keyFile,
  } as const;
  const issuing = async (
    names: readonly string[],
    more: Partial<typeof updates> | { readonly [key: string]: unknown },
  ) => {
    const issuer = await issuerAt({
      directory: ca.acmeDirectory,
      caFile: ca.rootCertificate,
      challenge: { ...updates, ...more },
      accounts: join(path, 'accounts'),
    });
    return issuer.issue(serviceFor(...names), newKey());
  };

  await t.test('issued, and the records are gone', async () => {
    const { chain } = await issuing([ZONE, `*.${ZONE}`], {});
    const [leaf] = chain;
    assert.ok(leaf);
    assert.deepEqual(
      subjectAltNames(leaf).map((name) => name.kind === 'dns' && name.value),
      [ZONE, `*.${ZONE}`],
    );
    assert.deepEqual(await bind.texts(RECORD), []);
  });

  await t.test('the secret alone in base64 does as well', async () => {
    const secretFile = join(path, 'bare');
    const secret = /secret "(.+)"/.exec(readFileSync(bind.keyFile, 'utf8'))?.[1] ?? '';
    writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
    assert.equal((await issuing([`*.${ZONE}`], { secretFile })).chain.length, 2);
  });

  const failures: readonly [what: string, more: object, code: OperatorFault['code'], message: RegExp][] = [
    ['a wrong secret', { secretFile: bind.wrongKeyFile }, 'dns-credentials', /^DNS credentials: .*BADSIG/],
    ['a key that its file has not', { keyName: 'other' }, 'dns-credentials', /^DNS credentials: .*no key "other"/],
    [
      'a zone that the server has not',
      { zone: 'test' },
      'dns-record-failed',
      /not the authority for the zone \(NOTAUTH\)/,
    ],
    ['a name outside of the zone', { zone: 'other.test' }, 'dns-record-failed', /does not lie in the zone other\.test/],
    ['a server that is not there', { server: { host: '127.0.0.1', port: 1 } }, 'dns-record-failed', /ECONNREFUSED/],
    ['a secret that is not there', { secretFile: '/nowhere/key' }, 'input-unreadable', /no such file/],
  ];
  for (const [what, more, code, message] of failures) {
    await t.test(what, async () => {
      await assert.rejects(issuing([`new-${code}.${ZONE}`], more), (fault: OperatorFault) => {
        assert.equal(fault.code, code, fault.message);
        assert.match(fault.message, message);
        return true;
      });
    });
  }

  await t.test('a key that the server does not know', async () => {
    const secretFile = join(path, 'stranger.key');
    writeFileSync(secretFile, readFileSync(bind.keyFile, 'utf8').replace('"acme"', '"stranger"'), { mode: 0o600 });
    await assert.rejects(issuing([`a.${ZONE}`], { secretFile, keyName: 'stranger' }), {
      code: 'dns-credentials',
      message: /BADKEY/,
    });
  });

  await t.test('a stack by its file: wrong credentials in words, right ones a certificate', async () => {
    const stackFile = join(path, 'stack.yaml');
    const apply = async (secretFile: string) => {
      writeFileSync(
        stackFile,
        `stack: test
issuers:
  public:
    acme: ${ca.acmeDirectory}
    caFile: ${ca.rootCertificate}
    challenge:
      dns-01: { rfc2136: { server: ${bind.address}, zone: ${ZONE}, keyName: acme, secretFile: ${secretFile} } }
services:
  app:
    kind: files
    issuer: public
    names: [${ZONE}, "*.${ZONE}"]
    certificate: ${path}/tls/app.crt
    key: ${path}/tls/app.key
    ca: ${path}/tls/ca.crt
`,
      );
      return run(process.execPath, [LAUNCHER, 'apply', '--file', stackFile, '--state', join(path, 'stack')]);
    };
    assert.equal((await run(process.execPath, [LAUNCHER, 'ca', 'init', '--state', join(path, 'stack')])).status, 0);
    const wrong = await apply(bind.wrongKeyFile);
    assert.equal(wrong.status, 1);
    assert.match(wrong.output, /DNS credentials: .*"acme".*BADSIG/);
    assert.match(wrong.output, /tsig-keygen acme/, 'what to do next');
    assert.doesNotMatch(wrong.output, /^\s+at /m, 'no stack trace');
    const right = await apply(bind.keyFile);
    assert.equal(right.status, 0, right.output);
    assert.deepEqual(await bind.texts(RECORD), []);
  });

  await t.test('a secret that others may read is not used', async () => {
    chmodSync(bind.keyFile, 0o640);
    await assert.rejects(issuing([`b.${ZONE}`], {}), { code: 'password-file-exposed' });
  });
});
