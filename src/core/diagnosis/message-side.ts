/** Whose words a line is: the same ones mean opposite things in a client's error and in a server's log. */
import type { Side } from './message-row.ts';

/** What only servers say of those who connect to them. */
const SERVER = new RegExp(
  [
    'could not accept SSL connection',
    'accepting a client connection',
    'while (?:SSL handshaking(?! to upstream)|waiting for request|reading client request)[^,\\n]{0,60}, client:',
    'client SSL certificate verify error',
    'client sent no required SSL certificate',
    'TLS handshake error from',
    'tlsClientError',
    'SSL_accept',
    'TLS accept',
    'TLS server: In state',
    'AcceptSecurityContext',
    'rejected connection from',
    'tls_(?:early_)?(?:post_)?process_client_(?:hello|certificate|key_exchange)',
    'Client certificate verification failed',
    'lost connection after (?:STARTTLS|CONNECT) from',
    ': SSL handshake failure\\b',
    '\\bAH0\\d{4}\\b',
    'checkClient(?:Certs|Trusted)',
    'in handshake from',
    '(?:imap|pop3)-login',
    'smtpd\\[',
  ].join('|'),
  'i',
);

/** What only clients say; servers do so as well where they are clients: a proxy towards its backend, a replica. */
const CLIENT = new RegExp(
  [
    'SSL_connect',
    'to upstream',
    'upstream SSL certificate',
    'Connection with master',
    'MASTER <-> REPLICA',
    'tls_process_server_(?:certificate|hello|key_exchange)',
    'tls_process_initial_server_flight',
    'connection to server at',
    'TLS client: In state',
    'InitializeSecurityContext',
    'transport: authentication handshake failed',
    'ldap_start_tls',
    'SSL certificate problem',
    'curl: ?\\(',
    'could not connect to',
    'Could not negotiate a TLS connection',
    'ERROR 20(?:02|03|26)',
    'urlopen error',
    'HTTPSConnectionPool',
    'dial tcp',
    '\\b(?:Get|Post|Head|Put) "?https?:',
    'error connecting to',
    'SSL connection to',
    'checkServer(?:Certs|Trusted)',
    'sun\\.net\\.www\\.protocol\\.https',
    '\\bERR_(?:CERT|CONNECTION|NAME|SSL_VERSION|SSL_PROTOCOL|BAD_SSL)',
    '(?:SEC|MOZILLA_PKIX|PR)_ERROR',
    'SSL_ERROR_(?!SYSCALL|SSL\\b|WANT|NONE|ZERO)[A-Z]',
    'rustls::client|reqwest::',
  ].join('|'),
  'i',
);

/** Around a client's error, as a rule; a line alone does not show it. */
const PERHAPS_CLIENT = new RegExp(
  [
    'verify error:num',
    'verify return code',
    'CONNECTED\\(0',
    'SSL handshake has read',
    'no peer certificate available',
    'Processed \\d{1,5} CA certificate',
    'Fatal error: A TLS',
    'The certificate is NOT trusted',
    'Connecting to [^\\s]{1,253} \\(',
    'Handshake with (?:the )?server',
    'redis-cli|s_client|gnutls-cli|wget:',
    'psql: |psycopg2\\.|asyncpg\\.|pymysql\\.|redis\\.exceptions|requests\\.exceptions',
    '_ssl\\.c:\\d',
    'TLSSocket\\.onConnect|at ClientRequest',
    'write EPROTO',
    'unable to (?:access|connect to) ',
    'error dialing|module=\\w{1,40} target=',
  ].join('|'),
  'i',
);

/** null: it could be either. What a line shows of itself outweighs what it was said to be; what stands around it does not. */
export function sideOf(line: string, given: Side | null, window: string): Side | null {
  return shownBy(line) ?? given ?? shownBy(window) ?? (PERHAPS_CLIENT.test(window) ? 'client' : null);
}

/** A stack trace is longer than a window. */
const WITHIN = 8192;

/** Of a text none of whose lines shows it. */
export function sideOfText(text: string): Side | null {
  const ends = text.length > 2 * WITHIN ? `${text.slice(0, WITHIN)}\n${text.slice(-WITHIN)}` : text;
  return shownBy(ends) ?? (PERHAPS_CLIENT.test(ends) ? 'client' : null);
}

function shownBy(text: string): Side | null {
  const [isServer, isClient] = [SERVER.test(text), CLIENT.test(text)];
  return isServer === isClient ? null : isServer ? 'server' : 'client';
}
