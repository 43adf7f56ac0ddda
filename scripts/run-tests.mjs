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

const running = new Set();
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Test processes are in groups of their own: a terminal's Ctrl-C does not reach them. */
function stopAll(signal) {
  for (const child of running) killGroupOf(child);
  for (const name of STOP_SIGNALS) process.off(name, stopAll);
  process.kill(process.pid, signal);
}
for (const signal of STOP_SIGNALS) process.on(signal, stopAll);

function killGroupOf({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (fault) {
    if (fault.code !== 'ESRCH') throw fault;
  }
}

const REPORTER = fileURLToPath(new URL('./event-reporter.mjs', import.meta.url));

/**
 * @param {object} run
 * @param {string} run.node
 * @param {string} run.root
 * @param {readonly string[]} run.files
 * @param {number} run.timeoutMs of one test
 * @param {number} run.graceMs how long after its last verdict the process may take to end
 * @param {readonly string[]} run.options further options of node --test
 * @param {boolean} run.verbose whether passed tests get a line too
 * @param {(line: string) => void} run.print
 * @returns {Promise<{ passed: number, failed: number, skipped: Map<string, number> }>} skipped by reason
 */
export async function runTests({ node, root, files, timeoutMs, graceMs, options, verbose, print }) {
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
      env: { ...process.env, PATH: `${root}/node_modules/.bin:${process.env.PATH}`, NODE_TEST_CONTEXT: undefined },
    },
  );
  const killGroup = () => killGroupOf(child);
  running.add(child);

  let unfinished = 0;
  let complete = false;
  let verdicts = 0;
  let lastNesting = 0;
  let silent = false;
  const giveUp = () => {
    silent = true;
    killGroup();
  };
  let watchdog = setTimeout(giveUp, timeoutMs + graceMs);

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

  const lines = createInterface({ input: child.stdio[3] });
  lines.on('line', (line) => {
    const event = JSON.parse(line);
    if (event.type === 'enqueue') unfinished += 1;
    else if (event.type === 'complete') unfinished -= 1;
    else if (event.type === 'summary') complete = true;
    else {
      verdicts += 1;
      judge(event);
    }
    clearTimeout(watchdog);
    watchdog = setTimeout(giveUp, unfinished > 0 ? timeoutMs + graceMs : graceMs);
  });
  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  clearTimeout(watchdog);
  killGroup();
  running.delete(child);

  const among = files.length === 1 ? relative(root, files[0]) : `${files.length} files`;
  const oddity = oddEnd({
    silent,
    verdicts,
    unfinished,
    complete,
    failed: totals.failed,
    status: signal ?? `exit status ${status}`,
  });
  if (oddity !== null) fail(among, oddity);
  return totals;
}

/** What is wrong with the way in which the process ended, beside the verdicts of its tests; null if nothing is. */
function oddEnd({ silent, verdicts, unfinished, complete, failed, status }) {
  if (silent && verdicts === 0)
    return 'The test process fell silent before its first verdict: an endless loop, most likely.';
  if (silent && unfinished > 0) return `${unfinished} unfinished after the time limit: an endless loop, most likely.`;
  if (silent)
    return 'All tests have ended, but the process has not: one of them leaves a server, a timer or a child process behind.';
  if (!complete) return `The test process ended before its tests: ${status}.`;
  return status !== 'exit status 0' && failed === 0 ? `No test failed, but the test process did: ${status}.` : null;
}
