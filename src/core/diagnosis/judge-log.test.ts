import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Instant, instantFromSeconds } from '../time/instant.ts';
import { type CauseId, causeFinding } from './causes.ts';
import type { Confidence, Finding } from './finding.ts';
import { decidedBy, type LoadFacts, loadFailures, standingFailure } from './judge-log.ts';
import { LOG_HABITS } from './log-habits.ts';
import type { LogLine } from './log-lines.ts';
import type { ListeningProcess } from './pair-facts.ts';

const NOW = 1_000_000;
const at = (seconds: number): Instant => instantFromSeconds(NOW + seconds);
const where = { target: 'svc' };

const MISMATCH =
  '2026/11/26 10:00:00 [emerg] 7#7: SSL_CTX_use_PrivateKey("/etc/tls.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)';
const DENIED =
  '2026/11/26 10:00:00 [emerg] 7#7: cannot load certificate key "/etc/tls.key": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied)';

function line(seconds: number, text: string, place = '/log'): LogLine {
  return { place, line: 1, at: at(seconds), text };
}

function nginx(startedAt: number, youngestStartedAt = startedAt): ListeningProcess {
  return {
    ...{ pid: 7, program: 'nginx', uid: 0, unit: null },
    startedAt: at(startedAt),
    youngestStartedAt: at(youngestStartedAt),
  };
}

const FACTS: LoadFacts = { changedAt: new Map(), pairFiles: ['/etc/tls.crt', '/etc/tls.key'], isServed: false };

function standing(
  lines: readonly LogLine[],
  listener: ListeningProcess | null,
  facts: Partial<LoadFacts> = {},
  kind: keyof typeof LOG_HABITS = 'nginx',
): string | null {
  const failures = loadFailures(lines, { habits: LOG_HABITS[kind], listener, now: at(0), where });
  return standingFailure(failures, { ...FACTS, ...facts })?.id ?? null;
}

const CASES: readonly (readonly [title: string, got: string | null, wanted: string | null])[] = [
  ['a reload that failed since the start', standing([line(-10, MISMATCH)], nginx(-90_000)), 'key-mismatch'],
  ['the latest counts', standing([line(-50, MISMATCH), line(-10, DENIED)], nginx(-90_000)), 'key-permissions'],
  ['younger workers: a reload went well since', standing([line(-10, MISMATCH)], nginx(-90_000, -5)), null],
  ['before the start', standing([line(-100, MISMATCH)], nginx(-50)), null],
  ['the start itself, of a service that goes on', standing([line(-50, MISMATCH)], nginx(-50)), 'key-mismatch'],
  ['nobody runs: of the last hour', standing([line(-3000, MISMATCH)], null), 'key-mismatch'],
  ['nobody runs: of another day', standing([line(-90_000, MISMATCH)], null), null],
  ['a clock ahead', standing([line(60, MISMATCH)], null), null],
  [
    'the file was changed since',
    standing([line(-10, MISMATCH)], nginx(-90_000), { changedAt: new Map([['/etc/tls.key', at(-5)]]) }),
    null,
  ],
  [
    'the file was changed before',
    standing([line(-10, MISMATCH)], nginx(-90_000), { changedAt: new Map([['/etc/tls.key', at(-15)]]) }),
    'key-mismatch',
  ],
  ['the pair is served', standing([line(-10, MISMATCH)], nginx(-90_000), { isServed: true }), null],
  [
    'a client’s request',
    standing(
      [line(-10, DENIED.replace('7#7: ', '7#7: *12 ')), line(-9, `2026/11/26 10:00:00 [error] 7#7: *8 ${DENIED}`)],
      nginx(-90_000),
    ),
    null,
  ],
  [
    'PostgreSQL: a reload began since',
    standing(
      [
        line(-10, 'LOG:  could not load private key file "server.key": Permission denied'),
        line(-5, 'LOG:  received SIGHUP, reloading configuration files'),
      ],
      nginx(-90_000),
      {},
      'postgresql',
    ),
    null,
  ],
  [
    'PostgreSQL: words of a client in a line of another kind',
    standing(
      [line(-10, 'u LOG:  could not load private key file "x": Permission denied@d FATAL:  role "u" does not exist')],
      nginx(-90_000),
      {},
      'postgresql',
    ),
    null,
  ],
];

for (const [title, got, wanted] of CASES) test(`a failed load: ${title}`, () => assert.equal(got, wanted));

/** As the programs wrote them here when they were given such a pair; Postfix and Dovecot: as their source has it. */
const WRITTEN: readonly (readonly [kind: keyof typeof LOG_HABITS, text: string, id: string])[] = [
  [
    'haproxy',
    "[ALERT]    (7) : config : parsing [h.cfg:9] : 'bind 127.0.0.1:443' in section 'frontend' : inconsistencies between private key and certificate loaded '/etc/tls.pem'.",
    'key-mismatch',
  ],
  [
    'haproxy',
    "[ALERT]    (7) : config : parsing [h.cfg:9] : 'bind 127.0.0.1:443' in section 'frontend' : unable to stat SSL certificate from file '/etc/none.pem' : No such file or directory.",
    'file-missing',
  ],
  [
    'prometheus',
    'ts=2026-11-26T06:37:43.414Z caller=main.go:808 level=error msg="Unable to validate web configuration file" err="failed to load X509KeyPair: tls: private key does not match public key"',
    'key-mismatch',
  ],
  [
    'node-exporter',
    'ts=2026-11-26T06:37:43.453Z caller=node_exporter.go:201 level=error err="failed to load X509KeyPair: open /etc/n.key: no such file or directory"',
    'file-missing',
  ],
  [
    'caddy',
    'Error: loading initial config: loading new config: loading http app module: provision http: getting tls app: loading tls app module: provision tls: loading certificates: tls: private key does not match public key',
    'key-mismatch',
  ],
  [
    'redis',
    '7:M 26 Nov 2026 06:31:10.146 # Failed to load certificate: /etc/tls.crt: error:0200000D:system library::Permission denied',
    'key-permissions',
  ],
  [
    'postfix',
    'Nov 26 06:00:00 mx postfix/submission/smtpd[7]: warning: TLS library problem: error:05800074:x509 certificate routines::key values mismatch:../crypto/x509/x509_cmp.c:401:',
    'key-mismatch',
  ],
  [
    'dovecot',
    "Nov 26 06:00:00 imap-login: Error: Failed to initialize SSL server context: Can't load private ssl key (ssl_key setting): Key is for a different cert than ssl_cert: user=<>, rip=127.0.0.1",
    'key-mismatch',
  ],
];

for (const [kind, text, id] of WRITTEN) {
  test(`${kind} writes of a load that failed: ${id}`, () =>
    assert.equal(standing([line(-10, text)], null, {}, kind), id));
}

function seen(id: CauseId, confidence: Confidence): Finding {
  return causeFinding(id, { subject: 'x', where, what: 'It was seen.', confidence });
}

test('the log decides between causes that the handshake leaves open, and adds none', () => {
  const open = [seen('client-certificate-required', 'likely'), seen('closed-by-peer', 'likely')];
  const [first, ...rest] = decidedBy([line(0, 'peer did not return a certificate')], open, where);
  assert.deepEqual([first?.id, first?.confidence, rest], ['client-certificate-required', undefined, []]);
  assert.equal(JSON.parse(JSON.stringify(first?.evidence.log)).said, 'peer did not return a certificate');
  // It says nothing, fits both, or is about something else.
  for (const text of ['a good day', 'no shared cipher', 'certificate has expired'])
    assert.deepEqual(decidedBy([line(0, text)], open, where), open);
  const both = [seen('no-common-suite', 'likely'), seen('key-type-mismatch', 'likely')];
  assert.deepEqual(decidedBy([line(0, 'no shared cipher')], both, where), both);
  const sure = [seen('client-certificate-required', 'certain')];
  assert.deepEqual(decidedBy([line(0, 'no shared cipher')], sure, where), sure);
});

test('a hostile line is shown short, without secrets and control characters', () => {
  const text = `${DENIED} \u001b]0;x\u0007 postgres://u:hunter2@db/ password=hunter2 ${'x'.repeat(4000)}`;
  const [failure] = loadFailures([line(-10, text)], { habits: LOG_HABITS.nginx, listener: null, now: at(0), where });
  const shown = JSON.stringify(failure?.finding);
  assert.ok(shown.length < 3000);
  assert.doesNotMatch(shown, /hunter2|\\u001b|\\u0007/);
});
