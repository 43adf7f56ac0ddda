/** For which certificates, and for which reasons, a list speaks (RFC 5280 §6.3.3 (b) and (d)). */
import { basicConstraints } from '../x509/basic-constraints.ts';
import type { TbsCertificate } from '../x509/certificate.ts';
import type { DistributionPoint, DistributionPointName, ReasonFlags } from '../x509/crl-distribution-points.ts';
import { formatGeneralName, type GeneralName, generalNamesEqual } from '../x509/general-name.ts';
import { isNamePrefix, type Name, namesEqual } from '../x509/name.ts';
import type { Crl } from './crl.ts';
import { issuingDistributionPoint } from './crl-extensions.ts';

/** Every reason that a list can be limited to: the bits of ReasonFlags. */
export const ALL_REASONS: ReasonFlags = new Set([1, 2, 3, 4, 5, 6, 7, 8]);

/** (l): the place that every certificate has, besides those that it names. */
export function issuersOwnPoint({ issuer }: TbsCertificate): DistributionPoint {
  return {
    name: { kind: 'full', names: [{ kind: 'directory', name: issuer }] },
    reasons: null,
    crlIssuer: null,
  };
}

/** (b)(1): whether the list is by whom the certificate says. */
export function isByIssuerOf(list: Crl, certificate: TbsCertificate, { crlIssuer }: DistributionPoint): boolean {
  if (crlIssuer === null) return namesEqual(list.issuer, certificate.issuer);
  const isNamed = crlIssuer.some((name) => name.kind === 'directory' && namesEqual(name.name, list.issuer));
  return isNamed && issuingDistributionPoint(list)?.indirectCrl === true;
}

/** (b)(2): why a list by the right issuer does not speak of the certificate at this point, in words, or null. */
export function scopeMismatch(list: Crl, certificate: TbsCertificate, point: DistributionPoint): string | null {
  const scope = issuingDistributionPoint(list);
  if (scope === null) return null;
  const isAuthority = basicConstraints(certificate)?.ca === true;
  if (scope.onlyContainsAttributeCerts) return 'is for attribute certificates only';
  if (scope.onlyContainsUserCerts && isAuthority) return 'is not for authorities';
  if (scope.onlyContainsCaCerts && !isAuthority) return 'is for authorities only';
  if (scope.name === null || isAtPoint(scope.name, list.issuer, certificate, point)) return null;
  return `is the one for the distribution point ${describePoint(scope.name)}, and the certificate names another`;
}

function isAtPoint(
  place: DistributionPointName,
  listIssuer: Name,
  certificate: TbsCertificate,
  { name, crlIssuer }: DistributionPoint,
): boolean {
  const places = fullNames(place, [listIssuer]);
  const directories = crlIssuer?.flatMap((item) => (item.kind === 'directory' ? [item.name] : []));
  const wanted = name ? fullNames(name, directories ?? [certificate.issuer]) : (crlIssuer ?? []);
  return places.some((one) => wanted.some((other) => isSamePlace(one, other)));
}

/** §4.2.1.13: a relative name is appended to the name of the list's issuer. */
function fullNames(point: DistributionPointName, issuers: readonly Name[]): readonly GeneralName[] {
  if (point.kind === 'full') return point.names;
  return issuers.map((issuer) => ({
    kind: 'directory',
    name: { rdns: [...issuer.rdns, point.name], raw: new Uint8Array() },
  }));
}

function isSamePlace(a: GeneralName, b: GeneralName): boolean {
  if (a.kind !== 'directory' || b.kind !== 'directory') return generalNamesEqual(a, b);
  // By their parts: a relative name has no octets of its own.
  return a.name.rdns.length === b.name.rdns.length && isNamePrefix(a.name, b.name);
}

function describePoint(point: DistributionPointName): string {
  if (point.kind === 'relative') return point.name.map(({ value }) => value).join('+');
  return point.names.map(formatGeneralName).join(', ');
}

/** (d): the reasons for which the list, had at this point, would have the certificate. */
export function reasonsCovered(list: Crl, { reasons }: DistributionPoint): ReasonFlags {
  const some = issuingDistributionPoint(list)?.onlySomeReasons;
  return new Set([...ALL_REASONS].filter((reason) => (some?.has(reason) ?? true) && (reasons?.has(reason) ?? true)));
}
