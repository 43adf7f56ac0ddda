import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { openState } from '../../src/app/open-state.ts';
import { generalNameFromText } from '../../src/core/issuance/requested-names.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { generateKey, publicKeyDer } from '../../src/edge/signer/key-pair.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { issueCertificate } from '../../src/flow/ca/issue-certificate.ts';
import { recover } from '../../src/flow/ca/recover.ts';
import { fullchain, scratch } from '../ca/command-line.ts';

test('when the recovery signs an intent that a slow signer still works on, the client gets what was recorded', async (t) => {
  const directory = join(scratch(t), 'state');
  assert.equal(fullchain(['ca', 'init', '--state', directory]).status, 0);
  const password = { file: undefined, environment: undefined, ask: false };
  const state = await openState(statePaths(directory), password, { lock: false, acceptClock: false });
  t.after(state.close);
  const { store } = state;
  const quick = state.issuerAt('http://ca.test');
  const now = wallClock();
  // The clock jumps by a minute while the key is at work, and the maintenance takes the intent for a leftover.
  const later = addSeconds(now, 60);
  const slow = {
    ...quick,
    sign: async (tbs: Parameters<typeof quick.sign>[0]) => {
      const { finished } = await recover({ store, issuer: () => quick, clock: () => later }, false);
      assert.equal(finished, 1);
      return quick.sign(tbs);
    },
  };
  const result = await issueCertificate(
    { store, issuer: () => slow, random: randomBytes },
    {
      profile: 'server',
      names: [generalNameFromText('slow.test') ?? assert.fail('no name')],
      publicKey: publicKeyDer(await generateKey('ecdsa-p256')),
    },
    { defaultLifetimeSeconds: 3600, maxLifetimeSeconds: 3600, backdateSeconds: 60 },
    { origin: { kind: 'order', orderId: 1 }, provisioner: 'acme', accountId: 1 },
    now,
  );
  assert.equal(result.kind, 'issued');
  if (result.kind !== 'issued') return;
  const recorded = await store.loadCertificate(result.record.id);
  assert.deepEqual(Buffer.from(result.der), Buffer.from(recorded?.der ?? []));
});
