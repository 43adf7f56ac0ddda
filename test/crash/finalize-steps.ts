/**
 * One order from new-order to its certificate, over the real store and signer, killed by SIGKILL around the N-th call of a port.
 * Run by issuance.test.ts as a process of its own:
 *
 *   node finalize-steps.ts STATE N before|after
 *
 * Prints "order ID" when the order is recorded and "handed-out SERIAL" when the certificate would leave the server.
 */
import { createHash, randomBytes } from 'node:crypto';
import { openState } from '../../src/app/open-state.ts';
import { tokenFromRandom } from '../../src/core/acme/authorization.ts';
import { decideFinalize } from '../../src/core/acme/order.ts';
import { jwkThumbprint, type PublicJwk } from '../../src/core/jose/jwk.ts';
import { addSeconds } from '../../src/core/time/instant.ts';
import { assembleCsr, encodeCsrInfo, parseCsr } from '../../src/core/x509/csr.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { generateKey, publicKeyDer, signWith } from '../../src/edge/signer/key-pair.ts';
import { wallClock } from '../../src/edge/system/clock.ts';
import { issueCertificate } from '../../src/flow/ca/issue-certificate.ts';
import type { Store } from '../../src/flow/ca/store-ports.ts';

const [directory = '', stopAt = '0', when = 'before'] = process.argv.slice(2);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const state = await openState(
  statePaths(directory),
  { file: undefined, environment: undefined, ask: false },
  { lock: false, acceptClock: false },
);
let calls = 0;

/** Every call of the port counts; the chosen one does not come back, or does not happen. */
function dying<Args extends unknown[], Result>(
  call: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const last = ++calls === Number(stopAt);
    if (last && when === 'before') process.kill(process.pid, 'SIGKILL');
    const result = await call(...args);
    if (last) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}

const store: Store = {
  ...state.store,
  insertOrder: dying(state.store.insertOrder),
  recordOutcome: dying(state.store.recordOutcome),
  recordIntent: dying(state.store.recordIntent),
  recordCertificate: dying(state.store.recordCertificate),
};
const loaded = state.issuerAt('http://ca.test');
const issuer = { ...loaded, sign: dying(loaded.sign) };

const now = wallClock();
const x = createHash('sha256').update('x').digest('base64url');
const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y: x };
const { account } = await state.store.insertAccount({
  provisioner: 'acme',
  jwk,
  thumbprint: jwkThumbprint(jwk),
  contact: [],
  createdAt: now,
});
const identifier = { type: 'dns', value: 'crash.test' } as const;
const { order, authorizations } = await store.insertOrder({
  accountId: account.id,
  provisioner: 'acme',
  identifiers: [identifier],
  tokens: [tokenFromRandom(randomBytes(24))],
  notBefore: null,
  notAfter: null,
  createdAt: now,
  expiresAt: addSeconds(now, 3600),
});
say(`order ${order.id}`);
await store.recordOutcome(authorizations[0]?.id ?? 0, 'http-01', now, { kind: 'valid', at: now });

const key = await generateKey('ecdsa-p256');
const info = encodeCsrInfo({ publicKey: publicKeyDer(key), names: [{ kind: 'dns', value: 'crash.test' } as never] });
const csr = parseCsr(assembleCsr(info, 'ecdsa-p256', await signWith(key, 'ecdsa-p256')(info)));
const snapshot = await store.loadOrder(order.id);
if (!snapshot || decideFinalize(snapshot, csr, false, now).kind !== 'issue') throw new Error('the order is not ready');
const result = await issueCertificate(
  { store, issuer: () => issuer, random: randomBytes },
  { profile: 'server', names: csr.names, publicKey: csr.publicKey.raw },
  { defaultLifetimeSeconds: 3600, maxLifetimeSeconds: 3600, backdateSeconds: 60 },
  { origin: { kind: 'order', orderId: order.id }, provisioner: 'acme', accountId: account.id },
  now,
);
if (result.kind === 'issued') say(`handed-out ${result.record.serial}`);
say(`calls ${calls}`);
state.close();
