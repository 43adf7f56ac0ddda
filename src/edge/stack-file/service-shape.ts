/** A service: the keys that every kind has, and the kind's own. */
import type { ServiceKind, SettingShape } from '../../core/services/service-kind.ts';
import {
  type ClientPolicy,
  SERVICE_KINDS,
  type ServiceKindName,
  type ServiceSpec,
  type TlsPolicyName,
} from '../../core/stack/stack.ts';
import type { KeyAlgorithm } from '../../core/x509/algorithm.ts';
import { type GeneralName, generalNameKey } from '../../core/x509/general-name.ts';
import {
  checkKeys,
  type Field,
  keys,
  keysSchema,
  type Mapping,
  optional,
  type Present,
  presentKeys,
  readFields,
  required,
} from './keys-shape.ts';
import { listOf } from './list-shape.ts';
import { type Found, type JsonSchema, type Reading, refuse, refuseKind, type Shape } from './shape.ts';
import {
  duration,
  fileMode,
  filePath,
  hostPort,
  plainText,
  principal,
  secretFilePath,
  serverName,
  shellCommand,
  userName,
  webUrl,
} from './text-forms.ts';
import { nameOf, portNumber, word } from './text-shape.ts';

export type KindSettings = Readonly<Record<ServiceKindName, Pick<ServiceKind, 'settings' | 'impossible'>>>;

/** Without what the defaults section fills in. */
export type ServiceDraft = Omit<ServiceSpec, 'name' | 'place' | 'issuer' | 'lifetimeSeconds' | 'key' | 'tls'> & {
  readonly issuer: string | null;
  readonly lifetimeSeconds: number | null;
  readonly key: KeyAlgorithm | null;
  readonly tls: TlsPolicyName | null;
};

const KEYS = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-4096', 'ed25519'] as const satisfies readonly KeyAlgorithm[];

export const keyAlgorithm: Shape<KeyAlgorithm> = word(KEYS);
export const tlsPolicy: Shape<TlsPolicyName> = word(['modern', 'intermediate']);

export function nameList(name: Shape<GeneralName>, wanted: string): Shape<readonly GeneralName[]> {
  return listOf(name, wanted, generalNameKey);
}

const policyWord = word(['none', 'optional', 'required']);
const policyNames = keys(
  {
    required: required(
      listOf(principal, 'a list of clients or users', (name) => name),
      'Only these, each with its own certificate.',
    ),
  },
  '{ required: [NAME, …] }',
);
const clientPolicy: Shape<ClientPolicy> = {
  wanted: 'none, optional, required, or { required: [NAME, …] }',
  schema: { anyOf: [policyWord.schema, policyNames.schema] },
  read(place, reading) {
    if (place.tree.kind === 'map') {
      const found = policyNames.read(place, reading);
      return found && { value: { kind: 'required-names', names: found.value.required } };
    }
    if (place.tree.kind === 'list')
      return refuse(place, reading, 'a list alone is not enough: write { required: [NAME, …] }');
    const { tree } = place;
    if (tree.kind !== 'scalar' || typeof tree.value !== 'string')
      return refuseKind(place, reading, clientPolicy.wanted);
    const found = policyWord.read(place, reading);
    return found && { value: { kind: found.value } };
  },
};

const COMMON = {
  names: required(
    nameList(serverName, 'a list of DNS names and IP addresses'),
    'Every name under which clients reach it; the certificate has them all.',
  ),
  address: optional(hostPort, 'Where a client reaches it; what verify talks to.', null),
  issuer: optional(nameOf('issuer'), 'Who issues its certificate; else the defaults.', null),
  lifetime: optional(duration, 'How long its certificate is valid; else the defaults.', null),
  key: optional(keyAlgorithm, 'Kind of its key; else the defaults.', null),
  tls: optional(tlsPolicy, 'Policy of Mozilla’s guideline 6.0; else the defaults.', null),
  clients: optional<ClientPolicy, ClientPolicy>(
    clientPolicy,
    'Who must show a client certificate.',
    { kind: 'none' },
    'none',
  ),
  reload: optional(shellCommand, 'Shell command in place of the kind’s own reload.', null),
  restart: optional(shellCommand, 'Shell command in place of the kind’s own restart.', null),
  runAs: optional(userName, 'User as whom it reads its key; else the kind’s usual one.', null),
};

/** `files` without an address ends at "installed"; everything else is seen served. */
function commonFields(kind: ServiceKindName | null): typeof COMMON {
  return kind === null || kind === 'files' ? COMMON : { ...COMMON, address: { ...COMMON.address, absent: null } };
}

const KIND_DESCRIPTION = 'What runs there; decides which further keys there are.';
const kindName = word(SERVICE_KINDS);

export function serviceShape(kinds: KindSettings): Shape<ServiceDraft> {
  const allOwnKeys = [...new Set(SERVICE_KINDS.flatMap((kind) => Object.keys(kinds[kind].settings)))];
  const shape: Shape<ServiceDraft> = {
    wanted: 'a service: kind, names, address and the keys of its kind',
    schema: serviceSchema(kinds),
    read(place, reading) {
      const present = presentKeys(place, reading, shape.wanted);
      return present && readService(kinds, allOwnKeys, { place, present, allKnown: true, meant: new Set() }, reading);
    },
  };
  return shape;
}

function readService(
  kinds: KindSettings,
  allOwnKeys: readonly string[],
  mapping: Mapping,
  reading: Reading,
): Found<ServiceDraft> {
  const { place, present } = mapping;
  const chosen = readFields({ kind: required(kindName, KIND_DESCRIPTION) }, mapping, reading);
  const kind = chosen?.value.kind ?? null;
  const own = kind === null ? null : ownFields(kinds[kind].settings);
  const ownKeys = own === null ? allOwnKeys : Object.keys(own);
  const known = ['kind', ...Object.keys(COMMON), ...ownKeys];
  const checked = checkKeys(place, present, known, reading, (key) => {
    const others = SERVICE_KINDS.filter((other) => Object.hasOwn(kinds[other].settings, key));
    return others.length === 0 ? null : `not a key of kind ${kind}, but of ${others.join(', ')}`;
  });
  // A key of the kind's own goes before a common one: `key` of `files` is a path.
  const common = new Map([...present].filter(([key]) => !ownKeys.includes(key)));
  const found = readFields(commonFields(kind), { ...checked, present: common }, reading);
  const settings = own && readFields(own, checked, reading);
  const isPath = own === null || keyIsPath(own, present, reading);
  if (!checked.allKnown || !isPath || kind === null || !found || !settings) return null;
  const { lifetime: lifetimeSeconds, ...others } = found.value;
  const given = Object.entries(settings.value).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  );
  return { value: { kind, ...others, lifetimeSeconds, settings: Object.fromEntries(given) } };
}

/** Where `key` is a path, people still write the algorithm there. */
function keyIsPath(own: Readonly<Record<string, unknown>>, present: Present, reading: Reading): boolean {
  const place = Object.hasOwn(own, 'key') ? present.get('key') : undefined;
  const written = place?.tree.kind === 'scalar' ? place.tree.value : null;
  if (!place || !KEYS.some((algorithm) => algorithm === written)) return true;
  refuse(place, reading, 'here "key" is the path of the key file; the kind of key comes from defaults.key');
  return false;
}

const SETTINGS = {
  path: filePath,
  string: plainText,
  port: portNumber,
  url: webUrl,
  mode: fileMode,
} as const satisfies Record<SettingShape['type'], Shape<string> | Shape<number>>;

/** A file that holds a password is not a place where the password may be shown. */
const SECRET = /password|secret|token|credential/i;

function ownFields(settings: ServiceKind['settings']): Readonly<Record<string, Field<string | number | null>>> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, { type, required: needed, description }]) => {
      const shape: Shape<string | number> = type === 'path' && SECRET.test(key) ? secretFilePath : SETTINGS[type];
      return [key, needed ? required(shape, description) : optional(shape, description, null)];
    }),
  );
}

/** One whole description for each kind, chosen by `kind`. */
function serviceSchema(kinds: KindSettings): JsonSchema {
  return {
    type: 'object',
    properties: { kind: { title: kindName.wanted, description: KIND_DESCRIPTION, ...kindName.schema } },
    required: ['kind'],
    allOf: SERVICE_KINDS.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: keysSchema({
        kind: required({ ...kindName, schema: { const: kind } }, KIND_DESCRIPTION),
        ...commonFields(kind),
        ...ownFields(kinds[kind].settings),
      }),
    })),
  };
}
