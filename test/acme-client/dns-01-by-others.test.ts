/** dns-01 by what the operator has already: a program, or a web service that speaks lego's "httpreq". */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OperatorFault } from '../../src/core/faults/operator-faults.ts';
import type { AcmeChallengeSpec } from '../../src/core/stack/stack.ts';
import { startAcmeWorld } from '../interop/acme-world.ts';
import { skipWithout } from '../servers/available.ts';
import { cleanup } from '../services/cleanup.ts';
import { freePort } from '../world/free-port.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { issuerAt, newKey, serviceFor } from './issuing.ts';

const NAMES = ['shop.test', '*.shop.test'];
const RECORD = '_acme-challenge.shop.test';

async function startWorld(t: TestContext) {
  const stack = cleanup(t);
  const world = stack.use(await startAcmeWorld([]));
  const issue = async (challenge: AcmeChallengeSpec) => {
    const { acmeDirectory: directory, rootCertificate: caFile } = world.ca;
    const issuer = await issuerAt({ directory, caFile, challenge, accounts: join(world.directory, 'accounts') });
    return issuer.issue(serviceFor(...NAMES), newKey());
  };
  return { stack, world, issue };
}

test('a web service: both records are there before the first look, and are taken away after', async (t) => {
  const { stack, world, issue } = await startWorld(t);
  const asked: string[] = [];
  const texts = new Set<string>();
  let status = 200;
  const service = createServer(async (request, response) => {
    const { fqdn, value } = JSON.parse((await request.setEncoding('utf8').toArray()).join(''));
    asked.push(`${request.method} ${request.url} ${fqdn}`);
    if (request.url === '/dns/present') texts.add(value);
    else texts.delete(value);
    world.dns.set(RECORD, { TXT: [...texts] });
    response.writeHead(status).end('whatever it says');
  });
  const { port } = stack.adopt(await startTcpServer(service, '127.0.0.1', 0), ({ close }) => close());
  const challenge = { kind: 'dns-01-httpreq', url: `http://127.0.0.1:${port}/dns/` } as const;
  assert.equal((await issue(challenge)).chain.length, 2);
  const [set, removed] = [`POST /dns/present ${RECORD}.`, `POST /dns/cleanup ${RECORD}.`];
  assert.deepEqual(asked, [set, set, removed, removed]);
  assert.equal(texts.size, 0);

  for (const [answer, code] of [
    [401, 'dns-credentials'],
    [500, 'dns-record-failed'],
    [302, 'dns-record-failed'],
  ] as const) {
    status = answer;
    await assert.rejects(issue(challenge), (fault: OperatorFault) => {
      assert.equal(fault.code, code, fault.message);
      assert.match(fault.message, new RegExp(`/dns/present answers ${answer}`));
      return true;
    });
  }
  await assert.rejects(issue({ ...challenge, url: `http://127.0.0.1:${await freePort()}` }), {
    code: 'dns-record-failed',
    message: /ECONNREFUSED/,
  });
});

test('a program is told what to set and what to remove; what it complains of is told', {
  skip: skipWithout('curl'),
}, async (t) => {
  const { world, issue } = await startWorld(t);
  const program = (name: string, script: string): AcmeChallengeSpec => {
    const command = join(world.directory, name);
    writeFileSync(command, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { kind: 'dns-01-exec', command };
  };
  const works = program('hook', `exec curl --silent --fail --data "$3" "${world.txtRecordsUrl}/$1/$2"`);
  assert.equal((await issue(works)).chain.length, 2);
  const lookups = world.dns.queries.filter(({ name, type }) => name === RECORD && type === 'TXT');
  assert.ok(lookups.length >= 2);
  await assert.rejects(issue(program('broken', 'echo "no such zone" >&2; exit 3')), {
    code: 'dns-record-failed',
    message: /broken present _acme-challenge\.shop\.test failed: no such zone$/,
  });
  await assert.rejects(issue({ kind: 'dns-01-exec', command: '/nowhere/hook' }), {
    code: 'dns-record-failed',
    message: /ENOENT/,
  });
});
