import assert from 'node:assert/strict';
import test from 'node:test';
import { hex } from '../../../test/vectors/made-certificate.ts';
import { ia5String, oid, sequence, setOf } from '../asn1/der-writer.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { encodeName, parseName } from './name.ts';
import type { NameConstraints, NameSubtree } from './name-constraints.ts';
import { nameConstraintViolation } from './name-constraints-check.ts';

const EMPTY = parseName(encodeName({}));

function name(kind: 'dns' | 'email' | 'uri' | 'ip', value: string): GeneralName {
  if (kind !== 'ip') return { kind, value };
  const address = parseIpAddress(value);
  assert.ok(address);
  return { kind, value: address };
}

type Row = readonly [kind: 'dns' | 'email' | 'uri' | 'ip', base: string, value: string, inside: boolean];

/** The examples of RFC 5280 §4.2.1.10 and their corners. */
const SUBTREES: readonly Row[] = [
  ['dns', 'host.example.com', 'host.example.com', true],
  ['dns', 'host.example.com', 'www.host.example.com', true],
  ['dns', 'host.example.com', 'host1.example.com', false],
  ['dns', 'example.com', 'badexample.com', false],
  ['dns', 'Example.com', 'WWW.example.COM', true],
  ['dns', '.example.com', 'www.example.com', true],
  ['dns', '.example.com', 'example.com', false],
  ['dns', '', 'anything.example', true],
  ['dns', 'example.com', '*.example.com', true],
  ['email', 'root@example.com', 'root@example.com', true],
  ['email', 'root@example.com', 'Root@example.com', false],
  ['email', 'example.com', 'anybody@EXAMPLE.com', true],
  ['email', 'example.com', 'a@sub.example.com', false],
  ['email', '.example.com', 'a@sub.example.com', true],
  ['email', '.example.com', 'a@example.com', false],
  ['uri', 'host.example.com', 'https://host.example.com:8443/x', true],
  ['uri', 'host.example.com', 'https://www.host.example.com/', false],
  ['uri', '.example.com', 'https://my.host.example.com/', true],
  ['uri', '.example.com', 'https://example.com/', false],
  ['uri', 'example.org', 'spiffe://example.org/api', true],
  ['ip', '192.0.2.0/24', '192.0.2.255', true],
  ['ip', '192.0.2.0/24', '192.0.3.0', false],
  ['ip', '10.0.0.0/255.0.255.0', '10.9.0.9', true],
  ['ip', '0.0.0.0/0', '2001:db8::1', false],
];

for (const [kind, base, value, inside] of SUBTREES) {
  test(`the ${kind} name ${value} is ${inside ? 'inside' : 'outside'} ${base || 'the empty base'} (RFC 5280 §4.2.1.10)`, () => {
    const subtree = { kind, value: base } as NameSubtree;
    const permitted = nameConstraintViolation({ permitted: [subtree], excluded: [] }, [name(kind, value)], EMPTY);
    const excluded = nameConstraintViolation({ permitted: [], excluded: [subtree] }, [name(kind, value)], EMPTY);
    assert.deepEqual([permitted === null, excluded !== null], [inside, inside]);
  });
}

const dnsTree = (value: string): NameSubtree => ({ kind: 'dns', value });
const example = parseName(encodeName({ organization: 'Example', commonName: 'a' }));

const VIOLATIONS: readonly [
  what: string,
  constraints: NameConstraints,
  names: readonly GeneralName[],
  wanted: RegExp | null,
][] = [
  [
    'a kind that is not constrained is free',
    { permitted: [dnsTree('example.com')], excluded: [] },
    [name('ip', '10.0.0.1')],
    null,
  ],
  [
    'one permitted subtree of several is enough',
    { permitted: [dnsTree('a.example'), dnsTree('b.example')], excluded: [] },
    [name('dns', 'x.b.example')],
    null,
  ],
  [
    'excluded wins over permitted',
    { permitted: [dnsTree('example.com')], excluded: [dnsTree('secret.example.com')] },
    [name('dns', 'a.secret.example.com')],
    /secret\.example\.com, which the issuer’s name constraints exclude/,
  ],
  [
    'a wildcard that covers an excluded host is excluded',
    { permitted: [], excluded: [dnsTree('admin.example.com')] },
    [name('dns', '*.example.com')],
    /exclude/,
  ],
  [
    'a wildcard that cannot reach the excluded host is free',
    { permitted: [], excluded: [dnsTree('a.admin.example.com')] },
    [name('dns', '*.example.com')],
    null,
  ],
  [
    'every name is looked at',
    { permitted: [dnsTree('a.example')], excluded: [] },
    [name('dns', 'a.example'), name('dns', 'b.example')],
    /"b\.example" lies outside a\.example/,
  ],
  [
    'a URI without a host is outside what is permitted',
    { permitted: [{ kind: 'uri', value: 'example.org' }], excluded: [] },
    [name('uri', 'urn:a:b')],
    /outside/,
  ],
  [
    'a URI with an address is inside what is excluded',
    { permitted: [], excluded: [{ kind: 'uri', value: 'example.org' }] },
    [name('uri', 'https://192.0.2.1/')],
    /exclude/,
  ],
  [
    'an address that is no mailbox is refused where mailboxes are constrained',
    { permitted: [], excluded: [{ kind: 'email', value: 'example.org' }] },
    [name('email', 'nonsense')],
    /cannot be checked/,
  ],
  [
    'a form that is not understood is refused when it occurs',
    { permitted: [], excluded: [{ kind: 'other', raw: hex('88032a0304') }] },
    [{ kind: 'other', raw: hex('88032a0305') }],
    /cannot be checked/,
  ],
  [
    'a form that is not understood and does not occur is free',
    { permitted: [], excluded: [{ kind: 'other', raw: hex('88032a0304') }] },
    [name('dns', 'a.example')],
    null,
  ],
  [
    'no DNS name at all: exclusion of everything',
    { permitted: [], excluded: [dnsTree('')] },
    [name('dns', 'a')],
    /any dns name/,
  ],
];

for (const [what, constraints, names, wanted] of VIOLATIONS) {
  test(`${what} (RFC 5280 §4.2.1.10)`, () => {
    const violation = nameConstraintViolation(constraints, names, EMPTY);
    if (wanted === null) assert.equal(violation, null);
    else assert.match(violation ?? '', wanted);
  });
}

test('the subject is a directory name, unless it is empty (RFC 5280 §4.2.1.10)', () => {
  const inExample: NameConstraints = {
    permitted: [{ kind: 'directory', name: parseName(encodeName({ organization: 'example' })) }],
    excluded: [],
  };
  const elsewhere = parseName(encodeName({ organization: 'Other', commonName: 'a' }));
  assert.equal(nameConstraintViolation(inExample, [], example), null);
  assert.equal(nameConstraintViolation(inExample, [], EMPTY), null);
  assert.match(nameConstraintViolation(inExample, [], elsewhere) ?? '', /CN=a,O=Other" lies outside O=example/);
  assert.match(nameConstraintViolation(inExample, [{ kind: 'directory', name: elsewhere }], EMPTY) ?? '', /outside/);
});

test('e-mail addresses in the subject count when no other is named (RFC 5280 §4.2.1.10)', () => {
  const subject = parseName(sequence(setOf(sequence(oid('1.2.840.113549.1.9.1'), ia5String('a@evil.example')))));
  const constraints: NameConstraints = { permitted: [{ kind: 'email', value: 'example.com' }], excluded: [] };
  assert.match(nameConstraintViolation(constraints, [], subject) ?? '', /a@evil\.example/);
  assert.equal(nameConstraintViolation(constraints, [name('email', 'a@example.com')], subject), null);
});
