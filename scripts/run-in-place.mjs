/** Runs a child as if it were this process: same terminal, same signals, same end. Runs on any Node since 18. */
import { spawn } from 'node:child_process';

/**
 * A terminal's Ctrl-C reaches the child directly, being in the same process group; this process only has to wait.
 * Without a terminal, whoever sent SIGINT may have meant this process alone, so it is passed on like the others.
 */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGCONT'];
const FROM_TERMINAL = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Resolves when the child has ended, with this process's exit status set to the child's; a child that a signal
 * has ended ends this process by the same.
 * @param {string} command
 * @param {readonly string[]} args
 */
export async function runInPlace(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' });
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const forward = (signal) => {
    if (!(hasTerminal && FROM_TERMINAL.has(signal))) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);

  const [status, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...end) => resolve(end));
  });

  for (const name of FORWARDED) process.off(name, forward);
  if (signal === null) process.exitCode = status;
  else process.kill(process.pid, signal);
}
