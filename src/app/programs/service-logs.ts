/** The logs of a service of the stack file, found as an operator would: what it holds open, what its configuration names, its journal. */
import { resolve } from 'node:path';
import { baseOf, LOG_HABITS, namedLogs, usualUnits } from '../../core/diagnosis/log-habits.ts';
import { datedLines, type LogLine } from '../../core/diagnosis/log-lines.ts';
import type { ListeningProcess } from '../../core/diagnosis/pair-facts.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import { localTime } from '../../edge/system/clock.ts';
import { journalTail, logFileTail } from '../../edge/system/log-tail.ts';
import { configurationFiles, openLogs, workingDirectory } from '../../edge/system/open-logs.ts';

export interface ServiceLogs {
  readonly lines: readonly LogLine[];
  readonly read: readonly ReadLog[];
}

/** As JSON shows it. */
export interface ReadLog {
  readonly place: string;
  /** How many lines count. */
  readonly lines: number;
  /** Why it could not be read; absent: it was. */
  readonly unread?: string;
}

const MOST_FILES = 8;

/** @param since earlier lines are of another time */
export function serviceLogs(
  service: ServiceSpec,
  listener: ListeningProcess | null,
  since: Instant,
  now: Instant,
): ServiceLogs {
  const files = [
    ...new Set([...(listener === null ? [] : openLogs(listener.pid)), ...configuredLogs(service, listener)]),
  ];
  const units = listener === null ? usualUnits(service) : listener.unit === null ? [] : [listener.unit];
  const reads = [
    ...files.slice(0, MOST_FILES).map(logFileTail),
    units.length === 0 ? null : journalTail(units, since),
  ].filter((read) => read !== null);
  const { undated, plain } = LOG_HABITS[service.kind];
  const reading = { now, localTime, ...(undated && { undated }), ...(plain && { plain }) };
  const all = reads.map((read) =>
    'unread' in read ? [] : datedLines(read, reading).filter(({ at }) => at >= since && at <= now),
  );
  return {
    lines: all.flat(),
    read: reads.map((read, index) => ({
      place: read.place,
      lines: all[index]?.length ?? 0,
      ...('unread' in read && { unread: read.unread }),
    })),
  };
}

/** A file as the service names it. */
export function resolvedFor(service: ServiceSpec, listener: ListeningProcess | null, path: string): string {
  const base = baseOf(service) ?? (listener === null ? null : workingDirectory(listener.pid));
  return resolve(base ?? '/', path);
}

function configuredLogs(service: ServiceSpec, listener: ListeningProcess | null): string[] {
  const { configuration, usual } = LOG_HABITS[service.kind];
  const named = configuration(service)
    .flatMap(configurationFiles)
    .flatMap((path) => {
      const read = logFileTail(path);
      return read === null || 'unread' in read ? [] : namedLogs(service, read.text);
    });
  return [...named.map((path) => resolvedFor(service, listener, path)), ...usual(service)];
}
