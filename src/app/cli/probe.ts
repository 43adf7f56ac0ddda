/** `probe`: what an endpoint offers. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { STARTTLS_WORDS } from '../../core/probe/protocol.ts';
import { contextOf, countOption } from './context.ts';

export interface ProbeFlags {
  readonly file?: string;
  readonly stack?: string;
  readonly ca?: string;
  readonly intermediates?: string;
  readonly connect?: string;
  readonly starttls?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly timeout: number;
  readonly rate: number;
  readonly concurrency: number;
  readonly thorough?: boolean;
  readonly verbose?: boolean;
}

export function addProbeCommand(program: Command): void {
  program
    .command('probe')
    .description(
      'What an endpoint offers: versions, suites, groups, chain, trust, client certificates, and a fair grade',
    )
    .argument(
      '[targets...]',
      'host:port, or a URL such as https://www.example.org, postgres://db, smtp://mx, rediss://cache',
    )
    .option('--file <file>', 'targets, one a line')
    .option('-f, --stack <file>', 'the services of a stack file')
    .option('--ca <file>', 'trust these roots (default: this host’s authority and the system’s store)')
    .option('--intermediates <file>', 'certificates that are known and not trusted: they give a missing link its name')
    .option('--connect <address>', 'dial ADDRESS[:PORT]; the name asked for and checked stays the target’s')
    .addOption(new Option('--starttls <protocol>', 'what host:port speaks before TLS').choices(STARTTLS_WORDS))
    .option('--client-cert <file>', 'certificate to show, with its chain')
    .option('--client-key <file>', 'its key')
    .option('--timeout <seconds>', 'of each connection', countOption, 5)
    .option('--rate <count>', 'connections that begin in a second; 0: no limit', rateOption, 200)
    .option('--concurrency <count>', 'addresses at the same time', countOption, 16)
    .option('--thorough', 'be refused also where the server logs it (PostgreSQL): finds old versions and every suite')
    .option('-v, --verbose', 'everything that was seen')
    .addHelpText(
      'after',
      `
Every address behind a name is looked at. Nothing is left in the log of a PostgreSQL that takes TLS 1.2, at whatever port; of others one line.

Examples:
  fullchain probe https://www.example.org               a web server, with HSTS and redirects
  fullchain probe db.internal:5432 cache.internal:6379  what well-known ports speak is known
  fullchain probe mx.internal:2525 --starttls smtp
  fullchain probe https://www.example.org --connect 10.0.0.7
  fullchain probe -f fullchain.yaml --json | jq '.targets[].grade.letter'
  fullchain probe --file targets.txt --rate 20

Exit status: 0 nothing is wrong, 1 something is, 3 a target could not be reached and nothing else is wrong.`,
    )
    .action(async (targets: string[], flags: ProbeFlags, self: Command) => {
      const { probe } = await import('../commands/probe.ts');
      await probe(contextOf(self), targets, flags);
    });
}

function rateOption(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('write a number of connections, or 0.');
  return Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text);
}
