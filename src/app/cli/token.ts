/** `fullchain token`: a single-use token for one issuance, made on the authority's host. */
import { type Command, Option } from 'commander';
import { contextOf, durationOption, listOption } from './context.ts';

export interface TokenFlags {
  readonly san?: string[];
  readonly profile: string;
  readonly provisioner: string;
  readonly url?: string;
  readonly lifetime: number;
  readonly passwordFile?: string;
  readonly revoke?: boolean;
}

export function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('A single-use token: whoever has it gets one certificate for these names')
    .argument('<names...>', 'the names; the first is the subject (with --revoke: a serial number)')
    .option('--san <names>', 'further names', listOption)
    .option('--profile <profile>', 'server, client or peer', 'server')
    .option('--provisioner <name>', 'whose key signs it', 'admin')
    .option('--url <url>', 'of the authority, as the user of the token reaches it')
    .addOption(
      new Option('--lifetime <duration>', 'of the token, at most 1h').argParser(durationOption).default(300, '5m'),
    )
    .option('--password-file <file>', 'password of the token key')
    .option('--revoke', 'a token for revoking one certificate')
    .addHelpText(
      'after',
      '\nExamples:\n  fullchain token db.internal 10.0.0.20\n  fullchain token web.internal --profile client --url https://ca.internal:9000 > token',
    )
    .action(async (names: string[], flags: TokenFlags, self: Command) => {
      const { printToken } = await import('../commands/token.ts');
      await printToken(contextOf(self), names, flags);
    });
}
