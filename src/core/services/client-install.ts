/**
 * What a client of the stack gets: a certificate of its own, the roots by which it verifies the services, and their addresses.
 * Nothing is reloaded: libraries read the files when they connect.
 */
import type { ClientSpec, ServiceSpec } from '../stack/stack.ts';
import { connectionEnv } from './connection-url.ts';
import { ownerNotes } from './owner-note.ts';
import type { Desired, Facts } from './service-kind.ts';

/** @param services of the whole stack */
export function clientInstall(client: ClientSpec, services: readonly ServiceSpec[], facts: Facts): Desired {
  const { uid, gid } = facts;
  const directory = client.directory.replace(/\/+$/, '');
  return {
    install: {
      directory,
      files: [
        { name: 'client.crt', content: ['chain'], mode: 0o644 },
        // libpq refuses a key that others can read.
        { name: 'client.key', content: ['key'], mode: 0o600 },
        { name: 'ca.crt', content: ['ca'], mode: 0o644 },
      ],
      owner: { uid, gid },
      copies: [],
      links: ['client.crt', 'client.key', 'ca.crt'],
    },
    configuration: [
      {
        kind: 'own-file',
        path: `${directory}/connection.env`,
        content: connectionEnv(client, services),
        mode: 0o644,
        why: `addresses that verify, of ${client.connects.join(', ')}`,
      },
    ],
    check: null,
    reload: null,
    restart: null,
    notes: ownerNotes(facts),
  };
}
