import assert from 'node:assert/strict';
import test from 'node:test';
import {
  at,
  type CertificateParts,
  dns,
  hex,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  testKey,
  validityDer,
} from '../../../test/vectors/made-certificate.ts';
import { RFC5280_C1, RFC5280_C2 } from '../../../test/vectors/rfc5280-appendix-c.ts';
import { boolean, nullValue, octetString, oid, sequence } from '../asn1/der-writer.ts';
import { encodeAcmeIdentifier } from './acme-identifier.ts';
import { encodeBasicConstraints } from './basic-constraints.ts';
import { parseCertificate } from './certificate.ts';
import { encodeExtendedKeyUsage } from './extended-key-usage.ts';
import { encodeKeyUsage } from './key-usage.ts';
import { encodeName } from './name.ts';
import { encodeNameConstraints, type NameSubtree } from './name-constraints.ts';
import { type PathRequest, validatePath } from './path.ts';
import { encodeSubjectAltName } from './subject-alt-name.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);

const ext = (name: string, value: Uint8Array | null): CertificateParts => ({ extensions: { [name]: value } });
const pathLength = (length: number | null) =>
  ext('basicConstraints', encodeBasicConstraints({ ca: true, pathLength: length }));
const constraints = (permitted: readonly NameSubtree[], excluded: readonly NameSubtree[] = []) =>
  ext('nameConstraints', encodeNameConstraints({ permitted, excluded }));
const purposes = (...list: ('serverAuth' | 'clientAuth' | 'anyExtendedKeyUsage')[]) =>
  ext('extKeyUsage', encodeExtendedKeyUsage(list));

function request(
  made: MadeCertificate,
  intermediates: readonly MadeCertificate[],
  overrides: Partial<PathRequest> = {},
): PathRequest {
  return {
    leaf: made.certificate,
    intermediates: intermediates.map(({ certificate }) => certificate),
    anchors: [root.certificate],
    now: NOW,
    purpose: 'server',
    name: 'api.internal',
    ...overrides,
  };
}

test('a chain to a trusted root is valid, leaf first (RFC 5280 §6.1)', () => {
  const result = validatePath(request(leaf, [intermediate]));
  assert.ok(result.ok);
  assert.deepEqual(result.path, [leaf.certificate, intermediate.certificate, root.certificate]);
});

test('candidates may come in any order, repeated and with strangers among them', () => {
  const stranger = makeRoot('Stranger');
  assert.ok(validatePath(request(leaf, [stranger, root, intermediate, intermediate, leaf])).ok);
});

test('a leaf that is itself trusted is its own path', () => {
  const result = validatePath(request(leaf, [], { anchors: [leaf.certificate] }));
  assert.deepEqual(result.path, [leaf.certificate]);
  assert.ok(result.ok);
});

test('a trusted intermediate ends the path, its issuer is not needed', () => {
  const result = validatePath(request(leaf, [], { anchors: [intermediate.certificate] }));
  assert.deepEqual([result.ok, result.path.length], [true, 2]);
});

/** One row a way to be invalid: the leaf, what is sent with it, and what is found. */
const INVALID: readonly [what: string, made: () => PathRequest, reason: string, detail: RegExp, pathLength: number][] =
  [
    [
      'the issuer was not sent',
      () => request(leaf, []),
      'issuer-unknown',
      /"CN=Test Intermediate" was neither sent/,
      1,
    ],
    [
      'the root is not trusted',
      () => request(leaf, [intermediate, root], { anchors: [] }),
      'self-signed',
      /root of the chain and not trusted/,
      3,
    ],
    ['the leaf is self-signed', () => request(makeRoot('Alone'), []), 'self-signed', /is self-signed/, 1],
    [
      'the leaf has expired',
      () => request(leaf, [intermediate], { now: at('2026-03-01T00:00:01Z') }),
      'expired',
      /expired at 2026-03-01T00:00:00Z; it is 2026-03-01T00:00:01Z/,
      3,
    ],
    [
      'the leaf is not valid yet',
      () => request(leaf, [intermediate], { now: at('2025-12-31T23:59:59Z') }),
      'not-yet-valid',
      /valid from 2026-01-01/,
      3,
    ],
    [
      'the intermediate has expired',
      () => {
        const old = makeIntermediate(root, 'Old', {
          validity: validityDer('2025-01-01T00:00:00Z', '2026-01-15T00:00:00Z'),
        });
        return request(makeLeaf(old), [old]);
      },
      'expired',
      /2026-01-15/,
      3,
    ],
    [
      'the root has expired',
      () => {
        const old = makeRoot('Old', { validity: validityDer('2025-01-01T00:00:00Z', '2026-01-15T00:00:00Z') });
        return request(makeLeaf(old), [], { anchors: [old.certificate] });
      },
      'expired',
      /2026-01-15/,
      2,
    ],
    [
      'a leaf issued it (RFC 5280 §6.1.4 (k))',
      () => {
        const issuer = makeLeaf(intermediate, { subject: encodeName({ commonName: 'Leaf' }) });
        return request(makeLeaf(issuer), [issuer, intermediate]);
      },
      'not-an-authority',
      /CA:TRUE/,
      4,
    ],
    [
      'an issuer has no basicConstraints',
      () => {
        const issuer = makeIntermediate(root, 'Bare', ext('basicConstraints', null));
        return request(makeLeaf(issuer), [issuer]);
      },
      'not-an-authority',
      /CA:TRUE/,
      3,
    ],
    [
      'an issuer is of version 1',
      () => {
        const issuer = makeIntermediate(root, 'Old', { version: null, withExtensions: false });
        return request(makeLeaf(issuer), [issuer]);
      },
      'not-an-authority',
      /CA:TRUE/,
      3,
    ],
    [
      'an issuer may not sign certificates (§6.1.4 (n))',
      () => {
        const issuer = makeIntermediate(root, 'CRL only', ext('keyUsage', encodeKeyUsage(['cRLSign'])));
        return request(makeLeaf(issuer), [issuer]);
      },
      'key-usage',
      /keyCertSign/,
      3,
    ],
    [
      'a path length of 0 is exceeded (§6.1.4 (l))',
      () => {
        const zero = makeIntermediate(root, 'Zero', pathLength(0));
        const below = makeIntermediate(zero, 'Below');
        return request(makeLeaf(below), [zero, below]);
      },
      'path-length-exceeded',
      /allows 0 authorities below itself; there are 1/,
      4,
    ],
    [
      'the path length of the root is exceeded',
      () => {
        const one = makeRoot('One', pathLength(1));
        const a = makeIntermediate(one, 'A');
        const b = makeIntermediate(a, 'B');
        return request(makeLeaf(b), [a, b], { anchors: [one.certificate] });
      },
      'path-length-exceeded',
      /allows 1 authorities below itself; there are 2/,
      4,
    ],
    [
      'the leaf is for clients',
      () => request(makeLeaf(intermediate, purposes('clientAuth')), [intermediate]),
      'extended-key-usage',
      /is for clientAuth, not for serverAuth/,
      3,
    ],
    [
      'the leaf is for servers and used by a client',
      () => request(leaf, [intermediate], { purpose: 'client' }),
      'extended-key-usage',
      /is for serverAuth, not for clientAuth/,
      3,
    ],
    [
      'the issuer is limited to clients, whatever the leaf says',
      () => {
        const limited = makeIntermediate(root, 'Clients', purposes('clientAuth'));
        return request(makeLeaf(limited), [limited]);
      },
      'extended-key-usage',
      /is for clientAuth/,
      3,
    ],
    [
      'the leaf is for any purpose, which clients do not take for this one',
      () => request(makeLeaf(intermediate, purposes('anyExtendedKeyUsage')), [intermediate]),
      'extended-key-usage',
      /is for anyExtendedKeyUsage/,
      3,
    ],
    [
      'an empty list of purposes',
      () => request(makeLeaf(intermediate, purposes()), [intermediate]),
      'extended-key-usage',
      /no purpose/,
      3,
    ],
    [
      'the key of the leaf may not be used in TLS',
      () => request(makeLeaf(intermediate, ext('keyUsage', encodeKeyUsage(['keyCertSign']))), [intermediate]),
      'key-usage',
      /none of which TLS needs/,
      3,
    ],
    [
      'a name outside the constraints of the issuer (§4.2.1.10)',
      () => {
        const limited = makeIntermediate(root, 'Limited', constraints([{ kind: 'dns', value: 'example.com' }]));
        return request(makeLeaf(limited), [limited]);
      },
      'name-constraints',
      /"api\.internal" lies outside example\.com/,
      3,
    ],
    [
      'a name excluded two levels above',
      () => {
        const limited = makeIntermediate(root, 'Limited', constraints([], [{ kind: 'dns', value: 'internal' }]));
        const below = makeIntermediate(limited, 'Below');
        return request(makeLeaf(below), [limited, below]);
      },
      'name-constraints',
      /exclude/,
      4,
    ],
    [
      'a name outside the constraints of the root',
      () => {
        const limited = makeRoot(
          'Limited',
          constraints(
            [
              { kind: 'ip', value: '10.0.0.0/8' },
              { kind: 'dns', value: '' },
            ],
            [{ kind: 'dns', value: 'internal' }],
          ),
        );
        return request(makeLeaf(limited), [], { anchors: [limited.certificate] });
      },
      'name-constraints',
      /exclude/,
      2,
    ],
    [
      'an unknown critical extension (§4.2)',
      () =>
        request(makeLeaf(intermediate, ext('unknown', sequence(oid('1.2.3'), boolean(true), octetString(hex('00'))))), [
          intermediate,
        ]),
      'unknown-critical-extension',
      /1\.2\.3/,
      3,
    ],
    [
      'a validation certificate of tls-alpn-01 (RFC 8737 §3)',
      () => request(makeLeaf(intermediate, ext('acme', encodeAcmeIdentifier(new Uint8Array(32)))), [intermediate]),
      'unknown-critical-extension',
      /1\.3\.6\.1\.5\.5\.7\.1\.31/,
      3,
    ],
    [
      'the signature is another key’s',
      () => {
        const impostor = makeIntermediate(root, 'Test Intermediate', ext('subjectKeyIdentifier', null));
        return request(leaf, [impostor]);
      },
      'signature-invalid',
      /does not verify with the key of "CN=Test Intermediate"/,
      1,
    ],
    [
      'the signature is SHA-1',
      () =>
        request(makeLeaf(intermediate, { signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.5'), nullValue()) }), [
          intermediate,
        ]),
      'signature-weak',
      /sha1WithRSAEncryption; SHA-256/,
      1,
    ],
    [
      'the name is another',
      () => request(leaf, [intermediate], { name: 'db.internal' }),
      'name-mismatch',
      /valid for api\.internal, not for db\.internal/,
      3,
    ],
  ];

for (const [what, made, reason, detail, length] of INVALID) {
  test(`a path is refused as ${reason}: ${what}`, () => {
    const result = validatePath(made());
    assert.ok(!result.ok);
    assert.deepEqual([result.reason, result.path.length], [reason, length]);
    assert.match(result.detail, detail);
    assert.notEqual(result.subject, '');
  });
}

const VALID: readonly [what: string, made: () => PathRequest][] = [
  [
    'the last second of the validity (§4.1.2.5)',
    () => request(leaf, [intermediate], { now: at('2026-03-01T00:00:00Z') }),
  ],
  ['the first second', () => request(leaf, [intermediate], { now: at('2026-01-01T00:00:00Z') })],
  [
    'no purpose asked for',
    () => request(makeLeaf(intermediate, purposes('clientAuth')), [intermediate], { purpose: 'any' }),
  ],
  [
    'an authority that may certify for any purpose',
    () => {
      const open = makeIntermediate(root, 'Open', purposes('anyExtendedKeyUsage'));
      return request(makeLeaf(open), [open]);
    },
  ],
  ['no purposes at all', () => request(makeLeaf(intermediate, ext('extKeyUsage', null)), [intermediate])],
  ['no keyUsage at all', () => request(makeLeaf(intermediate, ext('keyUsage', null)), [intermediate])],
  [
    'a path length that is just enough',
    () => {
      const one = makeRoot('One', pathLength(1));
      const a = makeIntermediate(one, 'A', pathLength(0));
      return request(makeLeaf(a), [a], { anchors: [one.certificate] });
    },
  ],
  [
    'a root of version 1, trusted by decision',
    () => {
      const old = makeRoot('Old', { version: null, withExtensions: false });
      return request(makeLeaf(old), [], { anchors: [old.certificate] });
    },
  ],
  [
    'a self-issued intermediate does not use up the path length (§6.1.4 (l))',
    () => {
      const zero = makeRoot('Rollover', pathLength(0));
      const next = makeIntermediate(zero, 'Rollover');
      return request(makeLeaf(next), [next], { anchors: [zero.certificate] });
    },
  ],
  [
    'names inside the constraints',
    () => {
      const limited = makeIntermediate(
        root,
        'Limited',
        constraints([{ kind: 'dns', value: 'internal' }], [{ kind: 'dns', value: 'secret.internal' }]),
      );
      return request(makeLeaf(limited), [limited]);
    },
  ],
  [
    'an authority below is free of DNS constraints',
    () => {
      const limited = makeIntermediate(root, 'Limited', constraints([{ kind: 'dns', value: 'internal' }]));
      const below = makeIntermediate(limited, 'Below');
      return request(makeLeaf(below), [below, limited]);
    },
  ],
  [
    'two roots of the same name and no key identifiers: the right key is found',
    () => {
      const bare = { extensions: { subjectKeyIdentifier: null, authorityKeyIdentifier: null } };
      const [wrong, right] = [makeRoot('Twin', bare), makeRoot('Twin', bare)];
      return request(makeLeaf(right), [], { anchors: [wrong.certificate, right.certificate] });
    },
  ],
  [
    'a cross-signed intermediate: the expired branch is left for the good one (RFC 4158 §2.4)',
    () => {
      const key = testKey();
      const expired = makeRoot('Expired Root', {
        validity: validityDer('2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z'),
      });
      const crossed = makeIntermediate(expired, 'Crossed', { key });
      const good = makeIntermediate(root, 'Crossed', { key });
      return request(makeLeaf(good), [crossed, good], { anchors: [expired.certificate, root.certificate] });
    },
  ],
];

for (const [what, made] of VALID) {
  test(`a path is valid: ${what}`, () => {
    const result = validatePath(made());
    assert.ok(result.ok, result.ok ? '' : `${result.reason}: ${result.detail}`);
  });
}

test('the first example of RFC 5280 appendix C is refused today: its key and its hash are weak', () => {
  const result = validatePath({
    leaf: parseCertificate(RFC5280_C2),
    intermediates: [],
    anchors: [parseCertificate(RFC5280_C1)],
    now: at('2005-02-05T12:00:00Z'),
    purpose: 'any',
  });
  assert.equal(result.ok ? 'valid' : result.reason, 'signature-weak');
});

test('a path of more than eight certificates is refused', () => {
  const chain: MadeCertificate[] = [];
  for (let i = 0, issuer = root; i < 8; i++) {
    issuer = makeIntermediate(issuer, `Level ${i}`);
    chain.push(issuer);
  }
  const last = chain.at(-1);
  assert.ok(last);
  const result = validatePath(request(makeLeaf(last), chain));
  assert.equal(result.ok ? 'valid' : result.reason, 'path-too-long');
});

test('hostile candidates cost a bounded number of signatures', () => {
  // Every one of these could have issued every other: without a bound there are more than 20! paths.
  const bare = { extensions: { subjectKeyIdentifier: null, authorityKeyIdentifier: null } };
  const key = testKey();
  const evil = makeRoot('Evil', { key, ...bare });
  const mesh = Array.from({ length: 20 }, () => makeRoot('Evil', { ...bare, key: testKey() }));
  const crossed = mesh.map(({ key: own }) => makeIntermediate(evil, 'Evil', { key: own, ...bare }));
  const result = validatePath(request(makeLeaf(evil, ext('authorityKeyIdentifier', null)), [...crossed, ...mesh]));
  assert.ok(!result.ok);
  const all = mesh.flatMap((issuer) =>
    mesh.map(({ key: own }) => makeIntermediate(issuer, 'Evil', { key: own, ...bare })),
  );
  const bounded = validatePath(request(makeLeaf(mesh[0] ?? evil, ext('authorityKeyIdentifier', null)), all));
  assert.equal(bounded.ok ? 'valid' : bounded.reason, 'too-many-candidates');
});

test('name constraints look at every name, not only at the one asked for', () => {
  const limited = makeIntermediate(root, 'Limited', constraints([{ kind: 'dns', value: 'internal' }]));
  const two = makeLeaf(limited, ext('subjectAltName', encodeSubjectAltName(dns('api.internal', 'evil.example'), true)));
  assert.equal(validatePath(request(two, [limited])).ok, false);
});
