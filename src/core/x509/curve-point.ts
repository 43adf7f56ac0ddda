/** Points of the NIST curves (SEC 1 §2.3.4, SEC 2): y² = x³ − 3x + b (mod p). Public values only. */

interface Curve {
  readonly p: bigint;
  readonly b: bigint;
  readonly byteLength: number;
}

const CURVES: Readonly<Record<string, Curve>> = {
  'P-256': {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    byteLength: 32,
  },
  'P-384': {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    byteLength: 48,
  },
  'P-521': {
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    byteLength: 66,
  },
};

/** Whether octets are an uncompressed point of the curve; null for curves that are not accepted. */
export function isOnCurve(curve: string, point: Uint8Array): boolean | null {
  const row = Object.hasOwn(CURVES, curve) ? CURVES[curve] : undefined;
  if (!row) return null;
  const { p, b, byteLength } = row;
  if (point.byteLength !== 1 + 2 * byteLength || point[0] !== 4) return false;
  const hex = Buffer.from(point).toString('hex');
  const x = BigInt(`0x${hex.slice(2, 2 + 2 * byteLength)}`);
  const y = BigInt(`0x${hex.slice(2 + 2 * byteLength)}`);
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}
