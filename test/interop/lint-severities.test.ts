/** What lint calls a warning, OpenSSL accepts, strictly too; of what it says that strict checks refuse it, they do. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LINT_RULES } from '../../src/core/x509/lint.ts';
import { LINT_ADVICE } from '../../src/core/x509/lint-advice.ts';
import { openssl, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { BROKEN, ISSUERS, ROOT } from '../vectors/broken-certificates.ts';

/** OpenSSL refuses these for something else that is wrong with the one that was made. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'signature-algorithm-unknown': 'nobody knows this algorithm',
  'root-signature-weak': 'the signature does not fit, which nobody verifies of an anchor',
  'issuer-empty': 'there is no issuer of this name',
};

function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

test('severities agree with OpenSSL', { skip: skipWithout('openssl') }, async (t) => {
  const directory = scratch(t);
  const [root, issuers, one] = ['root.pem', 'issuers.pem', 'one.pem'].map((name) => join(directory, name));
  assert.ok(root && issuers && one);
  writeFileSync(root, pem(ROOT.raw));
  writeFileSync(
    issuers,
    ISSUERS()
      .map(({ raw }) => pem(raw))
      .join(''),
  );
  for (const [id, make, { kind }] of BROKEN) {
    if (OTHERWISE[id]) continue;
    const certificate = make();
    writeFileSync(one, pem(certificate.raw));
    // When all of them have begun.
    const at = ['-attime', `${certificate.validity.notBefore + 16 * 86_400}`];
    const purpose = kind === 'server' || kind === 'peer' ? ['-purpose', 'sslserver'] : [];
    const verify = (...more: readonly string[]): string => {
      const files = ['-CAfile', kind === 'root' ? one : root, '-untrusted', issuers, one];
      const { status, stdout, stderr } = openssl(['verify', ...at, ...purpose, ...more, ...files]);
      return status === 0 ? 'accepted' : `${stdout}${stderr}`;
    };
    const rule = LINT_RULES.find((candidate) => candidate.id === id);
    const severity = rule?.severityOf?.[kind] ?? rule?.severity;
    if (severity !== 'error')
      assert.deepEqual([verify(), verify('-x509_strict')], ['accepted', 'accepted'], `${severity} ${id}`);
    else if (/strictly with OpenSSL/.test(LINT_ADVICE[id]?.why ?? ''))
      assert.notEqual(verify('-x509_strict'), 'accepted', `error ${id}`);
  }
});
