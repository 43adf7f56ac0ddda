/**
 * A benchmark in namespaces of its own (Linux): a loopback network where ports 53 and 80 are free and nothing else is
 * reachable, a resolv.conf that asks that loopback, and a process tree that the kernel ends with its first process,
 * however that ends. It needs no privilege where unprivileged user namespaces are allowed.
 *
 * So every server runs as its package has it, validates at port 80 and asks the system's resolver; no file of the
 * host is edited, no port of the host is taken, and no process is left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the process inside finds its scratch directory; its presence says that it is inside. */
const INSIDE = 'FULLCHAIN_BENCH_SCRATCH';

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
const PREPARE = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';

/**
 * Runs this script again inside, where `work` is done; outside, waits for it and removes the scratch directory.
 * Exit status 1 when the work throws.
 */
export async function inOwnNamespaces(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = process.env[INSIDE];
  if (scratch === undefined) return runInside();
  try {
    await work(scratch);
    process.exit(0);
  } catch (fault) {
    process.stderr.write(`${fault instanceof Error ? fault.stack : fault}\n`);
    process.exit(1);
  }
}

async function runInside(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'fullchain-bench-'));
  try {
    const resolverFile = join(scratch, 'resolv.conf');
    writeFileSync(resolverFile, 'nameserver 127.0.0.1\n', { mode: 0o644 });
    const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const command = ['--pdeathsig', 'KILL', 'unshare', ...asRoot, ...NAMESPACES, 'sh', '-c', PREPARE, 'sh'];
    const child = spawn('setpriv', [...command, resolverFile, ...self], {
      stdio: 'inherit',
      env: { ...process.env, [INSIDE]: scratch },
    });
    // The first process of a PID namespace ignores what it does not handle: only its end ends everything.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGKILL'));
    const [status] = (await once(child, 'exit')) as [number | null];
    process.exitCode = status ?? 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
