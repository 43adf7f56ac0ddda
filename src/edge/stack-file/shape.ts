/**
 * What a place in the stack file may hold: a shape reads it and describes it, so that the parser and the JSON Schema
 * cannot differ. Shapes are values, and larger ones are made of smaller ones.
 */
import { keyPath, type Span } from './stack-problem.ts';
import type { Tree } from './yaml-tree.ts';

export interface Shape<T> {
  /** As a person would say it: "a duration such as 24h". */
  readonly wanted: string;
  /** JSON Schema 2020-12. It may accept more than `read`, never less. */
  readonly schema: JsonSchema;
  readonly read: (place: Place, reading: Reading) => Found<T>;
}

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** null: it is wrong, and was reported. */
export type Found<T> = { readonly value: T } | null;

export interface Place {
  readonly path: string;
  readonly tree: Tree;
  /** The key that leads here. */
  readonly label: Span;
}

export interface Reading {
  /** Absolute; what relative paths start from. */
  readonly directory: string;
  /** Names that may be referred to, whether what they name is right or not. */
  readonly names: Readonly<Record<'issuer' | 'service', readonly string[]>>;
  readonly report: (span: Span, path: string, what: string, nearest?: string | null) => void;
}

export function itemPlace({ path, tree, label }: Place, index: number): Place {
  const item = tree.kind === 'list' ? tree.items[index] : undefined;
  return {
    path: `${path}[${index}]`,
    label: tree.span ?? label,
    tree: item ?? { kind: 'scalar', span: null, value: null },
  };
}

/** null when there is no such key. */
export function childPlace({ path, tree }: Place, key: string): Place | null {
  const entry = tree.kind === 'map' ? tree.entries.find((one) => one.key === key) : undefined;
  return entry ? { path: keyPath(path, key), label: entry.span, tree: entry.value } : null;
}

/** Reports against the value, or its key where no value can be shown. */
export function refuse(place: Place, reading: Reading, what: string, nearest: string | null = null): null {
  reading.report(place.tree.span ?? place.label, place.path, what, nearest);
  return null;
}

/** As `refuse`, but shows nothing of the value: it may be a secret. */
export function refuseHidden(place: Place, reading: Reading, what: string, nearest: string | null = null): null {
  const { span } = place.tree;
  reading.report(span === null ? place.label : { start: span.start, end: span.start }, place.path, what, nearest);
  return null;
}

/** Something else stands there than what is wanted: a list for a text, nothing at all. What is not known is not shown. */
export function refuseKind(place: Place, reading: Reading, wanted: string): null {
  const { tree } = place;
  if (tree.kind === 'broken') return null;
  const say = tree.kind === 'scalar' ? refuseHidden : refuse;
  return say(place, reading, `wanted ${wanted}, found ${kindOf(tree)}`);
}

function kindOf(tree: Tree): string {
  if (tree.kind === 'list') return 'a list';
  if (tree.kind !== 'scalar') return 'keys and values';
  if (tree.value === null) return 'nothing';
  if (typeof tree.value === 'string') return 'text';
  return `${typeof tree.value === 'boolean' ? 'true or false' : 'a number'}; quotes make it text`;
}

/** The same places, another value; `into` may refuse. */
export function then<T, U>(shape: Shape<T>, into: (value: T, place: Place, reading: Reading) => Found<U>): Shape<U> {
  return {
    ...shape,
    read(place, reading) {
      const found = shape.read(place, reading);
      return found && into(found.value, place, reading);
    },
  };
}
