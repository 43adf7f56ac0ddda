/** Whether what is served is what lies on disk. */
import { formatRfc3339 } from '../time/instant.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { causeFinding, shellQuoted } from './causes.ts';
import type { Finding, Remedy } from './finding.ts';
import type { FileFacts, ListeningProcess } from './pair-facts.ts';

export interface ServedContext {
  /** The leaf of each chain that was received; empty: nothing is known. */
  readonly served: readonly Certificate[];
  /** null: it could not be found. */
  readonly listener: ListeningProcess | null;
  /** What follows "systemctl reload"; null: not known, and then the listener's own. */
  readonly unit: string | null;
}

/** @param leaf of the file */
export function servedFindings(file: FileFacts<unknown>, leaf: Certificate, context: ServedContext): Finding[] {
  const { served, listener, unit } = context;
  if (served.length === 0 || served.some(({ fingerprint }) => fingerprint === leaf.fingerprint)) return [];
  // A server with two pairs may have shown the other one alone.
  const ofItsKind = served.filter(({ publicKey }) => publicKey.kind === leaf.publicKey.kind);
  const [seen] = ofItsKind.length > 0 ? ofItsKind : served;
  if (seen === undefined) return [];
  const { modifiedAt } = file;
  const isReadAgain = listener !== null && modifiedAt !== null && listener.youngestStartedAt > modifiedAt;
  const isCertain = ofItsKind.length > 0 && !isReadAgain;
  return [
    causeFinding('served-not-installed', {
      subject: describeCertificate(seen),
      where: { file: file.path, line: 1 },
      ...(!isCertain && { confidence: 'likely' as const }),
      what: `${file.path} holds another certificate than the one that is served${timesOf(file, listener)}.`,
      ...(isReadAgain && {
        why: 'The service began after this file was written, so it reads another file, or another program answers there.',
      }),
      remedy: isReadAgain
        ? {
            text: 'See which file the service’s configuration names, and who answers at that address.',
            ...(listener !== null && { command: `tr '\\0' ' ' < /proc/${listener.pid}/cmdline` }),
          }
        : reloadRemedy(unit ?? listener?.unit ?? null, listener),
      evidence: {
        served: { fingerprint: seen.fingerprint, ...datesOf(seen) },
        installed: { fingerprint: leaf.fingerprint, ...datesOf(leaf) },
        fileModified: modifiedAt === null ? null : formatRfc3339(modifiedAt),
        process:
          listener === null
            ? null
            : {
                pid: listener.pid,
                program: listener.program,
                since: formatRfc3339(listener.startedAt),
                youngestSince: formatRfc3339(listener.youngestStartedAt),
              },
      },
    }),
  ];
}

/** Of these SIGHUP is the reload, whoever started them. */
const RELOADED_BY_HUP = ['nginx', 'postgres', 'dovecot', 'haproxy'];

function reloadRemedy(unit: string | null, listener: ListeningProcess | null): Partial<Remedy> {
  if (unit !== null) return { command: `systemctl reload ${shellQuoted(unit)}` };
  if (listener === null || !RELOADED_BY_HUP.includes(listener.program)) return {};
  return { command: `kill -HUP ${listener.pid}` };
}

function datesOf({ validity }: Certificate): { readonly notBefore: string; readonly notAfter: string } {
  return { notBefore: formatRfc3339(validity.notBefore), notAfter: formatRfc3339(validity.notAfter) };
}

/** ": it was renewed at …, the process runs since …" */
function timesOf({ modifiedAt }: FileFacts<unknown>, listener: ListeningProcess | null): string {
  const renewed = modifiedAt === null ? null : `the file was renewed at ${formatRfc3339(modifiedAt)}`;
  const runs =
    listener === null
      ? null
      : `${listener.program} (process ${listener.pid}) runs since ${formatRfc3339(listener.startedAt)}`;
  const both = [renewed, runs].filter((part) => part !== null).join(', and ');
  return both === '' ? '' : `: ${both}`;
}
