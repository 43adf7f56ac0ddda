/** Self-signed certificates for servers of the test world, with whatever extensions are asked for. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, explicit, integer, sequence, time, unsignedInteger } from '../../src/core/asn1/der-writer.ts';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import { instantFromSeconds } from '../../src/core/time/instant.ts';
import { KEY_ALGORITHMS } from '../../src/core/x509/algorithm.ts';
import { encodeName } from '../../src/core/x509/name.ts';

export interface SelfSigned {
  readonly der: Uint8Array;
  /** Certificate and key as servers take them. */
  readonly cert: string;
  readonly key: string;
}

/** Of the subject and of the issuer. */
export interface SelfSignedNames {
  readonly subject?: string;
  readonly issuer?: string;
  /** Signs in place of the certificate's own key. */
  readonly signWith?: KeyObject;
}

/** P-256, valid from 2020 to 2049. `extensions` are finished Extension values. */
export function selfSigned(extensions: readonly Uint8Array[], names: SelfSignedNames = {}): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { signatureAlgorithm } = KEY_ALGORITHMS['ecdsa-p256'];
  const subject = names.subject ?? 'test world';
  const tbs = sequence(
    explicit(0, integer(2)),
    unsignedInteger(randomBytes(15)),
    signatureAlgorithm.raw,
    encodeName({ commonName: names.issuer ?? subject }),
    sequence(time(instantFromSeconds(1_577_836_800)), time(instantFromSeconds(2_500_000_000))),
    encodeName({ commonName: subject }),
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length > 0 ? [explicit(3, sequence(...extensions))] : []),
  );
  const der = sequence(tbs, signatureAlgorithm.raw, bitString(sign('sha256', tbs, names.signWith ?? privateKey)));
  return {
    der,
    cert: pemFromDer('CERTIFICATE', der),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}
