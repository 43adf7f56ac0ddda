/** Names as people and tokens write them → subjectAltName entries; the kind follows from the form. */
import { parseDnsName } from '../x509/dns-name.ts';
import { type GeneralName, generalNameKey } from '../x509/general-name.ts';
import { parseIpAddress } from '../x509/ip-address.ts';

/** "db.internal", "10.0.0.20", "::1", "ops@example.org", "spiffe://example.org/api"; null when it is none of them. */
export function generalNameFromText(text: string): GeneralName | null {
  const address = parseIpAddress(text);
  if (address !== null) return { kind: 'ip', value: address };
  if (/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text)) return { kind: 'uri', value: text };
  if (/^[^\s@]+@[^\s@]+$/.test(text)) return { kind: 'email', value: text };
  const name = parseDnsName(text);
  return name === null ? null : { kind: 'dns', value: name };
}

/** Whether two lists name the same things, whatever the order and repetitions. */
export function sameNames(a: readonly GeneralName[], b: readonly GeneralName[]): boolean {
  const keys = (names: readonly GeneralName[]): Set<string> => new Set(names.map(generalNameKey));
  const [left, right] = [keys(a), keys(b)];
  return left.size === right.size && [...left].every((key) => right.has(key));
}
