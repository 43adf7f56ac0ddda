/** What is said of a certificate by whoever verified it: its names, its dates, its issuer, its purpose. */
import { certain, likely, type MessageRow, possible } from './message-row.ts';

const IP = String.raw`(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{0,4}:[\da-f:.]{1,45}`;

/** As OpenSSL and Java write it. */
const DATE = String.raw`(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} {1,2}\d{1,2} [\d:]{8} (?:[A-Z]{2,5} )?\d{4}`;

/** A client's words, unless a line shows that a server verified its client. */
function verifying(row: Omit<MessageRow, 'rank' | 'usually'> & { readonly rank?: MessageRow['rank'] }): MessageRow {
  // Names are verified by clients alone; a server that does so is a client of another one.
  return { rank: 'particular', usually: 'client', ...(row.client && { server: row.client }), ...row };
}

const MISMATCH = [likely('name-mismatch'), possible('no-subject-alt-name'), possible('ip-not-in-certificate')];

const NAMES: readonly MessageRow[] = [
  verifying({
    says: ['certificate is valid for'],
    near: new RegExp(`certificate is valid for (?<names>.{1,600}?), (?:and )?not (?<asked>${IP})`, 'i'),
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: ['certificate is valid for'],
    near: /certificate is valid for (?<names>.{1,600}?), (?:and )?not (?<asked>[\w.-]{1,253}[\w-])/i,
    client: [certain('name-mismatch')],
  }),
  verifying({
    says: ['contain any ip sans', 'no subject alternative names matching ip address', 'ip address mismatch'],
    takes: [
      /cannot validate certificate for (?<asked>[\w.:]{2,60}) because/i,
      /matching IP address (?<asked>[\w.:]{2,60}) found/i,
      /not valid for '(?<asked>[\w.:]{2,60})'/i,
    ],
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: ['certificate relies on legacy common name field', 'no appropriate subjectaltname fields were found'],
    takes: [/got an error: .{0,80}hostname '(?<asked>[^']{1,253})'/i],
    client: [certain('no-subject-alt-name')],
  }),
  verifying({
    says: ['certificate is not valid for any names', 'unable to obtain common name from peer certificate'],
    takes: [/wanted to match (?<asked>[\w.-]{1,253})/i],
    client: [likely('no-subject-alt-name'), possible('name-mismatch')],
  }),
  verifying({
    says: ['no subject alternative names present', 'could not get server s host name from server certificate'],
    client: [likely('no-subject-alt-name'), possible('ip-not-in-certificate')],
  }),
  verifying({
    says: ['no alternative certificate subject name matches target'],
    near: new RegExp(`target (?:host ?name|ipv[46] address) '(?<asked>${IP})'`, 'i'),
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: ['no alternative certificate subject name matches target'],
    takes: [/target host ?name '(?<asked>[^']{1,253})'/i],
    client: [certain('name-mismatch')],
  }),
  verifying({
    says: ['certificate subject name'],
    near: /certificate subject name '(?<names>[^']{1,253})' does not match target host ?name '(?<asked>[^']{1,253})'/i,
    client: [likely('name-mismatch'), likely('no-subject-alt-name')],
  }),
  verifying({
    says: ['is not cert s cn'],
    takes: [/Host: (?<asked>[\w.-]{1,253}?)\.? is not cert's CN: (?<names>[^\s'"]{1,253})/i],
    client: [likely('no-subject-alt-name'), likely('name-mismatch')],
  }),
  verifying({
    says: ['hostname ip does not match certificate s altnames'],
    near: new RegExp(`IP: (?<asked>${IP}) is not in the cert's list: ?(?<names>[\\da-f.:, ]{0,600})`, 'i'),
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: ['cert does not contain a dns name', 'cert is empty'],
    client: [certain('no-subject-alt-name')],
  }),
  verifying({
    says: ['hostname ip does not match certificate s altnames'],
    takes: [/Host: (?<asked>[\w.-]{1,253}?)\.? is not in the cert's altnames: (?<names>[\w.:*, -]{1,600}[\w*])/i],
    client: [certain('name-mismatch')],
  }),
  verifying({
    rank: 'general',
    says: ['err tls cert altname invalid'],
    client: MISMATCH,
  }),
  verifying({
    says: ['ssl error bad cert domain', 'err cert common name invalid'],
    client: [likely('name-mismatch'), possible('no-subject-alt-name'), possible('ip-not-in-certificate')],
  }),
  verifying({
    says: ['server certificate for'],
    near: new RegExp(`certificate for "(?<names>[^"]{1,253})".{0,40} does not match host name "(?<asked>${IP})"`, 'i'),
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: ['server certificate for'],
    near: /server certificate for "(?<names>[^"]{1,253})".{0,40} does not match host name "(?<asked>[^"]{1,253})"/i,
    client: [certain('name-mismatch')],
  }),
  verifying({
    says: [
      'no name matching',
      'no subject alternative dns name matching',
      'no certificate subject alternative name matches',
    ],
    takes: [/(?:matching|requested host name) '?(?<asked>[\w.-]{1,253}[\w])'?/i],
    client: [likely('name-mismatch'), possible('no-subject-alt-name')],
  }),
  verifying({
    says: ['certificate not valid for name', 'notvalidforname', 'notvalidfornamecontext'],
    takes: [/for name "(?<asked>[^"]{1,253})"/i, /DnsName\("(?<names>[^"]{1,253})"/],
    client: [certain('name-mismatch')],
  }),
  verifying({
    says: ['upstream ssl certificate does not match', 'did not match expected cn'],
    takes: [
      /does not match "(?<asked>[^"]{1,253})"/i,
      /CN='?(?<names>[^'\s]{1,253})'? did not match expected CN='?(?<asked>[^'\s]{1,253})/i,
    ],
    client: [certain('name-mismatch')],
  }),
  verifying({
    says: ['does not match hostname', 'does not match the server certificate', 'doesn t match'],
    near: new RegExp(`hostname ["']?(?<asked>${IP})["']?|does not match hostname '(?<asked>${IP})'`, 'i'),
    client: [certain('ip-not-in-certificate')],
  }),
  verifying({
    says: [
      'hostname mismatch',
      'hostname verification failed',
      'does not match the server certificate',
      'certificate s owner does not match hostname',
      'the name in the certificate does not match the expected',
      'remotecertificatenamemismatch',
      'validation of ssl server certificate failed',
      'doesn t match either of',
      'the certificate common name does not match',
    ],
    takes: [
      /not valid for '(?<asked>[^']{1,253})'/i,
      /hostname ["']?(?<asked>[\w.*-]{1,253}[\w])["']? (?:does not|doesn't) match/i,
      /doesn't match (?:either of )?(?<names>'.{1,600}?')(?:$|[)"])/i,
      /does not match hostname '(?<asked>[^']{1,253})'/i,
    ],
    client: MISMATCH,
  }),
  verifying({
    says: ['hostname'],
    near: /hostname '(?<asked>[^']{1,253})' doesn't match '(?<names>[^']{1,253})'/i,
    client: [certain('name-mismatch')],
  }),
];

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

export const CERTIFICATE_ROWS: readonly MessageRow[] = [...NAMES, ...DATES, ...ISSUERS, ...QUALITIES, ...UNREASONED];
