import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, suites } from '../../../test/vectors/made-facts.ts';
import type { EndpointFacts, WebFacts } from './endpoint-facts.ts';
import { grade } from './grade.ts';
import { judge } from './judge.ts';

const CONTEXT = { anchors: [], known: [], retired: [], now: 0 as never } as const;
const WEB: WebFacts = {
  status: 200,
  hsts: { maxAge: 63_072_000, includeSubDomains: true, preload: false },
  hstsHeader: 'max-age=63072000; includeSubDomains',
  redirects: [],
  mixedContent: [],
  plain: null,
};

const GRADES: readonly (readonly [
  letter: string | null,
  what: string,
  overrides: Partial<EndpointFacts>,
  next: RegExp,
])[] = [
  ['A+', 'nothing to say', {}, /^$/],
  ['A+', 'nor of a web server with HSTS', { web: WEB }, /^$/],
  ['A+', 'a client certificate that is demanded', { clientCertificate: 'required' }, /^$/],
  ['A', 'no group that resists quantum computers', { groups: [0x1d] }, /X25519MLKEM768/],
  [
    'A',
    'HSTS for a day',
    { web: { ...WEB, hsts: { maxAge: 86_400, includeSubDomains: true, preload: false } } },
    /max-age/,
  ],
  ['B', 'no TLS 1.3', { protocols: ['TLSv1.2'] }, /^Switch TLS 1\.3 on\.$/],
  ['B', 'CBC', { suites: suites('TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA') }, /ECDHE\+AESGCM/],
  ['B', 'a short prime', { primeBits: 1024 }, /ECDHE\+AESGCM/],
  ['B', 'no HSTS', { web: { ...WEB, hsts: null, hstsHeader: null } }, /Strict-Transport-Security/],
  ['C', 'TLS 1.0', { protocols: ['TLSv1', 'TLSv1.2', 'TLSv1.3'] }, /TLS 1\.2 and 1\.3 only/],
  ['F', 'SSLv3', { protocols: ['SSLv3', 'TLSv1.3'] }, /SSLv3/],
  ['F', 'no encryption', { suites: suites('TLS_RSA_WITH_NULL_SHA') }, /ECDHE\+AESGCM/],
  ['F', 'a way out of TLS', { web: { ...WEB, redirects: ['http://www.example.org/'] } }, /https/],
  [null, 'no TLS', { failure: { id: 'tls-off', detail: 'N', protocol: null } }, /^$/],
];

for (const [letter, what, overrides, next] of GRADES)
  test(`${what}: ${letter ?? 'no grade'}`, () => {
    const seen = facts(overrides);
    const graded = grade(seen, judge(seen, CONTEXT).findings);
    assert.equal(graded?.letter ?? null, letter, JSON.stringify(graded));
    assert.match((graded?.next ?? []).join(' '), next);
  });

const NOT_SEEN = {
  versions: ['TLSv1', 'TLSv1.3'],
  what: 'suites',
  why: 'the server closes every connection now',
} as const;
const GAPS: readonly (readonly [
  what: string,
  overrides: Partial<EndpointFacts>,
  letter: string | null,
  next: RegExp,
])[] = [
  ['versions', { gaps: [{ ...NOT_SEEN, fields: ['protocols'] }], protocols: ['TLSv1.2'] }, 'A+', /^$/],
  [
    'other versions',
    { gaps: [{ ...NOT_SEEN, fields: ['protocols'], versions: ['TLSv1'] }], protocols: ['TLSv1.2'] },
    'B',
    /TLS 1\.3/,
  ],
  ['groups', { gaps: [{ ...NOT_SEEN, fields: ['groups'] }], groups: [0x1d] }, 'A+', /^$/],
  [
    'the web',
    { gaps: [{ ...NOT_SEEN, fields: ['hsts'] }], web: { ...WEB, hsts: null, hstsHeader: null, status: 503 } },
    'A+',
    /^$/,
  ],
  ['whose it is', { gaps: [{ ...NOT_SEEN, fields: ['trust'] }] }, null, /^$/],
];

for (const [what, overrides, letter, next] of GAPS)
  test(`${what} that was not seen: the grade is an upper bound, and nothing follows from the absence`, () => {
    const seen = facts(overrides);
    const graded = grade(seen, judge(seen, CONTEXT).findings);
    assert.deepEqual([graded?.letter ?? null, graded?.isUpperBound ?? true], [letter, true]);
    assert.match((graded?.next ?? []).join(' '), next);
  });

test('narrow suites are a finding where all of them were seen, and not where more may be taken', () => {
  const narrow = { suites: suites('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256') };
  const idsOf = (seen: Partial<EndpointFacts>): readonly string[] =>
    judge(facts(seen), CONTEXT).findings.map(({ id }) => id);
  assert.deepEqual(idsOf(narrow), ['suites-narrow']);
  assert.deepEqual(idsOf({ ...narrow, gaps: [{ ...NOT_SEEN, fields: ['suites'] }] }), []);
});

test('every finding has a reason and a remedy in words', () => {
  for (const [, , overrides] of GRADES)
    for (const { why, remedy, what } of judge(facts(overrides), CONTEXT).findings)
      for (const text of [why, remedy.text, what]) assert.match(text, /\w.*[.;)]$/, text);
});
