/** B2.2: no barrels. B2.4: a file or folder is named for what it does. */
import type { SourceFile, Violation } from './source-file.ts';

/** Also as the last word of a name: string-utils.ts. */
const DRAWERS = ['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'misc', 'lib', 'types'];

export function names(files: readonly Pick<SourceFile, 'path'>[]): Violation[] {
  return files.flatMap(({ path }) => {
    const parts = path.split('/').map((part) => part.replace(/(\.test)?\.[a-z]+$/, ''));
    const drawer = parts.find((part) => DRAWERS.includes(part.split(/[-_.]/).at(-1) ?? ''));
    const barrel = parts.at(-1) === 'index' && path.endsWith('.ts');
    return [
      ...(barrel
        ? [{ rule: 'B2.2', where: `${path}:1`, what: 'no index.ts; import the file that owns the thing' }]
        : []),
      ...(drawer === undefined
        ? []
        : [{ rule: 'B2.4', where: `${path}:1`, what: `nothing is called "${drawer}"; name it for what it does` }]),
    ];
  });
}
