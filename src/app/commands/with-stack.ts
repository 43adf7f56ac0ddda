/** The stack that a command is about, with its world, for as long as the command works. */
import type { Stack } from '../../core/stack/stack.ts';
import { type Context, passwordSource } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { type AuthorityTrouble, observeStackWorld } from '../programs/observed-world.ts';
import { readStack } from '../programs/read-stack.ts';
import { openStackWorld, type StackWorld } from '../programs/stack-world.ts';
import { agentAlive } from '../stack-state.ts';

/** @throws OperatorFault as readStack, openStackWorld */
export async function withStack<T>(
  context: Context,
  flags: StackFlags,
  work: (stack: Stack, world: StackWorld) => Promise<T>,
): Promise<T> {
  const stack = readStack(flags.file);
  const isAlive = () => agentAlive(context.paths);
  const world = await openStackWorld(stack, context.paths, passwordSource(flags.passwordFile), isAlive);
  try {
    return await work(stack, world);
  } finally {
    world.close();
  }
}

/** For a command that only looks, with whatever keeps the authority from being asked. @throws OperatorFault as readStack */
export async function withObservedStack(
  { paths }: Context,
  { file, passwordFile }: StackFlags,
  work: (stack: Stack, world: StackWorld, trouble: AuthorityTrouble | null) => Promise<void>,
  isPlan = false,
): Promise<void> {
  const stack = readStack(file);
  const isAlive = () => agentAlive(paths);
  const { world, trouble } = await observeStackWorld(stack, paths, passwordSource(passwordFile), isAlive, isPlan);
  try {
    await work(stack, world, trouble);
  } finally {
    world.close();
  }
}
