/**
 * Looking at TLS servers, beside prometheus-blackbox-exporter and sslscan, in rounds that alternate:
 *
 * - verified probes: a handshake with chain and name verified, and when what was sent expires, asked for over HTTP by 16
 *   clients; CPU is that of the prober alone.
 * - sweeps: versions, suites and groups of one server, as `fullchain probe` does for many targets and sslscan for each.
 *
 *   node_modules/.bin/node bench/probe.ts [--quick]
 *
 * One line of JSON on stdout; each figure is the median of its rounds.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuTimeMs } from './cpu-time.ts';
import { isInstalled } from './installed-program.ts';
import { machine } from './machine.ts';
import { median, rounded } from './order-statistics.ts';
import { answers, startProbeTarget } from './probe-target.ts';
import { startServerProgram } from './server-program.ts';

const CLIENTS = 16;
/** Below what the system hands out. */
const [TARGET, OURS, BLACKBOX] = [21_443, 21_444, 21_445];

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { rounds, probes, sweeps } = flags.quick
  ? { rounds: 3, probes: 1000, sweeps: 20 }
  : { rounds: 5, probes: 4000, sweeps: 60 };

interface Figures {
  readonly perSecond: number;
  readonly cpuMsEach: number;
}

for (const peer of ['nginx', 'prometheus-blackbox-exporter', 'sslscan'])
  if (!isInstalled(peer)) throw new Error(`${peer} is not installed: apt-get install ${peer}`);

const scratch = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fullchain-probe-'));
const stops: (() => Promise<void>)[] = [];
try {
  const on = machine(scratch);
  const target = await startProbeTarget(join(scratch, 'target'), TARGET);
  stops.push(target.stop);
  const ours = await startServerProgram(
    process.execPath,
    [new URL('probe-server.ts', import.meta.url).pathname, String(OURS), target.root],
    { logFile: join(scratch, 'ours.log'), isReady: () => answers(OURS) },
  );
  stops.push(ours.stop);
  const config = join(scratch, 'blackbox.yml');
  writeFileSync(
    config,
    `modules:\n  tls:\n    prober: tcp\n    tcp:\n      preferred_ip_protocol: ip4\n      tls: true\n      tls_config: { ca_file: ${target.root} }\n`,
  );
  const blackbox = await startServerProgram(
    'prometheus-blackbox-exporter',
    [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${BLACKBOX}`, '--log.level=error'],
    { logFile: join(scratch, 'blackbox.log'), isReady: () => answers(BLACKBOX) },
  );
  stops.push(blackbox.stop);
  const list = join(scratch, 'targets');
  writeFileSync(list, `127.0.0.1:${TARGET}\n`.repeat(sweeps));

  const seen: Record<'ours' | 'blackbox' | 'sweeps' | 'sslscan', Figures[]> = {
    ours: [],
    blackbox: [],
    sweeps: [],
    sslscan: [],
  };
  for (let round = 0; round <= rounds; round++) {
    const result = {
      ours: await askedOverHttp(OURS, ours.pid),
      blackbox: await askedOverHttp(BLACKBOX, blackbox.pid),
      sweeps: await timed(sweeps, () => [sweepAll(list, target.root)]),
      sslscan: await timed(sweeps, () => [scanAll()]),
    };
    process.stderr.write(`round ${round}/${rounds}${round === 0 ? ' (warm-up)' : ''}: ${JSON.stringify(result)}\n`);
    if (round === 0) continue;
    for (const name of ['ours', 'blackbox', 'sweeps', 'sslscan'] as const) seen[name].push(result[name]);
  }
  const figures = (of: readonly Figures[]) => ({
    perSecond: rounded(median(of.map(({ perSecond }) => perSecond))),
    cpuMsEach: rounded(median(of.map(({ cpuMsEach }) => cpuMsEach))),
  });
  const ratio = (a: readonly Figures[], b: readonly Figures[], of: keyof Figures): number | null =>
    rounded(median(a.map((one) => one[of])) / median(b.map((one) => one[of])));
  process.stdout.write(
    `${JSON.stringify({
      bench: 'probe',
      date: new Date().toISOString(),
      machine: on,
      rounds,
      verifiedProbes: { fullchain: figures(seen.ours), blackbox: figures(seen.blackbox) },
      sweeps: { fullchain: figures(seen.sweeps), sslscan: figures(seen.sslscan) },
      ratio: {
        probesPerSecond: ratio(seen.ours, seen.blackbox, 'perSecond'),
        cpuPerProbe: ratio(seen.ours, seen.blackbox, 'cpuMsEach'),
        sweepsPerSecond: ratio(seen.sweeps, seen.sslscan, 'perSecond'),
        cpuPerSweep: ratio(seen.sweeps, seen.sslscan, 'cpuMsEach'),
      },
    })}\n`,
  );
} finally {
  for (const stop of stops.reverse()) await stop();
  rmSync(scratch, { recursive: true, force: true });
}

async function askedOverHttp(port: number, pid: number): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const [started, cpu] = [performance.now(), cpuTimeMs(pid)];
  let left = probes;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) await askOnce(agent, port);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  return { perSecond: probes / seconds, cpuMsEach: (cpuTimeMs(pid) - cpu) / probes };
}

function askOnce(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent, path: `/probe?module=tls&target=127.0.0.1:${TARGET}` }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if (/^probe_success 1$/m.test(text)) resolve();
        else reject(new Error(`a probe failed: ${text}`));
      });
    }).on('error', reject);
  });
}

/** CPU of the programs that it starts and waits for; what this process does meanwhile is next to nothing. */
async function timed(count: number, work: () => readonly Promise<void>[]): Promise<Figures> {
  const [started, cpu] = [performance.now(), cpuTimeMs(process.pid)];
  await Promise.all(work());
  return {
    perSecond: (1000 * count) / (performance.now() - started),
    cpuMsEach: (cpuTimeMs(process.pid) - cpu) / count,
  };
}

function sweepAll(list: string, root: string): Promise<void> {
  const main = new URL('../src/app/cli/main.ts', import.meta.url).pathname;
  const args = ['probe', '--state', '/nonexistent/state', '--file', list, '--ca', root, '--rate', '0', '--json'];
  return ran(process.execPath, [main, ...args]);
}

/** One after the other, two at a time: it takes one target. */
async function scanAll(): Promise<void> {
  let left = sweeps;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await ran('sslscan', [`127.0.0.1:${TARGET}`]);
  };
  await Promise.all([lane(), lane()]);
}

function ran(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { maxBuffer: 1 << 28 }, (fault) => {
      // 1 says that something is wrong with the target, which is not what is measured.
      if (fault === null || fault.code === 1) resolve();
      else reject(fault);
    });
  });
}
