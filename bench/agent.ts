/**
 * One agent with a thousand certificates under management (kind: files, without an address: what the agent itself costs, not
 * the services): the first issue of all of them, renewing all of them, memory, and what a tick costs when nothing is due.
 *
 *   node_modules/.bin/node bench/agent.ts [certificates]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuTimeMs } from './cpu-time.ts';
import { machine } from './machine.ts';

const MAIN = new URL('../src/app/cli/main.ts', import.meta.url).pathname;
const CERTIFICATES = Number(process.argv[2] ?? 1000);
/** Long enough for ticks of a second, and no full look falls into it. */
const IDLE_SECONDS = 20;

const scratch = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fullchain-agent-'));
const [state, file] = [join(scratch, 'state'), join(scratch, 'fullchain.yaml')];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const round = (value: number): number => Math.round(value * 100) / 100;

function writeStack(lifetime: string): void {
  const services = Array.from(
    { length: CERTIFICATES },
    (_, index) => `  app${index}:
    kind: files
    names: [app${index}.test, app${index}.bench.svc.cluster.local]
    certificate: app${index}/tls.crt
    key: app${index}/tls.key
    ca: app${index}/ca.crt
    reload: "true"
`,
  );
  writeFileSync(file, `stack: bench\ndefaults: { lifetime: ${lifetime} }\nservices:\n${services.join('')}`);
}

interface Agent {
  readonly pid: number;
  readonly brought: () => number;
  readonly stop: () => Promise<void>;
}

function startAgent(): Agent {
  const child = spawn(process.execPath, [MAIN, 'agent', '--file', file, '--state', state, '--interval', '1s'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let brought = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    brought += text.split('brought to what').length - 1;
    if (/"level":50/.test(text)) process.stderr.write(text);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid ?? 0,
    brought: () => brought,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Until so many were brought to what the file says. */
async function timed(agent: Agent, total: number) {
  const [started, cpu] = [performance.now(), cpuTimeMs(agent.pid)];
  while (agent.brought() < total) {
    if (performance.now() - started > 600_000) throw new Error(`only ${agent.brought()} of ${total} in ten minutes`);
    await sleep(20);
  }
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: round(CERTIFICATES / seconds), cpuMsEach: round((cpuTimeMs(agent.pid) - cpu) / CERTIFICATES) };
}

function memoryMib(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return round(Number(kib) / 1024);
}

try {
  for (let index = 0; index < CERTIFICATES; index++) mkdirSync(join(scratch, `app${index}`));
  execFileSync(process.execPath, [MAIN, 'ca', 'init', '--state', state], { stdio: 'ignore' });
  const on = machine(scratch);
  writeStack('24h');
  const agent = startAgent();
  const first = await timed(agent, CERTIFICATES);
  // The second look at each, and what the first left for later.
  await sleep(5000);
  const cpu = cpuTimeMs(agent.pid);
  await sleep(IDLE_SECONDS * 1000);
  const tickMs = (cpuTimeMs(agent.pid) - cpu) / IDLE_SECONDS;
  const idleMib = memoryMib(agent.pid);
  // Every name gets another one, so that all are due at once.
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('.bench.svc', '.bench2.svc'));
  const renewed = await timed(agent, 2 * CERTIFICATES);
  const afterMib = memoryMib(agent.pid);
  await agent.stop();
  process.stdout.write(
    `${JSON.stringify({ bench: 'agent', date: new Date().toISOString().slice(0, 10), machine: on, certificates: CERTIFICATES, first, renewed, memoryMib: { idle: idleMib, afterRenewal: afterMib }, idleTick: { cpuMs: round(tickMs), limitMs: 10 } })}\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
