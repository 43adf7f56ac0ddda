/** Files of a service's configuration: ours alone, or one marked block in a person's. */
import { chownSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setMarkedBlock } from '../../core/services/marked-block.ts';
import type { ConfigurationPorts } from '../../flow/agent/agent-ports.ts';
import { writeFileAtomically } from './atomic-file.ts';

export const configurationFiles: ConfigurationPorts = {
  preview(change, service) {
    const before = readIfThere(change.path);
    if (change.kind === 'own-file') return { path: change.path, before, after: change.content };
    const after = setMarkedBlock(before ?? '', service, change.lines, change);
    return { path: change.path, before, after: before === null && after === '' ? null : after };
  },

  write(path, text, mode) {
    if (text === null) {
      rmSync(path, { force: true });
      return;
    }
    const existing = statIfThere(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileAtomically(path, text, existing ? existing.mode & 0o7777 : mode);
    // A person's file keeps its owner; only root can give files away, and only root needs to.
    if (existing && process.getuid?.() === 0) chownSync(path, existing.uid, existing.gid);
  },
};

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  }
}

function statIfThere(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}
