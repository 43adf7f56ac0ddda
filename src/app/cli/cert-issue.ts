/** `cert issue`: a new key and a certificate for it, from this host's state or from another host's authority by token. */
import type { Command } from 'commander';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { algorithmOption, contextOf, durationOption, listOption } from './context.ts';

export interface IssueFlags {
  readonly cert: string;
  readonly key: string;
  readonly san?: string[];
  readonly lifetime?: number;
  readonly profile: string;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly commonName?: string;
  readonly provisioner: string;
  readonly passwordFile?: string;
  readonly url?: string;
  readonly fingerprint?: string;
  readonly tokenFile?: string;
  readonly force?: boolean;
}

export function addCertIssueCommand(cert: Command): void {
  cert
    .command('issue')
    .description('A new key and its certificate')
    .argument('<names...>', 'DNS names, IP addresses, e-mail addresses, URIs')
    .requiredOption('--cert <file>', 'the chain goes here, leaf first')
    .requiredOption('--key <file>', 'the private key goes here, mode 0600')
    .option('--san <names>', 'further names', listOption)
    .option('--lifetime <duration>', 'default: the provisioner’s (24h)', durationOption)
    .option('--profile <profile>', 'server, client or peer', 'server')
    .option('--key-algorithm <algorithm>', 'of the new key', algorithmOption, 'ecdsa-p256')
    .option('--common-name <name>', 'in the subject; must be one of the names, except in client certificates')
    .option('--provisioner <name>', 'whose limits apply', 'admin')
    .option('--password-file <file>', 'password of the issuing key')
    .option('--url <url>', 'of an authority on another host')
    .option('--fingerprint <hex>', 'SHA-256 of that authority’s root')
    .option('--token-file <file>', 'with the token from `fullchain token` (else $FULLCHAIN_TOKEN)')
    .option('--force', 'overwrite files that exist')
    .addHelpText(
      'after',
      `
Examples:
  fullchain cert issue db.internal 10.0.0.20 --cert db.crt --key db.key
  fullchain cert issue app --profile client --lifetime 7d --cert app.crt --key app.key
  fullchain cert issue web.internal --url https://ca.internal:9000 --fingerprint 9f3c… --token-file token --cert web.crt --key web.key`,
    )
    .action(async (names: string[], flags: IssueFlags, self: Command) => {
      const { issue } = await import('../commands/cert-issue.ts');
      await issue(contextOf(self), names, flags);
    });
}
