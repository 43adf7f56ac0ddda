/** The tools that own the trust stores: found, run, and heard when they fail. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

export interface Tool {
  readonly name: string;
  /** Debian's package that has it. */
  readonly package: string;
}

/** They live where an ordinary user's PATH does not look. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin'];

/** Path of a tool, or null when it is not installed. `searchPath` is PATH. */
export function findTool(tool: Tool, searchPath: string): string | null {
  for (const directory of [...searchPath.split(delimiter), ...SYSTEM_DIRECTORIES]) {
    if (directory === '') continue;
    const path = join(directory, tool.name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next directory may have it.
    }
  }
  return null;
}

/** @throws OperatorFault tool-missing */
export function requireTool(tool: Tool, searchPath: string): string {
  const path = findTool(tool, searchPath);
  if (path === null)
    throw new OperatorFault('tool-missing', `${tool.name} is not installed`, { package: tool.package });
  return path;
}

/** Its standard output. @throws OperatorFault trust-store-failed, with what it said */
export function runTool(path: string, args: readonly string[], input = ''): string {
  const { status, signal, stdout, stderr, error } = spawnSync(path, args, {
    input,
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 1 << 26,
  });
  if (status === 0) return stdout;
  // Nothing is heard of a tool that did not start.
  const said = (error ? '' : stderr || stdout).trim().split('\n').slice(-5).join('\n');
  const how = error?.message ?? (signal ? `was ended by ${signal}` : `exited with status ${status}`);
  throw new OperatorFault('trust-store-failed', `${path} ${how}${said ? `: ${said}` : ''}`, {}, error);
}
