/** Source files as the house rules see them: path, text, imports, and the code without comments and strings. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface SourceFile {
  /** From the root of the repository, with slashes: "src/core/acme/order.ts". */
  readonly path: string;
  readonly text: string;
}

/** What a rule has to say; `rule` is its id in the style guide. */
export interface Violation {
  readonly rule: string;
  readonly where: string;
  readonly what: string;
}

export interface Import {
  readonly specifier: string;
  /** `import type`: gone when the program runs. */
  readonly isType: boolean;
  /** What is taken by name, without aliases. */
  readonly names: readonly string[];
  readonly line: number;
}

export const ROOT = join(import.meta.dirname, '..', '..');

/** Every wanted file below the folders, those of them that exist; node_modules and what git keeps are left out. */
export function readFiles(folders: readonly string[], isWanted: (path: string) => boolean): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry): SourceFile[] => {
        const path = relative(ROOT, join(ROOT, folder, entry.name));
        if (entry.name === 'node_modules' || entry.name === '.git') return [];
        if (entry.isDirectory()) return readFiles([path], isWanted);
        return entry.isFile() && isWanted(path) ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : [];
      }),
    );
}

export function isTest({ path }: SourceFile): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

export function report(violations: readonly Violation[]): string {
  return violations.map(({ rule, where, what }) => `${where}: ${what} (${rule})`).join('\n');
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const STATIC = /^[ \t]*(?:import|export)\s+(type\s)?([^'";]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
const BARE = /^[ \t]*import\s*['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g;

export function importsOf({ text }: SourceFile): Import[] {
  const code = blank(text, { strings: false });
  const at = (match: RegExpMatchArray): number => lineAt(code, code.indexOf(match[0].trimStart(), match.index));
  return [
    ...[...code.matchAll(STATIC)].map((match) => ({
      specifier: match[3] ?? '',
      isType: match[1] !== undefined,
      names: namesIn(match[2] ?? ''),
      line: at(match),
    })),
    ...[...code.matchAll(BARE), ...code.matchAll(DYNAMIC)].map((match) => ({
      specifier: match[1] ?? '',
      isType: false,
      names: [],
      line: at(match),
    })),
  ];
}

/** "constants, type KeyObject, verify as check" → constants, KeyObject, verify. */
function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  return braces
    .split(',')
    .map((name) => name.trim().replace(/^type\s+/, ''))
    .map((name) => name.replace(/\s+as\s.*$/, ''))
    .filter((name) => name !== '');
}

/** The code with comments, texts and patterns replaced by spaces; line breaks stay. */
export function codeOf({ text }: SourceFile): string {
  return blank(text, { strings: true });
}

/** After one of these, or at the start, a slash begins a pattern and no division. */
const BEFORE_PATTERN = /(^|[(,=:[!&|?{};+\-*%~^<>]|=>|\b(?:return|typeof|case|in|of|void|throw|await|yield))\s*$/;
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[`{}/]/g;
const PATTERN = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const TEMPLATE_PART = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(`|\$\{)/y;

function blank(text: string, { strings }: { readonly strings: boolean }): string {
  let out = '';
  let kept = 0;
  // One entry a brace that is open: whether it is the `${` of a template.
  const braces: boolean[] = [];
  const erase = (from: number, to: number): void => {
    out += text.slice(kept, from) + text.slice(from, to).replace(/[^\n]/g, ' ');
    kept = to;
  };
  /** From behind a backtick, or behind the brace that closes a `${`: to the end of the template or the next `${`. */
  const template = (from: number): number => {
    TEMPLATE_PART.lastIndex = from;
    const end = TEMPLATE_PART.test(text) ? TEMPLATE_PART.lastIndex : text.length;
    const opens = text.slice(end - 2, end) === '${';
    if (strings) erase(from, end - (opens ? 2 : 1));
    if (opens) braces.push(true);
    return end;
  };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [token] = match;
    const end = TOKEN.lastIndex;
    if (token.startsWith('//') || token.startsWith('/*')) erase(match.index, end);
    else if (token === '`') TOKEN.lastIndex = template(end);
    else if (token === '{') braces.push(false);
    else if (token === '}') {
      if (braces.pop()) TOKEN.lastIndex = template(end);
    } else if (token === '/') {
      PATTERN.lastIndex = match.index;
      if (!BEFORE_PATTERN.test(out + text.slice(kept, match.index)) || !PATTERN.test(text)) continue;
      if (strings) erase(match.index, PATTERN.lastIndex);
      TOKEN.lastIndex = PATTERN.lastIndex;
    } else if (strings) erase(match.index + 1, end - 1);
  }
  return out + text.slice(kept);
}
