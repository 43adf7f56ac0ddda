import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainMessage } from './explain-message.ts';

/** The first five as Boulder's ratelimits/limiter.go writes them, the next three as it did before, then its pause. */
const TEXTS: readonly (readonly [text: string, remedy: RegExp, command?: string])[] = [
  [
    'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-11-27 00:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/',
    /issued already/,
    'fullchain status',
  ],
  [
    'too many certificates (50) already issued for "example.com" in the last 168h0m0s, retry after …',
    /below this domain/,
  ],
  ['too many new orders (300) from this account in the last 3h0m0s, retry after …', /orders so often/],
  [
    'too many failed authorizations (5) for "www.example.com" in the last 1h0m0s, retry after …',
    /until the cause is mended/,
    'fullchain diagnose http-01://www.example.com',
  ],
  ['too many new registrations (10) from this IP address in the last 3h0m0s, retry after …', /one account/],
  [
    'Error creating new order :: too many certificates already issued for exact set of domains: a.example.com,b.example.com: see …',
    /issued already/,
    'fullchain status',
  ],
  ['Error creating new order :: too many failed authorizations recently: see …', /until the cause is mended/],
  ['too many currently pending authorizations: see …', /unfinished/],
  [
    'Your account is temporarily prevented from requesting certificates for example.com and possibly others. Please visit: …',
    /end the pause/,
  ],
  [
    'too many certificates (10,000) already issued for "example.com" in the last 168h0m0s, retry after …',
    /below this domain/,
  ],
  // Of Google Trust Services, as acme.sh's issue 4364 has it.
  [
    "'default@gcp.api.pki.goog' is over quota (30 requests in 60 seconds) for the given ACME resource: challenge. Try again in 12.476542291s.",
    /in a row, with pauses/,
  ],
  ['Service busy; retry later.', /Wait as long as it says/],
  ['some other authority, in words of its own', /Wait as long as it says/],
];

for (const [text, remedy, command] of TEXTS) {
  for (const before of ['', 'There were too many requests of a given type :: '])
    test(`a limit, ${before ? 'as certbot has it' : 'as it is'}: ${text.slice(0, 60)}`, () => {
      const message = `urn:ietf:params:acme:error:rateLimited :: ${before}${text}`;
      const [finding, ...others] = explainMessage(message, { side: null, where: { target: 'message' } });
      assert.deepEqual([finding?.id, others], ['acme-rate-limited', []]);
      assert.match(finding?.remedy.text ?? '', remedy);
      assert.equal(finding?.remedy.command, command);
      assert.doesNotMatch(String(finding?.evidence.limit), /given type/);
    });
}
