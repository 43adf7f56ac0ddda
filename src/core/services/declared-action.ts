/** What the stack file says in place of the kind's own way to reload or restart. */
import type { ServiceSpec } from '../stack/stack.ts';
import type { Action } from './service-kind.ts';

export function reloadOf({ reload }: ServiceSpec, usual: Action | null): Action | null {
  return reload === null ? usual : { kind: 'shell', command: reload, why: 'the stack file says so (reload)' };
}

/** Only where the kind needs a restart at all: a declared one is no reason for one. */
export function restartOf({ restart }: ServiceSpec, usual: Action | null): Action | null {
  if (usual === null || restart === null) return usual;
  return { kind: 'shell', command: restart, why: usual.why };
}
