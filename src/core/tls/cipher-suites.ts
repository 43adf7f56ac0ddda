/** Cipher suites by their code (IANA registry "TLS Cipher Suites"), by name and in the order in which they are offered. */
import { CIPHER_SUITE_REGISTRY } from './cipher-suite-registry.ts';

const NAMES: ReadonlyMap<number, string> = new Map(
  CIPHER_SUITE_REGISTRY.trim()
    .split('\n')
    .map((line) => [Number.parseInt(line.slice(0, 4), 16), line.slice(5)]),
);

const CODES: ReadonlyMap<string, number> = new Map([...NAMES].map(([code, name]) => [name, code]));

/** "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"; of one that is not registered, "0xABCD". */
export function suiteName(code: number): string {
  return NAMES.get(code) ?? `0x${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export function suiteByName(name: string): number | null {
  return CODES.get(name) ?? null;
}

const isOf13 = (code: number): boolean => code >> 8 === 0x13;

/** TLS_AES_… of RFC 8446 §B.4. */
export const SUITES_13: readonly number[] = [...NAMES.keys()].filter(isOf13);

/** Every other one: what SSLv3 to TLS 1.2 may choose from, the usual ones first so that most servers are done early. */
export const SUITES_12: readonly number[] = [...NAMES.keys()].filter((code) => !isOf13(code)).sort(byUse);

function byUse(a: number, b: number): number {
  const rank = (code: number): number => {
    const name = suiteName(code);
    const modern = name.startsWith('TLS_ECDHE_')
      ? 0
      : name.startsWith('TLS_DHE_')
        ? 1
        : name.startsWith('TLS_RSA_')
          ? 2
          : 3;
    return modern * 2 + (/GCM|POLY1305/.test(name) ? 0 : 1);
  };
  return rank(a) - rank(b) || a - b;
}
