/**
 * What a server should not take or say, though clients get in: rules that `audit` has for configuration, seen from outside.
 * One row an id; causes of failure are in ../diagnosis/causes.ts.
 */
import { shellQuoted } from '../diagnosis/causes.ts';
import type { Evidence, Finding, Severity } from '../diagnosis/finding.ts';
import type { Target } from './target.ts';
import { pasteable } from './target-words.ts';

interface RuleRow {
  readonly severity: Severity;
  /** One sentence: what comes of it. */
  readonly why: string;
  readonly remedy: string;
}

export const PROBE_RULES = {
  'protocols-weak': {
    severity: 'error',
    why: 'Versions below TLS 1.2 rest on broken hashes and are forbidden by RFC 8996.',
    remedy: 'Leave TLS 1.2 and 1.3 only, and reload.',
  },
  'suites-weak': {
    severity: 'warning',
    why: 'Recorded traffic can be read by whoever gets the key later, or a flaw of CBC is used against it.',
    remedy:
      'Leave suites with forward secrecy and authenticated encryption only (OpenSSL: ECDHE+AESGCM:ECDHE+CHACHA20), and reload.',
  },
  'suites-narrow': {
    severity: 'info',
    why: 'Some policies insist on AES-256, and slow devices on ChaCha20.',
    remedy: 'Add the suites with AES-256-GCM and ChaCha20.',
  },
  'hsts-missing': {
    severity: 'warning',
    why: 'The first visit of a browser can be led astray in plaintext, and nobody notices.',
    remedy:
      'Send it with every answer over TLS (nginx: add_header Strict-Transport-Security "max-age=63072000" always;).',
  },
  'hsts-preload': {
    severity: 'warning',
    why: 'The list takes no such name, and once on it the way back takes months.',
    remedy: 'Leave preload out until max-age is a year, with includeSubDomains, and all of them speak TLS.',
  },
  'plaintext-listener': {
    severity: 'warning',
    why: 'Who comes by http stays in plaintext.',
    remedy: 'Redirect everything to https, but for /.well-known/acme-challenge/.',
  },
  'mixed-content': {
    severity: 'warning',
    why: 'Browsers block such scripts and styles, and what they do load can be changed on the way.',
    remedy: 'Write these addresses with https, or without host.',
  },
} as const satisfies Readonly<Record<string, RuleRow>>;

export type ProbeRuleId = keyof typeof PROBE_RULES;

export interface RuleCase {
  readonly subject: string;
  /** One sentence: what was seen. */
  readonly what: string;
  readonly evidence: Evidence;
  /** Where it is worse than the row says. */
  readonly severity?: Severity;
  readonly why?: string;
  /** Where to write it, of what speaks there. */
  readonly setting?: string | undefined;
}

export function ruleFinding(id: ProbeRuleId, target: Target, one: RuleCase): Finding {
  const row: RuleRow = PROBE_RULES[id];
  return {
    id,
    severity: one.severity ?? row.severity,
    subject: one.subject,
    where: { target: target.text },
    what: one.what,
    why: one.why ?? row.why,
    remedy: {
      text: one.setting === undefined ? row.remedy : `${row.remedy} ${one.setting}`,
      // Shows whether it helped.
      command: `fullchain probe ${shellQuoted(pasteable(target))}`,
    },
    evidence: one.evidence,
  };
}
