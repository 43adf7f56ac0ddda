/** What is to be done on the host, as a person would do it by hand. */
import type { Action } from './service-kind.ts';

export function commandLine(action: Action): string {
  switch (action.kind) {
    case 'command':
      return action.argv.join(' ');
    case 'shell':
      return action.command;
    case 'signal':
      return `kill -${action.signal.slice(3)} "$(head -1 ${action.pidFile})"`;
    case 'redis':
      return `redis-cli -h ${action.host} ${action.commands.map((command) => command.join(' ')).join('; ')}`;
  }
}
