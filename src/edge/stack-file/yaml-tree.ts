/**
 * YAML 1.2 text → a plain tree of values with their places, as much of YAML as a stack file needs. Left out, and
 * refused with a place: tags, directives, "<<" merges, keys that are no text, several documents. Anchors and aliases
 * are known, within limits: a small file must not expand into a large one.
 */
import { type ErrorCode, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLError } from 'yaml';
import { keyPath, type Span, type StackProblem } from './stack-problem.ts';
import { openingOf } from './unclosed-node.ts';

export type Tree =
  /** null also where nothing was written. */
  | { readonly kind: 'scalar'; readonly span: Span | null; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly span: Span | null; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly span: Span | null; readonly entries: readonly TreeEntry[] }
  /** Was reported already; whoever finds it says no more. */
  | { readonly kind: 'broken'; readonly span: null };

export interface TreeEntry {
  readonly key: string;
  /** Of the key. */
  readonly span: Span;
  readonly value: Tree;
}

/** `span` of a tree is null where nothing stands, or a block stands below its key: then the key is the place. */
export interface YamlTree {
  /** null when the text is not YAML of this kind. */
  readonly root: Tree | null;
  readonly problems: readonly StackProblem[];
  readonly problemAt: (span: Span, path: string, what: string, nearest?: string | null) => StackProblem;
}

export const STACK_FILE_LIMITS = { bytes: 1 << 20, levels: 20, aliases: 100, values: 100_000 } as const;

/** Why a text is not YAML, by the parser's code: its own messages quote the file, and a file may hold secrets. */
const SYNTAX: Record<ErrorCode, string> = {
  ALIAS_PROPS: 'an alias has neither an anchor nor a tag',
  BAD_ALIAS: 'an alias or anchor needs a name',
  BAD_COLLECTION_TYPE: 'tags are not used in a stack file',
  BAD_DIRECTIVE: 'directives are not used in a stack file',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; between single quotes a backslash is only itself',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor stands right before its value',
  BAD_SCALAR_START: 'no value begins with this character; put the value in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ":" on the line, or keys below a value; check quotes and indentation',
  BLOCK_IN_FLOW: 'no lists or mappings in block style between brackets',
  DUPLICATE_KEY: 'this key was there before',
  IMPOSSIBLE: 'not YAML',
  KEY_OVER_1024_CHARS: 'the key is too long; is a ":" missing, or a quote?',
  MISSING_CHAR: 'something is missing here, most likely the ":" behind a key',
  MULTILINE_IMPLICIT_KEY: 'a key stands on one line, with ": " behind it',
  MULTIPLE_ANCHORS: 'a value has at most one anchor',
  MULTIPLE_DOCS: 'a second document begins here; a stack file has one',
  MULTIPLE_TAGS: 'tags are not used in a stack file',
  NON_STRING_KEY: 'a key must be text; put it in quotes',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab in the indentation; YAML wants spaces',
  TAG_RESOLVE_FAILED: 'tags are not used in a stack file',
  UNEXPECTED_TOKEN: 'this does not belong here; check quotes, brackets and indentation',
};

/** Never throws for what is in the text. */
export function readYamlTree(text: string): YamlTree {
  const isTooLarge = Buffer.byteLength(text) > STACK_FILE_LIMITS.bytes;
  const lineStarts = isTooLarge ? [0] : [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const problemAt = (span: Span, path: string, what: string, nearest: string | null = null): StackProblem => {
    const line = lineOf(lineStarts, span.start);
    const column = span.start - (lineStarts[line - 1] ?? 0) + 1;
    const onLine = text.slice(span.start, span.end).split(/\r?\n/, 1)[0] ?? '';
    return { line, column, length: onLine.trimEnd().length, path, what, ...(nearest === null ? {} : { nearest }) };
  };
  const refused = (what: string): YamlTree => ({
    root: null,
    problems: [problemAt({ start: 0, end: 0 }, '', what)],
    problemAt,
  });
  if (isTooLarge) return refused('the file is larger than 1 MiB');

  // Keys are compared here, not by the parser: its way takes quadratic time.
  const options = { uniqueKeys: false, prettyErrors: false } as const;
  const document = parseDocument(text, { ...options, version: '1.2', schema: 'core', merge: false });
  if (document.errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return refused(SYNTAX.RESOURCE_EXHAUSTION);
  const unread = firstOfEachLine(document.errors, (offset) => lineOf(lineStarts, offset)).map(
    ({ code, pos: [end] }) => {
      const opening = code === 'MISSING_CHAR' || code === 'BAD_INDENT' ? openingOf(document.contents, text, end) : null;
      const what = opening === null ? SYNTAX[code] : `this ${text[opening]} is never closed`;
      const start = opening ?? end;
      return problemAt({ start, end: start }, '', what);
    },
  );
  if (unread.length > 0) return { root: null, problems: unread, problemAt };
  const { yaml, tags } = document.directives;
  const hasDirective = yaml.explicit || Object.keys(tags).length > 1;
  if (hasDirective || document.warnings.some(({ code }) => code === 'BAD_DIRECTIVE'))
    return refused(SYNTAX.BAD_DIRECTIVE);
  if (document.contents === null) return refused('the file is empty');

  const problems: StackProblem[] = [];
  const grown = growTree(document.contents, (span, path, what) => problems.push(problemAt(span, path, what)));
  return { root: grown, problems, problemAt };
}

const MOST_SYNTAX_ERRORS = 100;

/** What follows on the same line follows from the first, and after very many nobody reads on. */
function firstOfEachLine(errors: readonly YAMLError[], lineAt: (offset: number) => number): readonly YAMLError[] {
  const first = new Map<number, YAMLError>();
  for (const error of errors) {
    const line = lineAt(error.pos[0]);
    if (!first.has(line)) first.set(line, error);
    if (first.size === MOST_SYNTAX_ERRORS) break;
  }
  return [...first.values()];
}

/** From 1: how many lines have begun at `offset`. */
function lineOf(lineStarts: readonly number[], offset: number): number {
  let [low, high] = [0, lineStarts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Report = (span: Span, path: string, what: string) => void;

/** An anchored value, with how many values it holds; null while it is still being read. */
type Anchored = { readonly tree: Tree; readonly values: number } | null;

interface Growth {
  readonly report: Report;
  readonly anchors: Map<string, Anchored>;
  aliases: number;
  /** Aliases count as often as they are used. */
  values: number;
}

const NOTHING: Tree = { kind: 'scalar', span: null, value: null };
const BROKEN: Tree = { kind: 'broken', span: null };

/** null when a limit was passed; then there is one problem more. */
function growTree(contents: Node, report: Report): Tree | null {
  const growth: Growth = { report, anchors: new Map(), aliases: 0, values: 0 };
  const tree = grow(contents, '', 1, growth);
  if (growth.aliases > STACK_FILE_LIMITS.aliases || growth.values > STACK_FILE_LIMITS.values) return null;
  return tree;
}

function grow(node: Node | null, path: string, level: number, growth: Growth): Tree {
  const span = spanOf(node);
  const place = span ?? { start: node?.range?.[0] ?? 0, end: node?.range?.[0] ?? 0 };
  growth.values += 1;
  if (growth.values > STACK_FILE_LIMITS.values) {
    if (growth.values === STACK_FILE_LIMITS.values + 1)
      growth.report(place, path, `more than ${STACK_FILE_LIMITS.values} values, aliases counted`);
    return BROKEN;
  }
  if (node === null) return NOTHING;
  if (level > STACK_FILE_LIMITS.levels) {
    growth.report(place, '', SYNTAX.RESOURCE_EXHAUSTION);
    return BROKEN;
  }
  if (isAlias(node)) return followAlias(node.source, { start: place.start, end: place.start }, path, growth);
  const { anchor } = node as { readonly anchor?: string };
  const before = growth.values;
  if (anchor !== undefined) growth.anchors.set(anchor, null);
  const tree = growValue(node, span, path, level, growth);
  if (anchor !== undefined) growth.anchors.set(anchor, { tree, values: growth.values - before + 1 });
  if (node.tag === undefined) return tree;
  growth.report({ start: place.start, end: place.start }, path, SYNTAX.TAG_RESOLVE_FAILED);
  return BROKEN;
}

/** Shows nothing of it: it may be a password that begins with an asterisk. */
function followAlias(name: string, span: Span, path: string, growth: Growth): Tree {
  growth.aliases += 1;
  if (growth.aliases > STACK_FILE_LIMITS.aliases) {
    if (growth.aliases === STACK_FILE_LIMITS.aliases + 1)
      growth.report(span, path, `more than ${STACK_FILE_LIMITS.aliases} aliases`);
    return BROKEN;
  }
  const anchored = growth.anchors.get(name);
  if (!anchored) {
    const what = anchored === null ? 'is inside of what it names' : 'names no anchor above it';
    growth.report(span, path, `this alias ${what}; for a text that begins with *, use quotes`);
    return BROKEN;
  }
  growth.values += anchored.values - 1;
  if (growth.values > STACK_FILE_LIMITS.values)
    growth.report(span, path, `more than ${STACK_FILE_LIMITS.values} values, aliases counted`);
  return anchored.tree;
}

function growValue(node: Node, span: Span | null, path: string, level: number, growth: Growth): Tree {
  if (isScalar(node)) return { kind: 'scalar', span, value: scalarValue(node.value) };
  if (isSeq<Node | null>(node)) {
    const items = node.items.map((item, index) => grow(item, `${path}[${index}]`, level + 1, growth));
    return { kind: 'list', span, items };
  }
  const entries: TreeEntry[] = [];
  const seen = new Set<string>();
  let refused = 0;
  for (const pair of isMap<Node | null, Node | null>(node) ? node.items : []) {
    const at = spanOf(pair.key) ?? span ?? { start: node.range?.[0] ?? 0, end: node.range?.[0] ?? 0 };
    const key = isScalar(pair.key) && pair.key.tag === undefined ? pair.key.value : null;
    if (typeof key !== 'string') {
      growth.report(at, path, SYNTAX.NON_STRING_KEY);
      refused += 1;
      continue;
    }
    const inside = keyPath(path, key);
    if (key === '<<')
      growth.report(at, path, '"<<" merges are not known here; defaults, or an alias for a whole value, are');
    else if (seen.has(key)) growth.report(at, inside, SYNTAX.DUPLICATE_KEY);
    else entries.push({ key, span: at, value: grow(pair.value, inside, level + 1, growth) });
    seen.add(key);
  }
  return entries.length === 0 && seen.size + refused > 0 ? BROKEN : { kind: 'map', span, entries };
}

function scalarValue(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** Of a collection between brackets only the bracket: what is in it may be a secret. */
function spanOf(node: Node | null): Span | null {
  if (!node?.range) return null;
  const [start, end] = node.range;
  if (isScalar(node) || isAlias(node)) return end > start ? { start, end } : null;
  return (isMap(node) || isSeq(node)) && node.flow ? { start, end: start + 1 } : null;
}
