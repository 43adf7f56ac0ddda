/** `diagnose`: why a connection fails, and the next command. */
import { type Command, Option } from 'commander';
import { STARTTLS_WORDS } from '../../core/probe/protocol.ts';
import { contextOf, countOption } from './context.ts';

export interface DiagnoseFlags {
  readonly ca?: string;
  readonly intermediates?: string;
  readonly connect?: string;
  readonly starttls?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly runAs?: string;
  readonly service?: string;
  readonly stack?: string;
  readonly webroot?: string;
  readonly passwordFile?: string;
  readonly tlsMin?: string;
  readonly tlsMax?: string;
  readonly suites?: string;
  readonly groups?: string;
  readonly message?: string;
  readonly side?: 'client' | 'server';
  readonly timeout: number;
  readonly verbose?: boolean;
}

export function addDiagnoseCommand(program: Command): void {
  program
    .command('diagnose')
    .description('Why a connection fails: one cause, the evidence, the fix as a command; or that nothing is wrong')
    .argument(
      '[targets...]',
      'host:port, a client’s URL such as postgresql://db/?sslmode=verify-full, or http-01://NAME',
    )
    .option('--ca <file>', 'trust these roots (default: this host’s authority and the system’s store)')
    .option('--intermediates <file>', 'certificates that are known and not trusted: they give a missing link its name')
    .option('--connect <address>', 'dial ADDRESS[:PORT]; the name asked for and checked stays the target’s')
    .addOption(new Option('--starttls <protocol>', 'what host:port speaks before TLS').choices(STARTTLS_WORDS))
    .option('--client-cert <file>', 'certificate that the client would show, with its chain')
    .option('--client-key <file>', 'its key')
    .option(
      '--cert <file>',
      'certificate that the service should serve: judged as a file, compared with what is served',
    )
    .option('--key <file>', 'its key')
    .option('--run-as <user>', 'who must be able to read the pair (default with --service: its user)')
    .option('--service <name>', 'pair, user, address and logs of this service of the stack file')
    .option('-f, --stack <file>', 'the stack file of --service (default: fullchain.yaml)')
    .option('--webroot <dir>', 'of http-01://NAME: where tokens are put')
    .option('--tls-min <version>', 'oldest version that the client takes: 1.2')
    .option('--tls-max <version>', 'newest version that it takes: 1.3')
    .option('--suites <names>', 'suites that it takes, IANA names with colons (default: Mozilla intermediate)')
    .option('--groups <names>', 'groups that it takes, such as x25519:secp256r1')
    .option('--password-file <file>', 'of the user in the URL, where only a login shows a cause (default: $MYSQL_PWD)')
    .option('--message <file>', 'no connection: explain this error, log or ACME problem; - reads standard input')
    .addOption(new Option('--side <side>', 'whose message it is').choices(['client', 'server']))
    .option('--timeout <seconds>', 'of each connection', countOption, 5)
    .option('-v, --verbose', 'the evidence too')
    .addHelpText(
      'after',
      `
Examples:
  fullchain diagnose db.internal:5432                   what a client of PostgreSQL meets there
  fullchain diagnose 'postgresql://app@db/shop?sslmode=require'
  fullchain diagnose https://api.internal --client-cert app.crt --client-key app.key
  fullchain diagnose cache:6379 --cert /etc/redis/tls.crt --key /etc/redis/tls.key --run-as redis
  fullchain diagnose --service db -f fullchain.yaml
  journalctl -u nginx -n 20 | fullchain diagnose --message - --side server
  fullchain diagnose http-01://www.example.org --webroot /var/www/acme

Exit status: 0 nothing is wrong, 1 something is, 3 a target could not be reached and nothing else is known to be wrong.`,
    )
    .action(async (targets: string[], flags: DiagnoseFlags, self: Command) => {
      const { diagnose } = await import('../commands/diagnose.ts');
      await diagnose(contextOf(self), targets, flags);
    });
}
