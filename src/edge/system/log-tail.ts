/** The end of a log: of a file, or of a unit's journal. Bounded, whatever is there. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { LogTail } from '../../core/diagnosis/log-lines.ts';
import { formatRfc3339, type Instant, instantFromMs } from '../../core/time/instant.ts';

const TAIL_BYTES = 256 * 1024;
/** Lines of a file that is larger are not counted. */
const COUNTED_BYTES = 64 * 1024 * 1024;
const JOURNAL_LINES = 1000;
const PATIENCE_MS = 5000;

export type LogRead = LogTail | { readonly place: string; readonly unread: string };

/** null: there is no such file. A pipe or a device is not read. */
export function logFileTail(path: string): LogRead | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    return { place: path, unread: code === 'EACCES' ? 'permission denied' : String(code) };
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return { place: path, unread: 'it is no file' };
    const start = Math.max(0, stats.size - TAIL_BYTES);
    const text = readAt(file, start, TAIL_BYTES).toString('utf8');
    if (start === 0) return { place: path, text, firstLine: 1 };
    // It begins in the midst of a line.
    const lineEnd = text.indexOf('\n') + 1;
    const before = linesBefore(file, start);
    return { place: path, text: text.slice(lineEnd), firstLine: before === null ? null : before + 2 };
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, position));
}

function linesBefore(file: number, end: number): number | null {
  if (end > COUNTED_BYTES) return null;
  let lines = 0;
  for (let at = 0; at < end; at += TAIL_BYTES)
    for (const byte of readAt(file, at, Math.min(TAIL_BYTES, end - at))) if (byte === 0x0a) lines++;
  return lines;
}

/** null: nothing is in a journal. @param units may have asterisks */
export function journalTail(units: readonly string[], since: Instant): LogRead | null {
  const place = `the journal of ${units.join(', ')}`;
  const { status, stdout, stderr, error } = spawnSync(
    'journalctl',
    [
      ...['--no-pager', '--output=json', '--output-fields=MESSAGE', `--lines=${JOURNAL_LINES}`],
      `--since=@${since}`,
      ...units.map((unit) => `--unit=${unit}`),
    ],
    { encoding: 'utf8', timeout: PATIENCE_MS, maxBuffer: 16 * 1024 * 1024 },
  );
  if (error !== undefined) {
    const code = 'code' in error ? error.code : null;
    return code === 'ENOENT' ? null : { place, unread: String(code) };
  }
  if (/insufficient permissions|Permission denied/i.test(stderr) && stdout === '')
    return { place, unread: 'permission denied' };
  // Of units that are not there, and where no journal is kept, nothing comes.
  if (status !== 0 || stdout === '') return null;
  const text = stdout.split('\n').map(journalLine).join('\n').slice(-TAIL_BYTES);
  return { place, text, firstLine: null, isStamped: true };
}

/** What the service wrote, behind the journal's own time; each entry on one line. */
function journalLine(json: string): string {
  try {
    const entry = JSON.parse(json) as { readonly MESSAGE?: unknown; readonly __REALTIME_TIMESTAMP?: unknown };
    const at = instantFromMs(Number(entry.__REALTIME_TIMESTAMP) / 1000);
    const bytes = entry.MESSAGE;
    const message = Array.isArray(bytes) ? Buffer.from(bytes as number[]).toString('utf8') : String(bytes ?? '');
    return `${formatRfc3339(at)} ${message.replaceAll('\n', ' ')}`;
  } catch {
    // An entry that was cut off.
    return '';
  }
}
