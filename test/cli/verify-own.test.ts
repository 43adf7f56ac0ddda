/** `cert verify` on the authority's own host: its root, its lists, what it has revoked. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fullchain, openssl, scratch, up } from '../ca/command-line.ts';

/** Of an extension that holds one key identifier, as the names of lists have it. */
function keyId(certificate: string, extension: string): string {
  const { stdout } = openssl(['x509', '-in', certificate, '-noout', '-ext', extension]);
  return (stdout.trim().split('\n').at(-1) ?? '').replace(/[^0-9A-F]/g, '').toLowerCase();
}

test('the authority’s own lists say of its own certificates what they should', async (t) => {
  const directory = scratch(t);
  const state = join(directory, 'state');
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const { ready } = await up(t, state);
  const { host } = new URL(ready.url);
  const certificate = join(directory, 'db.crt');
  const issue = ['cert', 'issue', 'db.internal', '--cert', certificate, '--key', join(directory, 'db.key')];
  assert.equal(fullchain([...issue, '--state', state]).status, 0);
  const fetchList = async (name: string, id: string): Promise<string> => {
    const response = await fetch(`http://${host}/crl/${id}.crl`);
    assert.equal(response.status, 200);
    const path = join(directory, name);
    writeFileSync(path, Buffer.from(await response.arrayBuffer()));
    return path;
  };
  const intermediate = keyId(certificate, 'authorityKeyIdentifier');
  const ofRoot = await fetchList('root.crl', keyId(join(state, 'certs', 'root_ca.crt'), 'subjectKeyIdentifier'));
  const verify = (...lists: readonly string[]): { ok: boolean; ids: string[] } => {
    const options = lists.flatMap((list) => ['--crl', list]);
    const ran = fullchain(['cert', 'verify', certificate, '--state', state, '--json', '--crl-all', ...options]);
    const { ok, findings } = JSON.parse(ran.stdout);
    return { ok, ids: findings.map(({ id }: { id: string }) => id) };
  };
  const before = await fetchList('before.crl', intermediate);
  assert.deepEqual(verify(before, ofRoot), { ok: true, ids: [] });
  assert.deepEqual(verify(before), { ok: false, ids: ['revocation-unknown'] });
  const serial = openssl(['x509', '-in', certificate, '-noout', '-serial']).stdout.trim().replace('serial=', '');
  assert.equal(fullchain(['cert', 'revoke', serial, '--state', state]).status, 0);
  const later = await fetchList('later.crl', intermediate);
  assert.deepEqual(verify(later, ofRoot), { ok: false, ids: ['certificate-revoked'] });
  // Both are current: the later one counts.
  assert.deepEqual(verify(before, later, ofRoot), { ok: false, ids: ['certificate-revoked'] });
});
