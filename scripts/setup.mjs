/**
 * Makes node_modules what package-lock.json says. Runs on any Node since 18; takes a few milliseconds when there is
 * nothing to do, and then writes nothing.
 *
 * Whether there is something to do is read off `node_modules/.package-lock.json`, npm's own record of what it has
 * installed. `npm ci` deletes it first and writes it after everything else, so an interrupted installation has none.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What setup could not do, with the cause and the next command; `message` is for people. */
export class SetupFault extends Error {}

/**
 * @param {string} root the folder of package.json
 * @param {{ development: boolean }} options whether devDependencies are needed too
 * @throws {SetupFault}
 */
export async function setup(root, { development }) {
  if (isInstalled(root, development)) return;
  process.stderr.write('Installing dependencies as package-lock.json has them (npm ci) …\n');
  await npmCi(root, development);
  if (isInstalled(root, development)) return;
  throw new SetupFault(
    `npm ci succeeded, but ${join(root, 'node_modules')} still lacks packages of package-lock.json.\nNext: npm ls --all, which names them`,
  );
}

/**
 * @param {string} root
 * @param {boolean} development
 */
export function isInstalled(root, development) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (wanted === null)
    throw new SetupFault(`${join(root, 'package-lock.json')} is missing.\nNext: git checkout package-lock.json`);
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link || isForAnotherMachine(entry) || (entry.dev && !development)) return true;
    return installed[path]?.integrity === entry.integrity && existsSync(join(root, path, 'package.json'));
  });
}

/** The `packages` of a lockfile, or null if there is no such file or it was cut short. */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (fault) {
    if (fault.code === 'ENOENT' || fault instanceof SyntaxError) return null;
    throw fault;
  }
}

/** npm leaves these out: packages for another system. Of those that name a libc at most one is there. */
function isForAnotherMachine({ os, cpu, libc }) {
  const excludes = (allowed, actual) => allowed !== undefined && ![allowed].flat().includes(actual);
  return excludes(os, process.platform) || excludes(cpu, process.arch) || libc !== undefined;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** On a terminal npm shows its own progress; elsewhere it is heard only if it fails. */
async function npmCi(root, development) {
  const onTerminal = process.stderr.isTTY === true;
  // The Node of node_modules/.bin is about to be deleted: npm must run under the system's.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== join(root, 'node_modules', '.bin'));
  const args = [
    'ci',
    '--no-audit',
    '--no-fund',
    ...(development ? ['--include=dev'] : []),
    ...(onTerminal ? [] : ['--loglevel=error']),
  ];
  const npm = spawn('npm', args, {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    // Never our standard output: that belongs to the program which is started next.
    stdio: onTerminal ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
  });
  let stoppedBy = null;
  const stop = (signal) => {
    stoppedBy = signal;
    npm.kill(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  let heard = '';
  for (const stream of [npm.stdout, npm.stderr]) stream?.setEncoding('utf8').on('data', (text) => (heard += text));
  const [status, signal] = await new Promise((resolve, reject) => {
    npm.once('error', reject);
    npm.once('close', (...end) => resolve(end));
  }).catch((fault) => {
    if (fault.code !== 'ENOENT') throw fault;
    throw new SetupFault(
      'npm is not installed; it is needed to fetch the dependencies.\nNext: apt-get install npm   (Debian), or install Node from https://nodejs.org/en/download',
    );
  });
  for (const signal of STOP_SIGNALS) process.off(signal, stop);
  if (stoppedBy !== null) process.kill(process.pid, stoppedBy);
  if (status === 0) return;
  throw new SetupFault(
    `npm ci ${signal ? `was ended by ${signal}` : `failed with status ${status}`}.\n${heard.split('\n').slice(0, SHOWN_LINES).join('\n')}\n${causeOf(heard)}`,
  );
}

/** npm's codes and its first sentence; its stack traces come below. */
const SHOWN_LINES = 4;
const NETWORK =
  /\b(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E407|E5\d\d)\b/;

/** npm's error codes → the likely cause and what to do. */
function causeOf(heard) {
  const network = NETWORK.exec(heard)?.[1];
  if (network)
    return `Cause: the npm registry could not be reached (${network}).\nNext: npm ping   (shows the registry and the error; behind a proxy: npm config set proxy URL), then run this again`;
  if (/\b(EACCES|EPERM|EROFS)\b/.test(heard))
    return 'Cause: node_modules may not be written to.\nNext: run npm ci as the owner of this folder, once';
  if (/\bENOSPC\b/.test(heard)) return 'Cause: the disk is full; the dependencies need about 500 MB.\nNext: df -h .';
  if (/\bEUSAGE\b/.test(heard))
    return 'Cause: package.json and package-lock.json do not agree.\nNext: npm install, and look at git diff package-lock.json';
  return 'Next: npm ci   (shows the whole error)';
}
