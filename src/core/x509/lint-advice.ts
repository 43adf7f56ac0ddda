/**
 * What comes of each lint finding, and what to do about it. One row an id. Of an error `why` says who refuses: severities go by what
 * clients do, not by what a standard calls it.
 */

export interface LintAdvice {
  /** What comes of it. */
  readonly why: string;
  readonly remedy: string;
}

/** OpenSSL's X509_STRICT, which Python's default context sets from 3.13 on. */
const STRICT = 'Python 3.13 and other programs that check strictly with OpenSSL refuse it.';
const PARSED = 'Go refuses to read it.';
const POLICY_ONLY = 'Clients accept it; public authorities may not issue it.';
const TIDY = 'Clients accept it; RFC 5280 wants it otherwise, and stricter ones may follow.';
const NAME_UNUSABLE = 'No client accepts it for this name.';
const NOT_BY_THIS_ISSUER = 'Every client that verifies refuses the chain.';

const AGAIN = 'Issue it again';

export const LINT_ADVICE: Readonly<Record<string, LintAdvice>> = {
  'version-not-3': {
    why: 'Clients built on rustls refuse it, and without extensions it has no names.',
    remedy: `${AGAIN} as version 3; OpenSSL does so with -extfile.`,
  },
  'serial-zero': { why: TIDY, remedy: `${AGAIN} with a random serial number of 16 octets.` },
  'serial-too-long': { why: TIDY, remedy: `${AGAIN} with a random serial number of 16 octets.` },
  'serial-too-short': { why: POLICY_ONLY, remedy: `${AGAIN} with a random serial number of 16 octets.` },
  'signature-weak': {
    why: 'Browsers and OpenSSL at its default security level refuse it.',
    remedy: 'Have it signed again with SHA-256 or better.',
  },
  'root-signature-weak': {
    why: 'Nobody verifies the signature of a root: it is trusted as it is.',
    remedy: 'Nothing needs to be done; make the next root with SHA-256 or better.',
  },
  'signature-algorithm-unknown': {
    why: 'Clients that do not know it either refuse it.',
    remedy: 'Have it signed with ECDSA, RSA or Ed25519.',
  },
  'signature-not-of-issuer-key': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Put the certificate of the key that signed it into the chain, or have it signed by this one.',
  },
  'validity-reversed': {
    why: 'Every client refuses it, at any time.',
    remedy: `${AGAIN} with an end that lies behind its start.`,
  },
  'time-encoding': { why: TIDY, remedy: `${AGAIN} with UTCTime for years through 2049.` },
  'lifetime-over-public-limit': {
    why: 'Browsers refuse it from authorities that they ship.',
    remedy: `${AGAIN} with a shorter lifetime, and let it be renewed by itself.`,
  },
  'lifetime-over-825-days': {
    why: 'Apple’s platforms refuse it, from private authorities too.',
    remedy: `${AGAIN} for at most 825 days; a few are better where renewal is automatic.`,
  },
  'outlives-issuer': {
    why: 'It ends for clients when its issuer does, which is earlier than it says.',
    remedy: `${AGAIN} with an end no later than its issuer’s, or replace the issuer first.`,
  },
  'starts-before-issuer': {
    why: 'Until its issuer begins, clients refuse it.',
    remedy: `${AGAIN} with a start no earlier than its issuer’s.`,
  },
  'weak-key': {
    why: 'Browsers and OpenSSL at its default security level refuse it, or its key can be computed.',
    remedy: `Make a new key (ECDSA P-256, or RSA of 2048 bits or more) and have a certificate issued for it.`,
  },
  'key-of-issuer': {
    why: 'Who has the key of this one can issue as its authority.',
    remedy: 'Make a key of its own, and have a certificate issued for it.',
  },
  'issuer-empty': { why: STRICT, remedy: 'Have it issued by an authority with a name.' },
  'authority-subject-empty': { why: STRICT, remedy: 'Make the authority again, with a name.' },
  'san-missing': {
    why: 'Every client that checks names refuses it.',
    remedy: `${AGAIN} with its names in subjectAltName (OpenSSL: -addext subjectAltName=DNS:…).`,
  },
  'nothing-named': { why: STRICT, remedy: `${AGAIN} with a subject or a name of the client in subjectAltName.` },
  'san-empty': { why: STRICT, remedy: `${AGAIN} with its names in subjectAltName, or without the extension.` },
  'san-not-critical': { why: STRICT, remedy: `${AGAIN} with subjectAltName marked critical, or with a subject.` },
  'san-critical': { why: TIDY, remedy: `${AGAIN} with subjectAltName not critical.` },
  'san-duplicate': { why: POLICY_ONLY, remedy: `${AGAIN} with each name once.` },
  'dns-name-invalid': {
    why: NAME_UNUSABLE,
    remedy: `${AGAIN} with the name as DNS has it: letters, digits and hyphens, no port and no scheme.`,
  },
  'dns-name-underscore': {
    why: POLICY_ONLY,
    remedy: 'Give the host a name without an underscore before a public authority is to issue it.',
  },
  'wildcard-misplaced': {
    why: NAME_UNUSABLE,
    remedy: `${AGAIN} with the wildcard as the whole left-most label, or with the names themselves.`,
  },
  'wildcard-of-single-label': {
    why: 'OpenSSL and what is built upon it do not accept it for any name.',
    remedy: `${AGAIN} with the names themselves, or with a wildcard below two labels.`,
  },
  'ip-as-dns-name': {
    why: 'Clients that connect to the address look at iPAddress only, and refuse it.',
    remedy: `${AGAIN} with the address as iPAddress (OpenSSL: IP:…).`,
  },
  'email-invalid': { why: TIDY, remedy: `${AGAIN} with a mailbox such as name@example.org, or without it.` },
  'uri-invalid': {
    why: 'Go refuses to read such a certificate, and SPIFFE has no such identity.',
    remedy: `${AGAIN} with the whole URI, its host in lower case.`,
  },
  'common-name-not-in-san': {
    why: POLICY_ONLY,
    remedy: `${AGAIN} with this name in subjectAltName too, or without a common name.`,
  },
  'common-name-too-long': {
    why: TIDY,
    remedy: `${AGAIN} with a shorter common name, or none: names belong into subjectAltName.`,
  },
  'issuer-name-mismatch': { why: NOT_BY_THIS_ISSUER, remedy: 'Put the issuer that it names behind it in the chain.' },
  'name-outside-constraints': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Have it issued by an authority that may issue these names, or leave them out.',
  },
  'leaf-is-authority': {
    why: 'Firefox and rustls refuse it, and whoever has its key can issue for any name.',
    remedy: `${AGAIN} with CA:FALSE, from an authority of its own.`,
  },
  'authority-is-none': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Make the authority again with basicConstraints=critical,CA:TRUE.',
  },
  'basic-constraints-not-critical': {
    why: STRICT,
    remedy: 'Make the authority again with basicConstraints=critical,CA:TRUE.',
  },
  'path-length-on-leaf': { why: STRICT, remedy: `${AGAIN} without a path length.` },
  'path-length-exhausted': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Have leaves issued by the issuer itself, or make it again with a greater path length.',
  },
  'path-length-over-issuer': {
    why: 'Clients accept it; a chain that is longer than its issuer allows is refused.',
    remedy: `${AGAIN} with a path length below its issuer’s.`,
  },
  'issuer-not-an-authority': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Have it issued by an authority (CA:TRUE, keyCertSign).',
  },
  'key-usage-missing': {
    why: `Clients accept it of a leaf; of an authority: ${STRICT}`,
    remedy: `${AGAIN} with keyUsage=critical,digitalSignature; an authority with keyCertSign,cRLSign.`,
  },
  'key-usage-not-critical': { why: TIDY, remedy: `${AGAIN} with keyUsage marked critical.` },
  'key-usage-empty': {
    why: 'OpenSSL and browsers find no use that it is allowed for, and refuse it.',
    remedy: `${AGAIN} with keyUsage=critical,digitalSignature.`,
  },
  'no-digital-signature': {
    why: 'Browsers refuse it, and it cannot be used in TLS 1.3.',
    remedy: `${AGAIN} with keyUsage=critical,digitalSignature.`,
  },
  'key-encipherment-without-rsa': {
    why: POLICY_ONLY,
    remedy: `${AGAIN} with digitalSignature only: such a key cannot encipher.`,
  },
  'authority-cannot-sign': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Make the authority again with keyUsage=critical,keyCertSign,cRLSign.',
  },
  'authority-cannot-sign-crl': {
    why: 'Its revocation lists are refused.',
    remedy: 'Make the authority again with keyUsage=critical,keyCertSign,cRLSign.',
  },
  'leaf-can-sign-certificates': { why: STRICT, remedy: `${AGAIN} with digitalSignature only.` },
  'extended-key-usage-missing': {
    why: 'Apple’s platforms refuse a server’s without serverAuth; others take it for any purpose.',
    remedy: `${AGAIN} with extendedKeyUsage=serverAuth, or clientAuth for a client.`,
  },
  'extended-key-usage-empty': {
    why: 'OpenSSL finds no purpose that it is allowed for, and refuses it.',
    remedy: `${AGAIN} with extendedKeyUsage=serverAuth, or clientAuth for a client.`,
  },
  'extended-key-usage-any': { why: POLICY_ONLY, remedy: `${AGAIN} with the purposes that are needed, and no others.` },
  'purpose-missing': {
    why: 'Clients refuse it as what it is judged.',
    remedy: `${AGAIN} with extendedKeyUsage=serverAuth for a server, clientAuth for a client, both for a peer.`,
  },
  'purpose-not-of-issuer': {
    why: 'Clients that need this purpose refuse the chain.',
    remedy: 'Have it issued by an authority that is not limited so, or without this purpose.',
  },
  'other-purpose-not-of-issuer': {
    why: POLICY_ONLY,
    remedy: 'Leave this purpose out, or have it issued by an authority that is not limited so.',
  },
  'authority-key-identifier-missing': { why: STRICT, remedy: `${AGAIN} with authorityKeyIdentifier=keyid.` },
  'authority-key-identifier-mismatch': {
    why: 'OpenSSL and browsers do not take this issuer for its issuer, and find no path.',
    remedy: 'Put the certificate of the key that it names into the chain.',
  },
  'authority-key-identifier-critical': { why: PARSED, remedy: `${AGAIN} with authorityKeyIdentifier not critical.` },
  'subject-key-identifier-missing': { why: STRICT, remedy: 'Make the authority again with subjectKeyIdentifier=hash.' },
  'leaf-subject-key-identifier-missing': { why: 'Nobody needs it in a leaf.', remedy: 'Nothing needs to be done.' },
  'subject-key-identifier-critical': { why: PARSED, remedy: `${AGAIN} with subjectKeyIdentifier not critical.` },
  'name-constraints-on-leaf': { why: TIDY, remedy: `${AGAIN} without name constraints: they are for authorities.` },
  'name-constraints-not-critical': {
    why: 'Clients that do not know them ignore them, and the authority is not limited there.',
    remedy: 'Make the authority again with nameConstraints marked critical.',
  },
  'name-constraints-empty': {
    why: PARSED,
    remedy: 'Make the authority again with names that it may issue, or without the extension.',
  },
  'policy-constraints-not-critical': {
    why: TIDY,
    remedy: 'Make the authority again with policyConstraints marked critical.',
  },
  'policy-mappings-not-critical': {
    why: TIDY,
    remedy: 'Make the authority again with policyMappings marked critical.',
  },
  'inhibit-any-policy-not-critical': {
    why: TIDY,
    remedy: 'Make the authority again with inhibitAnyPolicy marked critical.',
  },
  'access-critical': { why: PARSED, remedy: `${AGAIN} with authorityInfoAccess not critical.` },
  'critical-extension-unknown': {
    why: 'RFC 5280 obliges clients to refuse it, and they do.',
    remedy: `${AGAIN} with the extension not critical, or without it.`,
  },
  'crl-url-not-http': {
    why: 'Clients do not fetch the list from there, so what was revoked is accepted.',
    remedy: `${AGAIN} with the list at an http:// address.`,
  },
  'access-url-not-http': {
    why: 'Clients do not fetch from there.',
    remedy: `${AGAIN} with http:// addresses in authorityInfoAccess.`,
  },
  'chain-extended-key-usage': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Have it issued by an authority that may issue for this purpose.',
  },
  'chain-key-usage': { why: NOT_BY_THIS_ISSUER, remedy: 'Have it issued by an authority with keyCertSign.' },
  'chain-name-constraints': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Have it issued by an authority that may issue these names, or leave them out.',
  },
  'chain-not-an-authority': { why: NOT_BY_THIS_ISSUER, remedy: 'Have it issued by an authority (CA:TRUE).' },
  'chain-path-length-exceeded': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Take an authority out of the chain, or make the one above with a greater path length.',
  },
  'chain-path-too-long': { why: NOT_BY_THIS_ISSUER, remedy: 'Make the chain shorter.' },
  'chain-policy': {
    why: 'Clients that process certificate policies refuse the chain.',
    remedy: 'Issue every certificate of the chain under the policy that its issuer demands.',
  },
  'chain-signature-invalid': {
    why: NOT_BY_THIS_ISSUER,
    remedy: 'Put the certificate of the key that signed it into the chain.',
  },
  'chain-expired': {
    why: 'There is no time at which all of the chain is valid.',
    remedy: 'Replace the certificate that ends first, and have what is below it issued again.',
  },
};
