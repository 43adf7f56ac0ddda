/** What was seen of an endpoint: good in every part that is not overridden; certificates play no part. */
import assert from 'node:assert/strict';
import type { EndpointFacts } from '../../src/core/probe/endpoint-facts.ts';
import { parseTarget } from '../../src/core/probe/target.ts';
import { suiteByName } from '../../src/core/tls/cipher-suites.ts';

const target = parseTarget('www.example.org:443', null);

export function facts(overrides: Partial<EndpointFacts>): EndpointFacts {
  assert.ok(target.kind === 'target');
  return {
    target: target.target,
    address: '192.0.2.7',
    failure: null,
    protocols: ['TLSv1.2', 'TLSv1.3'],
    suites: suites('TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'),
    serverOrder: false,
    groups: [0x11ec, 0x1d],
    primeBits: null,
    alpn: [],
    alpnMismatch: 'refused',
    sessionTickets: true,
    ocspStapling: false,
    clientCertificate: 'none',
    acceptedAuthorities: [],
    chain: [],
    unproven: null,
    otherChains: [],
    clientRefused: null,
    web: null,
    gaps: [],
    traces: [],
    ...overrides,
  };
}

export function suites(...names: readonly string[]): EndpointFacts['suites'] {
  return names.map((name) => ({ version: 'TLSv1.2', code: suiteByName(name) ?? assert.fail(name) }));
}

