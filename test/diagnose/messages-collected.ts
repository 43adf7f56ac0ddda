/**
 * What programs say that are not run in these tests: browsers, .NET, Ruby, PHP, rustls, public authorities' answers in
 * the logs of ACME clients, and the three guides' own words. Written down from documentation, source and reports.
 */
export interface CollectedMessage {
  readonly program: string;
  /** As --side; absent: the text alone. */
  readonly side?: 'client' | 'server';
  readonly text: string;
  /** Ids with confidence, best first, all of them. */
  readonly expect: readonly string[];
  /** Evidence of the first. */
  readonly evidence?: Readonly<Record<string, string>>;
}

const one = (
  program: string,
  text: string,
  expect: readonly string[],
  more: Pick<CollectedMessage, 'side' | 'evidence'> = {},
): CollectedMessage => ({ program, text, expect, ...more });

/** Of the troubleshooting chapters; where the chapter names another cause, the right one stands here. */
const GUIDES: readonly CollectedMessage[] = [
  one('guide K', 'certificate has expired', [
    'likely certificate-expired',
    'possible clock-skew',
    'possible client-certificate-expired',
  ]),
  // The guide knows the clock alone; the certificate may really begin later.
  one('guide K', 'certificate is not yet valid', ['likely certificate-not-yet-valid', 'likely clock-skew']),
  // Nor does it know the intermediate that is left out.
  one('guide K', 'certificate signed by unknown authority', [
    'likely unknown-ca',
    'likely chain-incomplete',
    'possible self-signed',
  ]),
  one('guide K', 'x509: certificate is valid for api.internal, not db.internal', ['certain name-mismatch'], {
    evidence: { names: 'api.internal', asked: 'db.internal' },
  }),
  one('guide K', 'tls: certificate required', ['certain client-certificate-required']),
  one(
    'guide K',
    'remote error: tls: bad certificate',
    [
      'likely client-certificate-untrusted',
      'likely client-certificate-wrong-purpose',
      'possible client-certificate-required',
    ],
    { side: 'client' },
  ),
  one(
    'guide K',
    'handshake failure',
    ['likely no-common-suite', 'likely no-common-protocol', 'possible client-certificate-required'],
    {
      side: 'client',
    },
  ),
  one('guide B', 'could not load server certificate file', [
    'likely key-permissions',
    'likely file-missing',
    'possible file-unusable',
  ]),
  one('guide B', 'private key file has group or world access', ['certain key-permissions']),
  one('guide B', 'external-db-service:5432 - no response', ['likely connection-refused', 'likely connect-timeout'], {
    evidence: { host: 'external-db-service', port: '5432' },
  }),
  one('guide B', "connect() got an unexpected keyword argument 'sslmode'", ['certain url-parameter-invalid'], {
    evidence: { parameter: 'sslmode' },
  }),
  one('guide B', 'SSL not supported by this database', ['certain tls-off']),
  // The guide: a self-signed certificate, to be cured by ssl_cert_reqs=none. It is a port that does not answer TLS.
  one('guide B', 'SSL handshake is taking longer than 60.0 seconds', ['likely plaintext-service', 'likely no-answer']),
  one('guide B', 'wrong version number', ['certain tls-service'], { side: 'server' }),
  one('guide B', 'wrong version number', ['likely plaintext-service', 'possible starttls-needed'], { side: 'client' }),
  one('guide B', 'wrong version number', [
    'likely plaintext-service',
    'likely tls-service',
    'possible starttls-needed',
  ]),
  one('guide A', 'HTTP-01 challenge failing', [
    'possible http01-wrong-server',
    'possible http01-redirected',
    'possible connect-timeout',
  ]),
  one(
    'Redis with OpenSSL 1.1.1',
    'Failed to load private key: k.key: error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch',
    ['likely key-mismatch', 'possible chain-order'],
  ),
  one('curl 7.88', "curl: (7) Failed to connect to localhost port 22999 after 0 ms: Couldn't connect to server", [
    'likely connection-refused',
    'possible connect-timeout',
  ]),
  one('guide A', 'DNS-01 challenge failing', ['likely dns01-credentials']),
  one('guide A', 'Rate limited', ['possible acme-rate-limited']),
  one('guide A', 'Certificate Mismatch', ['possible name-mismatch', 'possible key-mismatch']),
];

const BROWSERS: readonly CollectedMessage[] = [
  one(
    'Chrome',
    'Your connection is not private. Attackers might be trying to steal your information from shop.internal. NET::ERR_CERT_AUTHORITY_INVALID',
    ['likely unknown-ca', 'likely chain-incomplete', 'possible self-signed'],
  ),
  one('Chrome', 'NET::ERR_CERT_COMMON_NAME_INVALID', [
    'likely name-mismatch',
    'possible no-subject-alt-name',
    'possible ip-not-in-certificate',
  ]),
  one('Chrome', 'NET::ERR_CERT_DATE_INVALID', [
    'likely certificate-expired',
    'possible certificate-not-yet-valid',
    'possible clock-skew',
  ]),
  one('Chrome', 'Your clock is behind. NET::ERR_CERT_DATE_INVALID', [
    'certain clock-skew',
    'likely certificate-expired',
    'possible certificate-not-yet-valid',
  ]),
  one('Chrome', 'NET::ERR_CERT_WEAK_SIGNATURE_ALGORITHM', ['certain weak-certificate']),
  one('Chrome', 'NET::ERR_CERT_REVOKED', ['certain certificate-revoked']),
  one('Chrome', 'ERR_SSL_KEY_USAGE_INCOMPATIBLE', ['likely certificate-wrong-purpose']),
  one(
    'Chrome',
    'This site can’t provide a secure connection. db.internal uses an unsupported protocol. ERR_SSL_VERSION_OR_CIPHER_MISMATCH',
    ['certain no-common-protocol', 'likely no-common-suite'],
  ),
  one('Chrome', 'ERR_SSL_PROTOCOL_ERROR', ['likely plaintext-service', 'possible starttls-needed']),
  one('Chrome', 'ERR_BAD_SSL_CLIENT_AUTH_CERT', [
    'likely client-certificate-untrusted',
    'likely client-certificate-wrong-purpose',
    'possible client-certificate-required',
  ]),
  one('Chrome', 'net::ERR_NAME_NOT_RESOLVED', ['certain name-not-resolved']),
  one('Chrome', 'net::ERR_CONNECTION_REFUSED', ['certain connection-refused']),
  one('Chrome', 'net::ERR_CONNECTION_TIMED_OUT', ['likely connect-timeout', 'possible no-answer']),
  one('Chrome', 'net::ERR_EMPTY_RESPONSE', [
    'likely tls-service',
    'likely closed-by-peer',
    'possible client-certificate-required',
  ]),
  one('Firefox', 'Error code: SEC_ERROR_UNKNOWN_ISSUER', ['likely unknown-ca', 'likely chain-incomplete']),
  one('Firefox', 'Error code: MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT', ['certain self-signed']),
  one('Firefox', 'Error code: SEC_ERROR_EXPIRED_CERTIFICATE', ['likely certificate-expired', 'possible clock-skew']),
  one('Firefox', 'Error code: SSL_ERROR_BAD_CERT_DOMAIN', [
    'likely name-mismatch',
    'possible no-subject-alt-name',
    'possible ip-not-in-certificate',
  ]),
  one('Firefox', 'Error code: SSL_ERROR_RX_RECORD_TOO_LONG', ['likely plaintext-service', 'possible starttls-needed']),
  one('Firefox', 'Error code: SSL_ERROR_NO_CYPHER_OVERLAP', ['likely no-common-suite', 'likely no-common-protocol']),
  one('Firefox', 'Error code: SSL_ERROR_RX_CERTIFICATE_REQUIRED_ALERT', ['certain client-certificate-required']),
  one('Firefox', 'Error code: MOZILLA_PKIX_ERROR_CA_CERT_USED_AS_END_ENTITY', ['likely certificate-invalid']),
  one('Firefox', 'PR_CONNECT_RESET_ERROR', [
    'likely closed-by-peer',
    'possible starttls-needed',
    'possible client-certificate-required',
  ]),
];

const LIBRARIES: readonly CollectedMessage[] = [
  one(
    '.NET',
    'System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot\n   at System.Net.Security.SslStream.SendAuthResetSignal(ReadOnlySpan`1 alert, ExceptionDispatchInfo exception)',
    ['likely unknown-ca', 'likely chain-incomplete', 'possible client-certificate-untrusted'],
  ),
  one('.NET', 'The remote certificate is invalid because of errors in the certificate chain: PartialChain', [
    'likely chain-incomplete',
    'likely unknown-ca',
    'possible client-certificate-untrusted',
  ]),
  one('.NET', 'The remote certificate is invalid because of errors in the certificate chain: NotTimeValid', [
    'likely certificate-expired',
    'possible certificate-not-yet-valid',
    'possible clock-skew',
  ]),
  one(
    '.NET',
    'The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch',
    ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
  ),
  one(
    '.NET',
    'System.IO.IOException: Cannot determine the frame size or a corrupted frame was received.',
    ['likely plaintext-service', 'possible starttls-needed'],
    { side: 'client' },
  ),
  one(
    '.NET on Windows',
    'The certificate chain was issued by an authority that is not trusted. (provider: SSL Provider, error: 0)',
    ['likely unknown-ca', 'likely chain-incomplete'],
    { side: 'client' },
  ),
  one(
    'rustls',
    'error trying to connect: invalid peer certificate: UnknownIssuer',
    ['likely unknown-ca', 'likely chain-incomplete'],
    { side: 'client' },
  ),
  one(
    'rustls',
    'invalid peer certificate: certificate not valid for name "db.internal"; certificate is only valid for DnsName("api.internal")',
    ['certain name-mismatch'],
    { evidence: { asked: 'db.internal', names: 'api.internal' } },
  ),
  one('rustls', 'received fatal alert: CertificateRequired', ['certain client-certificate-required']),
  one(
    'rustls',
    'received fatal alert: HandshakeFailure',
    ['likely no-common-suite', 'likely client-certificate-required', 'possible key-type-mismatch'],
    { side: 'client' },
  ),
  one(
    'rustls',
    'received corrupt message of type InvalidContentType',
    ['likely plaintext-service', 'possible starttls-needed'],
    { side: 'client' },
  ),
  one(
    'Ruby',
    'SSL_connect returned=1 errno=0 peeraddr=10.0.0.7:443 state=error: certificate verify failed (unable to get local issuer certificate) (OpenSSL::SSL::SSLError)',
    ['likely unknown-ca', 'likely chain-incomplete'],
  ),
  one(
    'Ruby',
    'hostname "db.internal" does not match the server certificate (OpenSSL::SSL::SSLError)',
    ['likely name-mismatch', 'possible no-subject-alt-name', 'possible ip-not-in-certificate'],
    { evidence: { asked: 'db.internal' } },
  ),
  one(
    'PHP',
    "Warning: stream_socket_client(): Peer certificate CN=`api.internal' did not match expected CN=`db.internal' in /srv/app.php on line 3",
    ['certain name-mismatch'],
    { evidence: { names: 'api.internal', asked: 'db.internal' } },
  ),
  one(
    'PHP, phpredis',
    'PHP Warning:  Redis::connect(): SSL: Handshake timed out in /srv/app.php on line 3',
    ['likely plaintext-service', 'likely no-answer'],
    { side: 'client' },
  ),
  one(
    'node-postgres',
    'Error: The server does not support SSL connections\n    at Socket.<anonymous> (/app/node_modules/pg/lib/connection.js:76:37)',
    ['certain tls-off'],
  ),
  one('lib/pq', 'pq: SSL is not enabled on the server', ['certain tls-off']),
  one(
    'pgx',
    'failed to connect to `host=db.internal user=app database=orders`: tls error (server refused TLS connection)',
    ['certain tls-off'],
  ),
  one('asyncpg', 'ConnectionError: PostgreSQL server at "db.internal:5432" rejected SSL upgrade', ['certain tls-off']),
  one(
    'pgjdbc',
    'org.postgresql.util.PSQLException: FATAL: no pg_hba.conf entry for host "10.0.0.7", user "app", database "orders", no encryption',
    ['likely tls-required'],
    { evidence: { client: '10.0.0.7', user: 'app', database: 'orders' } },
  ),
  one(
    'PostgreSQL 16, log',
    'LOG:  could not accept SSL connection: certificate verify failed\nDETAIL:  Client certificate verification failed at depth 0: certificate has expired.\n\tFailed certificate data (unverified): subject "/CN=app", serial number 5, issuer "/CN=Shop Intermediate".',
    ['likely client-certificate-expired', 'possible clock-skew'],
  ),
  one(
    'MySQL 8',
    'ERROR 3159 (HY000): Connections using insecure transport are prohibited while --require_secure_transport=ON.',
    ['certain tls-required'],
  ),
  one('MySQL 8', "ERROR 2026 (HY000): SSL connection error: SSL is required but the server doesn't support it", [
    'certain tls-off',
  ]),
  one(
    'mysql2',
    'Ignoring invalid configuration option passed to Connection: sslmode. This is currently a warning, but in future versions of MySQL2, an error will be thrown',
    ['certain url-parameter-invalid'],
    { evidence: { parameter: 'sslmode' } },
  ),
  one('Postfix', 'SMTP error from remote mail server after MAIL FROM: 530 5.7.0 Must issue a STARTTLS command first', [
    'certain tls-required',
  ]),
  one('Python 3.14 smtplib', 'smtplib.SMTPNotSupportedError: STARTTLS extension not supported by server.', [
    'certain tls-off',
  ]),
  one(
    'Apache',
    '[ssl:emerg] [pid 81:tid 81] AH02565: Certificate and private key shop.internal:443:0 from /etc/ssl/shop.crt and /etc/ssl/shop.key do not match',
    ['likely key-mismatch', 'possible chain-order'],
  ),
  one('Go service', 'tls: private key type does not match public key type', ['certain key-type-mismatch']),
  one('Go service', 'tls: private key does not match public key', ['likely key-mismatch', 'possible chain-order']),
  one('Go service', 'open /etc/ssl/private/app.key: permission denied', ['certain key-permissions'], {
    evidence: { file: '/etc/ssl/private/app.key' },
  }),
  one(
    'Go service',
    '2026/11/25 10:00:00 http: TLS handshake error from 10.0.0.9:41234: remote error: tls: bad certificate',
    ['likely unknown-ca', 'likely name-mismatch', 'possible certificate-not-yet-valid'],
  ),
  one(
    'Go service',
    '2026/11/25 10:00:00 http: TLS handshake error from 10.0.0.9:41234: tls: first record does not look like a TLS handshake',
    ['certain tls-service'],
  ),
  one(
    'Go service',
    "2026/11/25 10:00:00 http: TLS handshake error from 10.0.0.9:41234: tls: client didn't provide a certificate",
    ['certain client-certificate-required'],
  ),
  one(
    'kubelet, wrapped by the terminal',
    'Unable to connect to the server: x509: certificate signed by\n  unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify\n  candidate authority certificate "kubernetes")',
    ['likely retired-ca', 'possible unknown-ca'],
    { evidence: { authority: 'kubernetes' } },
  ),
  one(
    'Erlang, server',
    'TLS server: In state wait_cert at ssl_handshake.erl:2017 generated SERVER ALERT: Fatal - Unknown CA',
    ['certain client-certificate-untrusted'],
  ),
  one('Erlang, server', 'TLS server: In state connection received CLIENT ALERT: Fatal - Unknown CA', [
    'likely unknown-ca',
    'likely chain-incomplete',
  ]),
  one(
    'Erlang, client',
    'TLS client: In state wait_cert_cr at ssl_handshake.erl:2113 generated CLIENT ALERT: Fatal - Unknown CA',
    ['likely unknown-ca', 'likely chain-incomplete'],
  ),
  one('etcd', 'rejected connection from "10.0.0.3:4711" (error "remote error: tls: bad certificate", ServerName "")', [
    'likely unknown-ca',
    'likely name-mismatch',
    'possible certificate-not-yet-valid',
  ]),
  one(
    'Netty',
    'io.netty.handler.ssl.NotSslRecordException: not an SSL/TLS record: 2d455252',
    ['likely plaintext-service', 'possible starttls-needed'],
    { side: 'client' },
  ),
  one(
    'gRPC in Go',
    'rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"',
    ['likely plaintext-service', 'possible starttls-needed'],
  ),
  one(
    'git',
    "fatal: unable to access 'https://git.internal/x.git/': SSL certificate problem: self signed certificate in certificate chain",
    ['likely unknown-ca', 'possible retired-ca'],
  ),
  one(
    'Postfix',
    'postfix/smtpd[812]: SSL_accept error from unknown[10.0.0.9]: -1: error:0A0000C1:SSL routines::no shared cipher',
    ['likely no-common-suite', 'likely key-type-mismatch'],
  ),
  one(
    'Dovecot',
    'imap-login: Disconnected: TLS handshaking: SSL_accept() failed: error:0A000418:SSL routines::tlsv1 alert unknown ca: SSL alert number 48',
    ['likely unknown-ca', 'likely chain-incomplete'],
  ),
];

const BOULDER = 'urn:ietf:params:acme:error:';

const ACME: readonly CollectedMessage[] = [
  one(
    'Boulder, as it is',
    JSON.stringify({
      type: `${BOULDER}rateLimited`,
      detail:
        'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-11-27 05:41:12 UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers',
      status: 429,
    }),
    ['certain acme-rate-limited'],
    {
      evidence: {
        retryAfter: '2026-11-27 05:41:12 UTC',
        limit: 'certificates (5) already issued for this exact set of identifiers in the last 168h0m0s',
      },
    },
  ),
  one(
    'Boulder, with the header',
    `HTTP/2 429\r\nretry-after: 3600\r\ncontent-type: application/problem+json\r\n\r\n{"type":"${BOULDER}rateLimited","detail":"Service busy; retry later."}`,
    ['certain acme-rate-limited'],
    { evidence: { retryAfter: '3600' } },
  ),
  one(
    'certbot, log',
    `2026-11-25 10:00:00,123:ERROR:certbot._internal.log:An unexpected error occurred:\nacme.messages.Error: ${BOULDER}rateLimited :: There were too many requests of a given type :: too many failed authorizations (5) for "shop.example.com" in the last 1h0m0s, retry after 2026-11-25 11:02:03 UTC: see https://letsencrypt.org/docs/rate-limits/`,
    ['certain acme-rate-limited'],
    {
      evidence: {
        retryAfter: '2026-11-25 11:02:03 UTC',
        limit: 'failed authorizations (5) for "shop.example.com" in the last 1h0m0s',
      },
    },
  ),
  one(
    'lego, log',
    `acme: error: 429 :: POST :: https://acme-v02.api.letsencrypt.org/acme/new-order :: ${BOULDER}rateLimited :: too many new orders (300) from this account in the last 3h0m0s, retry after 2026-11-25 12:00:30 UTC: see https://letsencrypt.org/docs/rate-limits/`,
    ['certain acme-rate-limited'],
    { evidence: { retryAfter: '2026-11-25 12:00:30 UTC' } },
  ),
  one(
    'cert-manager, log',
    String.raw`E1125 10:00:00.000000       1 controller.go:167] "re-queuing item due to error processing" err="429 urn:ietf:params:acme:error:rateLimited: too many certificates (50) already issued for \"example.com\" in the last 168h0m0s, retry after 2026-11-26 00:00:00 UTC" logger="cert-manager.controller"`,
    ['certain acme-rate-limited'],
    { evidence: { retryAfter: '2026-11-26 00:00:00 UTC' } },
  ),
  one(
    'certbot, screen',
    `Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:\n  Domain: shop.example.com\n  Type:   unauthorized\n  Detail: 203.0.113.7: Invalid response from http://shop.example.com/.well-known/acme-challenge/Xk3TtZ0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8: 404\n\nHint: The Certificate Authority failed to download the temporary challenge files created by Certbot.`,
    ['likely http01-wrong-server', 'possible http01-redirected'],
    { evidence: { name: 'shop.example.com', answer: '404' } },
  ),
  one(
    'certbot, screen',
    `  Domain: shop.example.com\n  Type:   unauthorized\n  Detail: 203.0.113.7: Invalid response from https://shop.example.com/login?next=/.well-known/acme-challenge/abc: "<!DOCTYPE html>"`,
    ['likely http01-redirected'],
  ),
  one(
    'certbot, screen',
    `  Domain: shop.example.com\n  Type:   connection\n  Detail: 203.0.113.7: Fetching http://shop.example.com/.well-known/acme-challenge/abc: Timeout during connect (likely firewall problem)`,
    ['certain connect-timeout'],
    { evidence: { name: 'shop.example.com' } },
  ),
  one(
    'acme.sh',
    `{"type":"http-01","status":"invalid","error":{"type":"${BOULDER}connection","detail":"203.0.113.7: Fetching http://shop.example.com/.well-known/acme-challenge/abc: Connection refused","status":400}}`,
    ['certain connection-refused'],
  ),
  one(
    'Boulder, subproblems',
    JSON.stringify({
      type: `${BOULDER}compound`,
      detail: 'Some of the identifiers requested were rejected',
      subproblems: [
        {
          type: `${BOULDER}dns`,
          detail:
            'DNS problem: NXDOMAIN looking up A for nowhere.example.com - check that a DNS record exists for this domain',
          identifier: { type: 'dns', value: 'nowhere.example.com' },
        },
        {
          type: `${BOULDER}caa`,
          detail: 'CAA record for shop.example.com prevents issuance',
          identifier: { type: 'dns', value: 'shop.example.com' },
        },
      ],
    }),
    ['certain name-not-resolved'],
    { evidence: { name: 'nowhere.example.com' } },
  ),
  one(
    'Boulder',
    `{"type":"${BOULDER}connection","detail":"203.0.113.7: Fetching http://shop.example.com/.well-known/acme-challenge/abc: Redirect loop detected"}`,
    ['certain http01-redirected'],
  ),
  one(
    'Boulder',
    `{"type":"${BOULDER}unauthorized","detail":"The key authorization file from the server did not match this challenge. Expected \\"abc.def\\" (got \\"xyz\\")"}`,
    ['likely http01-wrong-server', 'possible http01-redirected'],
  ),
  one(
    'Boulder',
    `{"type":"${BOULDER}tls","detail":"203.0.113.7: Fetching https://shop.example.com/.well-known/acme-challenge/abc: remote error: tls: internal error"}`,
    ['likely name-mismatch', 'possible http01-redirected', 'possible handshake-refused'],
  ),
  one('Go', 'remote error: tls: internal error', ['likely name-mismatch', 'possible handshake-refused']),
  one(
    'OpenSSL',
    '4017A4C3:error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:../ssl/record/rec_layer_s3.c:1586:SSL alert number 80',
    ['likely name-mismatch', 'possible handshake-refused'],
  ),
  one(
    'Boulder',
    `{"type":"${BOULDER}unauthorized","detail":"Incorrect TXT record \\"old\\" found at _acme-challenge.shop.example.com"}`,
    ['likely dns01-credentials'],
    { evidence: { name: 'shop.example.com' } },
  ),
  one(
    'Boulder',
    `{"type":"${BOULDER}dns","detail":"DNS problem: NXDOMAIN looking up TXT for _acme-challenge.shop.example.com - check that a DNS record exists for this domain"}`,
    ['likely dns01-credentials', 'possible name-not-resolved'],
  ),
  one('Boulder', `{"type":"${BOULDER}caa","detail":"CAA record for shop.example.com prevents issuance"}`, []),
  one('Boulder', `{"type":"${BOULDER}badNonce","detail":"JWS has an invalid anti-replay nonce"}`, []),
  one(
    'Boulder',
    `{"type":"${BOULDER}rejectedIdentifier","detail":"Cannot issue for \\"db.internal\\": Domain name does not end with a valid public suffix (TLD)"}`,
    [],
  ),
  one('nsupdate, with a clock that is wrong', 'update failed: NOTAUTH(BADTIME)', ['certain clock-skew']),
  one(
    'BIND, log',
    'client @0x7f 127.0.0.1#4711: request has invalid signature: TSIG acme: tsig verify failure (BADTIME)',
    ['certain clock-skew'],
  ),
  one(
    'BIND, log',
    "client @0x7f 127.0.0.1#4711/key acme: updating zone 'shop.internal/IN': update failed: rejected by secure update (REFUSED)",
    ['certain dns01-credentials'],
  ),
  one('certbot-dns-rfc2136', "Encountered error adding TXT record: The peer didn't know the key we used", [
    'certain dns01-credentials',
  ]),
  one('lego, rfc2136', 'rfc2136: failed to insert: DNS update failed: server replied: REFUSED', [
    'certain dns01-credentials',
  ]),
  one(
    'lego, Route 53',
    'route53: AccessDenied: User: arn:aws:iam::1:user/acme is not authorized to perform: route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1',
    ['certain dns01-credentials'],
  ),
  one(
    'cert-manager, Cloudflare',
    'error presenting challenge: Cloudflare API error for POST "/zones/1/dns_records": Error: 10000: Authentication error',
    ['likely dns01-credentials'],
  ),
  one(
    'cert-manager, self check',
    'propagation check failed: presented key (<!DOCTYPE html>) did not match expected (abc.def)',
    ['likely http01-wrong-server', 'possible http01-redirected'],
  ),
  one(
    'Caddy',
    '{"level":"error","msg":"validating authorization","identifier":"shop.example.com","error":"authorization failed: HTTP 400 urn:ietf:params:acme:error:connection - Connection refused"}',
    ['certain connection-refused'],
  ),
  one(
    'cert-manager, self check',
    "Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'",
    ['likely http01-wrong-server', 'possible http01-redirected'],
    { evidence: { answer: '404' } },
  ),
];

/** Nothing of these is about TLS, or nothing is known of its cause. */
const SILENT: readonly CollectedMessage[] = [
  one('nothing', '', []),
  one('PostgreSQL', 'LOG:  database system is ready to accept connections', []),
  one('PostgreSQL', 'FATAL:  password authentication failed for user "app"', []),
  one('PostgreSQL', 'FATAL:  received unencrypted data after SSL request', []),
  // A client that leaves is no fault of anybody known.
  one('PostgreSQL', 'LOG:  could not accept SSL connection: EOF detected', []),
  one(
    'PostgreSQL',
    'FATAL:  no pg_hba.conf entry for host "10.0.0.7", user "app", database "orders", SSL encryption',
    [],
  ),
  one('Go service', 'http: TLS handshake error from 10.0.0.9:41234: EOF', []),
  one('nginx', '"ssl_stapling" ignored, no OCSP responder URL in the certificate "/etc/ssl/a.crt"', []),
  one('a shell', 'bash: fullchain: command not found', []),
  one('a program', "Error: ENOENT: no such file or directory, open '/srv/app/config.json'", []),
  one('a Go program', 'Get "shop.internal": unsupported protocol scheme ""', []),
  one('npm', 'npm error Could not resolve dependency: peer react@"^18" from a@1.0.0', []),
  one('ssh', "Permissions 0644 for '/root/.ssh/id_rsa' are too open.", []),
  one('a program', 'client certificate required: false, tls: on', []),
  one('nginx', 'bind() to 0.0.0.0:443 failed (13: Permission denied)', []),
  one('Python', "TypeError: sorted() got an unexpected keyword argument 'key_func'", []),
  one('Python', "sort key type mismatch in column 'a'", []),
  one('a program', 'tls is on\ncat: /var/lib/app/list.txt: No such file or directory', []),
  one('ssh', 'Permission denied (publickey).', []),
];

export const COLLECTED: readonly CollectedMessage[] = [...GUIDES, ...BROWSERS, ...LIBRARIES, ...ACME, ...SILENT];
