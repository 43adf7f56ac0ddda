#!/usr/bin/env node
/**
 * Starts the command line under a Node that can run it: this one, or the one in node_modules.
 * Runs on any Node since 18 and prints nothing of its own, unless there is no such Node.
 */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findNode, NODE_PACKAGE, SUPPORTED_NODE } from '../scripts/supported-node.mjs';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const main = join(root, 'src', 'app', 'cli', 'main.ts');
const node = findNode(root);

if (node === process.execPath) {
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
  await runInPlace(node, [main, ...process.argv.slice(2)]);
}
