/** The authority of a host that has none yet: made by the first apply or by the agent, and only foreseen by a plan. */
import type { Stack } from '../../core/stack/stack.ts';
import { isInitialised, type StatePaths } from '../../edge/files/state-directory.ts';
import { STANDARD_FLAGS } from '../cli/initialise-flags.ts';
import { initialiseOptions } from '../commands/initialise-options.ts';
import { inMemoryAuthority } from './in-memory-authority.ts';
import { type Initialised, initialise } from './initialise.ts';
import type { StackAuthority } from './stack-authority.ts';

/** A stack that names no authority has the one of this host. */
export function lacksAuthority({ authority }: Pick<Stack, 'authority'>, paths: StatePaths): boolean {
  return authority === null && !isInitialised(paths);
}

/** @throws OperatorFault as initialise */
export function makeFirstAuthority(paths: StatePaths, passwordFile: string | undefined): Promise<Initialised> {
  const password = passwordFile === undefined ? {} : { passwordFile };
  return initialise(paths, initialiseOptions({ ...STANDARD_FLAGS, ...password }));
}

/** What a look needs of it: nothing that is there leads to it. @param fault why it issues nothing */
export async function foreseenAuthority(fault: unknown): Promise<StackAuthority> {
  const { root } = await inMemoryAuthority(['The root that the first apply makes', 'Its intermediate']);
  return {
    remote: false,
    roots: () => ({ active: root, bundle: [root] }),
    issue: () => Promise.reject(fault),
    revocation: () => null,
    revocationLists: () => null,
    listToSign: () => null,
    refresh: async () => false,
    close() {},
  };
}
