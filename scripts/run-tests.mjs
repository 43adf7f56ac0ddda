/**
 * Runs test files in one process of node:test and counts what happened.
 *
 * All files share the process (--test-isolation=none): a process each costs more than the tests. In exchange this
 * file watches over it: a process that falls silent, be it by an endless loop or by something left open after the
 * last test, is killed and counts as a failure. Its process group is killed in any case, so no server outlives it.
 */
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const REPORTER = fileURLToPath(new URL('./event-reporter.mjs', import.meta.url));
/** How long after the last verdict the process may take to end. */
const GRACE_MS = 15_000;

/**
 * @param {object} run
 * @param {string} run.node
 * @param {string} run.root
 * @param {readonly string[]} run.files
 * @param {number} run.timeoutMs of one test
 * @param {readonly string[]} run.options further options of node --test
 * @param {boolean} run.verbose whether passed tests get a line too
 * @param {(line: string) => void} run.print
 * @returns {Promise<{ passed: number, failed: number, skipped: Map<string, number> }>} skipped by reason
 */
export async function runTests({ node, root, files, timeoutMs, options, verbose, print }) {
  const totals = { passed: 0, failed: 0, skipped: new Map() };
  const child = spawn(
    node,
    [
      '--test',
      '--test-isolation=none',
      `--test-timeout=${timeoutMs}`,
      `--test-reporter=${REPORTER}`,
      ...options,
      ...files,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      // A group of its own, to be swept at the end.
      detached: true,
      env: { ...process.env, PATH: `${root}/node_modules/.bin:${process.env.PATH}` },
    },
  );
  const killGroup = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (fault) {
      if (fault.code !== 'ESRCH') throw fault;
    }
  };

  let unfinished = 0;
  let complete = false;
  let lastNesting = 0;
  let silent = false;
  const giveUp = () => {
    silent = true;
    killGroup();
  };
  let watchdog = setTimeout(giveUp, timeoutMs + GRACE_MS);

  const fail = (title, text) => {
    totals.failed += 1;
    print(`✖ ${title}\n${text.replace(/^/gm, '    ')}`);
  };
  const judge = (event) => {
    const where = event.file ? `${relative(root, event.file)}:${event.line}` : '';
    // A test that only groups subtests is not counted besides them: its verdict follows theirs, one level up.
    const isGroup = event.isSuite || lastNesting > event.nesting;
    lastNesting = event.nesting;
    if (event.verdict === 'failed') {
      if (!event.onlyBySubtests) fail(`${where}  ${event.name}`, event.error);
    } else if (event.verdict === 'skipped') {
      const reason = event.reason || 'no reason given';
      totals.skipped.set(reason, (totals.skipped.get(reason) ?? 0) + 1);
    } else if (!isGroup) {
      totals.passed += 1;
      if (verbose)
        print(`✔ ${relative(root, event.file ?? '')}  ${event.name} (${(event.durationMs / 1000).toFixed(1)} s)`);
    }
  };

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, killGroup);
  const lines = createInterface({ input: child.stdio[3] });
  lines.on('line', (line) => {
    const event = JSON.parse(line);
    if (event.type === 'enqueue') unfinished += 1;
    else if (event.type === 'complete') unfinished -= 1;
    else if (event.type === 'summary') complete = true;
    else judge(event);
    clearTimeout(watchdog);
    watchdog = setTimeout(giveUp, unfinished > 0 ? timeoutMs + GRACE_MS : GRACE_MS);
  });
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  clearTimeout(watchdog);
  killGroup();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, killGroup);

  const among = files.length === 1 ? relative(root, files[0]) : `${files.length} files`;
  if (silent && unfinished > 0)
    fail(among, `${unfinished} tests did not end, not even by their time limit: an endless loop, most likely.`);
  else if (silent)
    fail(
      among,
      'All tests have ended, but the process has not: one of them leaves a server, a timer or a child process behind.',
    );
  else if (!complete) fail(among, `The test process ended before its tests: ${signal ?? `exit status ${status}`}.`);
  else if (status !== 0 && totals.failed === 0)
    fail(among, `No test failed, but the test process did: ${signal ?? `exit status ${status}`}.`);
  return totals;
}
