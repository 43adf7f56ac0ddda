/** Whose words a line is: the same ones mean opposite things in a client's error and in a server's log. */
import type { Side } from './message-row.ts';

/** What only servers say of those who connect to them. */
const SERVER =
  /could not accept SSL connection|accepting a client connection|while (?:SSL handshaking(?! to upstream)|waiting for request|reading client request)[^,\n]{0,60}, client:|client SSL certificate verify error|http: TLS handshake error from|TLS handshake error from|tlsClientError|SSL_accept|SSL_accept_handshake|tls_(?:early_)?(?:post_)?process_client_(?:hello|certificate|key_exchange)|tls_post_process_client_hello|ssl_accept|lost connection after (?:STARTTLS|CONNECT) from|: SSL handshake failure\b|invalid length of startup packet|Client certificate verification failed|AH0\d{4}|in handshake from|imap-login|pop3-login|smtpd\[|TLS accept/i;

/** What only clients say, also those inside a server: a proxy towards its backend, a replica towards its master. */
const CLIENT =
  /SSL_connect|to upstream|upstream SSL certificate|connection to server at|curl: ?\(|could not connect to|redis-cli|ERROR 20(?:02|03|26)|urlopen error|HTTPSConnectionPool|dial tcp|\b(?:Get|Post|Head|Put) "?https?:|verify error:num|verify return code|tls_process_server_(?:certificate|hello|key_exchange)|tls_process_initial_server_flight|\bERR_(?:CERT|CONNECTION|NAME|SSL_VERSION|SSL_PROTOCOL|BAD_SSL)|(?:SEC|MOZILLA_PKIX|PR)_ERROR|SSL_ERROR_(?!SYSCALL|SSL\b|WANT|NONE|ZERO)[A-Z]|wget:|s_client|MASTER <-> REPLICA|Connection with master|psql: |psycopg2\.|asyncpg\.|pymysql\.|redis\.exceptions|sun\.security\.ssl\.SSLSocketImpl|ClosedChannelException|rustls::client|reqwest::|error connecting to|Connecting to [^\s]{1,80} failed|SSL connection to|gnutls-cli|Handshake with (?:the )?server|prober=|_ssl\.c:\d/i;

/** null: it could be either. What a line shows of itself outweighs what it was said to be. */
export function sideOf(line: string, given: Side | null, around: string): Side | null {
  return shownBy(line) ?? given ?? shownBy(around);
}

function shownBy(text: string): Side | null {
  const [isServer, isClient] = [SERVER.test(text), CLIENT.test(text)];
  return isServer === isClient ? null : isServer ? 'server' : 'client';
}
