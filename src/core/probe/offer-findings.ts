/** What a server takes and should not, as findings; and whom it lets in. */
import { causeFinding } from '../diagnosis/causes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { suiteName } from '../tls/cipher-suites.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { isSettled } from './gap.ts';
import { ruleFinding } from './probe-rules.ts';
import { isWide, suiteStrength } from './suite-strength.ts';
import { wordsOf } from './target-words.ts';

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

const SUITE_SETTINGS: Readonly<Record<string, string>> = {
  https: 'nginx: ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;',
  postgres: "postgresql.conf: ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20'",
  mysql: 'my.cnf: ssl_cipher=ECDHE+AESGCM:ECDHE+CHACHA20',
  redis: 'redis.conf: tls-ciphers ECDHE+AESGCM:ECDHE+CHACHA20',
  smtp: 'main.cf: tls_medium_cipherlist = ECDHE+AESGCM:ECDHE+CHACHA20',
  imap: 'Dovecot: ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20',
  pop3: 'Dovecot: ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20',
};

export function protocolFindings({ protocols, target }: EndpointFacts): Finding[] {
  const weak = protocols.filter((version) => version < 'TLSv1.2');
  if (weak.length === 0) return [];
  return [
    ruleFinding('protocols-weak', target, {
      subject: weak.join(', '),
      what: `The server takes ${weak.join(', ')}.`,
      setting: inBrackets(VERSION_SETTINGS[target.protocol]),
      evidence: { protocols: weak },
    }),
  ];
}

/** RFC 9325 §4.1, §4.4: 2048 bits are the least. */
const SHORTEST_PRIME = 2048;

export function suiteFindings({ suites, primeBits, target, gaps }: EndpointFacts): Finding[] {
  const codes = [...new Set(suites.map(({ code }) => code))];
  const namesOf = (strength: string): string[] =>
    codes.filter((code) => suiteStrength(code) === strength).map(suiteName);
  const [broken, weak] = [namesOf('broken'), namesOf('weak')];
  const setting = inBrackets(SUITE_SETTINGS[target.protocol]);
  const isNarrow = codes.length > 0 && !codes.some(isWide) && isSettled(gaps, 'suites');
  const narrow = isNarrow ? [narrowFinding(codes.map(suiteName), target)] : [];
  if (broken.length > 0)
    return [
      ruleFinding('suites-weak', target, {
        severity: 'error',
        subject: some(broken),
        what: `The server takes suites that do not protect: ${some(broken)}.`,
        why: 'Without encryption, without authentication, or with ciphers that are broken, anybody on the way can read or change what is said.',
        setting,
        evidence: { suites: broken, weak },
      }),
      ...narrow,
    ];
  const isShort = primeBits !== null && primeBits < SHORTEST_PRIME;
  if (weak.length === 0 && !isShort) return narrow;
  return [
    ruleFinding('suites-weak', target, {
      subject: weak.length > 0 ? some(weak) : `Diffie-Hellman of ${primeBits} bits`,
      what:
        weak.length > 0
          ? `The server takes suites without forward secrecy or with CBC: ${some(weak)}.`
          : `The server exchanges keys over a prime of ${primeBits} bits.`,
      setting,
      evidence: { suites: weak, primeBits },
    }),
    ...narrow,
  ];
}

function narrowFinding(names: readonly string[], target: EndpointFacts['target']): Finding {
  return ruleFinding('suites-narrow', target, {
    subject: some(names),
    what: 'Clients that want AES-256 or ChaCha20 find neither.',
    setting: inBrackets(SUITE_SETTINGS[target.protocol]),
    evidence: { suites: names },
  });
}

const SHOWN = 3;

function some(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${more} more` : names.join(', ');
}

function inBrackets(setting: string | undefined): string | undefined {
  return setting === undefined ? undefined : `(${setting})`;
}

export function clientFindings(facts: EndpointFacts): Finding[] {
  const { clientCertificate, clientRefused, target } = facts;
  const acceptedAuthorities = [...facts.acceptedAuthorities];
  const common = { subject: target.text, where: { target: target.text }, words: wordsOf(target) };
  if (clientRefused !== null)
    return [
      causeFinding('client-certificate-untrusted', {
        ...common,
        // The alert that says more is not sent by every server.
        confidence: 'likely',
        what: `The server refuses the client certificate: ${clientRefused}.`,
        evidence: { acceptedAuthorities },
        remedy: { command: `fullchain diagnose ${common.words.where}` },
      }),
    ];
  if (clientCertificate !== 'required') return [];
  return [
    causeFinding('client-certificate-required', {
      ...common,
      // Of a server this is as it was meant.
      severity: 'info',
      what: 'The server lets in who shows a client certificate, and nobody else.',
      evidence: { acceptedAuthorities },
    }),
  ];
}
