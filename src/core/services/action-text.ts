/** What is to be done on the host, as a person would do it by hand. */
import type { Action } from './service-kind.ts';

export function commandLine(action: Action): string {
  switch (action.kind) {
    case 'command':
      return action.argv.map(quoted).join(' ');
    case 'shell':
      return action.command;
    case 'signal':
      return `kill -${action.signal.slice(3)} "$(head -1 ${action.pidFile})"`;
    case 'redis':
      return action.commands.map((command) => `${redisCli(action)} ${command.map(quoted).join(' ')}`).join('; ');
  }
}

function redisCli({ host, ports, first, client }: Extract<Action, { kind: 'redis' }>): string {
  const tls =
    first === 'tls'
      ? ['--tls', '--insecure', ...(client ? ['--cert', client.certificate, '--key', client.key] : [])]
      : [];
  return ['redis-cli', '-h', host, '-p', String(ports[0] ?? 6379), ...tls].map(quoted).join(' ');
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
