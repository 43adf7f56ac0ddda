/**
 * An apply of the first service of a stack, in a process that kills itself around the N-th call of a port:
 *
 *   node dying-apply.ts FILE STATE rotate|apply before|after N
 *
 * A process that is not killed by then made fewer calls than N, and prints how many.
 */
import { writeSync } from 'node:fs';
import { passwordSource } from '../../src/app/cli/context.ts';
import { readStack } from '../../src/app/programs/read-stack.ts';
import { planMember, stackMembers } from '../../src/app/programs/stack-members.ts';
import { openStackWorld } from '../../src/app/programs/stack-world.ts';
import { statePaths } from '../../src/edge/files/state-directory.ts';
import { applyPlan } from '../../src/flow/agent/apply-plan.ts';

const [file = '', state = '', command = '', when = '', at = '0'] = process.argv.slice(2);
let calls = 0;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** What changes something, or is where a look goes out; between two of these nothing is different for the next run. */
const COUNTED = new Set([
  'remember',
  'lock',
  'stage',
  'activate',
  'mark',
  'prune',
  'repair',
  'write',
  'run',
  'servedFingerprint',
]);

/** These functions of a port count, in the order in which the calls begin. */
function dying<Port extends object>(port: Port): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      return typeof member === 'function' && COUNTED.has(String(name))
        ? counted((...args) => member.apply(target, args))
        : member;
    },
  });
}

function counted<A extends readonly unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const isLast = ++calls === Number(at);
    if (isLast && when === 'before') die();
    const result = call(...args);
    if (!isLast) return result;
    if (result instanceof Promise) return result.finally(die) as R;
    die();
    return result;
  };
}

const stack = readStack(file);
const world = await openStackWorld(stack, statePaths(state), passwordSource(undefined), () => false);
const [member] = stackMembers(stack);
if (!member) throw new Error('the stack has no member');
const plan = await planMember(world, stack, member, command === 'rotate');
await applyPlan(
  {
    obtain: counted(world.obtain),
    install: dying(world.install),
    configuration: dying(world.configuration),
    host: dying(world.host),
    records: dying(world.records),
  },
  plan,
);
world.close();
writeSync(1, `${calls}\n`);
