/**
 * What the successor of an authority is called: as its predecessor, with the generation behind the common name. Another
 * name rather than the same, because programs that choose an issuer by its name alone would try the wrong key.
 */
import { commonNames, type Name, type NameAttributes, nameAttributes } from '../x509/name.ts';

const MAX_COMMON_NAME = 64;

export function successorSubject(predecessor: Name, commonName: string | null): NameAttributes {
  return {
    ...nameAttributes(predecessor),
    commonName: commonName ?? nextGeneration(commonNames(predecessor)[0] ?? 'Authority'),
  };
}

/** "Bakery Root CA" → "Bakery Root CA G2" → "Bakery Root CA G3". */
export function nextGeneration(commonName: string): string {
  const [, base = commonName, generation = '1'] = /^(.*) G(\d{1,6})$/.exec(commonName) ?? [];
  const suffix = ` G${Number(generation) + 1}`;
  return `${base.slice(0, MAX_COMMON_NAME - suffix.length)}${suffix}`;
}
