/** `fullchain up` and `fullchain authority`: the authority, initialised at first start, until it is stopped. */
import type { Command } from 'commander';
import { contextOf, listOption, portOption } from './context.ts';
import { addInitialiseOptions, type InitialiseFlags } from './initialise-flags.ts';

export interface UpFlags extends InitialiseFlags {
  readonly listen?: string;
  readonly httpListen?: string;
  readonly resolver?: string[];
  readonly http01Port?: number;
  readonly tlsAlpn01Port?: number;
  readonly denyAddresses?: string[];
  readonly allowAddresses?: string[];
  readonly acceptClock?: boolean;
}

export function addUpCommand(program: Command): void {
  for (const [name, description] of [
    ['up', 'Run the authority; it is made at the first start'],
    ['authority', 'The same, for a state directory that `ca init` has made'],
  ] as const) {
    const command = program
      .command(name)
      .description(description)
      .option('--listen <address>', 'HOST:PORT for TLS (default: :9000)')
      .option(
        '--http-listen <address>',
        'HOST:PORT for revocation lists over plain HTTP (default: the TLS port answers them too)',
      )
      .option(
        '--resolver <addresses>',
        'HOST:PORT of the DNS servers for validation (default: the system’s)',
        listOption,
      )
      .option('--http-01-port <port>', 'where http-01 looks (default: 80)', portOption)
      .option('--tls-alpn-01-port <port>', 'where tls-alpn-01 looks (default: 443)', portOption)
      .option('--deny-addresses <cidrs>', 'networks that validation may not reach', listOption)
      .option('--allow-addresses <cidrs>', 'the only networks that validation may reach', listOption)
      .option('--accept-clock', 'the clock is right although records are newer than it')
      .addHelpText(
        'after',
        `
Examples:
  fullchain ${name}
  fullchain ${name} --listen 127.0.0.1:9443 --dns ca.internal,10.0.0.5
  fullchain ${name} --state /srv/ca --password-file /etc/fullchain/password`,
      );
    if (name === 'up') addInitialiseOptions(command);
    else
      command
        .option('--dns <names>', 'names and addresses under which it is reached', listOption)
        .option('--password-file <file>', 'password of the issuing key');
    command.action(async (flags: UpFlags, self: Command) => {
      const { runAuthority } = await import('../commands/run-authority.ts');
      await runAuthority(contextOf(self), flags, name === 'up');
    });
  }
}
