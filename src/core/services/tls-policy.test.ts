import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { skipWithout } from '../../../test/servers/available.ts';
import { groupsFor, oldestVersion, SUITES_12, TLS_POLICIES, tlsPolicy } from './tls-policy.ts';

/** As https://ssl-config.mozilla.org/guidelines/6.0.json has it. */
const GUIDELINE_6_0 = {
  modern: {
    tls_versions: ['TLSv1.3'],
    iana: [],
    openssl: [],
    ciphersuites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    tls_curves: ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'],
    server_preferred_order: false,
  },
  intermediate: {
    tls_versions: ['TLSv1.2', 'TLSv1.3'],
    iana: [
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    ],
    openssl: [
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ],
    ciphersuites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    tls_curves: ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'],
    server_preferred_order: false,
  },
} as const;

for (const name of ['modern', 'intermediate'] as const) {
  test(`the ${name} policy is Mozilla's guideline 6.0`, () => {
    const policy = tlsPolicy(name);
    assert.deepEqual(
      {
        tls_versions: policy.versions,
        iana: policy.suites12.map((suite) => SUITES_12[suite]),
        openssl: policy.suites12,
        ciphersuites: policy.suites13,
        tls_curves: policy.groups,
        server_preferred_order: policy.serverPrefersItsOrder,
      },
      GUIDELINE_6_0[name],
    );
  });
}

test('the oldest version is that of the policy', () => {
  assert.equal(oldestVersion(TLS_POLICIES.modern), 'TLSv1.3');
  assert.equal(oldestVersion(TLS_POLICIES.intermediate), 'TLSv1.2');
});

const GROUPS: readonly (readonly [openssl: string | null, groups: string])[] = [
  ['3.5.0', 'X25519MLKEM768 X25519 prime256v1 secp384r1'],
  ['3.10.2', 'X25519MLKEM768 X25519 prime256v1 secp384r1'],
  ['4.0', 'X25519MLKEM768 X25519 prime256v1 secp384r1'],
  ['3.4.1', 'X25519 prime256v1 secp384r1'],
  ['3.0.19', 'X25519 prime256v1 secp384r1'],
  ['1.1.1', 'X25519 prime256v1 secp384r1'],
  ['1.0.2', 'prime256v1 secp384r1'],
  [null, 'X25519 prime256v1 secp384r1'],
];

for (const [openssl, groups] of GROUPS) {
  test(`OpenSSL ${openssl ?? 'of an unknown version'} gets the groups ${groups}`, () => {
    assert.equal(groupsFor(TLS_POLICIES.intermediate, openssl).join(' '), groups);
  });
}

test('the OpenSSL of this host knows every suite and group that it is given', { skip: skipWithout('openssl') }, () => {
  const { stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  const version = /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? null;
  const policy = TLS_POLICIES.intermediate;
  const suites = spawnSync('openssl', ['ciphers', '-tls1_2', '-s', policy.suites12.join(':')], { encoding: 'utf8' });
  assert.deepEqual(suites.stdout.trim().split(':').sort(), [...policy.suites12].sort());
  // Nobody listens: what matters is that the list of groups is taken before the connection is tried.
  const groups = ['s_client', '-groups', groupsFor(policy, version).join(':'), '-connect', '127.0.0.1:1'];
  const { stderr } = spawnSync('openssl', groups, { encoding: 'utf8', input: '' });
  assert.match(stderr, /connect/i);
  assert.doesNotMatch(stderr, /groups/i);
});
