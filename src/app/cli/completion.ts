/** `fullchain completion`: the shell's completion, made from the commands as they are. */
import { Argument, type Command, type Option } from 'commander';

/** A command as a shell needs to know it. */
export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionShape[];
  readonly commands: readonly CommandShape[];
  /** What its arguments are; null when it takes none. */
  readonly operand: ValueShape | null;
}

export interface OptionShape {
  /** "--json", or "-d" where there is only that. */
  readonly flags: readonly string[];
  readonly description: string;
  /** null: the option takes no value. */
  readonly value: ValueShape | null;
}

export interface ValueShape {
  readonly kind: 'file' | 'directory' | 'choice' | 'free';
  readonly choices: readonly string[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('Prints what makes the shell complete commands and options')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  fullchain completion bash > /etc/bash_completion.d/fullchain
  fullchain completion zsh > "\${fpath[1]}/_fullchain"
  fullchain completion fish > ~/.config/fish/completions/fullchain.fish`,
    )
    .action(async (shell: Shell) => {
      const { completionScript } = await import('../commands/completion.ts');
      process.stdout.write(completionScript(shell, shapeOf(program)));
    });
}

export function shapeOf(command: Command): CommandShape {
  const help = command.createHelp();
  const visible = help.visibleCommands(command);
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    description: command.description(),
    options: [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
      .filter(({ long }, index, all) => all.findIndex((other) => other.long === long) === index)
      .filter(({ long }) => command.parent === null || long !== '--version')
      .map(optionShape),
    commands: visible.filter((inner) => inner.name() !== 'help').map(shapeOf),
    operand: argument === undefined ? null : valueShape(argument.name(), argument.argChoices),
  };
}

function optionShape(option: Option): OptionShape {
  const [, placeholder] = /[<[]([^>\]]+)[>\]]/.exec(option.flags) ?? [];
  return {
    flags: [option.long, option.short].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    value: placeholder === undefined ? null : valueShape(placeholder, option.argChoices),
  };
}

/** The placeholder of the help says what is wanted: <file>, <dir>, <target>. */
function valueShape(placeholder: string, choices: readonly string[] | undefined): ValueShape {
  if (choices !== undefined) return { kind: 'choice', choices };
  const kind = /^(?:file|cert|key|target)$/.test(placeholder)
    ? 'file'
    : /^(?:dir|directory)$/.test(placeholder)
      ? 'directory'
      : 'free';
  return { kind, choices: [] };
}
