import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import { reverseName } from './reverse-name.ts';

const ROWS: readonly (readonly [address: string, name: string])[] = [
  ['127.0.0.1', '1.0.0.127.in-addr.arpa'],
  ['192.0.2.10', '10.2.0.192.in-addr.arpa'],
  // RFC 3596 §2.5.
  ['4321:0:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa'],
  ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
];

test('addresses have reverse-mapping names (RFC 1035 §3.5, RFC 3596 §2.5)', () => {
  for (const [text, name] of ROWS) {
    const address = parseIpAddress(text);
    assert.ok(address !== null);
    assert.equal(reverseName(address), name);
  }
});
