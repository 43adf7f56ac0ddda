import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportPKCS8, generateKeyPair } from 'jose';
import { parseCrl } from '../../src/core/revocation/crl.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { obtainCertificate } from '../../src/edge/acme-client/obtain.ts';
import { AcmeRefused, acmeSession, postSigned } from '../../src/edge/acme-client/signed-request.ts';
import { csrFor } from '../acme/csr.ts';
import { until } from '../servers/process.ts';
import { startHttpResponder } from '../world/http-responder.ts';
import { mountSmallDisk } from '../world/small-disk.ts';
import { faultOf, run, soundState } from './authority-run.ts';
import { checkOf, startAuthorityOn } from './running-authority.ts';

let sound: ReturnType<typeof soundState>;
before(() => {
  sound = soundState();
});
after(() => sound.remove());

interface Listed {
  readonly certificates: readonly { readonly names: readonly string[]; readonly fingerprint: string }[];
}

function listed(state: string): Listed['certificates'] {
  const { status, stdout, stderr } = run(['cert', 'list', '--json', '--limit', '1000', '--state', state]);
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as Listed).certificates;
}

test('the disk fills while the authority runs: serverInternal, /health 503, nothing half issued; with room all goes on', async (t) => {
  const disk = mountSmallDisk(t, 'size=3m');
  if ('skip' in disk) return t.skip(disk.skip);
  const state = join(disk.path, 'state');
  cpSync(sound.copy(t), state, { recursive: true });
  chmodSync(state, 0o700);
  const responder = await startHttpResponder();
  t.after(responder.close);
  const authority = await startAuthorityOn(t, state, ['--http-01-port', String(responder.port)]);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const session = acmeSession(createPrivateKey(await exportPKCS8(privateKey)), authority.ca);
  const obtain = (name: string): Promise<Uint8Array[]> =>
    obtainCertificate(
      session,
      {
        directory: authority.acmeDirectory,
        contact: null,
        identifiers: [{ type: 'dns', value: name }],
        csr: csrFor([name]),
        sleep: (ms) => sleep(Math.min(ms, 100)),
      },
      {
        type: 'http-01',
        present: async (_name, token, keyAuthorization) => responder.present(token, keyAuthorization),
        cleanUp: async () => {},
      },
    );
  const [first] = await obtain('first.localhost');
  assert.equal((await authority.health()).code, 200);

  const filler = join(disk.path, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(8 << 20)), { code: 'ENOSPC' });
  // The log may have room in its last page for a while.
  const handedOut: Uint8Array[] = first ? [first] : [];
  let refusal: unknown = null;
  for (let count = 0; refusal === null && count < 200; count++) {
    await obtain(`full${count}.localhost`).then(
      ([leaf]) => {
        if (leaf) handedOut.push(leaf);
      },
      (fault: unknown) => {
        refusal = fault;
      },
    );
  }
  assert.ok(refusal instanceof AcmeRefused, String(refusal));
  assert.equal(refusal.type, 'urn:ietf:params:acme:error:serverInternal');
  assert.doesNotMatch(refusal.message, /SQLITE|ENOSPC|\/state|fullchain\.db/, 'no inner words leave the authority');
  const isLogged = (): boolean => /the disk that holds the state directory is full/.test(authority.output());
  await until(isLogged, 'the log to say so', 5000, authority.output);
  await sleep(2200);
  const { code, health } = await authority.health();
  assert.equal(code, 503);
  assert.equal(checkOf(health, 'database').ok, false);
  assert.match(checkOf(health, 'database').detail, /full/);
  assert.ok(checkOf(health, 'keys').ok && checkOf(health, 'clock').ok);
  // What needs no room is answered as ever.
  const account = await postSigned(
    session,
    authority.acmeDirectory.replace('directory', 'new-nonce'),
    session.kid ?? '',
    null,
  );
  assert.equal(account.status, 200);
  assert.equal(
    faultOf([
      'cert',
      'issue',
      'a.test',
      '--state',
      state,
      '--cert',
      join(disk.path, 'a.crt'),
      '--key',
      join(disk.path, 'a.key'),
    ]).code,
    'disk-full',
  );

  rmSync(filler);
  await until(async () => (await authority.health()).code === 200, 'healthy again', 10_000);
  const [again] = await obtain('again.localhost');
  if (again) handedOut.push(again);
  const all = listed(state);
  const fingerprints = all.map(({ fingerprint }) => fingerprint);
  for (const der of handedOut) assert.ok(fingerprints.includes(parseCertificate(der).fingerprint));
  const names = all.flatMap(({ names: own }) => own).filter((name) => name.endsWith('.localhost'));
  assert.equal(new Set(names).size, names.length, 'no order has two certificates');
  const crl = await new Promise<Buffer>((resolve, reject) => {
    getPlain(`${authority.url.replace('https', 'http')}/crl`, async (response) =>
      resolve(Buffer.concat(await response.toArray())),
    ).on('error', reject);
  });
  assert.deepEqual(parseCrl(crl).entries, []);
  assert.equal(await authority.stop(), 0);
});

test('an authority that is started on a full disk says so, and starts when there is room', async (t) => {
  const disk = mountSmallDisk(t, 'size=1m');
  if ('skip' in disk) return t.skip(disk.skip);
  const state = join(disk.path, 'state');
  cpSync(sound.copy(t), state, { recursive: true });
  chmodSync(state, 0o700);
  const filler = join(disk.path, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(8 << 20)), { code: 'ENOSPC' });
  const fault = faultOf(['up', '--listen', '127.0.0.1:0', '--state', state]);
  assert.equal(fault.code, 'disk-full');
  assert.match(fault.remedy.command, /^df -h \//);
  rmSync(filler);
  const { health, stop } = await startAuthorityOn(t, state);
  assert.equal((await health()).code, 200);
  assert.equal(await stop(), 0);
});
