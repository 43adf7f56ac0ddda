/** What a server takes and should not, as findings; and whom it lets in. */
import type { Finding } from '../diagnosis/finding.ts';
import { suiteName } from '../tls/cipher-suites.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { type At, again, quoted } from './finding-at.ts';
import { isWide, suiteStrength } from './suite-strength.ts';

/** How to say so to what speaks there. */
const VERSION_SETTINGS: Readonly<Record<string, string>> = {
  https: 'nginx: ssl_protocols TLSv1.2 TLSv1.3;',
  postgres: "postgresql.conf: ssl_min_protocol_version = 'TLSv1.2'",
  mysql: 'my.cnf: tls_version=TLSv1.2,TLSv1.3',
  redis: 'redis.conf: tls-protocols "TLSv1.2 TLSv1.3"',
  smtp: 'main.cf: smtpd_tls_mandatory_protocols = >=TLSv1.2, smtpd_tls_protocols = >=TLSv1.2',
  imap: 'Dovecot: ssl_min_protocol = TLSv1.2',
  pop3: 'Dovecot: ssl_min_protocol = TLSv1.2',
  ldap: 'slapd: olcTLSProtocolMin: 3.3',
};

export function protocolFindings({ protocols, target }: EndpointFacts, at: At): Finding[] {
  const weak = protocols.filter((version) => version < 'TLSv1.2');
  if (weak.length === 0) return [];
  const setting = VERSION_SETTINGS[target.protocol];
  return [
    at(
      'protocols-weak',
      'error',
      weak.join(', '),
      `The server takes ${weak.join(', ')}.`,
      'Versions below TLS 1.2 rest on broken hashes and are forbidden by RFC 8996.',
      { text: `Leave TLS 1.2 and 1.3 only${setting ? ` (${setting})` : ''}, and reload.`, ...again(target) },
      { protocols: weak },
    ),
  ];
}

const SUITE_SETTINGS: Readonly<Record<string, string>> = {
  https: 'nginx: ssl_ciphers',
  postgres: 'postgresql.conf: ssl_ciphers',
  mysql: 'my.cnf: ssl_cipher',
  redis: 'redis.conf: tls-ciphers',
  smtp: 'main.cf: tls_medium_cipherlist',
  imap: 'Dovecot: ssl_cipher_list',
  pop3: 'Dovecot: ssl_cipher_list',
  ldap: 'slapd: olcTLSCipherSuite',
};

const GOOD_SUITES = 'ECDHE+AESGCM:ECDHE+CHACHA20';
const SHORTEST_PRIME = 2048;

export function suiteFindings({ suites, primeBits, target }: EndpointFacts, at: At): Finding[] {
  const codes = [...new Set(suites.map(({ code }) => code))];
  const broken = codes.filter((code) => suiteStrength(code) === 'broken').map(suiteName);
  const weak = codes.filter((code) => suiteStrength(code) === 'weak').map(suiteName);
  const isShort = primeBits !== null && primeBits < SHORTEST_PRIME;
  const text = `Leave the suites that OpenSSL calls ${GOOD_SUITES} (${SUITE_SETTINGS[target.protocol] ?? 'the list of ciphers'}), and reload.`;
  const remedy = { text, ...again(target) };
  const some = (names: readonly string[]): string =>
    names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return [
    ...(broken.length === 0
      ? []
      : [
          at(
            'suites-weak',
            'error',
            some(broken),
            `The server takes suites that do not protect: ${some(broken)}.`,
            'Without encryption, without authentication, or with ciphers that are broken, anybody on the way can read or change what is said.',
            remedy,
            { suites: broken },
          ),
        ]),
    ...(broken.length > 0 || (weak.length === 0 && !isShort)
      ? []
      : [
          at(
            'suites-weak',
            'warning',
            weak.length > 0 ? some(weak) : `Diffie-Hellman of ${primeBits} bits`,
            weak.length > 0
              ? `The server takes suites without forward secrecy or with CBC: ${some(weak)}.`
              : `The server exchanges keys over a prime of ${primeBits} bits.`,
            'Recorded traffic can be read by whoever gets the key later, or a flaw of CBC is used against it.',
            remedy,
            { suites: weak, primeBits },
          ),
        ]),
    ...(codes.length === 0 || codes.some(isWide)
      ? []
      : [
          at(
            'suites-narrow',
            'info',
            some(codes.map(suiteName)),
            'Clients that want AES-256 or ChaCha20 find neither.',
            'Some policies and slow devices insist on one of them.',
            remedy,
            { suites: codes.map(suiteName) },
          ),
        ]),
  ];
}

export function clientFindings(
  { clientCertificate, clientRefused, acceptedAuthorities, target }: EndpointFacts,
  at: At,
): Finding[] {
  if (clientRefused !== null)
    return [
      {
        ...at(
          'client-certificate-untrusted',
          'error',
          target.text,
          `The server refuses the client certificate: ${clientRefused}.`,
          'A client with this certificate gets no connection.',
          {
            text: 'Show a certificate of an authority that the server accepts, with its intermediates, valid now, for clients.',
            command: `fullchain diagnose ${quoted(target.text)}`,
          },
          { acceptedAuthorities: [...acceptedAuthorities] },
        ),
        confidence: 'likely',
      },
    ];
  if (clientCertificate !== 'required') return [];
  return [
    at(
      'client-certificate-required',
      'info',
      target.text,
      'The server lets in who shows a client certificate, and nobody else.',
      'Clients without one are refused, as is meant.',
      { text: 'Show one with --client-cert and --client-key to see what a client of it sees.' },
      { acceptedAuthorities: [...acceptedAuthorities] },
    ),
  ];
}
