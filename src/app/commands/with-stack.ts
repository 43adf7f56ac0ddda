/** The stack that a command is about, with its world, for as long as the command works. */
import type { Stack } from '../../core/stack/stack.ts';
import { type Context, passwordSource } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { readStack } from '../programs/read-stack.ts';
import { openStackWorld, type StackWorld } from '../programs/stack-world.ts';
import { agentAlive } from '../stack-state.ts';

/**
 * An authority on another host is asked what is new there before anything is said of what it issued.
 *
 * @throws OperatorFault as readStack, openStackWorld
 */
export async function withStack<T>(
  context: Context,
  flags: StackFlags,
  work: (stack: Stack, world: StackWorld) => Promise<T>,
  isPlan = false,
): Promise<T> {
  const stack = readStack(flags.file);
  const isAlive = () => agentAlive(context.paths);
  const world = await openStackWorld(stack, context.paths, passwordSource(flags.passwordFile), isAlive, isPlan);
  try {
    if (world.authority.remote) await refreshed(context, world);
    return await work(stack, world);
  } finally {
    world.close();
  }
}

/** Roots, revocation lists and revocations as they are now; an authority that cannot be asked stops nothing that goes without it. */
export async function refreshed({ quiet }: Context, { authority }: StackWorld): Promise<void> {
  try {
    await authority.refresh();
  } catch (fault) {
    if (quiet) return;
    const why = fault instanceof Error ? fault.message : String(fault);
    process.stderr.write(`${paint('yellow', 'warning:')} roots and revocation lists stay as they were known: ${why}\n`);
  }
}
