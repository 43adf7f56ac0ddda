#!/usr/bin/env node
/**
 * Starts the command line under a Node that can run it: this one, or the one in node_modules.
 * Runs on any Node since 18 and prints nothing of its own, unless there is no such Node.
 */
import { accessSync, constants, mkdirSync, realpathSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findNode, NODE_PACKAGE, SUPPORTED_NODE } from '../scripts/supported-node.mjs';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const main = join(root, 'src', 'app', 'cli', 'main.ts');
const node = findNode(root);

if (node === process.execPath) {
  keepCompiledCode();
  await import(pathToFileURL(main).href);
} else if (node === null) {
  process.stderr.write(
    `fullchain needs Node ${SUPPORTED_NODE}. This is Node ${process.versions.node}, and ${NODE_PACKAGE}, which would bring one, is not installed.\n` +
      `Next: (cd ${root} && npm ci)\n` +
      'or install Node 26 from https://nodejs.org/en/download and run this again.\n',
  );
  process.exitCode = 1;
} else {
  const { runInPlace } = await import('../scripts/run-in-place.mjs');
  await runInPlace(node, [realpathSync(fileURLToPath(import.meta.url)), ...process.argv.slice(2)]);
}

/**
 * Stripped and compiled code is kept beside the packages, which makes a start three times as fast. Only where nobody else
 * can write: whoever can put code there can run it as this user.
 */
function keepCompiledCode() {
  const directory = join(root, 'node_modules', '.cache', 'fullchain');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK);
    const { uid, mode } = statSync(directory);
    if (uid === process.getuid?.() && (mode & 0o022) === 0) nodeModule.enableCompileCache?.(directory);
  } catch (fault) {
    // A read-only installation starts a little slower, and that is all.
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(fault.code)) throw fault;
  }
}
