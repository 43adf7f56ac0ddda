/** The whole stack file, section by section. */
import type { ClientSpec } from '../../core/stack/stack.ts';
import { authority, issuer } from './issuer-shape.ts';
import { keys, keysSchema, namedMembers, optional, required } from './keys-shape.ts';
import { listOf } from './list-shape.ts';
import { type KindSettings, keyAlgorithm, nameList, serviceShape, tlsPolicy } from './service-shape.ts';
import type { JsonSchema, Shape } from './shape.ts';
import { clientName, directoryPath, duration, fileOwner } from './text-forms.ts';
import { nameOf, properName } from './text-shape.ts';

export const INTERNAL = 'internal';

/** What holds for a service that says nothing else, and where the file has no defaults. */
export const STANDARD = { issuer: INTERNAL, lifetime: 86_400, key: 'ecdsa-p256', tls: 'intermediate' } as const;

const defaults = keys(
  {
    issuer: optional(nameOf('issuer'), 'Who issues.', STANDARD.issuer, STANDARD.issuer),
    lifetime: optional(duration, 'How long certificates are valid; renewed at two thirds.', STANDARD.lifetime, '24h'),
    key: optional(keyAlgorithm, 'Kind of keys.', STANDARD.key, STANDARD.key),
    tls: optional(tlsPolicy, 'Policy of Mozilla’s guideline 6.0.', STANDARD.tls, STANDARD.tls),
  },
  'keys such as "lifetime: 24h"',
);

const client: Shape<Omit<ClientSpec, 'name' | 'place' | 'lifetimeSeconds' | 'key'>> = keys(
  {
    connects: required(
      listOf(nameOf('service'), 'a list of services of this file', (name) => name),
      'Services that it connects to.',
    ),
    names: required(
      nameList(clientName, 'a list of names'),
      'Names in its certificate; the first is the one that services see.',
    ),
    directory: required(directoryPath, 'Gets client.crt, client.key, ca.crt and connection.env.'),
    owner: optional(fileOwner, 'Owner of these files; else who runs Fullchain.', null),
  },
  'a client: connects, names and directory',
);

export const SECTIONS_WANTED = 'a stack file: stack, services and more';

/** The sections; `kinds` bring the keys of their own. */
export function sections(kinds: KindSettings) {
  return {
    stack: required(properName, 'Name of the stack.'),
    authority: optional(authority, 'The authority on another host; absent: the one of this host.', null),
    issuers: optional(
      namedMembers(issuer, 'issuers by name', {
        [INTERNAL]: '"internal" is the authority itself; choose another name',
      }),
      'Issuers beside "internal", which is always there.',
      [],
    ),
    defaults: optional(defaults, 'What holds for services that say nothing else.', STANDARD),
    services: required(namedMembers(serviceShape(kinds), 'services by name'), 'What is to have TLS.'),
    clients: optional(
      namedMembers(client, 'clients by name'),
      'Who connects to the services: gets a certificate of its own and addresses that verify.',
      [],
    ),
  };
}

export function sectionsSchema(kinds: KindSettings): JsonSchema {
  return keysSchema(sections(kinds));
}
