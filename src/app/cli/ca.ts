/** `fullchain ca`: the authority's own life. */
import { Argument, type Command } from 'commander';
import { addImportCommand } from './ca-import.ts';
import { addRotateCommands } from './ca-rotate.ts';
import { contextOf } from './context.ts';
import { addInitialiseOptions, type InitialiseFlags } from './initialise-flags.ts';

const EXPORTS = ['root', 'roots', 'intermediate'] as const;

export function addCaCommands(program: Command): void {
  const ca = program
    .command('ca')
    .description('The authority’s own life: make it or take one over, look at it, replace its keys, hand out its root');

  addInitialiseOptions(ca.command('init').description('Make root and intermediate in an empty state directory'))
    .addHelpText(
      'after',
      `
Examples:
  fullchain ca init --name "kldload Internal CA" --dns ca.internal,10.0.0.5
  fullchain ca init --root-algorithm rsa-4096 --root-lifetime 10y --root-common-name "Bakery IA Internal CA"
  fullchain ca init --root-only-offline /mnt/usb/ca     the root key never touches this disk`,
    )
    .action(async (flags: InitialiseFlags, self: Command) => {
      const { initialiseAuthority } = await import('../commands/ca.ts');
      await initialiseAuthority(contextOf(self), flags);
    });

  addImportCommand(ca);

  ca.command('status')
    .description('Roots, intermediates, how long they last, how far a rotation is, and what comes next')
    .addHelpText('after', '\nExample:\n  fullchain ca status --json | jq -r .next')
    .action(async (_flags: unknown, self: Command) => {
      const { showStatus } = await import('../commands/ca-status.ts');
      showStatus(contextOf(self));
    });

  addRotateCommands(ca);

  ca.command('list')
    .description('The authority’s certificates')
    .action(async (_flags: unknown, self: Command) => {
      const { listAuthorities } = await import('../commands/ca.ts');
      listAuthorities(contextOf(self));
    });

  ca.command('export')
    .description('A certificate of the authority as PEM on standard output')
    .addArgument(new Argument('<what>', 'root: the active one; roots: all that are trusted now').choices(EXPORTS))
    .addHelpText('after', '\nExample:\n  fullchain ca export roots > roots.pem')
    .action(async (what: string, _flags: unknown, self: Command) => {
      const { exportCertificate } = await import('../commands/ca.ts');
      exportCertificate(contextOf(self), what);
    });
}
