/** The stack that a command is about, with its world, for as long as the command works. */
import type { Stack } from '../../core/stack/stack.ts';
import { type Context, passwordSource } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { readStack } from '../programs/read-stack.ts';
import { openStackWorld, type StackWorld } from '../programs/stack-world.ts';
import { agentAlive } from '../stack-state.ts';

/** @throws OperatorFault as readStack, openStackWorld */
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
    return await work(stack, world);
  } finally {
    world.close();
  }
}
