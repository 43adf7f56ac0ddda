/** Shapes of keys with values: known keys, and keys that people choose. */
import { nearestWord } from './nearest-word.ts';
import { type Found, type JsonSchema, type Place, type Reading, refuse, refuseKind, type Shape } from './shape.ts';
import { keyPath, listed } from './stack-problem.ts';
import { NAME_PATTERN, properName } from './text-shape.ts';
import type { Tree } from './yaml-tree.ts';

export interface Field<T> {
  readonly shape: Shape<T>;
  readonly description: string;
  /** What holds when the key is not there; null: it must be there. */
  readonly absent: { readonly value: T } | null;
  /** The same as it would be written in the file. */
  readonly written?: string | number;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export function required<T>(shape: Shape<T>, description: string): Field<T> {
  return { shape, description, absent: null };
}

export function optional<T, A>(shape: Shape<T>, description: string, absent: A, written?: string): Field<T | A> {
  return { shape, description, absent: { value: absent }, ...(written === undefined ? {} : { written }) };
}

export interface KeyRules {
  /** Exactly one of these groups is there, and all of it. */
  readonly oneGroupOf?: readonly (readonly string[])[];
  /** Keys that people will try, and what is said to them. */
  readonly refused?: Readonly<Record<string, string>>;
}

export function keys<F extends Fields>(fields: F, wanted: string, rules: KeyRules = {}): Shape<Values<F>> {
  const refused = new Map(Object.entries(rules.refused ?? {}));
  return {
    wanted,
    schema: keysSchema(fields, rules),
    read(place, reading) {
      const present = presentKeys(place, reading, wanted);
      if (present === null) return null;
      const known = Object.keys(fields);
      const checked = checkKeys(place, present, known, reading, (key) => refused.get(key) ?? null);
      // Whoever wrote a key that is refused has been told what to write instead.
      const told = [...present.keys()].some((key) => refused.has(key));
      const mapping = told ? { ...checked, meant: new Set(known) } : checked;
      const grouped = checkGroups(mapping, rules.oneGroupOf ?? [], reading);
      const values = readFields(fields, mapping, reading);
      return mapping.allKnown && grouped ? values : null;
    },
  };
}

export function keysSchema(fields: Fields, { oneGroupOf }: KeyRules = {}): JsonSchema {
  const properties = Object.entries(fields).map(([key, { shape, description, written }]) => [
    key,
    { title: shape.wanted, description, ...shape.schema, ...(written === undefined ? {} : { default: written }) },
  ]);
  const needed = Object.entries(fields).flatMap(([key, { absent }]) => (absent === null ? [key] : []));
  const groups = oneGroupOf?.map((group) => ({
    required: group,
    properties: Object.fromEntries(oneGroupOf.flat().flatMap((key) => (group.includes(key) ? [] : [[key, false]]))),
  }));
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(needed.length > 0 ? { required: needed } : {}),
    ...(groups ? { oneOf: groups } : {}),
    additionalProperties: false,
  };
}

export type Present = ReadonlyMap<string, Place>;

/** Keys with values, their keys compared with the known ones. */
export interface Mapping {
  readonly place: Place;
  readonly present: Present;
  readonly allKnown: boolean;
  /** Known keys that were probably meant by unknown ones: these are not missing besides. */
  readonly meant: ReadonlySet<string>;
}

/** null when there are no keys and values here at all. */
export function presentKeys(place: Place, reading: Reading, wanted: string): Present | null {
  const { tree, path } = place;
  if (tree.kind !== 'map') return refuseKind(place, reading, wanted);
  return new Map(
    tree.entries.map(({ key, span, value }) => [key, { path: keyPath(path, key), label: span, tree: value }]),
  );
}

/** Reports unknown keys. `explain`: what to say of a key in particular. */
export function checkKeys(
  place: Place,
  present: Present,
  known: readonly string[],
  reading: Reading,
  explain: (key: string) => string | null,
): Mapping {
  const unknown = [...present].filter(([key]) => !known.includes(key));
  const free = known.filter((key) => !present.has(key));
  const meant = new Set<string>();
  for (const [key, { path, label }] of unknown) {
    const explained = explain(key);
    const nearest = explained === null ? nearestWord(key, free) : null;
    if (nearest !== null) meant.add(nearest);
    const what = explained ?? (nearest === null ? `unknown key; known here: ${listed(known)}` : 'unknown key');
    reading.report(label, path, what, nearest);
  }
  return { place, present, allKnown: unknown.length === 0, meant };
}

export type Each<F extends Fields> = { readonly [K in keyof F]: Found<Values<F>[K]> };

/** Each field by itself: one that is wrong does not hide what the others hold. */
export function readEach<F extends Fields>(fields: F, { place, present, meant }: Mapping, reading: Reading): Each<F> {
  const found = Object.entries(fields).map(([key, { shape, absent }]) => {
    const child = present.get(key);
    if (child) return [key, shape.read(child, reading)];
    if (absent === null && !meant.has(key))
      reading.report(place.label, place.path, `"${key}" is missing: ${shape.wanted}`);
    return [key, absent];
  });
  // The keys are those of F, and each value came from the shape or the absent value of its field.
  return Object.fromEntries(found) as Each<F>;
}

export function readFields<F extends Fields>(fields: F, mapping: Mapping, reading: Reading): Found<Values<F>> {
  const each: Readonly<Record<string, Found<unknown>>> = readEach(fields, mapping, reading);
  const values = Object.entries(each).flatMap(([key, one]) => (one === null ? [] : [[key, one.value]]));
  if (values.length < Object.keys(each).length) return null;
  return { value: Object.fromEntries(values) as Values<F> };
}

/** Whether exactly one group is there, and all of it. */
function checkGroups(
  { place, present, meant }: Mapping,
  groups: readonly (readonly string[])[],
  reading: Reading,
): boolean {
  const presentIn = (group: readonly string[]): readonly string[] => group.filter((key) => present.has(key));
  const [group, another] = groups.filter((one) => presentIn(one).length > 0);
  if (groups.length === 0 || (!group && groups.flat().some((key) => meant.has(key)))) return true;
  if (!group) {
    const choices = groups.map((one) => one.map((key) => `"${key}"`).join(' with ')).join(' or ');
    reading.report(place.label, place.path, `nothing is said of ${choices}; one of them must be`);
    return false;
  }
  const [there] = presentIn(group);
  const extra = another && present.get(presentIn(another)[0] ?? '');
  if (extra) reading.report(extra.label, extra.path, `cannot stand beside "${there}"; choose one of them`);
  if (extra) return false;
  const missing = group.find((key) => !present.has(key) && !meant.has(key));
  if (missing === undefined) return true;
  reading.report(place.label, place.path, `"${missing}" is missing; it goes with "${there}"`);
  return false;
}

/** A member that is wrong has no value, and does not hide the others. */
export interface Named<T> {
  readonly name: string;
  readonly place: Place;
  readonly found: Found<T>;
}

/** `reserved`: names that nobody may choose, and why. */
export function namedMembers<T>(
  member: Shape<T>,
  wanted: string,
  reserved: Readonly<Record<string, string>> = {},
): Shape<readonly Named<T>[]> {
  const refusals = new Map(Object.entries(reserved));
  const shape: Shape<readonly Named<T>[]> = {
    wanted,
    schema: {
      type: 'object',
      propertyNames: { pattern: NAME_PATTERN },
      properties: Object.fromEntries([...refusals.keys()].map((name) => [name, false])),
      additionalProperties: member.schema,
      minProperties: 1,
    },
    read(place, reading) {
      const present = presentKeys(place, reading, wanted);
      if (present === null) return null;
      if (present.size === 0) return refuse(place, reading, `wanted ${wanted}, found none`);
      const members = [...present].map(([name, inside]) => {
        const nameTree: Tree = { kind: 'scalar', span: inside.label, value: name };
        const named = properName.read({ ...inside, tree: nameTree }, reading);
        const refusal = refusals.get(name);
        if (refusal !== undefined) reading.report(inside.label, inside.path, refusal);
        const found = member.read(inside, reading);
        return { name, place: inside, found: named && refusal === undefined ? found : null };
      });
      return { value: members };
    },
  };
  return shape;
}
