/** How a service that does not run is started, as far as its reload tells. */
import { commandLine } from './action-text.ts';
import type { Desired } from './service-kind.ts';

/** "systemctl reload NAME" and its kin, with options before the verb such as --user; the unit is the first one. */
const SYSTEMCTL =
  /\bsystemctl((?: +--?[\w=-]+)*) +(?:(?:try-)?reload-or-restart|reload|(?:try-)?restart|kill)(?: +--?[\w=-]+)* +([\w@.:-]+)/;

/** To be put behind "Start it": the command where the reload or the restart names a unit of systemd, else nothing. */
export function startText({ reload, restart }: Pick<Desired, 'reload' | 'restart'>): string {
  for (const action of [reload, restart]) {
    const [, options = '', unit] = (action && SYSTEMCTL.exec(commandLine(action))) ?? [];
    if (unit !== undefined) return `: systemctl${options} start ${unit}`;
  }
  return '';
}

/** What programs and systems say when there is nobody to be told. */
const STOPPED =
  /not running|is not active|inactive unit|does not run|no such process|ESRCH|invalid PID number|could not be found/i;

export function saysStopped(output: string): boolean {
  return STOPPED.test(output);
}
