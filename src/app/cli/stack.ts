/** `plan`, `apply`, `verify`, `rotate`, `status`, `agent`: the stack of a host, from one file. */
import { type Command, Option } from 'commander';
import { contextOf, durationOption } from './context.ts';

export interface StackFlags {
  readonly file: string;
  readonly passwordFile?: string;
  readonly remove?: boolean;
  readonly interval?: number;
}

export function addStackCommands(program: Command): void {
  const withFile = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addOption(new Option('-f, --file <file>', 'the stack file').default('fullchain.yaml'))
      .option('--password-file <file>', 'password of the issuing key');

  withFile('plan', 'What apply would change and why; nothing is touched').action(
    async (flags: StackFlags, self: Command) => {
      const { plan } = await import('../commands/stack-plan.ts');
      await plan(contextOf(self), flags);
    },
  );
  withFile('apply', 'Bring every service and client of the stack to TLS, and see it served')
    .argument('[members...]', 'only these services and clients')
    .option('--remove', 'take everything out again')
    .action(async (services: string[], flags: StackFlags, self: Command) => {
      const { apply } = await import('../commands/stack-apply.ts');
      await apply(contextOf(self), flags, services, false);
    });
  withFile('rotate', 'New keys and certificates now')
    .argument('[members...]', 'only these services and clients')
    .action(async (services: string[], flags: StackFlags, self: Command) => {
      const { apply } = await import('../commands/stack-apply.ts');
      await apply(contextOf(self), flags, services, true);
    });
  withFile('verify', 'Prove by handshakes what is served, and what is refused')
    .argument('[members...]', 'only these services and clients')
    .action(async (services: string[], flags: StackFlags, self: Command) => {
      const { verify } = await import('../commands/stack-verify.ts');
      await verify(contextOf(self), flags, services);
    });
  withFile('status', 'One page: each service, its state, and when it is next renewed').action(
    async (flags: StackFlags, self: Command) => {
      const { status } = await import('../commands/stack-status.ts');
      await status(contextOf(self), flags);
    },
  );
  withFile('agent', 'Keep the stack as its file says, for ever')
    .option('--interval <duration>', 'how often it looks (default: 1m)', durationOption)
    .option('--print-unit', 'a systemd unit for it')
    .action(async (flags: StackFlags & { readonly printUnit?: boolean }, self: Command) => {
      if (flags.printUnit) {
        const { printUnit } = await import('../commands/agent-unit.ts');
        printUnit(contextOf(self), flags);
        return;
      }
      const { agent } = await import('../commands/agent.ts');
      await agent(contextOf(self), flags);
    });
  program
    .command('stack')
    .description('About stack files')
    .command('schema')
    .description('JSON Schema of the stack file, for editors')
    .action(async () => {
      const { printSchema } = await import('../commands/stack-schema.ts');
      printSchema();
    });
}
