/**
 * Which record names which places, kept between questions: a thousand members that are set up one after the other would else
 * read each other's records a million times. A directory that somebody else wrote to is read anew.
 */
import { fileStamp } from './file-stamp.ts';

export interface PlaceIndex {
  /** Of the files in these directories, those that name one of the places. */
  readonly naming: (directories: readonly string[], places: ReadonlySet<string>) => readonly string[];
  /** After this file was written or removed by ourselves. */
  readonly wrote: (directory: string, file: string) => void;
}

interface Known {
  stamp: string;
  readonly places: Map<string, readonly string[]>;
}

/**
 * @param filesIn paths of the files in a directory
 * @param placesIn the places that a file names; empty where it is gone
 */
export function placeIndex(
  filesIn: (directory: string) => readonly string[],
  placesIn: (file: string) => readonly string[],
): PlaceIndex {
  const known = new Map<string, Known>();
  const read = (directory: string): Known => {
    const stamp = fileStamp(directory);
    const before = known.get(directory);
    if (before?.stamp === stamp) return before;
    const now = { stamp, places: new Map(filesIn(directory).map((file) => [file, placesIn(file)])) };
    known.set(directory, now);
    return now;
  };
  return {
    naming: (directories, places) =>
      directories.flatMap((directory) =>
        [...read(directory).places].flatMap(([file, named]) =>
          named.some((place) => places.has(place)) ? [file] : [],
        ),
      ),
    wrote(directory, file) {
      const one = known.get(directory);
      if (one === undefined) return;
      one.places.set(file, placesIn(file));
      one.stamp = fileStamp(directory);
    },
  };
}
