/** The command line: reads argv, hands over to one file a command, prints faults with what to do next. */
import { Command, CommanderError } from 'commander';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { VERSION } from '../version.ts';
import { addCaCommands } from './ca.ts';
import { addCertCommands } from './cert.ts';
import { addCompletionCommand } from './completion.ts';
import { contextOf } from './context.ts';
import { addDiagnoseCommand } from './diagnose.ts';
import { printFault } from './fault-output.ts';
import { addProbeCommand } from './probe.ts';
import { addProvisionerCommands } from './provisioner.ts';
import { addStackCommands } from './stack.ts';
import { addTokenCommand } from './token.ts';
import { addTrustCommands } from './trust.ts';
import { addUpCommand } from './up.ts';

const program = new Command('fullchain')
  .description('Runs the whole TLS life of a self-managed stack: authority, ACME, installation, proof, renewal.')
  .version(VERSION)
  .option(
    '--state <dir>',
    'state directory (default: $FULLCHAIN_STATE, else /var/lib/fullchain for root, else the user’s data directory)',
  )
  .option('--json', 'one JSON document on standard output')
  .option('--quiet', 'only errors')
  .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
  .showHelpAfterError('(fullchain --help shows the commands)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  fullchain up                                          an authority on :9000, made at first start
  fullchain cert issue db.internal --cert db.crt --key db.key
  certbot certonly --standalone -d db.internal --server https://localhost:9000/acme/acme/directory
  fullchain cert list --expires-within 7d               what runs out soon
  fullchain trust install --url https://ca.internal:9000 --fingerprint 9f3c…`,
  );

addUpCommand(program);
addCaCommands(program);
addProvisionerCommands(program);
addTokenCommand(program);
addCertCommands(program);
addTrustCommands(program);
addStackCommands(program);
addProbeCommand(program);
addDiagnoseCommand(program);
addCompletionCommand(program);

/** "cert issue" */
function nameOf(command: Command): string {
  return command.parent === null ? '' : `${nameOf(command.parent)} ${command.name()}`.trim();
}

function pointAtOwnHelp(command: Command): void {
  for (const below of command.commands) {
    below.showHelpAfterError(`(fullchain ${nameOf(below)} --help shows how it is used)`);
    pointAtOwnHelp(below);
  }
}
pointAtOwnHelp(program);

/** With the help of the command that was asked for as what to read next. */
function usage(what: string): OperatorFault {
  let command: Command = program;
  for (const word of process.argv.slice(2))
    command = command.commands.find((below) => below.name() === word) ?? command;
  return new OperatorFault('usage', what, { command: ` ${nameOf(command)}`.trimEnd() });
}

// A reader that has seen enough (head, less) closes the pipe: that is no error of ours.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'EPIPE') throw fault;
  process.exit(process.exitCode ?? 0);
});

try {
  await program.parseAsync(process.argv);
} catch (fault) {
  if (fault instanceof CommanderError) {
    // commander has printed its message; help and version are no errors.
    process.exitCode = fault.exitCode === 0 ? 0 : 2;
    // It came before anything was parsed.
    if (fault.exitCode !== 0 && process.argv.includes('--json'))
      printFault(
        usage(fault.code === 'commander.help' ? 'a command is missing' : fault.message.replace(/^error: /, '')),
        true,
        '',
      );
  } else {
    const { json, paths } = contextOf(program);
    const isUsage = fault instanceof OperatorFault && fault.code === 'usage';
    process.exitCode = printFault(isUsage ? usage(fault.message) : fault, json, paths.root);
    if (!(fault instanceof OperatorFault)) process.exitCode = 1;
  }
}
