/** Shape of a list. */
import { itemPlace, refuse, refuseKind, type Shape } from './shape.ts';

/** At least one item, none twice; items with the same key are the same. */
export function listOf<T>(item: Shape<T>, wanted: string, keyOf: (value: T) => string): Shape<readonly T[]> {
  const shape: Shape<readonly T[]> = {
    wanted,
    schema: { type: 'array', items: item.schema, minItems: 1, uniqueItems: true },
    read(place, reading) {
      const { tree } = place;
      if (tree.kind !== 'list') return refuseKind(place, reading, wanted);
      if (tree.items.length === 0) return refuse(place, reading, `wanted ${wanted}, found an empty list`);
      const found = tree.items.map((_, index) => item.read(itemPlace(place, index), reading));
      const seen = new Map<string, number>();
      let ok = true;
      for (const [index, one] of found.entries()) {
        if (one === null) {
          ok = false;
          continue;
        }
        const first = seen.get(keyOf(one.value));
        if (first === undefined) seen.set(keyOf(one.value), index);
        else {
          refuse(itemPlace(place, index), reading, `the same as item ${first + 1} of this list`);
          ok = false;
        }
      }
      return ok ? { value: found.flatMap((one) => one?.value ?? []) } : null;
    },
  };
  return shape;
}
