/** ACME identifiers (RFC 8555 §9.7.7, RFC 8738): what an order asks for. */
import { type AcmeSubproblem, type Refused, refused } from '../faults/acme-problems.ts';
import { lowerCaseAscii, parseDnsName } from '../x509/dns-name.ts';
import type { GeneralName } from '../x509/general-name.ts';
import { parseIpAddress } from '../x509/ip-address.ts';

export interface Identifier {
  readonly type: 'dns' | 'ip';
  /** Lower case; a wildcard keeps its "*."; an address in canonical text form. */
  readonly value: string;
}

/** RFC 8555 §7.4: more than this in one order is refused, as public authorities do. */
export const MAX_IDENTIFIERS = 100;

/**
 * The identifiers of a new-order payload: parsed, lower-cased and without duplicates (in their first
 * order), or a refusal with one subproblem for each that is not acceptable (§6.7.1).
 */
export function parseIdentifiers(
  values: readonly unknown[],
): { readonly kind: 'parsed'; readonly identifiers: readonly Identifier[] } | Refused {
  if (values.length === 0) return refused('malformed', 'the order names no identifier');
  if (values.length > MAX_IDENTIFIERS)
    return refused('malformed', `${values.length} identifiers; at most ${MAX_IDENTIFIERS} are accepted in one order`);
  const identifiers: Identifier[] = [];
  const problems: AcmeSubproblem[] = [];
  for (const value of values) {
    const parsed = parseIdentifier(value);
    if ('identifier' in parsed) problems.push(parsed);
    else if (!identifiers.some((known) => sameIdentifier(known, parsed))) identifiers.push(parsed);
  }
  const [first] = problems;
  if (!first) return { kind: 'parsed', identifiers };
  if (problems.length === 1) return refused(first.type, first.detail, { subproblems: problems });
  const sameType = problems.every((problem) => problem.type === first.type);
  return refused(sameType ? first.type : 'compound', `${problems.length} identifiers are not acceptable`, {
    subproblems: problems,
  });
}

function parseIdentifier(value: unknown): Identifier | AcmeSubproblem {
  const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const type = typeof record.type === 'string' ? record.type.slice(0, 40) : '';
  const text = typeof record.value === 'string' ? record.value.slice(0, 300) : '';
  const problem = (kind: AcmeSubproblem['type'], detail: string): AcmeSubproblem => ({
    type: kind,
    detail,
    identifier: { type, value: text },
  });
  if (typeof record.type !== 'string' || typeof record.value !== 'string') {
    return problem('malformed', 'an identifier has a type and a value, both strings');
  }
  if (type === 'ip') {
    const address = parseIpAddress(text);
    // RFC 8738 §3: the canonical text form; anything else has a second spelling that policy might miss.
    if (address === null || address !== text) {
      return problem(
        'malformed',
        `${JSON.stringify(text)} is not an IP address in canonical form${address ? `; write ${address}` : ''}`,
      );
    }
    return { type: 'ip', value: address };
  }
  if (type !== 'dns')
    return problem(
      'unsupportedIdentifier',
      `identifiers of type ${JSON.stringify(type)} are not supported; dns and ip are`,
    );
  if (parseIpAddress(text) !== null)
    return problem('malformed', `${text} is an IP address; ask for it with type "ip" (RFC 8738)`);
  const name = parseDnsName(text);
  if (name === null)
    return problem('rejectedIdentifier', `${JSON.stringify(text)} is not a DNS name that can be certified`);
  return { type: 'dns', value: name };
}

export function sameIdentifier(a: Identifier, b: Identifier): boolean {
  return a.type === b.type && a.value === b.value;
}

export function isWildcard(identifier: Identifier): boolean {
  return identifier.type === 'dns' && identifier.value.startsWith('*.');
}

/** RFC 8555 §7.1.4: an authorization for a wildcard shows the base name. */
export function baseValue(identifier: Identifier): string {
  return isWildcard(identifier) ? identifier.value.slice(2) : identifier.value;
}

/** The subjectAltName entry that proves the identifier. */
export function generalNameOf(identifier: Identifier): GeneralName {
  return { kind: identifier.type, value: identifier.value } as GeneralName;
}

/** The identifier that a subjectAltName entry stands for, or null for kinds that ACME does not know. */
export function identifierOf(name: GeneralName): Identifier | null {
  if (name.kind === 'ip') return { type: 'ip', value: name.value };
  return name.kind === 'dns' ? { type: 'dns', value: lowerCaseAscii(name.value) } : null;
}
