/** Users and groups of this host, by name and by number: from its files, else from whatever else it asks (LDAP, systemd). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Reader } from '../../core/diagnosis/pair-facts.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';

/** With all groups of the user. @throws OperatorFault user-unknown */
export function readerNamed(user: string): Reader {
  const entry = entryOf('passwd', user);
  if (entry === null)
    throw new OperatorFault('user-unknown', `this host has no user ${JSON.stringify(user)}`, { user });
  const [name = user, , uid = '', gid = ''] = entry;
  const more = lines('group').filter(([, , , members = '']) => members.split(',').includes(name));
  return { user: name, uid: Number(uid), gids: [Number(gid), ...more.map(([, , number]) => Number(number))] };
}

export function userName(uid: number): string {
  return entryOf('passwd', String(uid))?.[0] ?? String(uid);
}

export function groupName(gid: number): string {
  return entryOf('group', String(gid))?.[0] ?? String(gid);
}

/** Whoever is in the group, as far as the host's own files say. */
export function usersOf(gid: number): string[] {
  const primary = lines('passwd').filter(([, , , number]) => Number(number) === gid);
  const members = lines('group').find(([, , number]) => Number(number) === gid)?.[3] ?? '';
  return [...new Set([...primary.map(([name = '']) => name), ...members.split(',').filter((name) => name !== '')])];
}

/** By name, or by number. */
function entryOf(database: 'passwd' | 'group', key: string): string[] | null {
  const found = lines(database).find(([name, , number]) => name === key || number === key);
  if (found) return found;
  const { stdout, status } = spawnSync('getent', [database, '--', key], { encoding: 'utf8', timeout: 5000 });
  if (status === 0) return stdout.trim().split(':');
  // A container's user may have a number and no name.
  return database === 'passwd' && /^\d{1,10}$/.test(key) ? [key, '', key, key] : null;
}

function lines(database: 'passwd' | 'group'): string[][] {
  return readFileSync(`/etc/${database}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
