/** The tables of docs/stack-file.md, from the JSON Schema: what the documentation says is what the parser does. */

interface Keys {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

interface Property extends Keys {
  readonly title?: string;
  readonly description?: string;
  readonly default?: string;
  readonly additionalProperties?: Member;
}

interface Member extends Keys {
  readonly allOf?: readonly {
    readonly if: { readonly properties: { readonly kind: { readonly const: string } } };
    readonly then: Keys;
  }[];
}

/** By the name of their marker. */
export function referenceTables(schema: object): ReadonlyMap<string, string> {
  const file: Property = schema;
  const section = (name: string): Property => file.properties?.[name] ?? {};
  const issuer = section('issuers').additionalProperties ?? {};
  const challenge = issuer.properties?.challenge ?? {};
  const kinds = (section('services').additionalProperties?.allOf ?? []).map((rule) => ({
    kind: rule.if.properties.kind.const,
    keys: rule.then,
  }));
  // All kinds have them, but for `key`, which is a path in one.
  const isCommon = (key: string, property: Property): boolean =>
    kinds.filter(({ keys }) => keys.properties?.[key]?.description === property.description).length >= kinds.length - 1;
  const common = kinds[0]?.keys ?? {};
  const commonProperties = Object.entries(common.properties ?? {}).filter(([key, property]) => isCommon(key, property));
  return new Map([
    ['file', table(file)],
    ['authority', table(section('authority'))],
    ['issuer', table(issuer)],
    ['http-01', table(challenge.properties?.['http-01'] ?? {})],
    ['dns-01', table(challenge.properties?.['dns-01'] ?? {})],
    ['rfc2136', table(challenge.properties?.['dns-01']?.properties?.rfc2136 ?? {})],
    ['defaults', table(section('defaults'))],
    ['service', table({ ...common, properties: Object.fromEntries(commonProperties) })],
    ['kinds', kindsTable(kinds, isCommon)],
    ['client', table(section('clients').additionalProperties ?? {})],
  ]);
}

const HEAD = ['| key | value | without it | |', '|---|---|---|---|'];

function table(keys: Keys): string {
  const rows = Object.entries(keys.properties ?? {}).map(([key, property]) => row(key, property, keys));
  return [...HEAD, ...rows].join('\n');
}

function row(key: string, { title = '', description = '', default: standard }: Property, keys: Keys): string {
  const [value, meaning] = [title, description].map((text) => text.replaceAll('|', '\\|'));
  return `| \`${key}\` | ${value} | ${withoutIt(key, standard, keys)} | ${meaning} |`;
}

function withoutIt(key: string, standard: string | undefined, { required, oneOf }: Keys): string {
  if (required?.includes(key)) return '**required**';
  if (standard !== undefined) return `\`${standard}\``;
  const others = oneOf?.filter((group) => !group.required.includes(key)).map((group) => group.required);
  if (others === undefined || others.length === oneOf?.length) return '';
  return others.map((group) => group.map((other) => `\`${other}\``).join(' with ')).join(' or ');
}

function kindsTable(
  kinds: readonly { readonly kind: string; readonly keys: Keys }[],
  isCommon: (key: string, property: Property) => boolean,
): string {
  const rows = kinds.flatMap(({ kind, keys }) => {
    const own = Object.entries(keys.properties ?? {}).filter(([key, property]) => !isCommon(key, property));
    return own.map(([key, property], index) => `| ${index === 0 ? `\`${kind}\`` : ''} ${row(key, property, keys)}`);
  });
  return ['| kind | key | value | without it | |', '|---|---|---|---|---|', ...rows].join('\n');
}
