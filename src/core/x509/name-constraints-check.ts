/** What name constraints allow (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c)). */
import { parseMailbox } from './email-name.ts';
import { formatGeneralName, type GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { ipRangeContains } from './ip-range.ts';
import { emailAddresses, isEmptyName, isNamePrefix, type Name } from './name.ts';
import type { NameConstraints, NameSubtree } from './name-constraints.ts';
import { uriHost } from './uri-name.ts';

/**
 * The first name that the constraints do not allow, in words, or null. A subject counts as a directory name
 * when it is not empty, its e-mail addresses when there is no address among the names.
 */
export function nameConstraintViolation(
  constraints: NameConstraints,
  names: readonly GeneralName[],
  subject: Name,
): string | null {
  const covered: GeneralName[] = [...names];
  if (!isEmptyName(subject)) covered.push({ kind: 'directory', name: subject });
  if (!names.some((name) => name.kind === 'email')) {
    for (const value of emailAddresses(subject)) covered.push({ kind: 'email', value });
  }
  for (const name of covered) {
    const violation = violationOf(constraints, name);
    if (violation) return violation;
  }
  return null;
}

function violationOf({ permitted, excluded }: NameConstraints, name: GeneralName): string | null {
  const text = `${name.kind} name ${JSON.stringify(formatGeneralName(name))}`;
  // §4.2.1.10: a form that cannot be processed and occurs "MUST" make the certificate be rejected.
  const unread = (base: NameSubtree): boolean => base.kind === name.kind && inSubtree(base, name, 'excluded') === null;
  if ([...permitted, ...excluded].some(unread)) return `the ${text} is of a kind whose constraints cannot be checked`;
  const barred = excluded.find((base) => inSubtree(base, name, 'excluded') === true);
  if (barred) return `the ${text} lies in ${formatSubtree(barred)}, which the issuer’s name constraints exclude`;
  const sameKind = permitted.filter((base) => base.kind === name.kind);
  if (sameKind.length === 0 || sameKind.some((base) => inSubtree(base, name, 'permitted'))) return null;
  return `the ${text} lies outside ${sameKind.map(formatSubtree).join(', ')}, to which the issuer’s name constraints limit it`;
}

export function formatSubtree(base: NameSubtree): string {
  const value = base.kind === 'ip' ? base.value : formatGeneralName(base);
  return value === '' ? `any ${base.kind} name` : value;
}

/** Whether a name lies in a subtree; null when that cannot be told. `side` decides where a wildcard is in doubt. */
function inSubtree(base: NameSubtree, name: GeneralName, side: 'permitted' | 'excluded'): boolean | null {
  if (base.kind === 'other' || name.kind === 'other') return base.kind === name.kind ? null : false;
  if (base.kind === 'directory') return name.kind === 'directory' && isNamePrefix(base.name, name.name);
  if (name.kind === 'directory' || base.kind !== name.kind) return false;
  switch (name.kind) {
    case 'dns':
      return dnsInSubtree(base.value.toLowerCase(), name.value.toLowerCase(), side);
    case 'ip':
      return ipRangeContains(base.value, name.value);
    case 'email':
      return emailInSubtree(base.value, name.value);
    case 'uri':
      return uriInSubtree(base.value.toLowerCase(), name.value, side);
  }
}

/** What can be compared label by label; underscores are met in names that nobody else minds. */
const HOST = /^(?=.{1,253}$)[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

/** "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side". */
function dnsInSubtree(base: string, name: string, side: 'permitted' | 'excluded'): boolean | null {
  if (!HOST.test(name.replace(/^\*\./, ''))) return null;
  if (base === '') return true;
  if (!HOST.test(base.replace(/^\./, ''))) return null;
  // A leading dot is not defined for DNS names; Go and OpenSSL read it as "at least one label more".
  if (base.startsWith('.')) return name.endsWith(base);
  if (name === base || name.endsWith(`.${base}`)) return true;
  // "*.example.com" also stands for the excluded "admin.example.com".
  return side === 'excluded' && name.startsWith('*.') && base.slice(base.indexOf('.') + 1) === name.slice(2);
}

/** A mailbox, a host, or ".domain" for all hosts below it. Local parts are compared with regard to case. */
function emailInSubtree(base: string, name: string): boolean | null {
  const mailbox = parseMailbox(name);
  if (mailbox === null) return null;
  if (!base.includes('@')) return hostInSubtree(base.toLowerCase(), mailbox.host);
  const wanted = parseMailbox(base);
  return wanted === null ? null : wanted.host === mailbox.host && wanted.localPart === mailbox.localPart;
}

/** §4.2.1.10: applies to the host; a URI without one, or with an address, "MUST" be rejected. */
function uriInSubtree(base: string, name: string, side: 'permitted' | 'excluded'): boolean | null {
  const host = uriHost(name);
  const unnamed = host === null || host.startsWith('[') || parseIpAddress(host) !== null;
  return unnamed ? side === 'excluded' : hostInSubtree(base, host);
}

function hostInSubtree(base: string, host: string): boolean | null {
  if (!HOST.test(host)) return null;
  if (base === '') return true;
  if (!HOST.test(base.replace(/^\./, ''))) return null;
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}
