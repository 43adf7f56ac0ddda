/** What is to be done on the host, as a person would do it by hand. */
import { CHAIN_FILE, KEY_FILE } from './pair-layout.ts';
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

function redisCli({ host, ports, first, pair, passwordFile }: Extract<Action, { kind: 'redis' }>): string {
  const tls =
    first === 'tls'
      ? ['--tls', '--insecure', '--cert', `${pair}/current/${CHAIN_FILE}`, '--key', `${pair}/current/${KEY_FILE}`]
      : [];
  // Neither the output nor an argument ever holds the password.
  const password = passwordFile === null ? '' : `REDISCLI_AUTH="$(cat ${quoted(passwordFile)})" `;
  return password + ['redis-cli', '-h', host, '-p', String(ports[0] ?? 6379), ...tls].map(quoted).join(' ');
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
