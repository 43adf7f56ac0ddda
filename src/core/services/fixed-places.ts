/** Files in fixed places cannot change together as those behind one link do: which pair is seen in between, and for how long. */
import type { InstallLayout } from './service-kind.ts';

/** To be put behind the places; empty where no pair can be seen half. */
export function fixedPlacesText({ directory, copies }: Pick<InstallLayout, 'directory' | 'copies'>): string {
  const [certificate, key] = [
    copies.find(({ file }) => file === 'tls.crt'),
    copies.find(({ file }) => file === 'tls.key'),
  ];
  if (!certificate || !key) return '';
  return [
    '; the fixed places follow in this order, each by a rename',
    `until ${key.to} follows, for the time that one small file takes to be written (milliseconds), a program that reads by itself finds the new certificate with the old key`,
    `one that reads when it is told never does, and ${directory}/current changes as a whole`,
  ].join('; ');
}
