/** `cert inspect`, `cert verify`, `cert lint`: what lies in a file or is sent by a server, and what it is worth. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { STARTTLS_WORDS, type StarttlsWord } from '../../core/probe/protocol.ts';
import { contextOf, countOption } from './context.ts';

export interface TargetFlags {
  readonly timeout: number;
  readonly starttls?: StarttlsWord;
}

export interface InspectFlags extends TargetFlags {
  readonly servername?: string;
}

export interface VerifyFlags extends TargetFlags {
  readonly ca?: string;
  readonly intermediates?: string;
  readonly name?: string;
  readonly purpose?: string;
  readonly at?: string;
  readonly key?: string;
  readonly passwordFile?: string;
  readonly crl?: readonly string[];
  readonly crlAll?: boolean;
  readonly policy?: readonly string[];
}

export interface LintFlags extends TargetFlags {
  readonly profile?: string;
  readonly public?: boolean;
  readonly servername?: string;
}

const TARGET = 'a file, - for standard input, host:port, or a URL (postgres://…, https://…)';

export function addInspectCommand(cert: Command): void {
  withTimeout(
    cert.command('inspect').description('Shows every certificate, request and revocation list of a file or server'),
  )
    .argument('<target>', TARGET)
    .option('--servername <name>', 'to ask the server for (default: its host name)')
    .addHelpText(
      'after',
      `
Examples:
  fullchain cert inspect db.crt                         the whole chain, not only its first certificate
  fullchain cert inspect db.internal:5433               what the server sends, in its order, verified or not
  fullchain cert inspect db.crt --json | jq -r '.certificates[0].fingerprint'`,
    )
    .action(async (target: string, flags: InspectFlags, self: Command) => {
      const { inspect } = await import('../commands/cert-inspect.ts');
      await inspect(contextOf(self), target, flags);
    });
}

export function addVerifyCommand(cert: Command): void {
  withTimeout(cert.command('verify').description('Would a client accept it? The path to a root, or the precise reason'))
    .argument('<target>', `${TARGET}; the leaf first, then its intermediates`)
    .option('--ca <file>', 'trust these roots (default: this host’s authority and the system’s store)')
    .option('--intermediates <file>', 'certificates that help to build the path, and are not trusted')
    .option('--name <name>', 'DNS name or address that it must be for (default: the host of host:port)')
    .addOption(
      new Option('--purpose <purpose>', 'that it must be for (default: server)').choices(['server', 'client', 'any']),
    )
    .option('--at <time>', 'as if it were then: 2026-11-25T12:00:00Z (default: now)')
    .option('--key <file>', 'check that this key belongs to it')
    .option('--password-file <file>', 'password of the key')
    .option('--crl <file>', 'revocation list by which it must not be revoked; repeatable', collect)
    .option('--crl-all', 'with --crl: of each authority too, also where no list of its issuer was given')
    .option('--policy <oid>', 'certificate policy that it must be valid under; repeatable: one of them', collect)
    .addHelpText(
      'after',
      `
Examples:
  fullchain cert verify fullchain.pem --name db.internal --key db.key
  fullchain cert verify db.crt --ca root_ca.crt --intermediates intermediate_ca.crt
  fullchain cert verify db.internal:5433 --starttls postgres --at 2027-01-01T00:00:00Z
  fullchain cert verify fullchain.pem --crl intermediate.crl --crl root.crl`,
    )
    .action(async (target: string, flags: VerifyFlags, self: Command) => {
      const { verify } = await import('../commands/cert-verify.ts');
      await verify(contextOf(self), target, flags);
    });
}

export function addLintCommand(cert: Command): void {
  withTimeout(cert.command('lint').description('What RFC 5280, browsers and services refuse in it'))
    .argument('<target>', TARGET)
    .addOption(
      new Option(
        '--profile <profile>',
        'as what the first certificate is judged (default: what it says it is)',
      ).choices(['server', 'client', 'peer', 'intermediate', 'root']),
    )
    .option('--public', 'with the limits that browsers set for public authorities')
    .option('--servername <name>', 'to ask the server for (default: its host name)')
    .addHelpText(
      'after',
      '\nExamples:\n  fullchain cert lint db.crt\n  fullchain cert lint www.example.org:443 --public',
    )
    .action(async (target: string, flags: LintFlags, self: Command) => {
      const { lint } = await import('../commands/cert-lint.ts');
      await lint(contextOf(self), target, flags);
    });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function withTimeout(command: Command): Command {
  return command
    .addOption(
      new Option('--starttls <protocol>', 'that comes before TLS (default: by the port)').choices(STARTTLS_WORDS),
    )
    .option('--timeout <seconds>', 'for a server to answer', countOption, 5);
}
