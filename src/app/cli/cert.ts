/** `fullchain cert`: single certificates. */
import type { Command } from 'commander';
import { addInspectCommand, addLintCommand, addVerifyCommand } from './cert-inspect.ts';
import { addCertIssueCommand } from './cert-issue.ts';
import { addCertListCommand, addCertRevokeCommand, addCertShowCommand } from './cert-list.ts';
import { addCertRenewCommands } from './cert-renew.ts';

export function addCertCommands(program: Command): void {
  const cert = program.command('cert').description('Single certificates: issue, renew, revoke, list, look at, judge');
  addCertIssueCommand(cert);
  addCertRenewCommands(cert);
  addCertRevokeCommand(cert);
  addCertListCommand(cert);
  addCertShowCommand(cert);
  addInspectCommand(cert);
  addVerifyCommand(cert);
  addLintCommand(cert);
}
