/** Groups for key exchange by their code (IANA registry "TLS Supported Groups"). */

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x11ec, 'X25519MLKEM768'],
  [0x11eb, 'SecP256r1MLKEM768'],
  [0x11ed, 'SecP384r1MLKEM1024'],
  [0x0200, 'MLKEM512'],
  [0x0201, 'MLKEM768'],
  [0x0202, 'MLKEM1024'],
  [0x001d, 'x25519'],
  [0x0017, 'secp256r1'],
  [0x0018, 'secp384r1'],
  [0x0019, 'secp521r1'],
  [0x001e, 'x448'],
  [0x001a, 'brainpoolP256r1'],
  [0x001b, 'brainpoolP384r1'],
  [0x001c, 'brainpoolP512r1'],
  [0x001f, 'brainpoolP256r1tls13'],
  [0x0020, 'brainpoolP384r1tls13'],
  [0x0021, 'brainpoolP512r1tls13'],
  [0x0100, 'ffdhe2048'],
  [0x0101, 'ffdhe3072'],
  [0x0102, 'ffdhe4096'],
  [0x0103, 'ffdhe6144'],
  [0x0104, 'ffdhe8192'],
  [0x0029, 'curveSM2'],
  [0x0009, 'sect283k1'],
  [0x000a, 'sect283r1'],
  [0x000b, 'sect409k1'],
  [0x000c, 'sect409r1'],
  [0x000d, 'sect571k1'],
  [0x000e, 'sect571r1'],
  [0x0012, 'secp192k1'],
  [0x0013, 'secp192r1'],
  [0x0014, 'secp224k1'],
  [0x0015, 'secp224r1'],
  [0x0016, 'secp256k1'],
]);

/** "X25519MLKEM768", "secp256r1"; of one that is not registered, "0xABCD". */
export function groupName(code: number): string {
  return NAMES.get(code) ?? `0x${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** With ML-KEM, alone or beside a curve. */
export function isPostQuantum(code: number): boolean {
  return (NAMES.get(code) ?? '').includes('MLKEM');
}

/** Everything that can be asked for, the usual ones first. */
export const ALL_GROUPS: readonly number[] = [...NAMES.keys()];

/** Those that TLS 1.2 knows too: curves and finite fields, no key encapsulation. */
export const GROUPS_12: readonly number[] = ALL_GROUPS.filter(
  (code) => code < 0x0200 && (code < 0x001f || code > 0x0021),
);
