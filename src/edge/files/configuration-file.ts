/** Files of a service's configuration: ours alone, or one marked block in a person's. */
import { existsSync, lstatSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { setMarkedBlock } from '../../core/services/marked-block.ts';
import type { ConfigurationPorts } from '../../flow/agent/agent-ports.ts';
import { makeDirectories, writeFileAtomically } from './atomic-file.ts';
import { isErrno, naming } from './write-fault.ts';

export const configurationFiles: ConfigurationPorts = {
  preview(change, service) {
    const before = readIfThere(change.path);
    if (change.kind === 'own-file') return { path: change.path, before, after: change.content };
    const after = setMarkedBlock(before ?? '', service, change.lines, change);
    return { path: change.path, before, after: before === null && after === '' ? null : after };
  },

  write(path, text, mode) {
    naming(path, () => {
      if (text === null) {
        rmSync(path, { force: true });
        return;
      }
      const target = linkTarget(path);
      const existing = statSync(target, { throwIfNoEntry: false });
      makeDirectories(dirname(target));
      // A person's file keeps its owner and mode.
      writeFileAtomically(target, text, existing ? existing.mode & 0o7777 : mode, existing);
    });
  },
};

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    const why = cause instanceof Error ? cause.message : cause;
    throw new OperatorFault('input-unreadable', `${path} cannot be read: ${why}`, { path }, cause);
  }
}

/**
 * A person may keep the file elsewhere and link to it: the link stays. One that a service's user has made leads us only to
 * that user's own files: we may write what it may not.
 *
 * @throws OperatorFault file-unwritable
 */
function linkTarget(path: string): string {
  if (!existsSync(path)) return path;
  const target = realpathSync(path);
  const { uid } = lstatSync(path);
  if (uid !== 0 && statSync(target).uid !== uid)
    throw new OperatorFault(
      'file-unwritable',
      `${path} is a link of user ${uid} to ${target}, which is another user's`,
      { path },
    );
  return target;
}
