/** Making and using private keys with node:crypto, one row an algorithm. */
import { createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../core/x509/algorithm.ts';

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;

const GENERATION = {
  'ecdsa-p256': ['ec', { namedCurve: 'P-256' }],
  'ecdsa-p384': ['ec', { namedCurve: 'P-384' }],
  'ecdsa-p521': ['ec', { namedCurve: 'P-521' }],
  'rsa-2048': ['rsa', { modulusLength: 2048 }],
  'rsa-3072': ['rsa', { modulusLength: 3072 }],
  'rsa-4096': ['rsa', { modulusLength: 4096 }],
  ed25519: ['ed25519', {}],
  'ml-dsa-44': ['ml-dsa-44', {}],
  'ml-dsa-65': ['ml-dsa-65', {}],
  'ml-dsa-87': ['ml-dsa-87', {}],
} as const satisfies Record<KeyAlgorithm, readonly [string, object]>;

/** Signing that takes longer than this on the main thread is done by the thread pool. */
const SLOW: readonly KeyAlgorithm[] = [
  'ecdsa-p384',
  'ecdsa-p521',
  'rsa-3072',
  'rsa-4096',
  'ml-dsa-44',
  'ml-dsa-65',
  'ml-dsa-87',
];

/** A new private key. @throws Error where the runtime does not know the algorithm (ML-DSA before OpenSSL 3.5) */
export async function generateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const [type, options] = GENERATION[algorithm];
  return (await generate(type, options)).privateKey;
}

/** DER of the SubjectPublicKeyInfo. */
export function publicKeyDer(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}

/** The algorithm of an existing key, or null when it is none of ours. */
export function algorithmOfKey(key: KeyObject): KeyAlgorithm | null {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const name =
    key.asymmetricKeyType === 'ec'
      ? ({ prime256v1: 'ecdsa-p256', secp384r1: 'ecdsa-p384', secp521r1: 'ecdsa-p521' } as const)[namedCurve ?? '']
      : key.asymmetricKeyType === 'rsa'
        ? `rsa-${modulusLength}`
        : key.asymmetricKeyType;
  return name !== undefined && Object.hasOwn(GENERATION, name) ? (name as KeyAlgorithm) : null;
}

/** Signs data as certificates want it (ECDSA as DER, no pre-hash for EdDSA and ML-DSA). */
export function signWith(key: KeyObject, algorithm: KeyAlgorithm): (data: Uint8Array) => Promise<Uint8Array> {
  const { digest } = KEY_ALGORITHMS[algorithm];
  if (!SLOW.includes(algorithm)) return async (data) => sign(digest, data, key);
  return (data) =>
    new Promise((resolve, reject) => {
      sign(digest, data, key, (fault, signature) => (fault ? reject(fault) : resolve(signature)));
    });
}
