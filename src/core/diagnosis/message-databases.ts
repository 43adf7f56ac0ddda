/** What database servers and their drivers say of TLS: whether it is offered, insisted on, and who may log in. */
import { certain, either, likely, type MessageRow, possible } from './message-row.ts';

const USER = /user "(?<user>[^"]{1,128})"/i;

export const DATABASE_ROWS: readonly MessageRow[] = [
  {
    says: [
      'server does not support ssl',
      'the server does not support ssl',
      'rejected ssl upgrade',
      'ssl is not enabled on the server',
      'ssl not supported by this database',
      'server refused tls connection',
      'ssl is required but the server does not support it',
      'ssl is required but the server doesn t support it',
      'server does not support secure connection',
      'starttls extension not supported by server',
      'starttls is not supported',
      'starttls not available',
      'didn t find starttls in server response',
      'server doesn t support starttls',
      'the server does not support starttls',
      'tls is not available due to local problem',
      'server sent plaintext where tls was asked for',
    ],
    rank: 'particular',
    ...either(certain('tls-off')),
  },
  {
    says: ['no pg hba conf entry'],
    near: /no pg_hba\.conf entry for (?:host|replication connection from host) "(?<client>[^"]{1,128})", user "(?<user>[^"]{1,128})"(?:, database "(?<database>[^"]{1,128})")?, (?:no encryption|SSL off)/i,
    rank: 'particular',
    ...either(
      likely(
        'tls-required',
        'pg_hba.conf has no rule for this client without TLS; where it has none with TLS either, that is missing too',
      ),
    ),
  },
  {
    says: [
      'connections using insecure transport are prohibited',
      'must issue a starttls command first',
      'encryption required for requested authentication mechanism',
      'plaintext authentication disallowed on non secure',
      'privacyrequired',
      'confidentiality required',
      'tls confidentiality required',
      'cleartext authentication disallowed',
    ],
    rank: 'particular',
    ...either(certain('tls-required')),
  },
  {
    says: ['certificate authentication failed for user'],
    takes: [USER, /authenticated user name \((?<certificateUser>[^)]{1,128})\)/i],
    rank: 'particular',
    ...either(certain('client-certificate-wrong-user')),
  },
  {
    says: ['certificate validation clientcert verify full failed for user'],
    takes: [USER, /CN mismatch/i],
    rank: 'particular',
    ...either(certain('client-certificate-wrong-user')),
  },
  {
    says: ['provided user name'],
    near: /provided user name \((?<user>[^)]{1,128})\) and authenticated user name \((?<certificateUser>[^)]{1,128})\) do not match/i,
    rank: 'particular',
    ...either(likely('client-certificate-wrong-user')),
  },
  {
    says: ['no match in usermap'],
    near: /no match in usermap "[^"]{1,128}" for user "(?<user>[^"]{1,128})" authenticated as "(?<certificateUser>[^"]{1,256})"/i,
    rank: 'particular',
    ...either(likely('client-certificate-wrong-user')),
  },
  {
    says: ['invalid length of startup packet'],
    rank: 'particular',
    ...either(
      likely(
        'starttls-needed',
        'a client said something else than PostgreSQL’s first packet; one that begins with TLS looks like this',
      ),
    ),
  },
  {
    says: [
      'invalid uri query parameter',
      'invalid sslmode value',
      'invalid connection option',
      'ignoring invalid configuration option passed to connection',
      'unknown ssl profile',
      'invalid ssl certificate requirements flag',
      'unrecognized sslmode',
      'invalid sslnegotiation value',
      'unknown connection parameter',
    ],
    takes: [
      /(?:Connection|Flag): ["']?(?<parameter>[\w-]{1,60})/,
      /(?:parameter|value|option|profile):? ["'](?<parameter>[^"']{1,60})["']/i,
    ],
    rank: 'particular',
    ...either(certain('url-parameter-invalid')),
  },
  {
    says: ['got an unexpected keyword argument'],
    near: /unexpected keyword argument '(?<parameter>(?:ssl|tls)\w{0,40}|(?:use|verify|require|check)_?(?:ssl|tls|hostname)\w{0,20})'/i,
    rank: 'particular',
    ...either(certain('url-parameter-invalid')),
  },
  {
    says: ['unverified https request is being made', 'node tls reject unauthorized environment variable to 0'],
    near: /unverified https request is being made to host '(?<host>[^']{1,253})'|NODE_TLS_REJECT_UNAUTHORIZED/i,
    rank: 'particular',
    ...either(certain('url-not-verifying')),
  },
  {
    says: ['lost connection to'],
    near: /sending authentication information/,
    rank: 'symptom',
    ...either(
      likely(
        'client-certificate-untrusted',
        'the server ended the connection after the handshake, as it does to certificates that it does not accept',
      ),
      likely('closed-by-peer'),
    ),
  },
  {
    says: ['lost connection to'],
    near: /reading initial communication packet/,
    rank: 'symptom',
    ...either(
      likely('closed-by-peer'),
      possible('no-answer', 'what listens there says nothing first, so it is no MySQL, or it hangs'),
    ),
  },
  {
    says: ['access denied for user'],
    near: /access denied for user '(?<user>[^']{1,128})'@'(?<client>[^']{1,253})'/i,
    rank: 'symptom',
    ...either(
      possible(
        'tls-required',
        'a wrong password says this; so does MariaDB where it insists on TLS and the client came without',
      ),
      possible(
        'client-certificate-required',
        'a wrong password says this; so does an account that is to show a certificate (REQUIRE X509)',
      ),
    ),
  },
];
