/**
 * What is wrong only between keys and sections: what a kind of service can never do, names that an issuer cannot prove,
 * issuers that fall back on themselves, members in one place.
 */
import type { ServiceKind } from '../../core/services/service-kind.ts';
import type { IssuerSpec, ServiceKindName, ServiceSpec } from '../../core/stack/stack.ts';
import { formatGeneralName, type GeneralName } from '../../core/x509/general-name.ts';
import type { Named } from './keys-shape.ts';
import { childPlace, itemPlace, type Place, type Reading, refuse } from './shape.ts';

export function checkPossible(
  service: ServiceSpec,
  { impossible }: Pick<ServiceKind, 'impossible'>,
  place: Place,
  reading: Reading,
): void {
  const objection = impossible(service);
  if (objection !== null) refuse(childPlace(place, objection.key) ?? place, reading, objection.why);
}

/** Issuers in the order in which they are asked. */
export function checkProvable(
  names: readonly GeneralName[],
  asked: readonly string[],
  issuers: ReadonlyMap<string, IssuerSpec>,
  service: Place,
  reading: Reading,
): void {
  const list = childPlace(service, 'names');
  for (const [index, name] of names.entries()) {
    for (const issuer of asked) {
      const why = whyUnprovable(name, issuers.get(issuer));
      if (why === null || !list) continue;
      refuse(itemPlace(list, index), reading, `issuer ${issuer} cannot certify ${formatGeneralName(name)}: ${why}`);
      break;
    }
  }
}

function whyUnprovable(name: GeneralName, issuer: IssuerSpec | undefined): string | null {
  if (issuer?.kind !== 'acme') return null;
  const isDns01 = issuer.challenge.kind.startsWith('dns-01-');
  switch (name.kind) {
    case 'dns':
      // RFC 8555 §7.1.3, and §8.3: http-01 proves one host.
      return name.value.startsWith('*.') && !isDns01 ? 'a wildcard needs dns-01' : null;
    case 'ip':
      // RFC 8738 §7: "The dns-01 challenge MUST NOT be used to validate IP identifiers."
      return isDns01 ? 'an IP address needs http-01' : null;
    default:
      return 'ACME is for DNS names and IP addresses';
  }
}

export function checkFallbacks(issuers: readonly Named<IssuerSpec>[], reading: Reading): void {
  for (const { name, place, found } of issuers) {
    const list = childPlace(place, 'fallback');
    const index = found?.value.kind === 'acme' ? found.value.fallback.indexOf(name) : -1;
    if (list && index >= 0) refuse(itemPlace(list, index), reading, 'this is the issuer itself');
  }
}

interface Placed {
  readonly name: string;
  readonly place: Place;
}

/** Places that only one member can have: two would take each other's pair, or contradict each other in one file. */
export function checkPlaces(
  services: readonly (Placed & { readonly service: Pick<ServiceSpec, 'kind' | 'settings'> })[],
  clients: readonly (Placed & { readonly value: { readonly directory: string } })[],
  kinds: Readonly<Record<ServiceKindName, Pick<ServiceKind, 'settings'>>>,
  reading: Reading,
): void {
  const owners = new Map<string, { readonly member: string; readonly key: string }>();
  const claim = (member: string, place: Place, key: string, path: string): void => {
    const owner = owners.get(path);
    if (owner === undefined) owners.set(path, { member, key });
    else if (owner.member !== member)
      refuse(childPlace(place, key) ?? place, reading, `also the ${owner.key} of ${owner.member}; each needs its own`);
  };
  for (const { name, place, service } of services)
    for (const [key, { isOwn }] of Object.entries(kinds[service.kind].settings)) {
      const path = service.settings[key];
      if (isOwn && typeof path === 'string') claim(`services.${name}`, place, key, path);
    }
  for (const { name, place, value } of clients) claim(`clients.${name}`, place, 'directory', value.directory);
}
