/** What is said of a certificate by whoever verified it: its dates, its issuer, its purpose. */
import { certain, likely, type MessageRow, possible, verifying } from './message-row.ts';

/** As OpenSSL and Java write it. */
const DATE = String.raw`(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8} (?:[A-Z]{2,5} )?\d{4}`;

const EXPIRED = {
  client: [likely('certificate-expired'), possible('clock-skew')],
  server: [likely('client-certificate-expired'), possible('clock-skew')],
};
const BEGINS_LATER = {
  client: [likely('certificate-not-yet-valid'), likely('clock-skew')],
  server: [
    likely('certificate-not-yet-valid', 'the client’s certificate begins later, by the clock of this server'),
    likely('clock-skew'),
  ],
};

const DATES: readonly MessageRow[] = [
  verifying({
    says: ['your clock is ahead', 'your clock is behind', 'your computer clock is wrong'],
    client: [certain('clock-skew', 'the browser compared its clock with a known one, and it is wrong')],
  }),
  verifying({
    says: ['certificate has expired or is not yet valid'],
    near: /current time (?<now>[\w:.+-]{10,40}) is before (?<notBefore>[\w:.+-]{10,40})/i,
    ...BEGINS_LATER,
  }),
  verifying({
    says: ['certificate has expired or is not yet valid'],
    takes: [/current time (?<now>[\w:.+-]{10,40}) is after (?<notAfter>[\w:.+-]{10,40})/i],
    ...EXPIRED,
  }),
  verifying({
    says: ['err cert date invalid', 'nottimevalid', 'sec e cert expired'],
    client: [likely('certificate-expired'), possible('certificate-not-yet-valid'), possible('clock-skew')],
  }),
  verifying({
    says: [
      'certificate has expired',
      'cert has expired',
      'certificateexpiredexception',
      'sec error expired certificate',
      'sec error expired issuer certificate',
      'the certificate chain uses expired certificate',
      'issued certificate has expired',
      'invalid peer certificate expired',
      'invalid peer certificate certificate expired',
      'expired certificate the certificate',
    ],
    takes: [new RegExp(`(?:notAfter=|ExpiredException: NotAfter: )(?<notAfter>${DATE})`)],
    ...EXPIRED,
  }),
  verifying({
    says: [
      'certificate is not yet valid',
      'cert not yet valid',
      'certificate not yet valid',
      'certificatenotyetvalidexception',
      'mozilla pkix error not yet valid certificate',
      'mozilla pkix error not yet valid issuer certificate',
      'the certificate chain uses not yet valid certificate',
      'is not yet activated',
      'issued certificate not yet valid',
      'invalid peer certificate notvalidyet',
    ],
    takes: [new RegExp(`(?:notBefore=|YetValidException: NotBefore: )(?<notBefore>${DATE})`)],
    ...BEGINS_LATER,
  }),
];

const UNTRUSTED_CLIENT = [certain('client-certificate-untrusted')];

const ISSUERS: readonly MessageRow[] = [
  verifying({
    says: [
      'self signed certificate in certificate chain',
      'self signed cert in chain',
      'self signed certificate in chain',
    ],
    client: [
      likely('unknown-ca', 'the server sent its root too, and this client does not trust it'),
      possible('retired-ca', 'that root may be one that has been replaced'),
    ],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: [
      'depth zero self signed cert',
      'self signed certificate',
      'mozilla pkix error self signed cert',
      'self signed cert',
    ],
    client: [certain('self-signed')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    // Erlang, of what it refused itself.
    says: ['alert fatal unknown ca'],
    near: /generated (?:CLIENT|SERVER) ALERT/,
    client: [likely('unknown-ca'), likely('chain-incomplete')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: ['unable to verify leaf signature', 'unable to verify the first certificate', 'partialchain'],
    client: [likely('chain-incomplete'), likely('unknown-ca')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: ['unable to get issuer cert locally', 'unable to get issuer certificate', 'unable to get issuer cert'],
    client: [likely('unknown-ca'), possible('chain-incomplete')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: ['signed by unknown authority'],
    near: /possibly because of .{1,200} trying to verify candidate authority certificate "(?<authority>[^"]{1,200})"/i,
    client: [likely('retired-ca'), possible('unknown-ca')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: ['certificate signature failure', 'cert signature failure', 'sec error bad signature'],
    client: [likely('retired-ca'), possible('certificate-invalid')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: [
      'unable to find valid certification path to requested target',
      'err cert authority invalid',
      'mozilla pkix error mitm detected',
    ],
    client: [likely('unknown-ca'), likely('chain-incomplete'), possible('self-signed')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    // Node.js adds a code that says more.
    rank: 'general',
    says: ['unable to get local issuer certificate'],
    client: [likely('unknown-ca'), likely('chain-incomplete')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    // These know one word for all of it.
    says: ['signed by unknown authority', 'the certificate issuer is unknown', 'doesn t have a known issuer'],
    client: [likely('unknown-ca'), likely('chain-incomplete'), possible('self-signed')],
    server: UNTRUSTED_CLIENT,
  }),
  verifying({
    says: [
      'path does not chain with any of the trust anchors',
      'sec error unknown issuer',
      'sec error untrusted issuer',
      'unknownissuer',
      'certificate was issued by an authority that is not trusted',
      'certificate chain was issued by an authority that is not trusted',
      'sec e untrusted root',
      'untrustedroot',
    ],
    takes: [/issuer "(?<issuer>[^"]{1,200})"/],
    client: [likely('unknown-ca'), likely('chain-incomplete')],
    server: UNTRUSTED_CLIENT,
  }),
];

const QUALITIES: readonly MessageRow[] = [
  verifying({
    says: [
      'unsuitable certificate purpose',
      'unsupported certificate purpose',
      'invalid purpose',
      'certificate specifies an incompatible key usage',
      'sec error inadequate cert type',
      'sec error inadequate key usage',
      'invalid peer certificate invalidpurpose',
      'the certificate chain is not intended for this purpose',
      'the certificate chain does not match the intended purpose',
    ],
    client: [certain('certificate-wrong-purpose')],
    server: [certain('client-certificate-wrong-purpose')],
  }),
  verifying({
    says: ['extended key usage does not permit use for tls server authentication', 'err ssl key usage incompatible'],
    client: [likely('certificate-wrong-purpose')],
  }),
  verifying({
    says: ['extended key usage does not permit use for tls client authentication'],
    client: [certain('client-certificate-wrong-purpose')],
    server: [certain('client-certificate-wrong-purpose')],
  }),
  verifying({
    says: [
      'ee certificate key too weak',
      'ca certificate key too weak',
      'ca signature digest algorithm too weak',
      'ee key too small',
      'ca key too small',
      'ca md too weak',
      'algorithm constraints check failed',
      'insecure signature algorithm',
      'cannot verify signature insecure algorithm',
      'err cert weak signature algorithm',
      'err cert weak key',
      'sec error cert signature algorithm disabled',
      'mozilla pkix error inadequate key size',
      'the certificate chain uses insecure algorithm',
      'certificates does not conform to algorithm constraints',
      'certificate uses an insecure signature',
    ],
    client: [certain('weak-certificate')],
    server: [certain('weak-certificate', 'key or signature of a certificate are too weak for this library')],
  }),
  verifying({
    says: [
      'certificate revoked',
      'cert revoked',
      'certificaterevokedexception',
      'sec error revoked certificate',
      'err cert revoked',
      'certificate has been revoked',
      'invalid peer certificate revoked',
    ],
    client: [certain('certificate-revoked')],
    server: [certain('certificate-revoked', 'the client’s certificate is revoked')],
  }),
  verifying({
    says: [
      'path length constraint exceeded',
      'the certificate chain violates the signer s constraints',
      'invalid ca certificate',
      'permitted subtree violation',
      'excluded subtree violation',
      'parent certificate cannot sign this kind of certificate',
      'certificate is not authorized to sign other certificates',
      'is not permitted by any constraint',
      'mozilla pkix error ca cert used as end entity',
      'causedasendentity',
      'sec error ca cert invalid',
      'err cert invalid',
      'err cert validity too long',
      'err cert name constraint violation',
      'unhandled critical extension',
      'key usage does not include certificate signing',
      'ca cert does not include key usage extension',
      'path length invalid for non ca cert',
      'missing authority key identifier',
      'missing subject key identifier',
      'basic constraints of ca cert not marked critical',
      'authority and subject key identifier mismatch',
      'too many intermediates for path length constraint',
    ],
    client: [likely('certificate-invalid')],
    server: [likely('certificate-invalid', 'the client’s chain breaks a rule of RFC 5280')],
  }),
];

/** "Verify failed", without a reason: some programs keep it to themselves. */
const UNREASONED: readonly MessageRow[] = [
  verifying({
    rank: 'symptom',
    says: [
      'certificate verify failed',
      'the ssl certificate error',
      'server certificate verification failed',
      'the certificate is not trusted',
      'remotecertificatechainerrors',
      'pkix path building failed',
      'pkix path validation failed',
      'the remote certificate is invalid',
      'is not trusted',
    ],
    unless: /is not trusted by this/i,
    client: [likely('unknown-ca'), possible('chain-incomplete'), possible('certificate-expired')],
    server: [
      likely('client-certificate-untrusted'),
      possible('client-certificate-wrong-purpose'),
      possible('client-certificate-expired'),
    ],
  }),
];

export const CERTIFICATE_ROWS: readonly MessageRow[] = [...DATES, ...ISSUERS, ...QUALITIES, ...UNREASONED];
