/**
 * Alerts (RFC 8446 §6): the other side refused, and this is its reason. In a client's error it is the server's, about the
 * client; in a server's log it is the client's, about the server's certificate or limits. One row an alert.
 */
import { type Candidate, certain, likely, type MessageRow, possible } from './message-row.ts';

interface Alert {
  readonly number: number;
  /** RFC 8446's name, which OpenSSL, Java and browsers use. */
  readonly name: string;
  /** As Go says it. */
  readonly go: string;
  /** As NSS and browsers call it. */
  readonly codes?: readonly string[];
  readonly rank?: MessageRow['rank'];
  readonly client: readonly Candidate[];
  readonly server: readonly Candidate[];
}

const ALERTS: readonly Alert[] = [
  {
    number: 116,
    name: 'certificate required',
    go: 'certificate required',
    codes: ['ssl error rx certificate required alert', 'err ssl client auth cert needed'],
    client: [certain('client-certificate-required')],
    server: [certain('client-certificate-required')],
  },
  {
    number: 48,
    name: 'unknown ca',
    go: 'unknown certificate authority',
    codes: ['ssl error unknown ca alert'],
    client: [certain('client-certificate-untrusted')],
    server: [likely('unknown-ca', 'the client does not trust the chain that it was shown'), likely('chain-incomplete')],
  },
  {
    number: 42,
    name: 'bad certificate',
    go: 'bad certificate',
    codes: ['ssl error bad cert alert', 'err bad ssl client auth cert'],
    client: [
      likely('client-certificate-untrusted'),
      likely('client-certificate-wrong-purpose'),
      possible('client-certificate-required'),
    ],
    server: [
      likely('unknown-ca', 'the client does not accept the certificate that it was shown'),
      likely('name-mismatch', 'the client may have asked for a name that the certificate does not have'),
      possible('certificate-not-yet-valid', 'the certificate may begin later, by the client’s clock'),
    ],
  },
  {
    number: 43,
    name: 'unsupported certificate',
    go: 'unsupported certificate',
    codes: ['ssl error unsupported cert alert'],
    client: [certain('client-certificate-wrong-purpose')],
    server: [likely('certificate-wrong-purpose')],
  },
  {
    number: 44,
    name: 'certificate revoked',
    go: 'revoked certificate',
    codes: ['ssl error revoked cert alert'],
    client: [certain('certificate-revoked', 'the server says that the client’s certificate is revoked')],
    server: [certain('certificate-revoked')],
  },
  {
    number: 45,
    name: 'certificate expired',
    go: 'expired certificate',
    codes: ['ssl error expired cert alert'],
    client: [certain('client-certificate-expired')],
    server: [likely('certificate-expired'), possible('clock-skew', 'the client’s clock may be wrong')],
  },
  {
    number: 46,
    name: 'certificate unknown',
    go: 'unknown certificate',
    codes: ['ssl error certificate unknown alert'],
    client: [likely('client-certificate-untrusted'), possible('client-certificate-wrong-purpose')],
    server: [
      likely('unknown-ca', 'the client does not accept the certificate that it was shown'),
      likely('name-mismatch', 'the client may have asked for a name that the certificate does not have'),
    ],
  },
  {
    number: 70,
    name: 'protocol version',
    go: 'protocol version not supported',
    codes: ['ssl error protocol version alert', 'err ssl obsolete version', 'err ssl version interference'],
    client: [certain('no-common-protocol')],
    server: [certain('no-common-protocol')],
  },
  {
    number: 71,
    name: 'insufficient security',
    go: 'insufficient security level',
    codes: ['ssl error insufficient security alert'],
    client: [likely('no-common-suite')],
    server: [likely('no-common-suite')],
  },
  {
    number: 40,
    name: 'handshake failure',
    go: 'handshake failure',
    codes: ['ssl error handshake failure alert'],
    rank: 'general',
    client: [
      likely('no-common-suite'),
      likely('client-certificate-required', 'before TLS 1.3, a missing client certificate is refused with these words'),
      possible(
        'key-type-mismatch',
        'a server whose key is of another type than its certificate refuses with these words',
      ),
    ],
    server: [likely('no-common-suite'), possible('no-common-group')],
  },
  {
    number: 49,
    name: 'access denied',
    go: 'access denied',
    codes: ['ssl error access denied alert'],
    rank: 'general',
    client: [possible('client-certificate-untrusted', 'the certificate is accepted, and its holder is not')],
    server: [],
  },
  {
    number: 51,
    name: 'decrypt error',
    go: 'error decrypting message',
    codes: ['ssl error decrypt error alert'],
    rank: 'general',
    client: [possible('key-mismatch', 'the client may have signed with a key that is not its certificate’s')],
    server: [possible('key-mismatch', 'the server may sign with a key that is not its certificate’s')],
  },
  {
    number: 112,
    name: 'unrecognized name',
    go: 'unrecognized name',
    codes: ['ssl error unrecognized name alert', 'err ssl unrecognized name alert'],
    rank: 'general',
    client: [likely('name-mismatch', 'the server has no certificate for the name asked for, and says so')],
    server: [],
  },
  {
    number: 80,
    name: 'internal error',
    go: 'internal error',
    rank: 'general',
    client: [
      likely(
        'name-mismatch',
        'Go programs such as Caddy answer so where they have no certificate for the name asked for',
      ),
      possible('handshake-refused', 'the server may have failed over something of its own, which its log tells'),
    ],
    server: [],
  },
];

/** What this side sent is no word of the other side. */
const SENT = /\(OUT\), TLS|write:fatal|alert write|generated (?:CLIENT|SERVER) ALERT/i;

export const ALERT_ROWS: readonly MessageRow[] = ALERTS.map(
  ({ number, name, go, codes = [], rank = 'particular', client, server }) => ({
    rank,
    says: [
      `alert ${name}`,
      `alert ${name.replaceAll(' ', '')}`,
      `alert number ${number}`,
      `received alert ${number}`,
      `fatal alert ${name}`,
      `alert fatal ${name}`,
      `remote error tls ${go}`,
      ...(rank === 'particular' ? [`tls ${go}`] : []),
      `alert tls ${go}`,
      ...codes,
    ],
    unless: SENT,
    client,
    server,
  }),
);
