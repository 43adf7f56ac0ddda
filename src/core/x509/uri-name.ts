/** URIs as names (RFC 5280 §4.2.1.6: absolute, RFC 3986) and SPIFFE identities (SPIFFE-ID §2). */

const ABSOLUTE = /^([a-zA-Z][a-zA-Z0-9+.-]*):(\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/;
const CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

/** Why a URI cannot be a name, in words, or null. */
export function checkUriName(text: string): string | null {
  if (text.length === 0 || text.length > 2048) return 'a URI has 1 to 2048 characters';
  if (!CHARACTERS.test(text)) return 'it has characters that RFC 3986 does not allow';
  const match = ABSOLUTE.exec(text);
  if (!match) return 'it is not an absolute URI (scheme:…)';
  const [, scheme = '', , authority, path = '', query, fragment] = match;
  if (scheme.toLowerCase() === 'spiffe') {
    return checkSpiffe(text, scheme, authority, path, query !== undefined || fragment !== undefined);
  }
  if (authority === '') return 'its host is empty';
  if (authority === undefined && path === '') return 'nothing follows its scheme';
  return null;
}

/** SPIFFE-ID §2: trust domain of lower-case letters, digits, ".", "-", "_"; no port, user, query, fragment or dot segments. */
function checkSpiffe(
  text: string,
  scheme: string,
  domain: string | undefined,
  path: string,
  more: boolean,
): string | null {
  if (scheme !== 'spiffe') return 'the scheme of a SPIFFE ID is written in lower case';
  if (domain === undefined || !/^[a-z0-9._-]{1,255}$/.test(domain))
    return 'its trust domain is not one (a-z, 0-9, ".", "-", "_")';
  if (more) return 'a SPIFFE ID has neither query nor fragment';
  if (path !== '' && !/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/.test(path))
    return 'its path is not that of a SPIFFE ID';
  return text.length > 2048 ? 'a SPIFFE ID has at most 2048 octets' : null;
}

/** The host of a URI in lower case, or null when it has no authority. */
export function uriHost(text: string): string | null {
  const authority = ABSOLUTE.exec(text)?.[3];
  if (authority === undefined) return null;
  const host = authority.replace(/^[^@]*@/, '').replace(/:\d*$/, '');
  return host === '' ? null : host.toLowerCase();
}
