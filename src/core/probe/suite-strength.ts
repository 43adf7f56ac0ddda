/** How good a cipher suite is, by its IANA name. */
import { suiteName } from '../tls/cipher-suites.ts';

/** broken: whoever listens can read, or anybody can be the server. weak: no forward secrecy, or no authenticated encryption. */
export type SuiteStrength = 'broken' | 'weak' | 'good';

const BROKEN = /_WITH_NULL|_anon_|EXPORT|_RC4_|_RC2_|_DES_CBC|_DES40_|^TLS_NULL/;
const FORWARD_SECRET = /^TLS_(?:ECDHE|DHE|CECPQ1)_/;
const AUTHENTICATED = /_(?:GCM|CCM|CCM_8|POLY1305)(?:_|$)/;
const OF_TLS13 = /^TLS_(?:AES|CHACHA20)_/;

export function suiteStrength(code: number): SuiteStrength {
  const name = suiteName(code);
  if (BROKEN.test(name)) return 'broken';
  return OF_TLS13.test(name) || (FORWARD_SECRET.test(name) && AUTHENTICATED.test(name)) ? 'good' : 'weak';
}

/** Whether a client that insists on 256 bits finds something. */
export function isWide(code: number): boolean {
  return /_(?:AES_256|CHACHA20)_/.test(suiteName(code));
}
