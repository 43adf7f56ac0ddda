/** DNS names as certificates carry them (RFC 5280 §4.2.1.6, RFC 1034 §3.5, RFC 9525 §6.3). */

/** Lower case, LDH labels, no final dot; may begin with "*.". */
export type DnsName = string & { readonly __brand: 'DnsName' };

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Text → DNS name that can be certified, or null: underscores, empty labels, final dots and "*" elsewhere are refused. */
export function parseDnsName(text: string): DnsName | null {
  if (text.length === 0 || text.length > 253) return null;
  const name = lowerCaseAscii(text);
  const labels = (name.startsWith('*.') ? name.slice(2) : name).split('.');
  if (!labels.every((label) => LABEL.test(label))) return null;
  // A last label of digits alone is how an IPv4 address looks to a client (RFC 1123 §2.1).
  if (/^\d+$/.test(labels.at(-1) ?? '')) return null;
  return name as DnsName;
}

/** A–Z only: toLowerCase also turns characters outside ASCII (U+212A, the Kelvin sign) into letters. */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function isWildcardName(name: string): boolean {
  return name.startsWith('*.');
}
