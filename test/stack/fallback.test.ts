/** A stack whose first issuers do not answer, or refuse: the next one of the list issues. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAcmeWorld } from '../interop/acme-world.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { freePort } from '../world/free-port.ts';

test('the network, a refusal, and then a certificate; when all fail, nothing is left half done', async (t) => {
  const stack = cleanup(t);
  const world = stack.use(await startAcmeWorld(['app.test']));
  const { directory, ca, http01Port } = world;
  const [file, state, files] = [join(directory, 'stack.yaml'), join(directory, 'stack'), join(directory, 'tls')];
  const away = `https://127.0.0.1:${await freePort()}/acme/acme/directory`;
  const challenge = `challenge: { http-01: { listen: "127.0.0.1:${http01Port}" } }`;
  const text = (names: string): string => `stack: test
issuers:
  away:
    acme: ${away}
    caFile: ${ca.rootCertificate}
    ${challenge}
    fallback: [refusing, good]
  refusing:
    acme: ${ca.url}/acme/no-such-provisioner/directory
    caFile: ${ca.rootCertificate}
    ${challenge}
  good:
    acme: ${ca.acmeDirectory}
    caFile: ${ca.rootCertificate}
    ${challenge}
services:
  app:
    kind: files
    issuer: away
    names: [${names}]
    certificate: ${files}/app.crt
    key: ${files}/app.key
    ca: ${files}/ca.crt
`;
  const fullchain = (...command: readonly string[]) => run(process.execPath, [LAUNCHER, ...command, '--state', state]);
  assert.equal((await fullchain('ca', 'init')).status, 0);

  writeFileSync(file, text('nowhere.test'));
  const failed = await fullchain('apply', '--json', '--file', file);
  assert.equal(failed.status, 1, failed.output);
  const [service] = JSON.parse(failed.stdout).services;
  assert.deepEqual([service.steps[0].step, service.steps[0].ok], ['issue', false]);
  assert.equal(existsSync(join(files, 'app.crt')), false);

  writeFileSync(file, text('app.test'));
  const applied = await fullchain('apply', '--json', '--file', file);
  assert.equal(applied.status, 0, applied.output);
  assert.match(readFileSync(join(files, 'app.crt'), 'utf8'), /^-----BEGIN CERTIFICATE-----/);
  const again = await fullchain('apply', '--json', '--file', file);
  assert.equal(JSON.parse(again.stdout).services[0].action, 'none', 'its own chain is right for this issuer');
});
