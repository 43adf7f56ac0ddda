/** B1.1: core ← flow ← edge ← app; imports point left, and edges do not know each other. */
import { posix } from 'node:path';
import { type Import, importsOf, isTest, type SourceFile, type Violation } from './source-file.ts';

const RINGS = ['core', 'flow', 'edge', 'app'] as const;

export function importDirection(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap((file) =>
      importsOf(file).flatMap((imported) => {
        const what = judge(file, imported);
        return what === null ? [] : [{ rule: 'B1.1', where: `${file.path}:${imported.line}`, what }];
      }),
    );
}

function judge(file: SourceFile, { specifier, isType }: Import): string | null {
  if (!specifier.startsWith('.')) return null;
  const from = placeOf(file.path);
  const target = posix.join(posix.dirname(file.path), specifier);
  // A test beside its file may use the test world.
  if (target.startsWith('test/') && isTest(file)) return null;
  const to = placeOf(target);
  if (from === null) return 'no file lies in src besides core, flow, edge and app';
  if (to === null) return `src imports from ${target}, outside the four rings`;
  if (RINGS.indexOf(to.ring) > RINGS.indexOf(from.ring)) {
    return `${from.ring} imports ${target}, but only ${RINGS.slice(0, RINGS.indexOf(from.ring) + 1).join(', ')} may be imported there`;
  }
  const isOtherEdge = from.ring === 'edge' && to.ring === 'edge' && from.folder !== to.folder;
  if (isOtherEdge && !isType && !isTest(file)) {
    return `edge/${from.folder} imports edge/${to.folder}; only a type may cross, app joins them`;
  }
  return null;
}

function placeOf(path: string): { readonly ring: (typeof RINGS)[number]; readonly folder: string } | null {
  const [src, first, folder = ''] = path.split('/');
  const ring = RINGS.find((name) => name === first);
  return src === 'src' && ring ? { ring, folder } : null;
}
