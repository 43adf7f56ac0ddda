/** A token in a webroot for `diagnose`, and its removal, however this process ends. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { PlacedToken } from '../../flow/diagnose/diagnose-http01.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @throws OperatorFault file-unwritable */
export function placeToken(webroot: string): PlacedToken | { readonly kind: 'missing'; readonly what: string } {
  const found = statSync(webroot, { throwIfNoEntry: false });
  if (found === undefined) return { kind: 'missing', what: `There is no directory ${webroot}.` };
  if (!found.isDirectory()) return { kind: 'missing', what: `${webroot} is no directory.` };
  const token = randomBytes(32).toString('base64url');
  // Of the form of a key authorization (RFC 8555 §8.1): a server may look at it.
  const content = `${token}.${randomBytes(32).toString('base64url')}`;
  const made: string[] = [];
  const path = join(webroot, '.well-known', 'acme-challenge', token);
  const remove = (): void => {
    rmSync(path, { force: true });
    for (const directory of made.toReversed()) removeIfEmpty(directory);
    made.length = 0;
    process.off('exit', remove);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    remove();
    // Nobody is in its way any more: it ends the process as it would have done.
    process.kill(process.pid, signal);
  };
  process.on('exit', remove);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    for (const directory of [join(webroot, '.well-known'), join(webroot, '.well-known', 'acme-challenge')])
      if (makeDirectory(directory)) made.push(directory);
    // Never through a link that somebody else has put there.
    writeFileSync(path, content, { flag: 'wx' });
    chmodSync(path, 0o644);
  } catch (cause) {
    remove();
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    throw new OperatorFault(
      'file-unwritable',
      `no token can be put into ${webroot} (${cause.code})`,
      { path: webroot },
      cause,
    );
  }
  return { kind: 'placed', token, content, remove };
}

/** Whether it was not there. Readable for the web server whatever this process keeps to itself by its umask. */
function makeDirectory(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  mkdirSync(path);
  chmodSync(path, 0o755);
  return true;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (cause) {
    // Somebody else has begun to use it.
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
  }
}
