/** What is wrong with a certificate or its chain, at live servers that serve it so. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { boolean, integer, octetString, oid, sequence } from '../../src/core/asn1/der-writer.ts';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import type { CAUSES } from '../../src/core/diagnosis/causes.ts';
import { encodeAuthorityInformationAccess } from '../../src/core/x509/authority-information-access.ts';
import { encodeBasicConstraints } from '../../src/core/x509/basic-constraints.ts';
import { encodeNameConstraints } from '../../src/core/x509/name-constraints.ts';
import { fullchain, openssl, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { FAKETIME_LIBRARY, needsFaketime } from '../surroundings/faketime.ts';
import { makeIntermediate } from '../vectors/made-certificate.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import {
  assertCause,
  assertHealthy,
  days,
  diagnose,
  keyPem,
  leafOf,
  nginxWith,
  nodeServer,
  opensslServer,
  type PairFiles,
  pem,
  tree,
  writePair,
} from './world.ts';

const skip = skipWithout('nginx', 'openssl');

const UNKNOWN_CRITICAL = sequence(oid('1.2.3.4'), boolean(true), octetString(integer(1)));
const ONLY_EXAMPLE = encodeNameConstraints({ permitted: [{ kind: 'dns', value: 'example.org' }], excluded: [] });

test('each flaw of a served chain is named, and nothing else', { skip, timeout: 120_000 }, async (t) => {
  const directory = scratch(t);
  const { root, intermediate } = tree();
  const foreign = tree('Foreign Root');
  const lower = makeIntermediate(intermediate, 'Lower intermediate');
  const old = makeIntermediate(root, 'Expired intermediate', { validity: days(-400, -5) });
  const ca = join(directory, 'ca.crt');
  const known = join(directory, 'known.crt');
  writeFileSync(ca, pem(root));
  writeFileSync(known, pem(intermediate));
  const aia = await startTcpServer(
    createServer((_request, response) => void response.end(Buffer.from(intermediate.der))),
    '127.0.0.1',
    0,
  );
  t.after(aia.close);
  const good = leafOf(intermediate);
  const pointing = leafOf(intermediate, {
    parts: {
      extensions: {
        authorityInfoAccess: encodeAuthorityInformationAccess({
          ocspUrls: [],
          caIssuersUrls: [`http://127.0.0.1:${aia.port}/issuer.cer`],
        }),
      },
    },
  });
  const of = (name: string, chain: string, leaf: Parameters<typeof keyPem>[0]): PairFiles =>
    writePair(directory, name, chain, keyPem(leaf));
  const short = makeIntermediate(root, 'Short', {
    extensions: { basicConstraints: encodeBasicConstraints({ ca: true, pathLength: 0 }) },
  });
  const deeper = makeIntermediate(short, 'Deeper');
  const bounded = makeIntermediate(root, 'Bounded', { extensions: { nameConstraints: ONLY_EXAMPLE } });
  const chains = {
    healthy: [good, intermediate],
    expired: [leafOf(intermediate, { from: -40, until: -1 }), intermediate],
    'expired-intermediate': [leafOf(old), old],
    'not-yet': [leafOf(intermediate, { from: 2, until: 30 }), intermediate],
    unknown: [leafOf(foreign.intermediate), foreign.intermediate],
    incomplete: [leafOf(intermediate)],
    pointing: [pointing],
    disorder: [leafOf(lower), intermediate, lower],
    'root-between': [leafOf(lower), root, lower, intermediate],
    'other-name': [
      leafOf(intermediate, {
        names: [
          { kind: 'dns', value: 'db.internal' },
          { kind: 'dns', value: 'localhots' },
        ],
      }),
      intermediate,
    ],
    'no-names': [leafOf(intermediate, { names: [], commonName: 'localhost' }), intermediate],
    'below-a-leaf': [leafOf(good), good, intermediate],
    'too-deep': [leafOf(deeper), deeper, short],
    'out-of-bounds': [leafOf(bounded), bounded],
    'critical-unknown': [leafOf(intermediate, { parts: { extensions: { odd: UNKNOWN_CRITICAL } } }), intermediate],
    'client-only': [leafOf(intermediate, { purposes: ['clientAuth'] }), intermediate],
  } as const;
  const files = Object.fromEntries(
    Object.entries(chains).map(([name, chain]) => [name, of(name, pem(...chain), chain[0])] as const),
  );
  const self = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '20'];
  const selfFiles = { cert: join(directory, 'self.crt'), key: join(directory, 'self.key') };
  assert.equal(
    openssl([
      ...self,
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      selfFiles.key,
      '-out',
      selfFiles.cert,
    ]).status,
    0,
  );
  const ports = await nginxWith(
    t,
    Object.fromEntries(
      [...Object.entries(files), ['self', selfFiles] as const].map(([name, pair]) => [name, { pair }]),
    ),
  );
  const at = (name: string, ...args: string[]) => diagnose([`https://localhost:${ports[name]}`, '--ca', ca, ...args]);

  await t.test('healthy: nothing', async () => {
    assertHealthy(await at('healthy'));
  });
  const cases: readonly (readonly [name: string, id: keyof typeof CAUSES, evidence: RegExp, ...args: string[]])[] = [
    ['expired', 'certificate-expired', /"notAfter"/],
    ['expired-intermediate', 'certificate-expired', /Expired intermediate/],
    ['not-yet', 'certificate-not-yet-valid', /"notBefore"/],
    ['unknown', 'unknown-ca', /Foreign Root/],
    ['incomplete', 'unknown-ca', /Diagnose Root.*intermediate/],
    ['incomplete', 'chain-incomplete', /if .*Diagnose Root.*intermediate.* is an intermediate/],
    ['incomplete', 'chain-incomplete', /Diagnose Root.*intermediate/, '--intermediates', known],
    ['pointing', 'chain-incomplete', /Diagnose Root.*intermediate/],
    ['disorder', 'chain-order', /Lower intermediate/],
    ['root-between', 'chain-order', /Lower intermediate/],
    ['self', 'self-signed', /localhost/],
    ['other-name', 'name-mismatch', /"names":\["localhots","db.internal"\]/],
    ['no-names', 'no-subject-alt-name', /localhost/],
    ['client-only', 'certificate-wrong-purpose', /clientAuth|server/i],
    ['below-a-leaf', 'not-an-authority', /localhost/],
    ['too-deep', 'path-length-exceeded', /Short/],
    ['out-of-bounds', 'name-constraints', /localhost/],
    ['critical-unknown', 'unknown-critical-extension', /1\.2\.3\.4/],
  ];
  for (const [name, id, evidence, ...args] of cases)
    await t.test(`${name}: ${id}`, async () => {
      const finding = assertCause(await at(name, ...args), id);
      assert.match(JSON.stringify(finding), evidence);
    });

  await t.test('an altered signature: signature-invalid', async () => {
    const altered = Uint8Array.from(good.der);
    const last = altered.length - 1;
    altered[last] = (altered[last] ?? 0) ^ 1;
    const cert = pemFromDer('CERTIFICATE', altered) + pem(intermediate);
    const port = await nodeServer(t, { cert, key: keyPem(good) });
    assertCause(await diagnose([`localhost:${port}`, '--ca', ca]), 'signature-invalid');
  });
  await t.test('a server that knows no site of this name: name-mismatch, likely', async () => {
    const { refusing } = await nginxWith(t, {
      refusing: { pair: files.healthy ?? null, lines: 'ssl_reject_handshake on;' },
    });
    const finding = assertCause(await diagnose([`https://localhost:${refusing}`, '--ca', ca]), 'name-mismatch');
    assert.match(finding.what, /unrecognized_name/);
  });
  await t.test('asked by address: ip-not-in-certificate', async () => {
    assertCause(await diagnose([`https://127.0.0.1:${ports.healthy}`, '--ca', ca]), 'ip-not-in-certificate');
  });
  await t.test('another address is dialled, and the name checked stays the target’s', async () => {
    const dial = ['--connect', `127.0.0.1:${ports['other-name']}`, '--ca', ca];
    assertHealthy(await diagnose(['https://db.internal', ...dial]));
    assertCause(await diagnose(['https://api.internal', ...dial]), 'name-mismatch');
  });
  await t.test('an RSA key of 1024 bits: weak-certificate', async () => {
    const weak = { cert: join(directory, 'weak.crt'), key: join(directory, 'weak.key') };
    assert.equal(
      openssl([
        'req',
        '-newkey',
        'rsa:1024',
        '-nodes',
        '-subj',
        '/CN=weak',
        '-keyout',
        weak.key,
        '-out',
        `${weak.cert}.csr`,
      ]).status,
      0,
    );
    const [rootFile, rootKey, extensions] = ['root.crt', 'root.key', 'weak.ext'].map((name) =>
      join(directory, name),
    ) as [string, string, string];
    writeFileSync(rootFile, pem(root));
    writeFileSync(rootKey, keyPem(root), { mode: 0o600 });
    writeFileSync(extensions, 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n');
    assert.equal(
      openssl([
        'x509',
        '-req',
        '-in',
        `${weak.cert}.csr`,
        '-CA',
        rootFile,
        '-CAkey',
        rootKey,
        '-set_serial',
        '7',
        '-days',
        '10',
        '-extfile',
        extensions,
        '-out',
        weak.cert,
      ]).status,
      0,
    );
    const port = await opensslServer(t, weak, '-cipher', 'ALL:@SECLEVEL=0');
    assertCause(await diagnose([`localhost:${port}`, '--ca', ca]), 'weak-certificate');
  });
  await t.test(
    'this host’s clock is behind: clock-skew, and not a certificate that begins tomorrow',
    { skip: needsFaketime },
    async () => {
      const env = { LD_PRELOAD: FAKETIME_LIBRARY ?? '', FAKETIME: '-12d', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
      const finding = assertCause(
        await diagnose([`https://localhost:${ports.healthy}`, '--ca', ca], env),
        'clock-skew',
      );
      assert.match(finding.what, /12 days behind/);
      const ahead = { ...env, FAKETIME: '+40d' };
      assert.match(
        assertCause(await diagnose([`https://localhost:${ports.healthy}`, '--ca', ca], ahead), 'clock-skew').what,
        /40 days ahead/,
      );
    },
  );
  await t.test(
    'without a peer’s clock a certificate that is not valid yet is likely, and the clock is named',
    async () => {
      const [leaf, above] = chains['not-yet'];
      const port = await nodeServer(t, { cert: pem(leaf, above), key: keyPem(leaf) });
      const finding = assertCause(await diagnose([`localhost:${port}`, '--ca', ca]), 'certificate-not-yet-valid');
      assert.equal(finding.confidence, 'likely');
      assert.match(finding.remedy.text, /clock/);
    },
  );
});

test('a certificate below a root of ours that was replaced: retired-ca', {
  skip: skipWithout('openssl'),
}, async (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  const done = (...args: string[]): void => {
    const { status, stdout, stderr } = fullchain([...args, '--state', state]);
    assert.equal(status, 0, stdout + stderr);
  };
  done('ca', 'init');
  mkdirSync(join(directory, 'pair'));
  const pair = { cert: join(directory, 'pair/tls.crt'), key: join(directory, 'pair/tls.key') };
  const issue = () => done('cert', 'issue', 'localhost', '--cert', pair.cert, '--key', pair.key, '--force');
  issue();
  const before = await opensslServer(t, pair);
  assertHealthy(await diagnose([`localhost:${before}`, '--state', state]));
  for (const step of ['--prepare', '--activate', '--retire'])
    done('ca', 'rotate', 'root', step, ...(step === '--retire' ? ['--force'] : []));
  const finding = assertCause(await diagnose([`localhost:${before}`, '--state', state]), 'retired-ca');
  assert.match(finding.what, /replaced/);
  issue();
  assertHealthy(await diagnose([`localhost:${await opensslServer(t, pair)}`, '--state', state]));
});
