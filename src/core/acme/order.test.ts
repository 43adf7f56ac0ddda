import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csrFor, csrOfAuthority, csrWithCommonNames } from '../../../test/acme/csr.ts';
import { ATTEMPTS, at, authorization, dns, ip, NOW, order, readyOrder } from '../../../test/acme/facts.ts';
import { parseCsr } from '../x509/csr.ts';
import type { Authorization } from './authorization.ts';
import type { Identifier } from './identifier.ts';
import { decideFinalize, type Order, type OrderStatus, orderProblem, orderStatus } from './order.ts';

const pending = authorization();
const valid = authorization({ attempt: ATTEMPTS.valid });
const running = authorization({ attempt: ATTEMPTS.running });
const invalid = authorization({ attempt: ATTEMPTS.invalid });
const deactivated = authorization({ attempt: ATTEMPTS.valid, deactivatedAt: at(-1) });
const lapsed = authorization({ attempt: ATTEMPTS.valid, expiresAt: at(-1) });

const SIGNED = { id: 5, certificateId: 5, abandonedWhy: null };
const RECORDED = { id: 5, certificateId: null, abandonedWhy: null };
const ABANDONED = { id: 5, certificateId: null, abandonedWhy: 'the signer failed' };

const STATUSES: readonly (readonly [what: string, Partial<Order>, readonly Authorization[], OrderStatus])[] = [
  ['nothing proven', {}, [pending], 'pending'],
  ['being proven', {}, [running], 'pending'],
  ['one of two proven', {}, [valid, pending], 'pending'],
  ['everything proven', {}, [valid, valid], 'ready'],
  ['one failed', {}, [valid, invalid], 'invalid'],
  ['one failed, the other not tried', {}, [invalid, pending], 'invalid'],
  ['one given back (§7.5.2)', {}, [valid, deactivated], 'invalid'],
  ['one proven too long ago', {}, [valid, lapsed], 'invalid'],
  ['in the second of its expiry', { expiresAt: NOW }, [valid], 'ready'],
  ['a second after its expiry', { expiresAt: at(-1) }, [valid], 'invalid'],
  ['expired before anything was proven', { expiresAt: at(-1) }, [pending], 'invalid'],
  ['issuance recorded, not signed', { issuance: RECORDED }, [valid], 'processing'],
  [
    'issuance recorded, then expired: it will still be signed',
    { issuance: RECORDED, expiresAt: at(-1) },
    [valid],
    'processing',
  ],
  ['signed', { issuance: SIGNED }, [valid], 'valid'],
  ['signed, and expired since: the certificate stays', { issuance: SIGNED, expiresAt: at(-1) }, [valid], 'valid'],
  ['signed, and an authorization given back since', { issuance: SIGNED }, [deactivated], 'valid'],
  ['issuance abandoned', { issuance: ABANDONED }, [valid], 'invalid'],
];

test('the status of an order follows from its facts and the time (RFC 8555 §7.1.6)', () => {
  for (const [what, facts, authorizations, status] of STATUSES)
    assert.equal(orderStatus({ order: order(facts), authorizations }, NOW), status, what);
});

const PROBLEMS: readonly (readonly [
  what: string,
  Partial<Order>,
  readonly Authorization[],
  type: string | null,
  detail: RegExp,
  subproblems: number,
])[] = [
  ['nothing wrong', {}, [pending, valid], null, /^$/, 0],
  ['a failed challenge', {}, [valid, invalid], 'connection', /port 80 refused/, 1],
  ['two failed challenges', {}, [invalid, invalid], 'connection', /port 80 refused/, 2],
  ['an authorization given back', {}, [deactivated], 'unauthorized', /was deactivated/, 1],
  ['issuance abandoned', { issuance: ABANDONED }, [valid], 'serverInternal', /signer failed/, 0],
  ['expired', { expiresAt: at(-1) }, [pending], 'malformed', /expired/, 0],
];

test('an invalid order says why, for each identifier that is at fault (RFC 8555 §7.1.3)', () => {
  for (const [what, facts, authorizations, type, detail, subproblems] of PROBLEMS) {
    const problem = orderProblem({ order: order(facts), authorizations }, NOW);
    assert.equal(problem?.type ?? null, type, what);
    assert.match(problem?.detail ?? '', detail, what);
    assert.equal(problem?.subproblems?.length ?? 0, subproblems, what);
  }
});

test('finalize before the order is ready is orderNotReady, with the reason (RFC 8555 §7.4)', () => {
  const csr = parseCsr(csrFor(['a.test']));
  for (const [authorizations, why] of [
    [[pending], /pending: its authorizations are not all valid yet/],
    [[invalid], /invalid: port 80 refused/],
    [[deactivated], /invalid: the authorization was deactivated/],
  ] as const) {
    const decision = decideFinalize({ order: order(), authorizations }, csr, false, NOW);
    if (decision.kind !== 'refused') assert.fail(decision.kind);
    assert.equal(decision.problem.type, 'orderNotReady');
    assert.match(decision.problem.detail, why);
  }
});

test('finalize after finalize issues nothing, whatever the CSR says (RFC 8555 §7.4)', () => {
  for (const issuance of [RECORDED, SIGNED]) {
    const snapshot = { order: order({ issuance }), authorizations: [valid] };
    for (const csr of [csrFor(['a.test']), csrFor(['other.test'])])
      assert.equal(decideFinalize(snapshot, parseCsr(csr), false, NOW).kind, 'already-finalized');
  }
});

test('finalize after an abandoned issuance is refused', () => {
  const snapshot = { order: order({ issuance: ABANDONED }), authorizations: [valid] };
  const decision = decideFinalize(snapshot, parseCsr(csrFor(['a.test'])), false, NOW);
  assert.equal(decision.kind === 'refused' && decision.problem.type, 'orderNotReady');
});

const ACCEPTED: readonly (readonly [
  what: string,
  identifiers: readonly Identifier[],
  csr: Uint8Array,
  issued?: readonly Identifier[],
])[] = [
  ['one name', [dns('a.test')], csrFor(['a.test'])],
  ['the name in upper case', [dns('a.test')], csrFor(['A.TEST']), [dns('a.test')]],
  ['the name twice', [dns('a.test')], csrFor(['a.test', 'a.test']), [dns('a.test')]],
  [
    'two names in the client’s order',
    [dns('a.test'), dns('b.test')],
    csrFor(['b.test', 'a.test']),
    [dns('b.test'), dns('a.test')],
  ],
  ['a wildcard', [dns('*.a.test')], csrFor(['*.a.test'])],
  ['an address', [ip('192.0.2.1')], csrFor(['192.0.2.1'])],
  ['a name and an address', [dns('a.test'), ip('::1')], csrFor(['a.test', '::1'])],
  [
    'a common name that is one of the names',
    [dns('a.test'), dns('b.test')],
    csrFor(['a.test', 'b.test'], { commonName: 'b.test' }),
  ],
  ['a common name in upper case', [dns('a.test')], csrFor(['a.test'], { commonName: 'A.Test' })],
  ['a common name alone (§7.4)', [dns('a.test')], csrFor([], { commonName: 'a.test' })],
  [
    'a common name that completes the names',
    [dns('a.test'), dns('b.test')],
    csrFor(['b.test'], { commonName: 'a.test' }),
    [dns('b.test'), dns('a.test')],
  ],
  [
    'an address as common name, as acme.sh sends',
    [ip('192.0.2.1')],
    csrFor(['192.0.2.1'], { commonName: '192.0.2.1' }),
  ],
  [
    'two common names, both names of the order',
    [dns('a.test'), dns('b.test')],
    csrWithCommonNames(['a.test', 'b.test']),
  ],
  ['CA:TRUE, of which nothing is copied', [dns('a.test')], csrOfAuthority('a.test')],
];

test('a CSR for exactly the identifiers of the order is issued (RFC 8555 §7.4)', () => {
  for (const [what, identifiers, csr, issued = identifiers] of ACCEPTED) {
    const decision = decideFinalize(readyOrder(...identifiers), parseCsr(csr), false, NOW);
    if (decision.kind !== 'issue') assert.fail(`${what}: ${JSON.stringify(decision)}`);
    assert.deepEqual(decision.identifiers, issued, what);
  }
});

const REFUSED: readonly (readonly [
  what: string,
  identifiers: readonly Identifier[],
  csr: Uint8Array,
  detail: RegExp,
])[] = [
  ['a name too many', [dns('a.test')], csrFor(['a.test', 'b.test']), /names b\.test, which the order does not/],
  ['a name missing', [dns('a.test'), dns('b.test')], csrFor(['a.test']), /does not name b\.test/],
  ['another name', [dns('a.test')], csrFor(['b.test']), /names b\.test/],
  ['no name', [dns('a.test')], csrFor([]), /does not name a\.test/],
  ['a subdomain', [dns('a.test')], csrFor(['x.a.test']), /names x\.a\.test/],
  ['the wildcard of the name', [dns('a.test')], csrFor(['*.a.test']), /names \*\.a\.test/],
  ['the base of the wildcard', [dns('*.a.test')], csrFor(['a.test']), /names a\.test/],
  [
    'a duplicate that hides a missing one',
    [dns('a.test'), dns('b.test')],
    csrFor(['a.test', 'a.test']),
    /does not name b\.test/,
  ],
  ['the name with a final dot', [dns('a.test')], csrFor(['a.test.']), /names a\.test\./],
  ['an address that was not ordered', [dns('a.test')], csrFor(['a.test', '192.0.2.1']), /names 192\.0\.2\.1/],
  ['an address as a DNS name', [ip('::1')], csrFor([], { commonName: '::2' }), /common name "::2"/],
  ['an e-mail address', [dns('a.test')], csrFor(['a.test', 'mailto:a@a.test']), /name of kind email/],
  ['a URI', [dns('a.test')], csrFor(['a.test', 'spiffe://a.test/x']), /name of kind uri/],
  [
    'a common name that is no name of the order',
    [dns('a.test')],
    csrFor(['a.test'], { commonName: 'b.test' }),
    /common name "b\.test"/,
  ],
  [
    'a common name in prose',
    [dns('a.test')],
    csrFor(['a.test'], { commonName: 'My Server' }),
    /common name "My Server"/,
  ],
  ['a second common name that is none', [dns('a.test')], csrWithCommonNames(['a.test', 'evil.test']), /"evil\.test"/],
  [
    'a common name with a Kelvin sign',
    [dns('k.test')],
    csrFor(['k.test'], { commonName: '\u212A.test' }),
    /common name/,
  ],
];

test('a CSR for more, fewer or other names is badCSR, both ways (RFC 8555 §7.4)', () => {
  for (const [what, identifiers, csr, detail] of REFUSED) {
    const decision = decideFinalize(readyOrder(...identifiers), parseCsr(csr), false, NOW);
    if (decision.kind !== 'refused') assert.fail(what);
    assert.equal(decision.problem.type, 'badCSR', what);
    assert.match(decision.problem.detail, detail, what);
  }
});

test('a CSR for a hundred other names is refused with a few of them', () => {
  const names = Array.from({ length: 100 }, (_, i) => `${i}.test`);
  const decision = decideFinalize(readyOrder(dns('a.test')), parseCsr(csrFor(names)), false, NOW);
  assert.match(decision.kind === 'refused' ? decision.problem.detail : '', /0\.test, .* and 95 more/);
});

test('a CSR with the key of an account is badCSR (RFC 8555 §11.1)', () => {
  const decision = decideFinalize(readyOrder(dns('a.test')), parseCsr(csrFor(['a.test'])), true, NOW);
  if (decision.kind !== 'refused') assert.fail(decision.kind);
  assert.equal(decision.problem.type, 'badCSR');
  assert.match(decision.problem.detail, /account key/);
});
