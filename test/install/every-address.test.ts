/** A name with two addresses: what is confirmed is what a client sees at each of them. Real handshakes; only the name is resolved here. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { pemBlocksLabelled } from '../../src/core/bytes/pem.ts';
import { parseCertificate } from '../../src/core/x509/certificate.ts';
import { handshake } from '../../src/edge/probe/service-handshake.ts';
import { confirmServed } from '../../src/flow/agent/confirm-served.ts';
import { StepFailed } from '../../src/flow/agent/step.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { type TestPair, testAuthority } from '../services/test-authority.ts';
import { freePort } from '../world/free-port.ts';

const authority = testAuthority();
const [older, newer] = [authority.issue(['serverAuth']), authority.issue(['serverAuth'])];
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];

async function serve(t: TestContext, host: string, port: number, { chain, key }: TestPair) {
  const server = createServer({ cert: chain, key });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  t.after(() => server.close());
  return server;
}

function confirmed(port: number): Promise<void> {
  const host: Parameters<typeof confirmServed>[0] = {
    addresses: async () => ADDRESSES,
    isListening: ({ host: at, port: open }) => acceptsConnections(open, at),
    // Time goes faster here: what is late is not looked for.
    sleep: () => new Promise((resolve) => setTimeout(resolve, 5)),
    async servedFingerprint(protocol, address, serverName) {
      const options = { protocol, address, serverName, anchors: null, exchange: false, timeoutMs: 5000 } as const;
      const result = await handshake(options);
      return result.kind === 'refused' ? { why: result.why } : parseCertificate(result.leaf).fingerprint;
    },
  };
  const [leaf] = pemBlocksLabelled(newer.chain, 'CERTIFICATE').map(({ der }) => parseCertificate(der));
  const endpoint = { protocol: 'https', address: { host: 'service.internal', port } } as const;
  return confirmServed(host, { endpoint, wanted: { names: [] }, desired: { reload: null, restart: null } }, leaf);
}

for (const [stale, others] of [ADDRESSES, [...ADDRESSES].reverse()].map(([a = '', b = '']) => [a, b] as const)) {
  test(`${stale} still serves the old certificate, ${others} the new one: not confirmed, and ${stale} is named`, async (t) => {
    const port = await freePort();
    const server = await serve(t, stale, port, older);
    await serve(t, others, port, newer);
    await assert.rejects(confirmed(port), (fault: unknown) => {
      assert.ok(fault instanceof StepFailed);
      assert.match(
        fault.message,
        new RegExp(`^${stale}:${port} does not serve the new certificate: another certificate`),
      );
      return true;
    });
    server.setSecureContext({ cert: newer.chain, key: newer.key });
    await confirmed(port);
  });
}

test('an address at which nobody answers is not confirmed', async (t) => {
  const port = await freePort();
  await serve(t, '127.0.0.1', port, newer);
  await assert.rejects(confirmed(port), /127\.0\.0\.2:\d+ does not serve the new certificate/);
});
