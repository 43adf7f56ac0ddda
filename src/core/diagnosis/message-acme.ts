/**
 * ACME problem documents (RFC 8555 §6.7), bare or in the log of a client, and what authorities and DNS servers write
 * into them. The details are Boulder's (Let's Encrypt), Pebble's, step-ca's and ours.
 */
import { certain, either, likely, type MessageRow, possible } from './message-row.ts';

const TYPE = (type: string): readonly string[] => [
  `urn ietf params acme error ${type}`,
  `urn acme error ${type}`,
  `type ${type} detail`,
];

const NAME: readonly RegExp[] = [
  /(?:Identifier|Domain|identifier["']?:? ?\{?["']?(?:type["']?:? ?["']?dns["']?,? ?["']?)?value)["']?:? {0,4}["']?(?<name>[\w*.-]{1,253}\.[a-z]{2,63})/,
  /https?:\/\/(?<name>[\w.-]{1,253}?)(?::\d{1,5})?\/\.well-known\/acme-challenge/i,
  /(?:looking up \w{1,5} for|found (?:at|for)|records? (?:found )?for|already issued for|failed authorizations \(\d{1,6}\) for) "?(?:_acme-challenge\.)?(?<name>[\w*.-]{1,253}\.[a-z]{2,63})/i,
];

const TOKEN_URL = String.raw`\/\.well-known\/acme-challenge`;

/** Others than authorities say so too. */
const LIMIT_WORDS = ['rate limited', 'ratelimited', 'hit rate limit', '429 too many requests', 'rate limit exceeded'];

const LIMITED: MessageRow = {
  says: [
    ...TYPE('ratelimited'),
    'too many certificates',
    'too many failed authorizations',
    'too many new orders',
    'too many registrations',
    'too many new registrations',
    'too many currently pending authorizations',
    'service busy retry later',
    // Let's Encrypt pauses who fails for months; its text has the address where that is ended.
    'temporarily prevented from requesting certificates',
  ],
  takes: [
    // What certbot puts before it says nothing of which.
    /too many (?!requests of a given type)(?<limit>(?:[^,:]|,(?=\d)){1,160}?)(?:,(?!\d)|:|$| retry)/im,
    /is over quota \((?<limit>[^)]{1,80}\) for the given ACME resource: \w{1,40})/i,
    /retry after (?<retryAfter>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?: ?UTC|Z)?)/i,
    ...NAME,
  ],
  rank: 'particular',
  ...either(certain('acme-rate-limited')),
};

const DNS_01: readonly MessageRow[] = [
  {
    says: ['badtime', 'tsig badtime', 'peerbadtime', 'clocks are unsynchronized'],
    near: /TSIG|BADTIME|PeerBadTime|clocks are unsynchronized/i,
    rank: 'particular',
    ...either(certain('clock-skew', 'the DNS server and this host differ by more than a signed update may')),
  },
  {
    says: [
      'badkey',
      'badsig',
      'tsig verify failure',
      'tsig indicates error',
      'peerbadkey',
      'peerbadsignature',
      'tsig error with server',
      'the peer didn t know the key we used',
      'request has invalid signature',
      'bad authentication',
      'invalidclienttokenid',
      'signaturedoesnotmatch',
      'is not authorized to perform route53',
      'invalid request headers 6003',
      'invalid access token',
      'rejected by secure update',
      'not authoritative for update zone',
    ],
    unless: /BADTIME/i,
    rank: 'particular',
    ...either(certain('dns01-credentials', 'the DNS server refuses the key or the account of the update')),
  },
  {
    says: [
      'update failed refused',
      'server replied refused',
      'response from server refused',
      'update failed notauth',
      'server replied notauth',
      'response from server notauth',
      'server replied notzone',
      'denied',
    ],
    near: /(?:update failed|server replied|response from server):? ?(?:REFUSED|NOTAUTH|NOTZONE)|\bupdate '[^']{1,253}' denied/i,
    unless: /BADTIME/i,
    rank: 'particular',
    ...either(certain('dns01-credentials', 'the DNS server refuses the update of this zone')),
  },
  {
    says: [
      'authentication error',
      'unauthorized',
      '403 forbidden',
      'googleapi error 403',
      'access denied',
      'invalid credentials',
      '401 unauthorized',
    ],
    near: /dns-?01|DNS challenge|acme-challenge\.|TXT record|cloudflare|route53|digitalocean|powerdns|pdns|DNS provider|presenting challenge/i,
    unless: /acme:error:|\.well-known/i,
    rank: 'general',
    ...either(likely('dns01-credentials')),
  },
  {
    says: ['no txt record found', 'incorrect txt record', 'no txt records found'],
    takes: NAME,
    rank: 'particular',
    ...either(
      likely(
        'dns01-credentials',
        'the TXT record is not there, or is an old one: it was not written, or not here, or not seen yet',
      ),
    ),
  },
  {
    says: ['looking up txt for'],
    near: /(?:NXDOMAIN|SERVFAIL|REFUSED|timed out) looking up TXT for _acme-challenge/i,
    takes: NAME,
    rank: 'particular',
    ...either(
      likely('dns01-credentials', 'the TXT record is not there: it was not written, or not here'),
      possible('name-not-resolved'),
    ),
  },
];

const HTTP_01: readonly MessageRow[] = [
  {
    says: [
      'redirect loop detected',
      'where validation has been before',
      'a port that validation does not follow',
      'too many redirects',
      'invalid port in redirect target',
      'invalid host in redirect target',
      'invalid protocol scheme in redirect target',
      'invalid hostname in redirect target',
    ],
    near: /acme|challenge|redirect target|Fetching/i,
    takes: NAME,
    rank: 'particular',
    ...either(certain('http01-redirected')),
  },
  {
    says: ['redirected to'],
    near: /acme-challenge|acme:error|Domain: /,
    takes: NAME,
    rank: 'general',
    ...either(likely('http01-redirected')),
  },
  {
    says: ['invalid response from https'],
    takes: NAME,
    rank: 'particular',
    ...either(likely('http01-redirected', 'the answer came over HTTPS, so the token’s address was redirected')),
  },
  {
    says: ['invalid response from http'],
    near: new RegExp(`Invalid response from http:\\/\\/[^\\s/]{1,260}(?!${TOKEN_URL})\\/`, 'i'),
    takes: NAME,
    rank: 'particular',
    ...either(likely('http01-redirected', 'the answer came from another address than the token’s')),
  },
  {
    says: ['invalid response from http', 'invalid response from'],
    near: /acme-challenge|acme/i,
    takes: [...NAME, /acme-challenge\/[^\s"]{1,200}"?:? ?(?:\[[^\]]{1,60}\]:? ?)?"?(?<answer>\d{3})\b/i],
    rank: 'particular',
    ...either(
      likely('http01-wrong-server'),
      possible('http01-redirected', 'a redirect may lead the token’s address into an application'),
    ),
  },
  {
    says: [
      'the key authorization file from the server did not match',
      'key authorization file from the server did not match this challenge',
      'did not match this challenge',
      'keyauthorization does not match',
      'did not get expected response when querying endpoint',
      'wrong status code',
      'the key authorization is not the expected one',
      'does not match expected response',
      'did not match expected',
    ],
    near: /challenge|acme|self check|propagation|authorization/i,
    takes: [...NAME, /wrong status code '(?<answer>\d{3})'/i],
    rank: 'particular',
    ...either(
      likely('http01-wrong-server'),
      possible('http01-redirected', 'a redirect may lead the token’s address into an application'),
    ),
  },
  {
    // Our own authority; the address is only written out when it was redirected to.
    says: ['answered'],
    near: /port \d{1,5} answered (?<answer>\d{3}) for https?:\/\//,
    takes: NAME,
    rank: 'particular',
    ...either(likely('http01-redirected', 'the answer came from another address than the token’s')),
  },
  {
    says: ['wanted the key authorization', 'that are not a key authorization'],
    unless: /answered \d{3} for https?:/,
    takes: [...NAME, /answered (?<answer>\d{3}) for/],
    rank: 'particular',
    ...either(
      likely('http01-wrong-server'),
      possible('http01-redirected', 'the token’s address may lead into an application'),
    ),
  },
  {
    says: ['refused the connection'],
    takes: [...NAME, /(?<address>[\da-f.:]{3,45}) port (?<port>\d{1,5}) refused the connection/],
    rank: 'particular',
    ...either(certain('connection-refused', 'nothing listens at the port that the authority validates at')),
  },
  {
    says: ['timeout during connect', 'timeout during connect likely firewall problem'],
    takes: NAME,
    rank: 'particular',
    ...either(certain('connect-timeout', 'the authority cannot connect to the port that it validates at')),
  },
  {
    says: ['timeout after connect', 'timeout during read'],
    takes: NAME,
    rank: 'particular',
    ...either(certain('no-answer', 'the authority connected, and the web server did not answer')),
  },
  {
    says: ['fetching http', 'performing get request', 'self check get request', 'could not connect to'],
    near: /(?:acme-challenge|acme:error:connection).{0,400}connection refused|connection refused.{0,200}acme-challenge/i,
    takes: NAME,
    rank: 'particular',
    ...either(certain('connection-refused', 'nothing listens at the port that the authority validates at')),
  },
  {
    says: ['fetching http', 'fetching https'],
    near: /Fetching https?:\/\/.{1,400}?: (?:Connection reset by peer|EOF|Error getting validation data)/i,
    takes: NAME,
    rank: 'particular',
    ...either(likely('closed-by-peer', 'the web server ends the authority’s connection')),
  },
];

const NAMES: readonly MessageRow[] = [
  {
    says: [
      'does not exist in dns',
      'nxdomain looking up',
      'no valid a records found',
      'no valid aaaa records found',
      'no valid ip addresses found',
      'no ip addresses found',
    ],
    near: /looking up (?:A|AAAA|CAA)\b|no (?:valid )?(?:A|AAAA|IP)\b|(?<name>[\w.*-]{1,253}) does not exist in DNS/,
    takes: NAME,
    rank: 'particular',
    ...either(certain('name-not-resolved', 'the authority finds no address for the name')),
  },
  {
    says: ['servfail looking up', 'query timed out looking up', 'networking error looking up', 'refused looking up'],
    takes: NAME,
    rank: 'particular',
    ...either(likely('name-not-resolved', 'the name servers of the name do not answer the authority as they should')),
  },
];

/** The types alone, where the detail is in words that nobody knows. */
const TYPES: readonly MessageRow[] = [
  {
    says: TYPE('connection'),
    // Said in other words beside it.
    unless: /refused|time(?:d )?out|reset/i,
    takes: NAME,
    rank: 'general',
    ...either(
      likely('connection-refused', 'the authority could not fetch the token: nothing listens where it asks'),
      likely('connect-timeout', 'the authority could not fetch the token: no answer comes from where it asks'),
    ),
  },
  {
    says: TYPE('dns'),
    takes: NAME,
    rank: 'general',
    ...either(likely('name-not-resolved', 'DNS did not answer the authority as needed')),
  },
  {
    says: [...TYPE('unauthorized'), ...TYPE('incorrectresponse')],
    near: /challenge|http-?01|acme-challenge|validation|token|key ?authorization/i,
    unless: /dns-?01|TXT|tls-?alpn|deactivated|account/i,
    takes: NAME,
    rank: 'general',
    ...either(likely('http01-wrong-server'), possible('http01-redirected')),
  },
  {
    says: [...TYPE('unauthorized'), ...TYPE('incorrectresponse')],
    near: /dns-?01|TXT/i,
    takes: NAME,
    rank: 'general',
    ...either(likely('dns01-credentials', 'the TXT record is not there, or is another one')),
  },
  {
    says: TYPE('tls'),
    unless: /tls-?alpn/i,
    takes: NAME,
    rank: 'general',
    ...either(
      possible('http01-redirected', 'the authority came to speak TLS: the token’s address may be redirected to HTTPS'),
    ),
  },
  {
    says: ['http 01 challenge failing', 'http 01 challenge failed'],
    rank: 'symptom',
    ...either(possible('http01-wrong-server'), possible('http01-redirected'), possible('connect-timeout')),
  },
  {
    says: ['dns 01 challenge failing', 'dns 01 challenge failed'],
    rank: 'symptom',
    ...either(likely('dns01-credentials')),
  },
  {
    says: LIMIT_WORDS,
    near: /acme|letsencrypt|let's encrypt|certificate|challenge|order/i,
    takes: NAME,
    rank: 'symptom',
    ...either(likely('acme-rate-limited')),
  },
  {
    says: LIMIT_WORDS,
    rank: 'symptom',
    ...either(possible('acme-rate-limited')),
  },
];

export const ACME_ROWS: readonly MessageRow[] = [LIMITED, ...HTTP_01, ...NAMES, ...DNS_01, ...TYPES].map((row) => ({
  ...row,
  ofAuthority: true,
}));
