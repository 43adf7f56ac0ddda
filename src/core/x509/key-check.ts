/**
 * Whether a public key may be certified (Baseline Requirements §6.1.6; NIST SP 800-89 §5.3.3): known kind and size,
 * and none of the faults by which key generators have given private keys away. Debian's and other blocklists
 * are not here.
 */
import { isOnCurve } from './curve-point.ts';
import type { PublicKeyInfo } from './public-key.ts';

export type KeyWeakness = {
  readonly reason:
    | 'unsupported-key'
    | 'key-too-small'
    | 'key-size-odd'
    | 'bad-exponent'
    | 'bad-modulus'
    | 'bad-point'
    | 'roca'
    | 'close-primes';
  /** What was seen and what is allowed. */
  readonly detail: string;
};

const ALLOWED = 'RSA with 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, Ed25519 and ML-DSA are accepted';

/** Why the key is refused, or null when it is good. */
export function checkPublicKey(key: PublicKeyInfo): KeyWeakness | null {
  switch (key.kind) {
    case 'rsa':
      return checkRsa(key.bits, key.modulus, key.exponent);
    case 'ec':
      return checkEc(key.curve, key.point);
    case 'ed25519':
    case 'ml-dsa':
      return null;
    case 'unknown':
      return { reason: 'unsupported-key', detail: `a key of algorithm ${key.oid}; ${ALLOWED}` };
  }
}

function checkEc(curve: string, point: Uint8Array): KeyWeakness | null {
  const onCurve = isOnCurve(curve, point);
  if (onCurve === null) return { reason: 'unsupported-key', detail: `an EC key on the curve ${curve}; ${ALLOWED}` };
  if (!onCurve) return { reason: 'bad-point', detail: `the public key is not an uncompressed point on ${curve}` };
  return null;
}

function checkRsa(bits: number, modulusOctets: Uint8Array, exponentOctets: Uint8Array): KeyWeakness | null {
  if (bits < 2048) return { reason: 'key-too-small', detail: `an RSA key of ${bits} bits; at least 2048 are needed` };
  if (bits > 8192) return { reason: 'unsupported-key', detail: `an RSA key of ${bits} bits; ${ALLOWED}` };
  if (bits % 8 !== 0) return { reason: 'key-size-odd', detail: `an RSA key of ${bits} bits, not a multiple of 8` };
  // SP 800-89 §5.3.3 and BR §6.1.6: odd, and between 2^16+1 and 2^256-1. Windows cannot use exponents above 32 bits.
  const exponent = exponentOctets.byteLength > 4 ? null : Number(integerOf(exponentOctets));
  if (exponent === null || exponent < 65537 || exponent % 2 === 0) {
    const seen = exponent ?? 'of more than 32 bits';
    return {
      reason: 'bad-exponent',
      detail: `the RSA exponent is ${seen}; an odd one from 65537 to 4294967295 is needed`,
    };
  }
  const modulus = integerOf(modulusOctets);
  const factor = smallFactor(modulus);
  if (factor !== null) return { reason: 'bad-modulus', detail: `the RSA modulus is divisible by ${factor}` };
  if (hasRocaFingerprint(modulus)) {
    return { reason: 'roca', detail: 'the RSA key was made by a generator with the ROCA fault (CVE-2017-15361)' };
  }
  if (hasClosePrimes(modulus)) {
    return {
      reason: 'close-primes',
      detail: 'the two primes of the RSA key are so close that Fermat’s method finds them',
    };
  }
  return null;
}

function integerOf(octets: Uint8Array): bigint {
  return octets.byteLength === 0 ? 0n : BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}

const SMALL_PRIMES = Array.from({ length: 751 }, (_, n) => n + 2).filter((n) => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
});

/** The primes grouped into products that fit a double exactly: one long division for several primes. */
const PRIME_GROUPS = SMALL_PRIMES.reduce<{ product: number; primes: number[] }[]>((groups, prime) => {
  const last = groups.at(-1);
  if (last && last.product * prime <= Number.MAX_SAFE_INTEGER) {
    last.product *= prime;
    last.primes.push(prime);
  } else {
    groups.push({ product: prime, primes: [prime] });
  }
  return groups;
}, []);

/** Baseline Requirements §6.1.6: the modulus has "no factors smaller than 752". */
function smallFactor(modulus: bigint): number | null {
  for (const { product, primes } of PRIME_GROUPS) {
    const rest = Number(modulus % BigInt(product));
    for (const prime of primes) if (rest % prime === 0) return prime;
  }
  return null;
}

/**
 * Nemec and others, "The Return of Coppersmith's Attack" (2017): such primes are k·M + (65537^a mod M) with M a
 * primorial, so modulo each small prime the modulus lies in the subgroup that 65537 generates.
 */
const ROCA_SUBGROUPS = SMALL_PRIMES.filter((prime) => prime >= 3 && prime <= 167).map((prime) => {
  const members = new Set<number>();
  for (let power = 1; !members.has(power); power = (power * 65537) % prime) members.add(power);
  return { prime: BigInt(prime), members };
});

function hasRocaFingerprint(modulus: bigint): boolean {
  return ROCA_SUBGROUPS.every(({ prime, members }) => members.has(Number(modulus % prime)));
}

/** Rounds of Fermat's factorization, as public authorities do (CVE-2022-26320; Baseline Requirements §6.1.1.3). */
const FERMAT_ROUNDS = 100;

function hasClosePrimes(modulus: bigint): boolean {
  let a = squareRoot(modulus);
  if (a * a < modulus) a++;
  let difference = a * a - modulus;
  for (let round = 0; round < FERMAT_ROUNDS; round++) {
    if (isSquare(difference)) return true;
    difference += 2n * a + 1n;
    a++;
  }
  return false;
}

/** Squares leave few residues: these three moduli rule out 99 of 100 numbers before the costly root. */
const SQUARES = [64, 63, 65].map((modulus) => ({
  modulus: BigInt(modulus),
  residues: new Set(Array.from({ length: modulus }, (_, n) => (n * n) % modulus)),
}));

function isSquare(value: bigint): boolean {
  if (!SQUARES.every(({ modulus, residues }) => residues.has(Number(value % modulus)))) return false;
  const root = squareRoot(value);
  return root * root === value;
}

/** Integer square root by Newton's method, from a start that has half the bits. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(16).length * 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
