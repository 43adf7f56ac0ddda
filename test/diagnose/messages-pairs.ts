/** Pairs that are wrong in one way each, as files: for servers and clients that are to fail. */
import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { sequence, time, unsignedInteger } from '../../src/core/asn1/der-writer.ts';
import { pemFromDer } from '../../src/core/bytes/pem.ts';
import { instantFromSeconds } from '../../src/core/time/instant.ts';
import { encodeExtendedKeyUsage } from '../../src/core/x509/extended-key-usage.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { encodeName } from '../../src/core/x509/name.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';
import { NAMES } from '../services/test-authority.ts';
import {
  type CertificateParts,
  dns,
  type MadeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testKey,
} from '../vectors/made-certificate.ts';

/** Paths of PEM files. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
  /** What stands behind the leaf in `cert`. */
  readonly rest?: string;
}

const DAY = 86_400;

export type BrokenPairs = ReturnType<typeof brokenPairs>;

/** Gone when all tests of the file have run. Everybody may read them: servers run as their own users. */
export function brokenPairs() {
  const directory = mkdtempSync(join(tmpdir(), 'fullchain-messages-'));
  chmodSync(directory, 0o755);
  after(() => rmSync(directory, { recursive: true, force: true }));
  const now = Math.floor(Date.now() / 1000);
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o644 });
    return path;
  };
  const pem = (...certificates: readonly MadeCertificate[]): string =>
    certificates.map(({ der }) => pemFromDer('CERTIFICATE', der)).join('');
  const keyOf = ({ key }: MadeCertificate): string =>
    key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  const root = makeRoot('Shop Root');
  const intermediate = makeIntermediate(root, 'Shop Intermediate');
  const otherRoot = makeRoot('Other Root');
  const otherIntermediate = makeIntermediate(otherRoot, 'Other Intermediate');
  // The same name, another key: what a client still trusts after the authority was made anew.
  const formerRoot = makeRoot('Shop Root');

  interface Leaf {
    readonly issuer?: MadeCertificate;
    readonly from?: number;
    readonly to?: number;
    readonly commonName?: string;
    readonly names?: readonly GeneralName[] | null;
    readonly purpose?: 'serverAuth' | 'clientAuth';
    readonly parts?: CertificateParts;
  }
  const leaf = (options: Leaf): MadeCertificate => {
    const { issuer = intermediate, from = -DAY, to = DAY, commonName, names = NAMES, purpose = 'serverAuth' } = options;
    return makeLeaf(issuer, {
      serial: unsignedInteger(randomBytes(15)),
      validity: sequence(time(instantFromSeconds(now + from)), time(instantFromSeconds(now + to))),
      subject: encodeName(commonName === undefined ? {} : { commonName }),
      ...options.parts,
      extensions: {
        extKeyUsage: encodeExtendedKeyUsage([purpose]),
        subjectAltName: names === null ? null : encodeSubjectAltName(names, commonName === undefined),
      },
    });
  };
  const pair = (name: string, chain: readonly MadeCertificate[]): PairFiles => {
    const [first] = chain;
    if (first === undefined) throw new TypeError('a chain has a leaf');
    const rest = chain.length > 1 && { rest: write(`${name}.rest`, pem(...chain.slice(1))) };
    return { cert: write(`${name}.crt`, pem(...chain)), key: write(`${name}.key`, keyOf(first)), ...rest };
  };
  const server = (name: string, options: Leaf): PairFiles => pair(name, [leaf(options), intermediate]);
  const client = (name: string, options: Leaf): PairFiles =>
    pair(name, [
      leaf({ commonName: 'client.internal', names: dns('client.internal'), purpose: 'clientAuth', ...options }),
      options.issuer ?? intermediate,
    ]);

  const good = leaf({});
  const rsa = leaf({ parts: { key: testKey('rsa-2048') } });
  const selfKey = testKey();
  const selfIssued = encodeName({ commonName: 'localhost' });
  const self = makeLeaf(
    { ...good, key: selfKey },
    {
      key: selfKey,
      issuer: selfIssued,
      subject: selfIssued,
      validity: sequence(time(instantFromSeconds(now - DAY)), time(instantFromSeconds(now + DAY))),
      extensions: { subjectAltName: encodeSubjectAltName(NAMES, false), authorityKeyIdentifier: null },
    },
  );
  const weakKey = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const weak = leaf({
    parts: {
      key: {
        algorithm: 'rsa-2048',
        privateKey: weakKey,
        publicKey: new Uint8Array(createPublicKey(weakKey).export({ type: 'spki', format: 'der' })),
        sign: (data) => sign('sha256', data, weakKey),
      },
    },
  });
  return {
    directory,
    write,
    root: write('root.crt', pem(root)),
    otherRoot: write('other-root.crt', pem(otherRoot)),
    formerRoot: write('former-root.crt', pem(formerRoot)),
    good: pair('good', [good, intermediate]),
    withRoot: pair('with-root', [good, intermediate, root]),
    leafAlone: pair('leaf-alone', [good]),
    fromIntermediate: {
      cert: write('from-intermediate.crt', pem(intermediate, good)),
      key: write('from-intermediate.key', keyOf(good)),
    },
    rsa: pair('rsa', [rsa, intermediate]),
    /** An ECDSA certificate with another ECDSA key, and with an RSA key. */
    otherKey: { cert: write('other-key.crt', pem(good, intermediate)), key: write('other-key.key', keyOf(leaf({}))) },
    otherTypeOfKey: {
      cert: write('other-type.crt', pem(good, intermediate)),
      rest: write('other-type.rest', pem(intermediate)),
      key: write('other-type.key', keyOf(rsa)),
    },
    expired: server('expired', { from: -9 * DAY, to: -DAY }),
    future: server('future', { from: 30 * DAY, to: 60 * DAY }),
    otherName: server('other-name', { names: dns('db.internal', 'db') }),
    namesAlone: server('names-alone', { names: dns('localhost') }),
    commonNameAlone: server('common-name-alone', { names: null, commonName: 'localhost' }),
    forClients: server('for-clients', { purpose: 'clientAuth' }),
    weak: pair('weak', [weak, intermediate]),
    selfSigned: pair('self-signed', [self]),
    client: client('client', {}),
    otherClient: client('other-client', { issuer: otherIntermediate }),
    expiredClient: client('expired-client', { from: -9 * DAY, to: -DAY }),
    serverAsClient: client('server-as-client', { purpose: 'serverAuth' }),
  };
}
