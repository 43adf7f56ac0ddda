/** Strict-Transport-Security as browsers read it (RFC 6797 §6.1). */

export interface Hsts {
  /** Seconds. */
  readonly maxAge: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

const DIRECTIVE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:"([^"]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))\s*)?$/;
/** Of digits; nobody lives longer than a safe integer of seconds. */
const MAX_AGE = /^\d{1,15}$/;

/** null: there is none, or one that a browser ignores (§6.1: no max-age, a directive twice, not well formed). */
export function parseHsts(header: string | null): Hsts | null {
  if (header === null) return null;
  const directives = new Map<string, string | null>();
  for (const part of header.split(';')) {
    if (part.trim() === '') continue;
    const [, name, quoted, token] = DIRECTIVE.exec(part) ?? [];
    if (name === undefined || directives.has(name.toLowerCase())) return null;
    directives.set(name.toLowerCase(), quoted ?? token ?? null);
  }
  const maxAge = directives.get('max-age');
  if (!maxAge || !MAX_AGE.test(maxAge)) return null;
  return {
    maxAge: Number(maxAge),
    includeSubDomains: directives.has('includesubdomains'),
    preload: directives.has('preload'),
  };
}
