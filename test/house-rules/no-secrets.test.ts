import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { secrets } from './secrets.ts';
import { ROOT, readFiles, report } from './source-file.ts';

test('no private key lies in the repository outside the tests', () => {
  const isBinary = /\.(?:png|jpg|gif|ico|woff2?|gz|zip|p12|der)$/;
  assert.equal(report(secrets(readFiles(['.'], (path) => !isBinary.test(path) && !isIgnored(path)))), '');
});

/** What git ignores is not in the repository: state directories have keys, and must. */
const ignored = new Set(
  spawnSync('git', ['ls-files', '--others', '--ignored', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  }).stdout?.split('\n'),
);
function isIgnored(path: string): boolean {
  return ignored.has(path);
}

const KEY = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg';

for (const [path, text, what] of [
  ['docs/guide.md', `\n-----BEGIN PRIVATE KEY-----\n${KEY}\n`, /^docs\/guide\.md:2: a private key in PEM/],
  ['examples/a.yaml', `  -----BEGIN EC PRIVATE KEY-----\n    ${KEY}`, /a private key in PEM/],
  ['src/a.ts', `const key = '-----BEGIN ENCRYPTED PRIVATE KEY-----\\n${KEY}'`, /a private key in PEM/],
  ['src/a.json', `{"kty":"EC","d":"${KEY.slice(0, 43)}"}`, /a private key as JWK/],
] as const) {
  test(`a secret is found in ${path}: ${text.trim().slice(0, 40)}…`, () => {
    assert.match(report(secrets([{ path, text }])), what);
  });
}

for (const [path, text] of [
  ['src/pem.ts', "const label = '-----BEGIN PRIVATE KEY-----';"],
  ['src/pem.ts', '/-----BEGIN (.*) PRIVATE KEY-----/'],
  ['docs/guide.md', '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ1JpZ2h0IGhlcmUgaXMgbm8ga2V5MAoGCCqGSM49BAMC'],
  ['test/vectors/key.pem', `-----BEGIN PRIVATE KEY-----\n${KEY}`],
] as const) {
  test(`no secret is seen in ${path}: ${text.slice(0, 40)}…`, () => {
    assert.equal(report(secrets([{ path, text }])), '');
  });
}
