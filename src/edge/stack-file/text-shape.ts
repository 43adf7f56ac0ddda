/** Shapes of single values: text in some form, a word out of several, a name, a number of a port. */
import { nearestWord } from './nearest-word.ts';
import { type JsonSchema, type Reading, refuse, refuseHidden, refuseKind, type Shape } from './shape.ts';
import { listed, quoted, UNPRINTABLE, USER_INFO } from './stack-problem.ts';

export interface TextForm<T> {
  readonly wanted: string;
  /** Keywords beside the type. */
  readonly schema?: JsonSchema;
  /** What is said of a number without quotes, where that is a usual slip. */
  readonly unquoted?: string;
  /** A file with a secret: people write the secret itself, and it is never shown. */
  readonly besideSecret?: true;
  readonly read: (text: string, reading: Reading) => { readonly value: T } | Flaw;
}

export interface Flaw {
  readonly flaw: string;
  readonly nearest?: string | null;
}

export function text<T>(form: TextForm<T>): Shape<T> {
  return {
    wanted: form.wanted,
    schema: { type: 'string', minLength: 1, ...form.schema },
    read(place, reading) {
      const { tree } = place;
      const written = tree.kind === 'scalar' ? tree.value : null;
      const isSecret = form.besideSecret || String(written).search(USER_INFO) >= 0;
      const say = isSecret ? refuseHidden : refuse;
      if (typeof written === 'number' && form.unquoted !== undefined) return say(place, reading, form.unquoted);
      if (typeof written !== 'string') return refuseKind(place, reading, form.wanted);
      if (written.trim() === '') return say(place, reading, `wanted ${form.wanted}, found empty text`);
      if (written.search(UNPRINTABLE) >= 0)
        return refuseHidden(place, reading, 'wanted one line of text; here is a line break, or something unprintable');
      if (written.includes('-----BEGIN'))
        return refuseHidden(place, reading, `wanted ${form.wanted}, found a key or certificate itself`);
      const read = form.read(written, reading);
      return 'flaw' in read ? say(place, reading, read.flaw, read.nearest ?? null) : read;
    },
  };
}

/** One of some words. */
export function word<const W extends string>(words: readonly W[]): Shape<W> {
  return text({
    wanted: oneOf(words),
    schema: { enum: words },
    read: (written) => {
      const value = words.find((one) => one === written);
      if (value !== undefined) return { value };
      const nearest = nearestWord(written, words);
      return { flaw: `${quoted(written)} is none of ${words.join(', ')}`, nearest };
    },
  });
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The name of an issuer or service of the same file. */
export function nameOf(what: 'issuer' | 'service'): Shape<string> {
  return text({
    wanted: `the name of ${what === 'issuer' ? 'an issuer' : 'a service'} of this file`,
    read: (written, { names }) => {
      if (names[what].includes(written)) return { value: written };
      const nearest = nearestWord(written, names[what]);
      const flaw = `no ${what} is called ${quoted(written)}`;
      return nearest === null && names[what].length > 0
        ? { flaw: `${flaw}; there ${names[what].length === 1 ? 'is' : 'are'} ${listed(names[what])}` }
        : { flaw, nearest };
    },
  });
}

export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$';

export const properName: Shape<string> = text({
  wanted: 'a name of letters, digits, "-" and "_"',
  schema: { pattern: NAME_PATTERN },
  read: (written) =>
    new RegExp(NAME_PATTERN).test(written)
      ? { value: written }
      : { flaw: `${quoted(written)} is no name; names have letters, digits, "-" and "_", up to 63` },
});

export const portNumber: Shape<number> = {
  wanted: 'a port number from 1 to 65535',
  schema: { type: 'integer', minimum: 1, maximum: 65535 },
  read(place, reading) {
    const { tree } = place;
    const value = tree.kind === 'scalar' ? tree.value : null;
    if (typeof value === 'number') {
      if (Number.isInteger(value) && value >= 1 && value <= 65535) return { value };
      return refuse(place, reading, `${value} is no port number; they go from 1 to 65535`);
    }
    return typeof value === 'string' && /^\d+$/.test(value)
      ? refuse(place, reading, 'wanted a port number without quotes')
      : refuseKind(place, reading, portNumber.wanted);
  },
};
