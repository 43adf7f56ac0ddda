/**
 * PostgreSQL's csvlog and jsonlog, read as its log in plain text has it: "2026-11-26 10:00:00.123 UTC [7] LOG:  message". What a
 * client says stands in fields of a record, which may go over several lines: only the message is taken, and no line inside a record
 * is one of its own.
 */

interface PostgresRecord {
  readonly time: string;
  readonly process: string;
  readonly severity: string;
  readonly message: string;
}

const CSV_START = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [\w+:-]{1,10},/;
/** Of the columns that are read (PostgreSQL "Error Reporting and Logging", csvlog). */
const [PROCESS, SEVERITY, MESSAGE] = [3, 11, 13];
const SEVERITY_WORD = /^[A-Z]{3,10}\d?$/;
/** A record that is longer is not read. */
const MOST_LINES = 200;

/** As many lines as came: those behind the first of a record are empty, and all others stay as they are. */
export function plainPostgresLines(lines: readonly string[]): string[] {
  const plain: string[] = [];
  while (plain.length < lines.length) {
    const line = lines[plain.length] ?? '';
    if (!CSV_START.test(line)) {
      plain.push(line.startsWith('{"timestamp":') ? asText(jsonRecord(line)) : line);
      continue;
    }
    const record = wholeRecord(lines, plain.length);
    plain.push(asText(csvRecord(record.join('\n'))), ...record.slice(1).map(() => ''));
  }
  return plain;
}

/** A quote within quotes is doubled: a record is whole when their number is even. */
function wholeRecord(lines: readonly string[], start: number): readonly string[] {
  let isOpen = false;
  for (let end = start; end < Math.min(lines.length, start + MOST_LINES); end++) {
    if (((lines[end] ?? '').split('"').length - 1) % 2 === 1) isOpen = !isOpen;
    if (!isOpen) return lines.slice(start, end + 1);
  }
  return lines.slice(start, start + MOST_LINES);
}

function csvRecord(record: string): PostgresRecord | null {
  const fields = [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'),
  );
  const [time = ''] = fields;
  return recordOf(time, fields[PROCESS], fields[SEVERITY], fields[MESSAGE]);
}

function jsonRecord(line: string): PostgresRecord | null {
  try {
    const { timestamp, pid, error_severity, message } = JSON.parse(line) as Record<string, unknown>;
    return recordOf(timestamp, String(pid), error_severity, message);
  } catch {
    return null;
  }
}

function recordOf(time: unknown, process: unknown, severity: unknown, message: unknown): PostgresRecord | null {
  if (typeof time !== 'string' || typeof severity !== 'string' || !SEVERITY_WORD.test(severity)) return null;
  return typeof process === 'string' && typeof message === 'string' ? { time, process, severity, message } : null;
}

/** null: a record that cannot be read, and is left out. */
function asText(record: PostgresRecord | null): string {
  if (record === null) return '';
  const { time, process, severity, message } = record;
  return `${time} [${process}] ${severity}:  ${message.replaceAll(/\s+/g, ' ')}`;
}
