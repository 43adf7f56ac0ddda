/** Runs a child as if it were this process: same terminal, same signals, same end. Runs on any Node since 18. */
import { spawn } from 'node:child_process';

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'];

/**
 * A terminal sends these to the whole process group, so the child has them already and this process only waits.
 * Without a terminal, whoever sent one may have meant this process alone, and it is passed on like the others.
 */
const FROM_TERMINAL = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Resolves when the child has ended, with its exit status as this process's; a child that a signal has ended ends
 * this process by the same signal.
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function runInPlace(command, args) {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const forward = (signal) => {
    if (!(hasTerminal && FROM_TERMINAL.has(signal))) child.kill(signal);
  };
  // Before the child exists, so that no signal can end this process and leave the child behind.
  for (const signal of FORWARDED) process.on(signal, forward);
  const child = spawn(command, args, { stdio: 'inherit' });
  const [status, endedBy] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...end) => resolve(end));
  });
  for (const signal of FORWARDED) process.off(signal, forward);
  if (endedBy === null) process.exitCode = status;
  else process.kill(process.pid, endedBy);
}
