/** An authority for tests with real servers: root, intermediate, and pairs that are valid now. */
import { createHash, randomBytes } from 'node:crypto';
import { sequence, time, unsignedInteger } from '../../src/core/asn1/der-writer.ts';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import { instantFromSeconds } from '../../src/core/time/instant.ts';
import { encodeExtendedKeyUsage, type KeyPurpose } from '../../src/core/x509/extended-key-usage.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { parseIpAddress } from '../../src/core/x509/ip-address.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';
import { makeIntermediate, makeLeaf, makeRoot } from '../vectors/made-certificate.ts';

export interface TestPair {
  /** PEM, leaf first. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  /** PEM of the root. */
  readonly ca: string;
  /** SHA-256 of the leaf, lower-case hex. */
  readonly fingerprint: string;
}

export interface TestAuthority {
  readonly ca: string;
  readonly issue: (purposes: readonly KeyPurpose[], commonName?: string) => TestPair;
}

/** Every server here is reached by these. */
export const NAMES: readonly GeneralName[] = [
  { kind: 'dns', value: 'service.internal' },
  { kind: 'dns', value: 'localhost' },
  ...['127.0.0.1', '::1'].flatMap((text): GeneralName[] => {
    const value = parseIpAddress(text);
    return value === null ? [] : [{ kind: 'ip', value }];
  }),
];

export function testAuthority(name = 'Test Root'): TestAuthority {
  const root = makeRoot(name);
  const intermediate = makeIntermediate(root, `${name}, intermediate`);
  const ca = pemFromDer('CERTIFICATE', root.der);
  return {
    ca,
    issue(purposes, commonName) {
      const now = Math.floor(Date.now() / 1000);
      const names: readonly GeneralName[] = commonName === undefined ? NAMES : [{ kind: 'dns', value: commonName }];
      const leaf = makeLeaf(intermediate, {
        serial: unsignedInteger(randomBytes(15)),
        validity: sequence(time(instantFromSeconds(now - 60)), time(instantFromSeconds(now + 3600))),
        subject: encodeName(commonName === undefined ? {} : { commonName }),
        extensions: {
          extKeyUsage: encodeExtendedKeyUsage(purposes),
          subjectAltName: encodeSubjectAltName(names, commonName === undefined),
        },
      });
      return {
        chain: pemFromDer('CERTIFICATE', leaf.der) + pemFromDer('CERTIFICATE', intermediate.der),
        key: leaf.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        ca,
        fingerprint: createHash('sha256').update(leaf.der).digest('hex'),
      };
    },
  };
}
