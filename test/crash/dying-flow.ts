/**
 * One flow over the real store and the real keys, in a process that kills itself around the N-th call of a port:
 *
 *   node dying-flow.ts DIRECTORY FLOW before|after N
 *
 * Prints what the flow hands out, as one line of JSON. A process that is not killed by then made fewer calls than N.
 */
import { writeSync } from 'node:fs';
import { type CrashPorts, openCrashWorld } from './crash-world.ts';
import { FLOWS, type FlowName } from './flows.ts';

const [directory = '', flow = '', when = '', at = '0'] = process.argv.slice(2);
let calls = 0;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** Every function of a port counts, in the order in which the calls begin. */
function dying<Port extends object>(port: Port): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => {
        const isLast = ++calls === Number(at);
        if (isLast && when === 'before') die();
        const result: unknown = member.apply(target, args);
        if (!isLast) return result;
        if (!(result instanceof Promise)) return die();
        return result.finally(die);
      };
    },
  });
}

const world = openCrashWorld(directory);
const { store, issuer, random, validate, sleep } = world.ports;
const others = dying({ random, validate, sleep });
const ports: CrashPorts = {
  store: dying(store),
  issuer: dying(issuer),
  random: (byteLength) => others.random(byteLength),
  validate: () => others.validate(),
  sleep: (ms) => others.sleep(ms),
};
const handedOut = await FLOWS[flow as FlowName]({ ...world, ports });
writeSync(1, `${JSON.stringify({ ...handedOut, calls })}\n`);
world.close();
