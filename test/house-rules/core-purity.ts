/**
 * B1.2: core is synchronous and imports no I/O. B4.3, B4.4, B4.6 and B4.7: flow reads no clock, no chance, no
 * environment and prints nothing either; they are its parameters.
 */
import { codeOf, importsOf, isTest, lineAt, type SourceFile, type Violation } from './source-file.ts';

/** Deterministic and synchronous: what core/crypto may take from node:crypto. */
const CRYPTO_OF_CORE = new Set(['constants', 'createPublicKey', 'hash', 'KeyObject', 'timingSafeEqual', 'verify']);

interface AmbientRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Ambient means: no letter, digit or dot before it. */
const AMBIENT: readonly AmbientRule[] = [
  { rule: 'B4.3', pattern: /(?<![\w$.])Date\.now\b/g, instead: 'now is a parameter' },
  { rule: 'B4.3', pattern: /(?<![\w$.])new Date\(\s*\)/g, instead: 'now is a parameter' },
  { rule: 'B4.3', pattern: /(?<![\w$.])performance\b/g, instead: 'a clock is a parameter' },
  { rule: 'B4.4', pattern: /(?<![\w$.])Math\.random\b/g, instead: 'randomness is a parameter' },
  { rule: 'B4.7', pattern: /(?<![\w$.])console\b/g, instead: 'facts are returned, an edge prints them' },
  { rule: 'B4.6', pattern: /(?<![\w$.])process\b(?=\s*[.[])/g, instead: 'app reads the environment' },
  { rule: 'B1.2', pattern: /(?<![\w$.])fetch\s*\(/g, instead: 'the world is a port' },
  {
    rule: 'B1.2',
    pattern: /(?<![\w$.])(?:set(?:Timeout|Interval|Immediate)|queueMicrotask)\b/g,
    instead: 'waiting is a port',
  },
];

const ONLY_CORE: readonly AmbientRule[] = [
  {
    rule: 'B1.2',
    pattern: /(?<![\w$.])async\b(?=\s*(?:function\b|\(|\*|[\w$]+\s*(?:=>|\()))/g,
    instead: 'core is synchronous',
  },
  { rule: 'B1.2', pattern: /(?<![\w$.])await\b/g, instead: 'core is synchronous' },
];

export function purity(files: readonly SourceFile[]): Violation[] {
  return files
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      if (file.path.startsWith('src/core/'))
        return [...ambient(file, [...AMBIENT, ...ONLY_CORE]), ...coreImports(file)];
      return file.path.startsWith('src/flow/') ? [...ambient(file, AMBIENT), ...nodeImports(file)] : [];
    });
}

function ambient(file: SourceFile, rules: readonly AmbientRule[]): Violation[] {
  const code = codeOf(file);
  return rules.flatMap(({ rule, pattern, instead }) =>
    [...code.matchAll(pattern)].map((match) => ({
      rule,
      where: `${file.path}:${lineAt(code, match.index)}`,
      what: `"${match[0].trim()}" in ${file.path.split('/')[1]}; ${instead}`,
    })),
  );
}

function coreImports(file: SourceFile): Violation[] {
  return importsOf(file).flatMap(({ specifier, names, line }) => {
    if (!specifier.startsWith('node:')) return [];
    const refused = (what: string): Violation[] => [{ rule: 'B1.2', where: `${file.path}:${line}`, what }];
    if (specifier !== 'node:crypto') return refused(`core imports ${specifier}`);
    if (!file.path.startsWith('src/core/crypto/')) return refused('only core/crypto may import node:crypto');
    const more = names.filter((name) => !CRYPTO_OF_CORE.has(name));
    if (names.length > 0 && more.length === 0) return [];
    return refused(
      `core/crypto takes ${more.join(', ') || 'all'} from node:crypto; digest and verify are for core, the rest is a port`,
    );
  });
}

function nodeImports(file: SourceFile): Violation[] {
  return importsOf(file).flatMap(({ specifier, isType, line }) =>
    specifier.startsWith('node:') && !isType
      ? [{ rule: 'B1.1', where: `${file.path}:${line}`, what: `flow imports ${specifier}; the world is a port` }]
      : [],
  );
}
