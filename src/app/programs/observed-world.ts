/**
 * The world of a stack for commands that only look. An authority that cannot be opened or asked hinders nothing but what takes a
 * new certificate: the roots are those that were known last; else those beside an installed pair, if the root of the stack
 * file's fingerprint is among them, which makes them no less trusted; else, where nothing is installed, none is needed.
 */
import type { Stack } from '../../core/stack/stack.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import type { PasswordOptions } from '../passwords.ts';
import { foreseenAuthority, lacksAuthority } from './first-authority.ts';
import type { StackAuthority, StackRoots } from './stack-authority.ts';
import { memberWish, stackMembers } from './stack-members.ts';
import { openAuthority, type StackWorld, stackWorld } from './stack-world.ts';

/** Why the authority cannot be asked. */
export interface AuthorityTrouble {
  readonly fault: unknown;
  /** Where the roots come from all the same. */
  readonly roots: 'known' | 'installed' | 'none';
}

export interface ObservedWorld {
  readonly world: StackWorld;
  readonly trouble: AuthorityTrouble | null;
}

/** @param isPlan an authority that the first apply makes is no trouble */
export async function observeStackWorld(
  stack: Stack,
  paths: StatePaths,
  password: PasswordOptions,
  agentAlive: () => boolean,
  isPlan: boolean,
): Promise<ObservedWorld> {
  const worldOf = (authority: StackAuthority): StackWorld => stackWorld(stack, paths, authority, agentAlive);
  if (isPlan && lacksAuthority(stack, paths))
    return { world: worldOf(await foreseenAuthority(new Error('a plan issues nothing'))), trouble: null };
  let authority: StackAuthority;
  try {
    authority = await openAuthority(stack, paths, password);
  } catch (fault) {
    const unseen = await foreseenAuthority(fault);
    const installed = await installedBeside(worldOf(unseen), stack);
    return installed === null
      ? { world: worldOf(unseen), trouble: { fault, roots: 'none' } }
      : { world: worldOf({ ...unseen, ...installed }), trouble: { fault, roots: 'installed' } };
  }
  try {
    if (authority.remote) await authority.refresh();
    return { world: worldOf(authority), trouble: null };
  } catch (fault) {
    // Nobody waits again and again for what does not answer.
    return {
      world: worldOf({ ...authority, issue: () => Promise.reject(fault) }),
      trouble: { fault, roots: 'known' },
    };
  }
}

/** Roots and revocation lists as a service of the stack has them. */
async function installedBeside(
  world: StackWorld,
  stack: Stack,
): Promise<Pick<StackAuthority, 'roots' | 'revocationLists'> | null> {
  const pinned = stack.authority?.fingerprint;
  let roots: StackRoots | null = null;
  let lists: string | null = null;
  for (const member of stackMembers({ clients: [], services: stack.services })) {
    // Whoever looks at this member is told why it cannot be.
    const wish = await memberWish(world, stack, member).catch(() => null);
    if (wish === null || wish.trust === null) continue;
    const { install, configuration } = wish.desired;
    const current = world.install.readCurrent(install);
    const bundle = current !== null && 'number' in current ? current.trust : [];
    const isOurs = pinned === undefined || bundle.some(({ fingerprint }) => fingerprint === pinned);
    const [active] = bundle;
    if (active !== undefined && isOurs) roots ??= { active, bundle };
    const data = configuration.find((change) => change.kind === 'own-file' && change.isData);
    if (data !== undefined) lists ??= world.configuration.preview(data, member.name).before;
  }
  return roots && { roots: () => roots, revocationLists: () => lists };
}
