/** Files in fixed places cannot change together as those behind one link do: which pair is seen in between, and for how long. */
import type { InstallLayout } from './service-kind.ts';

/** To be put behind the places; empty where no pair can be seen half. */
export function fixedPlacesText({ directory, copies }: Pick<InstallLayout, 'directory' | 'copies'>): string {
  const [certificate, key] = [
    copies.find(({ file }) => file === 'tls.crt'),
    copies.find(({ file }) => file === 'tls.key'),
  ];
  if (!certificate || !key) return '';
  return ` (one after the other, in this order: for milliseconds the new certificate lies beside the old key; ${directory}/current never mixes them)`;
}
