/** What libraries say when the two sides do not come together: other protocols, versions, suites, groups, closed connections. */
import { certain, either, likely, type MessageRow, possible } from './message-row.ts';

/** Behind a host or the word, lest it be a time of day: ports whose TLS begins on request. */
const STARTTLS_PORT =
  /(?:\b[a-z][\w-]{0,62}|\d\.\d{1,3}|\]):(?:25|587|143|110|389|5432|3306)\b(?!:\d)|\bport[= ]{1,2}(?:25|587|143|110|389|5432|3306)\b/i;

/** Of words that others use too. */
const TLS_WORD = /\bssl|\btls|_SSL|:0A000/i;

const NOT_TLS = [
  'wrong version number',
  'ssl routines unknown protocol',
  'ssl3 get record unknown protocol',
  'ssl23 get server hello unknown protocol',
  'ssl unknown protocol',
  'unsupported or unrecognized ssl message',
  'ssl error rx record too long',
  'not an ssl tls record',
  'notsslrecordexception',
  'first record does not look like a tls handshake',
  'an unexpected tls packet was received',
  'invalidcontenttype',
  'ssl routines packet length too long',
  'ssl3 get record packet length too long',
  'ssl23 get server hello packet length too long',
  'ssl packet length too long',
  'record layer failure',
  'cannot determine the frame size or a corrupted frame was received',
  'the handshake failed due to an unexpected packet format',
  'ssl http request',
  'get record http request',
  'ssl routines http request',
  'ssl routines https proxy request',
  'err ssl protocol error',
];

/** A client that speaks TLS to somebody who does not: silence, and no error from either. */
export const SILENT_HANDSHAKE = [
  likely(
    'plaintext-service',
    'the handshake is never answered: a plaintext service that waits for more looks like this',
  ),
  likely('no-answer', 'the handshake is never answered: a service that hangs looks like this, or something on the way'),
];

export const HANDSHAKE_ROWS: readonly MessageRow[] = [
  {
    says: ['server gave http response to https client'],
    rank: 'particular',
    ...either(certain('plaintext-service', 'an HTTPS client met a port that speaks plaintext HTTP')),
  },
  {
    says: [
      'plain http request was sent to https port',
      'client sent plain http request to https port',
      'client sent an http request to an https server',
      'speaking plain http to an ssl enabled server port',
      'this combination of host and port requires tls',
    ],
    rank: 'particular',
    ...either(certain('tls-service', 'an HTTP client met a port that speaks HTTPS')),
  },
  {
    says: NOT_TLS,
    near: STARTTLS_PORT,
    rank: 'particular',
    client: [likely('starttls-needed'), likely('plaintext-service')],
    server: [certain('tls-service')],
  },
  {
    says: NOT_TLS,
    rank: 'particular',
    client: [likely('plaintext-service'), possible('starttls-needed')],
    server: [certain('tls-service')],
  },
  {
    says: ['ssl handshake is taking longer than'],
    rank: 'particular',
    client: SILENT_HANDSHAKE,
    server: [],
  },
  {
    says: [
      'tls handshake timeout',
      'handshake operation timed out',
      'handshake timed out',
      'ssl connection timeout',
      'ssl connection timed out',
      'tls handshake timed out',
      'ssl handshake timed out',
      'timeout during tls handshake',
    ],
    rank: 'particular',
    client: SILENT_HANDSHAKE,
    server: [possible('no-answer', 'a client connected and began no handshake')],
  },
  {
    says: [
      'unsupported protocol',
      'unsupportedprotocolversion',
      'client offered only unsupported versions',
      'server selected unsupported protocol version',
      'ssl error unsupported version',
      'protocol version mismatch',
      'peer uses unsupported version',
      'not supported by client preferences',
      'a tls packet with unexpected length was received unsupported version',
      'peerincompatible servertlsversionisdisabled',
      'unsupported ssl tls version',
    ],
    near: TLS_WORD,
    unless: /DECODER routines|no start line|protocol scheme/i,
    rank: 'particular',
    ...either(certain('no-common-protocol')),
  },
  {
    says: ['err ssl version or cipher mismatch', 'ssl error no cypher overlap'],
    rank: 'particular',
    ...either(likely('no-common-suite'), likely('no-common-protocol')),
  },
  {
    says: ['no suitable signature algorithm', 'no common signature algorithms'],
    rank: 'particular',
    ...either(
      likely('key-type-mismatch', 'the server has no certificate with a key that can sign as the client wants'),
      possible('no-common-suite'),
    ),
  },
  {
    says: [
      'no shared cipher',
      'no cipher suite supported by both client and server',
      'no cipher suites in common',
      'nociphersuitesincommon',
      'no supported cipher suites have been found',
    ],
    rank: 'particular',
    ...either(
      likely('no-common-suite'),
      likely('key-type-mismatch', 'a server whose key is of another type than its certificate says this too'),
    ),
  },
  {
    says: [
      'no suitable key share',
      'no shared group',
      'no suitable groups',
      'no supported groups have been found',
      'no key exchange groups in common',
      'nokxgroupsincommon',
      'no ecdhe curve supported by both client and server',
      'no mutually supported curve',
    ],
    rank: 'particular',
    ...either(likely('no-common-group')),
  },
  {
    says: ['set1 curves list', 'set1 groups list', 'failed to set ecdh curve'],
    near: /(?:curves_list|groups_list)\("(?<groups>[^"]{1,200})"\)|ECDH curve/i,
    rank: 'particular',
    ...either(possible('no-common-group', 'this library does not know a group of the list, and refuses the list')),
  },
  {
    says: [
      'no protocols available',
      'version too low',
      'no ciphers available',
      'no cipher match',
      'dh key too small',
      'legacy sigalg disallowed or unsupported',
      'unsafe legacy renegotiation disabled',
      'no appropriate protocol protocol is disabled or cipher suites are inappropriate',
      'modulus too small',
      'dh prime bits number of bits is not enough',
      'the diffie hellman prime sent by the server is not acceptable',
    ],
    rank: 'particular',
    ...either(likely('local-policy')),
  },
  {
    says: [
      'no required ssl certificate was sent',
      'client sent no required ssl certificate',
      'peer did not return a certificate',
      'client didn t provide a certificate',
      'connection requires a valid client certificate',
      'empty client certificate chain',
      'empty server certificate chain',
      'nocertificatespresented',
      'peer sent no certificates',
      'no certificate was found',
    ],
    rank: 'particular',
    ...either(certain('client-certificate-required')),
  },
  {
    says: ['the ssl certificate error'],
    near: /400 /,
    rank: 'particular',
    ...either(
      likely('client-certificate-untrusted'),
      possible('client-certificate-wrong-purpose'),
      possible('client-certificate-expired'),
    ),
  },
  // No reason is given from here on.
  {
    says: ['handshake failure', 'ssl handshake failed', 'tls handshake failed', 'bad handshake'],
    rank: 'symptom',
    client: [likely('no-common-suite'), likely('no-common-protocol'), possible('client-certificate-required')],
    server: [
      possible('unknown-ca', 'the client may not accept the certificate that it was shown'),
      possible('no-common-protocol'),
      possible('tls-service'),
    ],
  },
];
