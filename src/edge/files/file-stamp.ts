/** Whether a file is still the one that was read, without reading it again. */
import { statSync } from 'node:fs';

/** Changes whenever the file is written, or another one is renamed into its place; "missing" where there is none. */
export function fileStamp(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : 'missing';
}
