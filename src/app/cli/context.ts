/** What every command shares: where the state is, how to print, where passwords come from. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { parseDurationSeconds } from '../../core/time/duration.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { type StatePaths, statePaths } from '../../edge/files/state-directory.ts';

export interface Context {
  readonly paths: StatePaths;
  readonly json: boolean;
  readonly quiet: boolean;
}

export function contextOf(command: Command): Context {
  const { state, json, quiet } = command.optsWithGlobals<{ state?: string; json?: boolean; quiet?: boolean }>();
  return { paths: statePaths(state ?? defaultState()), json: json === true, quiet: quiet === true };
}

function defaultState(): string {
  const { FULLCHAIN_STATE, XDG_DATA_HOME } = process.env;
  if (FULLCHAIN_STATE) return FULLCHAIN_STATE;
  if (process.getuid?.() === 0) return '/var/lib/fullchain';
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'fullchain');
}

/** Password options: a file by option, or the environment; never the command line. */
export function passwordSource(file: string | undefined, variable = 'FULLCHAIN_PASSWORD', ask = false) {
  return { file, environment: process.env[variable], ask };
}

/** One JSON document, or lines for people. */
export function print(context: Context, document: unknown, lines: () => readonly string[]): void {
  if (context.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else if (!context.quiet) for (const line of lines()) process.stdout.write(`${line}\n`);
}

/** commander's argument parsers: a wrong value is wrong usage, with what would be right. */
export function durationOption(text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds === null)
    throw new OperatorFault('usage', `${JSON.stringify(text)} is not a duration; write 24h, 90d, 10y`);
  return seconds;
}

export function algorithmOption(text: string): KeyAlgorithm {
  if (!Object.hasOwn(KEY_ALGORITHMS, text))
    throw new OperatorFault(
      'usage',
      `${JSON.stringify(text)} is not a key algorithm; ${Object.keys(KEY_ALGORITHMS).join(', ')} are`,
    );
  return text as KeyAlgorithm;
}

export function portOption(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535)
    throw new OperatorFault('usage', `${JSON.stringify(text)} is not a port`);
  return port;
}

export function countOption(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new OperatorFault('usage', `${JSON.stringify(text)} is not a count`);
  return Number(text);
}

/** "a,b" and repeated options → one list. */
export function listOption(text: string, before: readonly string[] = []): string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ];
}
