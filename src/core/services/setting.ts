/** A kind's own keys as they stand in the stack file, and the rules that all kinds have for them. */

import type { ClientPolicy, ServiceSpec } from '../stack/stack.ts';
import { formatGeneralName, type GeneralName } from '../x509/general-name.ts';
import type { Objection } from './service-kind.ts';

/** null when the stack file does not say. */
export function setting({ settings }: ServiceSpec, key: string): string | null {
  const value = settings[key];
  return value === undefined ? null : String(value);
}

/** One that the kind declares as required: the parser has seen to it. @throws TypeError for a kind's own mistake */
export function requiredSetting(service: ServiceSpec, key: string): string {
  const value = setting(service, key);
  if (value === null) throw new TypeError(`${service.kind} "${service.name}" has no ${key}`);
  return value;
}

/** A whole number above 0, such as a port. */
export function numberSetting({ settings }: ServiceSpec, key: string): number | null {
  const value = settings[key];
  return typeof value === 'number' ? value : null;
}

/** The first objection, if there is one. */
export function firstOf<T>(...objections: readonly (T | null)[]): T | null {
  return objections.find((objection) => objection !== null) ?? null;
}

/**
 * Each service quotes in its own way, some not at all; a name that needs no quoting means the same in all of them, also
 * in commands. Paths and names of services come into configuration only after this.
 */
export function awkwardText(service: ServiceSpec, ...keys: readonly string[]): Objection | null {
  const key = keys.find((one) => !/^[A-Za-z0-9_/.@:+,=%?&[\]~-]*$/.test(setting(service, one) ?? ''));
  return key === undefined
    ? null
    : {
        key,
        why: `${JSON.stringify(setting(service, key))} has characters that need quoting; letters, digits and _ / . @ : + , = - do not`,
      };
}

/** The policies for clients that a kind can enforce; `why` ends "KIND …" for those that it cannot. */
export function clientsOtherThan(
  { kind, clients }: ServiceSpec,
  able: readonly ClientPolicy['kind'][],
  why: string,
): Objection | null {
  if (able.includes(clients.kind)) return null;
  const asked = clients.kind === 'required-names' ? `{ required: [${clients.names.join(', ')}] }` : clients.kind;
  return { key: 'clients', why: `${asked} cannot be enforced: ${kind} ${why}; possible here: ${able.join(', ')}` };
}

/** As clientsOtherThan, where it is for the version that is there. */
export function clientsUnsupported(...asked: Parameters<typeof clientsOtherThan>): string | null {
  const objection = clientsOtherThan(...asked);
  return objection && `${objection.key}: ${objection.why}`;
}

/** A file that the person has and we only add to. */
export function missingFile(files: Readonly<Record<string, string | null>>, path: string, what: string): string | null {
  return files[path] == null ? `${path} is missing: ${what}` : null;
}

/** DNS names and addresses, as server configuration lists them. */
export function hostNames(names: readonly GeneralName[]): string[] {
  return names.filter(({ kind }) => kind === 'dns' || kind === 'ip').map(formatGeneralName);
}
