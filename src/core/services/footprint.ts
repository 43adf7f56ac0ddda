/**
 * What apply put on a host for a member of a stack, as it is remembered: enough to take it out again when no stack file says
 * any more what it was.
 */
import type { HostPort } from '../stack/stack.ts';
import type { Action, ConfigurationChange, Desired, InstallLayout } from './service-kind.ts';

export interface Footprint {
  /** null: its directory is somebody else's by now, or what else was there is all that is left. */
  readonly install: InstallLayout | null;
  /** As it is taken out. */
  readonly configuration: readonly ConfigurationChange[];
  /** Makes the service take up that it is out; null: nothing has to. */
  readonly removal: Action | null;
  /** Where the service is reached; null: nowhere that is known. */
  readonly address: HostPort | null;
}

export function footprintOf({ install, configuration, ...actions }: Desired, address: HostPort | null): Footprint {
  return {
    install,
    configuration: configuration.map((change) =>
      change.kind === 'own-file' ? { ...change, content: null } : { ...change, lines: null },
    ),
    removal: actions.removal ?? actions.restart ?? actions.reload,
    address,
  };
}

/** One thing in one place: a directory, a file, or the block of a member in a file. */
export type Place = string;

/**
 * @param name of the member
 * @param real the path without links, so that two ways to one place are one
 */
export function placesOf({ install, configuration }: Footprint, name: string, real: (path: string) => string): Place[] {
  return [
    ...(install === null ? [] : [real(install.directory), ...install.copies.map(({ to }) => real(to))]),
    ...configuration.map((change) => placeOf(change, name, real)),
  ];
}

function placeOf({ kind, path }: ConfigurationChange, name: string, real: (path: string) => string): Place {
  return kind === 'block' ? `${real(path)} # ${name}` : real(path);
}

/** Without what lies in places that are somebody else's; null: that is everything. */
export function withoutPlaces(
  footprint: Footprint,
  name: string,
  taken: ReadonlySet<Place>,
  real: (path: string) => string,
): Footprint | null {
  const configuration = footprint.configuration.filter((change) => !taken.has(placeOf(change, name, real)));
  if (footprint.install === null) return configuration.length === 0 ? null : { ...footprint, configuration };
  const copies = footprint.install.copies.filter(({ to }) => !taken.has(real(to)));
  if (!taken.has(real(footprint.install.directory)))
    return { ...footprint, install: { ...footprint.install, copies }, configuration };
  const files = [...copies.map(copyTakenOut), ...configuration];
  return files.length === 0 ? null : { ...footprint, install: null, configuration: files };
}

/** Where the directory that it was copied from goes on, it is a file like any other. */
function copyTakenOut({ to, mode }: InstallLayout['copies'][number]): ConfigurationChange {
  return { kind: 'own-file', path: to, content: null, mode, why: 'a copy of the pair' };
}
