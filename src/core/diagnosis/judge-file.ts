/** Whether a file of a pair is there, and is what its place wants. */
import { causeFinding, shellQuoted } from './causes.ts';
import type { Finding } from './finding.ts';
import type { ContentFlaw, FileFacts, PairFacts } from './pair-facts.ts';

type Place = 'certificate' | 'key';

interface FlawRow {
  /** After the file's name. */
  readonly what: string;
  readonly remedy: string;
  readonly command?: string;
}

function flawRow(flaw: ContentFlaw, place: Place, line: number): FlawRow {
  const tool = place === 'key' ? 'pkey' : 'x509';
  const wrong = (what: string): FlawRow => ({
    what: `holds ${what}, and no ${place === 'key' ? 'private key' : 'certificate'}`,
    remedy: `Name the file with the ${place} there.`,
    command: 'grep -- -----BEGIN {file}',
  });
  switch (flaw) {
    case 'empty':
      return { what: 'is empty', remedy: `Write the ${place} again.`, command: 'ls -l {file}' };
    case 'utf-16':
      return {
        what: 'is UTF-16 text, of which programs read nothing',
        remedy: 'Write it again as plain ASCII.',
        command: 'iconv -f UTF-16 -t ASCII {file} > {file}.pem',
      };
    case 'der':
      return {
        what: 'is binary (DER), where PEM is wanted',
        remedy: 'Convert it to PEM.',
        command: `openssl ${tool} -inform DER -in {file} -out {file}.pem`,
      };
    case 'pkcs12':
      return {
        what: 'is a PKCS#12 file, where PEM is wanted',
        remedy: 'Take certificate and key out of it.',
        command: `openssl pkcs12 -in {file} ${place === 'key' ? '-nocerts -nodes' : '-nokeys'} -out {file}.pem`,
      };
    case 'not-pem':
      return { what: 'is no PEM: no block begins in it', remedy: `Write the ${place} again as PEM.` };
    case 'truncated':
      return { what: `is cut off: the block that begins in line ${line} has no end`, remedy: 'Write it again, whole.' };
    case 'glued':
      return {
        what: `lacks a line break: line ${line} ends one block and goes on with the next`,
        remedy: 'Put the next block on a line of its own.',
        command: 'sed -i "s/----------BEGIN/-----\\n-----BEGIN/" {file}',
      };
    case 'indented':
      return {
        what: `has something before the dashes of line ${line}, and programs pass that line over`,
        remedy: 'Let every line begin at its margin.',
        command: "sed -i 's/^[[:space:]]*//' {file}",
      };
    case 'damaged':
      return {
        what: `is damaged: what the block of line ${line} holds is no ${place}`,
        remedy: `Write the ${place} again, or put it back from a backup.`,
        command: `openssl ${tool} -in {file} -noout`,
      };
    case 'encrypted':
      return {
        what: 'is encrypted, and a service that starts by itself has nobody to ask for the password',
        remedy: 'Decrypt it for its place, readable for the service alone; or tell the service where the password is.',
        command: '(umask 077 && openssl pkey -in {file} -out {file}.new)',
      };
    case 'no-file':
      return { what: 'is no file', remedy: 'Name the file itself.', command: 'ls -ld {file}' };
    case 'too-large':
      return { what: 'is far too large', remedy: 'Name the file with the pair alone.', command: 'ls -l {file}' };
    case 'private-key':
      return wrong('a private key');
    case 'certificate':
      return wrong('a certificate');
    case 'request':
      return wrong('a certificate request');
    case 'public-key':
      return wrong('a public key');
    case 'other-object':
      return wrong('something else');
  }
}

/**
 * Of both: a directory that is missing, and files in each other's place, are one cause.
 *
 * @param program that reads them, as the system names it; null: not known
 */
export function fileFindings({ certificate, key, isOneFile }: PairFacts, program: string | null): Finding[] {
  if (isOneFile) return fileFinding(certificate, 'certificate', program) ?? fileFinding(key, 'key', program) ?? [];
  if (flawOf(certificate) === 'private-key' && flawOf(key) === 'certificate')
    return [
      causeFinding('file-unusable', {
        subject: key.path,
        where: { file: key.path, line: 1 },
        what: `The files are in each other’s place: ${key.path} holds the certificate, ${certificate.path} the key.`,
        evidence: { certificate: certificate.path, key: key.path },
        remedy: {
          text: 'Name them the other way round.',
          command: `grep -H -- -----BEGIN ${quotedBoth(certificate, key)}`,
        },
      }),
    ];
  const missing = missingAt(certificate);
  if (missing !== null && missing === missingAt(key) && missing !== certificate.path)
    return fileFinding(key, 'key', program, `neither ${certificate.path} nor ${key.path} is there`) ?? [];
  return [...(fileFinding(certificate, 'certificate', program) ?? []), ...(fileFinding(key, 'key', program) ?? [])];
}

function flawOf({ status }: FileFacts<unknown>): ContentFlaw | null {
  return status.kind === 'flawed' ? status.flaw : null;
}

function missingAt({ status }: FileFacts<unknown>): string | null {
  return status.kind === 'missing' ? status.at : null;
}

function quotedBoth(...files: readonly FileFacts<unknown>[]): string {
  return files.map(({ path }) => shellQuoted(path)).join(' ');
}

/** null: nothing to say. */
function fileFinding(
  { path, status }: FileFacts<unknown>,
  place: Place,
  program: string | null,
  instead?: string,
): Finding[] | null {
  switch (status.kind) {
    case 'missing': {
      const { at, link } = status;
      const detail =
        link !== null ? `the link ${link} leads to ${at}, which is not there` : at === path ? '' : `${at} is not there`;
      const what = `${instead ?? `There is no ${place} ${path}`}${detail === '' ? '' : `: ${detail}`}.`;
      return [
        causeFinding('file-missing', {
          subject: path,
          where: { file: path, line: 1 },
          what: what.charAt(0).toUpperCase() + what.slice(1),
          evidence: { missing: at, link },
          words: { file: path },
        }),
      ];
    }
    case 'flawed': {
      const { flaw, line } = status;
      const { what, remedy, command } = flawRow(flaw, place, line);
      return [
        causeFinding('file-unusable', {
          subject: path,
          where: { file: path, line },
          what: `${path}, the ${place}, ${what}.`,
          evidence: { flaw, place },
          remedy: { text: remedy, ...(command && { command: command.replaceAll('{file}', shellQuoted(path)) }) },
        }),
      ];
    }
    case 'usable':
      return status.hasMark ? [markFinding(path, place, program)] : null;
    case 'closed':
      return null;
  }
}

/** Programs in Go, whose library for PEM is not OpenSSL's. */
const IN_GO = /^(?:alertmanager|blackbox|caddy|consul|etcd|grafana|node_exporter|prometheus|traefik|vault)/;

function markFinding(path: string, place: Place, program: string | null): Finding {
  const isFatal = program !== null && IN_GO.test(program);
  return causeFinding('file-unusable', {
    severity: isFatal ? 'error' : 'warning',
    subject: path,
    where: { file: path, line: 1 },
    what: `${path}, the ${place}, begins with a UTF-8 byte order mark.`,
    why: 'OpenSSL 3 passes over the mark; OpenSSL 1.1, and programs in Go such as Caddy and Prometheus, do not see the first block.',
    evidence: { flaw: 'byte-order-mark', place, program },
    remedy: {
      text: 'Remove the mark; editors call it "UTF-8 without BOM".',
      command: String.raw`sed -i '1s/^\xEF\xBB\xBF//' ${shellQuoted(path)}`,
    },
  });
}
