import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suiteByName } from '../tls/cipher-suites.ts';
import { suiteStrength } from './suite-strength.ts';

const STRENGTHS = {
  good: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_ECDSA_WITH_AES_128_CCM',
  ],
  weak: [
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
    'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    'TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256',
  ],
  broken: [
    'TLS_RSA_WITH_NULL_SHA',
    'TLS_DH_anon_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
    'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
    'TLS_RSA_WITH_DES_CBC_SHA',
  ],
} as const;

for (const [strength, names] of Object.entries(STRENGTHS))
  test(`${names.join(', ')}: ${strength}`, () => {
    assert.deepEqual(
      names.map((name) => suiteStrength(suiteByName(name) ?? 0)),
      names.map(() => strength),
    );
  });
