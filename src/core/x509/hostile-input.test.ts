/** Certificates, CSRs and CRLs that somebody has tampered with: refused with a DerError, or read; nothing else ever happens. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dns, makeIntermediate, makeLeaf, makeRoot, NOW, testKey } from '../../../test/vectors/made-certificate.ts';
import { RFC5280_C2, RFC5280_C3, RFC5280_C4 } from '../../../test/vectors/rfc5280-appendix-c.ts';
import { DerError } from '../asn1/der-reader.ts';
import { assembleCrl, encodeCrlTbs, parseCrl, verifyCrlSignature } from '../revocation/crl.ts';
import { addSeconds } from '../time/instant.ts';
import { encodeAuthorityInformationAccess } from './authority-information-access.ts';
import { parseCertificate } from './certificate.ts';
import { encodeCertificatePolicies } from './certificate-policies.ts';
import { encodeCrlDistributionPoints } from './crl-distribution-points.ts';
import { assembleCsr, encodeCsrInfo, parseCsr, verifyCsrSignature } from './csr.ts';
import { formatGeneralName } from './general-name.ts';
import { lintCertificate, lintKindOf } from './lint.ts';
import { encodeName, formatName } from './name.ts';
import { encodeNameConstraints } from './name-constraints.ts';
import { validatePath } from './path.ts';
import { describeKey } from './public-key.ts';
import { subjectAltNames } from './subject-alt-name.ts';

const RUNS = process.env.SLOW === '1' ? 200_000 : 400;

const root = makeRoot();
const intermediate = makeIntermediate(root, 'Test Intermediate', {
  extensions: {
    nameConstraints: encodeNameConstraints({
      permitted: [],
      excluded: [{ kind: 'ip', value: '10.0.0.0/8' }, ...dns('secret.internal')],
    }),
  },
});
const leaf = makeLeaf(intermediate, {
  key: testKey('rsa-2048'),
  subject: encodeName({ commonName: 'api.internal', organization: 'Exämple', country: 'DE' }),
  extensions: {
    crl: encodeCrlDistributionPoints(['http://ca.internal/crl']),
    access: encodeAuthorityInformationAccess({ ocspUrls: ['http://ca.internal/ocsp'], caIssuersUrls: [] }),
    policies: encodeCertificatePolicies(['2.23.140.1.2.1']),
  },
});
const key = testKey();
const csrInfo = encodeCsrInfo({ publicKey: key.publicKey, commonName: 'api.internal', names: dns('api.internal') });
const csr = assembleCsr(csrInfo, 'ecdsa-p256', key.sign(csrInfo));
const crlTbs = encodeCrlTbs({
  issuer: { certificate: root.certificate, keyAlgorithm: 'ecdsa-p256' },
  number: 7,
  thisUpdate: NOW,
  nextUpdate: addSeconds(NOW, 86_400),
  entries: [{ serial: leaf.certificate.serial, revokedAt: NOW, reason: 'keyCompromise' }],
  distributionPointUrl: 'http://ca.internal/crl',
});
const crl = assembleCrl(crlTbs, root.key.sign(crlTbs.bytes));

/** Octets changed, removed, inserted or repeated, at one to four places. */
function tampered(bases: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    // Not a double: those that fast-check draws are nearly all next to 0.
    at: fc.nat(9999).map((part) => part / 10_000),
    kind: fc.constantFrom('set', 'flip', 'remove', 'insert', 'repeat', 'cut'),
    octet: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x30, 0x80, 0x81, 0x84, 0xff)),
    length: fc.integer({ min: 1, max: 20 }),
  });
  return fc.tuple(fc.constantFrom(...bases), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([base, edits]) => {
    let octets = Array.from(base);
    for (const { at, kind, octet, length } of edits) {
      const index = Math.floor(at * octets.length);
      if (kind === 'set') octets[index] = octet;
      else if (kind === 'flip') octets[index] = (octets[index] ?? 0) ^ (1 << (octet & 7));
      else if (kind === 'remove') octets.splice(index, length);
      else if (kind === 'insert') octets.splice(index, 0, octet);
      else if (kind === 'repeat') octets.splice(index, 0, ...octets.slice(index, index + length));
      else octets = octets.slice(0, index);
    }
    return Uint8Array.from(octets);
  });
}

/** Parsed, or null where a DerError said why not; any other error fails the test. */
function parsed<T>(parse: (der: Uint8Array) => T, der: Uint8Array): T | null {
  try {
    return parse(der);
  } catch (error) {
    if (error instanceof DerError && error.path !== '' && error.offset >= 0) return null;
    throw error;
  }
}

test('a tampered certificate is refused or read, and what is read can be named, linted and judged', () => {
  fc.assert(
    fc.property(tampered([leaf.der, intermediate.der, root.der, RFC5280_C2, RFC5280_C3]), (der) => {
      const certificate = parsed(parseCertificate, der);
      if (certificate === null) return;
      formatName(certificate.subject);
      describeKey(certificate.publicKey);
      subjectAltNames(certificate).map(formatGeneralName);
      lintCertificate(certificate, {
        kind: lintKindOf(certificate),
        issuer: intermediate.certificate,
        publicTrust: true,
      });
      const intermediates = [intermediate.certificate, certificate];
      for (const subject of [certificate, leaf.certificate]) {
        validatePath({
          leaf: subject,
          intermediates,
          anchors: [root.certificate],
          now: NOW,
          purpose: 'server',
          name: 'api.internal',
        });
      }
    }),
    { numRuns: RUNS },
  );
});

test('a tampered certificate that is still valid is the certificate itself', () => {
  fc.assert(
    fc.property(tampered([leaf.der]), (der) => {
      const certificate = parsed(parseCertificate, der);
      if (certificate === null) return;
      const result = validatePath({
        leaf: certificate,
        intermediates: [intermediate.certificate],
        anchors: [root.certificate],
        now: NOW,
        purpose: 'server',
      });
      if (result.ok) assert.deepEqual(certificate.tbs, leaf.certificate.tbs);
    }),
    { numRuns: RUNS },
  );
});

test('a tampered CSR is refused or read, and its signature covers all of it', () => {
  fc.assert(
    fc.property(tampered([csr]), (der) => {
      const request = parsed(parseCsr, der);
      if (request !== null && verifyCsrSignature(request)) assert.deepEqual(request.info, new Uint8Array(csrInfo));
    }),
    { numRuns: RUNS },
  );
});

test('a tampered CRL is refused or read, and its signature covers all of it', () => {
  fc.assert(
    fc.property(tampered([crl, RFC5280_C4]), (der) => {
      const list = parsed(parseCrl, der);
      if (list !== null && verifyCrlSignature(list, root.certificate))
        assert.deepEqual(list.tbs, new Uint8Array(crlTbs.bytes));
    }),
    { numRuns: RUNS },
  );
});
