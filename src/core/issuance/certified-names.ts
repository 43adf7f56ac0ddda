/** The names and the subject of a request → what the certificate will say, or why it may not. */
import { lowerCaseAscii, parseDnsName } from '../x509/dns-name.ts';
import { parseMailbox } from '../x509/email-name.ts';
import { formatGeneralName, type GeneralName, generalNameKey } from '../x509/general-name.ts';
import { parseIpAddress } from '../x509/ip-address.ts';
import { checkNameAttributes, type NameAttributes } from '../x509/name.ts';
import { checkUriName } from '../x509/uri-name.ts';
import { PROFILES, type ProfileName } from './profile.ts';
import { type IssuanceRefusal, refuse } from './refusal.ts';

/** Public authorities accept 100; TLS stacks slow down on long lists. */
const MAX_NAMES = 100;

export interface CertifiedNames {
  readonly kind: 'certified';
  /** In the order asked for, each once, in canonical form. */
  readonly names: readonly GeneralName[];
  readonly subject: NameAttributes;
}

export function certifiedNames(
  profile: ProfileName,
  requested: readonly GeneralName[],
  subject: NameAttributes,
): CertifiedNames | IssuanceRefusal {
  const problem = checkNameAttributes(subject);
  if (problem) return refuse('subject-invalid', `the subject cannot be certified: ${problem}`);
  if (PROFILES[profile].ca) {
    if (requested.length > 0)
      return refuse('names-not-allowed', `the profile ${profile} takes no subject alternative names`);
    if (subject.commonName === undefined)
      return refuse('subject-missing', `the profile ${profile} needs a common name`);
    return { kind: 'certified', names: [], subject };
  }
  const names = canonicalNames(requested);
  if (!('kind' in names)) return leafNames(profile, names.list, subject);
  return names;
}

function leafNames(
  profile: ProfileName,
  names: readonly GeneralName[],
  subject: NameAttributes,
): CertifiedNames | IssuanceRefusal {
  const { commonName } = subject;
  if (names.length > MAX_NAMES)
    return refuse('too-many-names', `${names.length} names; at most ${MAX_NAMES} are allowed in one certificate`);
  // A client is known to servers by its common name alone (PostgreSQL's cert method, MySQL's SUBJECT).
  if (profile === 'client') {
    return names.length > 0 || commonName !== undefined
      ? { kind: 'certified', names, subject }
      : refuse('names-missing', 'the profile client needs a name or a common name');
  }
  if (names.length === 0) return refuse('names-missing', `the profile ${profile} needs at least one name`);
  if (commonName !== undefined && !names.some((name) => formatGeneralName(name) === lowerCaseAscii(commonName))) {
    return refuse(
      'common-name-not-in-names',
      `the common name ${JSON.stringify(commonName)} is not among the names ${names.slice(0, 5).map(formatGeneralName).join(', ')}`,
    );
  }
  return { kind: 'certified', names, subject };
}

function canonicalNames(
  requested: readonly GeneralName[],
): { readonly list: readonly GeneralName[] } | IssuanceRefusal {
  const names = new Map<string, GeneralName>();
  for (const name of requested) {
    const canonical = canonicalName(name);
    if (typeof canonical === 'string') {
      return refuse('name-invalid', `${JSON.stringify(formatGeneralName(name))} cannot be certified: ${canonical}`);
    }
    const key = generalNameKey(canonical);
    if (!names.has(key)) names.set(key, canonical);
  }
  return { list: [...names.values()] };
}

/** The name as it will stand in the certificate, or why not. */
function canonicalName(name: GeneralName): GeneralName | string {
  switch (name.kind) {
    case 'dns': {
      const value = parseDnsName(name.value);
      if (value !== null) return { kind: 'dns', value };
      return parseIpAddress(name.value)
        ? 'it is an IP address, asked for as a DNS name'
        : 'it is not a DNS name (letters, digits, hyphens; "*." only in front)';
    }
    case 'ip': {
      const value = parseIpAddress(name.value);
      return value === null ? 'it is not an IP address' : { kind: 'ip', value };
    }
    case 'email':
      return parseMailbox(name.value) === null ? 'it is not a mailbox' : name;
    case 'uri':
      return checkUriName(name.value) ?? name;
    case 'directory':
    case 'other':
      return 'names of this kind are not issued';
  }
}
