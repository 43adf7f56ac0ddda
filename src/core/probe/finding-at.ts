/** A finding at a target: what all of them have in common, and the commands that are shown with them. */
import type { Evidence, Finding, Remedy, Severity } from '../diagnosis/finding.ts';
import type { Target } from './target.ts';

export type At = (
  id: string,
  severity: Severity,
  subject: string,
  what: string,
  why: string,
  remedy: Remedy,
  evidence?: Evidence,
) => Finding;

export function findingAt(target: Target): At {
  return (id, severity, subject, what, why, remedy, evidence = {}) => ({
    id,
    severity,
    subject,
    where: { target: target.text },
    what,
    why,
    remedy,
    evidence,
  });
}

/** Shows whether it helped. */
export function again(target: Target): { readonly command: string } {
  return { command: `fullchain probe ${quoted(target.text)}` };
}

/** For a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
