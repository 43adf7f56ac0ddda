/**
 * Every cause that `diagnose` names: how bad it is, what comes of it, and what to do next, in words and as a line to
 * paste. One row an id; command line, API, probe and monitor print from here. `{…}` is filled from the words of the case.
 */
import type { VerificationFindingId } from '../x509/verification.ts';
import type { Confidence, Evidence, Finding, FindingPlace, Remedy, Severity } from './finding.ts';

interface CauseRow {
  readonly severity: Severity;
  /** One sentence: what comes of it. */
  readonly why: string;
  readonly remedy: string;
  /** Where a word for it is missing, the next best. */
  readonly command?: string;
}

const REFUSED = 'A client that verifies refuses this server; one that does not would also accept an impostor.';
const REFUSES_CLIENT = 'The server ends the connection, or answers nothing but the refusal.';
const READABLE = 'Everything, passwords included, can be read and changed by whoever is on the way.';
const NO_START = 'The service does not start with it, or goes on with the old pair and says so only in its log.';

export const CAUSES = {
  'certificate-expired': {
    severity: 'error',
    why: REFUSED,
    remedy:
      'Renew it and reload what presents it; below an expired authority, everything is to be issued again. Then see why nothing renewed it.',
    command: 'fullchain rotate {service}',
  },
  'certificate-expiring': {
    severity: 'warning',
    why: 'Renewal at two thirds of the lifetime has not happened: when it expires, every client refuses.',
    remedy: 'Renew it now, and see why nothing did.',
    command: 'fullchain rotate {service}',
  },
  'certificate-not-yet-valid': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Wait until it begins, or have another one issued that begins now; the clocks agree.',
    command: 'fullchain cert inspect {target}',
  },
  'clock-skew': {
    severity: 'error',
    why: 'Certificates are judged by this clock, so valid ones are refused here; nothing is wrong with them.',
    remedy: 'Set the clock of this host and keep it set by a time service.',
    command: 'timedatectl set-ntp true && timedatectl timesync-status',
  },
  'unknown-ca': {
    severity: 'error',
    why: REFUSED,
    remedy:
      'If the authority is yours, give its root to this client (--ca FILE, or the system’s store); if not, ask whose server answers here.',
    command: 'fullchain trust install --help',
  },
  'chain-incomplete': {
    severity: 'error',
    why: 'Clients that do not know the missing certificate refuse; browsers may hide it, libraries do not.',
    remedy: 'Serve the chain instead of the leaf alone: the leaf first, then the missing intermediate.',
    command: 'cat {leaf} {intermediate} > fullchain.pem',
  },
  'chain-order': {
    severity: 'warning',
    why: 'Most clients sort it; old ones and some devices refuse.',
    remedy: 'Write the chain in order: the leaf, then its issuer, then the issuer’s issuer, without the root.',
  },
  'self-signed': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Have an authority issue it that clients trust; do not add a server’s own certificate to trust stores.',
    command: 'fullchain cert issue {host} --cert tls.crt --key tls.key',
  },
  'retired-ca': {
    severity: 'error',
    why: 'The authority was replaced and is trusted no more, so clients with the new roots refuse.',
    remedy: 'Renew the certificate: the authority of now issues it. If it was renewed, the old one is still served.',
    command: 'fullchain rotate {service}',
  },
  'name-mismatch': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Connect by a name that the certificate has, or issue one that has this name too.',
    command: 'fullchain cert issue {host} --cert tls.crt --key tls.key',
  },
  'ip-not-in-certificate': {
    severity: 'error',
    why: 'An address is compared with the addresses in the certificate alone, never with its names.',
    remedy: 'Connect by name, or issue a certificate with this address among its names.',
    command: 'fullchain cert issue {host} --cert tls.crt --key tls.key',
  },
  'no-subject-alt-name': {
    severity: 'error',
    why: 'Clients read subjectAltName; a common name alone is no name to them.',
    remedy: 'Issue it again with its names in subjectAltName.',
    command: 'fullchain cert issue {host} --cert tls.crt --key tls.key',
  },
  'certificate-wrong-purpose': {
    severity: 'error',
    why: 'Clients refuse a server whose certificate is not for servers.',
    remedy:
      'Issue it again for what it is used for: extended key usage serverAuth for servers, clientAuth for clients.',
    command: 'fullchain cert issue {host} --profile server --cert tls.crt --key tls.key',
  },
  'weak-certificate': {
    severity: 'error',
    why: 'Today’s clients refuse it, each with other words.',
    remedy: 'Issue it again with a key and a signature of today (ECDSA P-256 or RSA 2048 and SHA-256).',
    command: 'fullchain cert issue {host} --cert tls.crt --key tls.key',
  },
  'certificate-revoked': {
    severity: 'error',
    why: 'Clients that look at revocation refuse it; the key may be in other hands.',
    remedy: 'Have a new certificate issued, for a new key, and put it in the place of this one.',
    command: 'fullchain rotate {service}',
  },
  'signature-invalid': {
    severity: 'error',
    why: REFUSED,
    remedy: 'The certificate was altered, or another key has the same name: fetch the chain again from its authority.',
    command: 'fullchain cert inspect {target}',
  },
  'not-an-authority': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Only an authority may issue: have a real intermediate issue it.',
    command: 'fullchain cert lint {target}',
  },
  'path-length-exceeded': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Issue from an authority whose path length allows it.',
    command: 'fullchain cert lint {target}',
  },
  'path-too-long': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Send only the certificates between leaf and root.',
    command: 'fullchain cert inspect {target}',
  },
  'too-many-candidates': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Send only the certificates between leaf and root.',
    command: 'fullchain cert inspect {target}',
  },
  'name-constraints': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Ask for names that the authority may certify, or an authority that may certify these.',
    command: 'fullchain cert inspect {target}',
  },
  'policy-not-met': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Have it issued under a policy that is acceptable, by authorities that allow that policy.',
    command: 'fullchain cert inspect {target}',
  },
  'unknown-critical-extension': {
    severity: 'error',
    why: 'No client that does not know this extension accepts the certificate.',
    remedy: 'Have it issued without this extension, or with it as not critical.',
    command: 'fullchain cert inspect {target}',
  },
  'revocation-unchecked': {
    severity: 'warning',
    why: 'If that authority was revoked, everything below it is in other hands, and this does not show it.',
    remedy: 'Give the list of its issuer with --crl too; --crl-all demands one of each.',
  },
  'revocation-unknown': {
    severity: 'error',
    why: 'Without a current list that counts, a revoked certificate looks like any other.',
    remedy:
      'Give the current list of the issuer with --crl; a certificate of its own that signs lists with --intermediates.',
  },
  /** What others say of a chain without telling which rule it breaks. */
  'certificate-invalid': {
    severity: 'error',
    why: REFUSED,
    remedy: 'Have it issued again by an authority that may; what is wrong is named above.',
    command: 'fullchain cert lint {target}',
  },

  'client-certificate-required': {
    severity: 'error',
    why: REFUSES_CLIENT,
    remedy: 'Show a certificate of one of the authorities that it accepts.',
    command: 'fullchain cert issue {client} --profile client --cert client.crt --key client.key',
  },
  'client-certificate-untrusted': {
    severity: 'error',
    why: REFUSES_CLIENT,
    remedy:
      'Show a certificate of an authority that the server accepts, with its intermediate behind it; or have the server accept this one.',
    command: 'fullchain cert issue {client} --profile client --cert client.crt --key client.key',
  },
  'client-certificate-wrong-purpose': {
    severity: 'error',
    why: REFUSES_CLIENT,
    remedy: 'Issue the client a certificate for clients (extended key usage clientAuth).',
    command: 'fullchain cert issue {client} --profile client --cert client.crt --key client.key',
  },
  'client-certificate-expired': {
    severity: 'error',
    why: REFUSES_CLIENT,
    remedy: 'Renew the client’s certificate, and see why nothing did.',
    command: 'fullchain cert renew --help',
  },
  'client-certificate-wrong-user': {
    severity: 'error',
    why: 'The certificate is accepted, and the login that goes with it is another user’s.',
    remedy: 'Log in as the user that the certificate names, or map the name to the user in pg_ident.conf.',
    command: 'psql "host={host} user={user} sslcert=client.crt sslkey=client.key"',
  },

  'no-common-protocol': {
    severity: 'error',
    why: 'Neither side has a version of TLS that the other takes, so no handshake can succeed.',
    remedy: 'Let both sides speak TLS 1.2 or 1.3; never lower the server for one old client.',
    command: 'fullchain probe {target}',
  },
  'no-common-suite': {
    severity: 'error',
    why: 'Neither side has a cipher suite that the other takes, so no handshake can succeed.',
    remedy:
      'Take Mozilla’s intermediate list on both sides; for TLS 1.2 its suites must suit the type of the certificate’s key.',
    command: 'fullchain probe -v {target}',
  },
  'no-common-group': {
    severity: 'error',
    why: 'Neither side has a group for the key exchange that the other takes, so no handshake can succeed.',
    remedy: 'Offer x25519 and secp256r1 on both sides.',
    command: 'fullchain probe -v {target}',
  },
  'local-policy': {
    severity: 'error',
    why: 'The library of this client refuses by its own security level; another client may get in.',
    remedy: 'Mend what it refuses, at the server; lowering the level (@SECLEVEL) lets everybody weaker in.',
    command: 'openssl version -d && openssl ciphers -s -v',
  },

  'plaintext-service': {
    severity: 'error',
    why: READABLE,
    remedy: 'Connect to the port that speaks TLS, or switch TLS on in the service.',
    command: 'fullchain plan',
  },
  'tls-service': {
    severity: 'error',
    why: 'The server speaks TLS from the first byte and does not understand a plaintext client.',
    remedy: 'Connect with TLS: rediss:// instead of redis://, https:// instead of http://, sslmode=verify-full.',
  },
  'starttls-needed': {
    severity: 'error',
    why: 'TLS from the first byte is not what this port speaks: its TLS begins after a request in plaintext.',
    remedy: 'Have the client ask for it (STARTTLS, SSLRequest), or use the port that is TLS from the first byte.',
    command: 'fullchain diagnose {where} --starttls {starttls}',
  },
  'tls-off': {
    severity: 'error',
    why: READABLE,
    remedy: 'Switch TLS on in the service, and have clients insist on it.',
    command: 'fullchain plan',
  },
  'tls-required': {
    severity: 'error',
    why: 'The service refuses plaintext, as it should, and the client asks for nothing else.',
    remedy: 'Connect with TLS that verifies: sslmode=verify-full, rediss://, --ssl-verify-server-cert.',
  },
  'plaintext-accepted': {
    severity: 'error',
    why: 'A client that asks for no TLS is served all the same, and so is whoever strips it on the way.',
    remedy: 'Refuse plaintext in the service: hostssl rows alone, require_secure_transport, port 0.',
    command: 'fullchain plan',
  },

  'connection-refused': {
    severity: 'error',
    why: 'The host is there, but no program listens at this port.',
    remedy: 'Start the service, or name the port where it listens.',
    command: "ss -ltn 'sport = :{port}'",
  },
  'connect-timeout': {
    severity: 'error',
    why: 'A firewall drops the packets, or no host has this address.',
    remedy: 'Let the port through on the way, or correct the address.',
    command: 'ip route get {address}',
  },
  'no-answer': {
    severity: 'error',
    why: 'The connection stands, and whatever is said there is met with silence.',
    remedy: 'Look whether the service hangs, or whether something on the way holds the packets back.',
    command: "ss -ltnp 'sport = :{port}'",
  },
  'closed-by-peer': {
    severity: 'error',
    why: 'The service ends connections before TLS begins: a limit, an address that it does not serve, another protocol.',
    remedy: 'Look into the log of the service at the time of this try.',
    command: "journalctl --since '-5min' --no-pager | tail -n 50",
  },
  'name-not-resolved': {
    severity: 'error',
    why: 'No client can connect to a name without an address.',
    remedy: 'Correct the name, or give it an address in DNS or /etc/hosts; --connect ADDRESS tries one without.',
    command: 'getent ahosts {host}',
  },
  'handshake-refused': {
    severity: 'error',
    why: 'The server ends every handshake by itself, whatever is offered.',
    remedy:
      'Look into the log of the service at the time of this try; on its host, name its pair with --cert and --key.',
    command: 'fullchain diagnose {target} --cert FILE --key FILE',
  },

  'key-mismatch': {
    severity: 'error',
    why: NO_START,
    remedy: 'Put key and certificate back from one issuance, or issue both again.',
    command: 'fullchain rotate {service}',
  },
  'key-type-mismatch': {
    severity: 'error',
    why: 'Some programs start with such a pair, and then every handshake fails.',
    remedy: 'Put key and certificate back from one issuance, or issue both again.',
    command: 'fullchain rotate {service}',
  },
  'key-permissions': {
    severity: 'error',
    why: 'Either the service cannot read its key, or others can.',
    remedy: 'Give the key to the user who reads it and to nobody else, and let that user pass through the directories.',
    command: 'chown {user} {file} && chmod 600 {file}',
  },
  'file-missing': {
    severity: 'error',
    why: NO_START,
    remedy: 'Put the file there, or name the right one.',
    command: 'ls -l {file}',
  },
  'file-unusable': {
    severity: 'error',
    why: NO_START,
    remedy: 'Write it again as plain PEM: no byte order mark, nothing encrypted, the whole block.',
    command: 'head -c 64 {file} | od -c | head',
  },
  /** Also a rule of `audit`. */
  'config-refused': {
    severity: 'error',
    why: 'The service does not start with this configuration, or goes on with the one that it read before.',
    remedy: 'Correct what its own check names, and reload.',
  },
  'served-not-installed': {
    severity: 'error',
    why: 'The new certificate is on disk and helps nobody; when the served one expires, clients refuse.',
    remedy: 'Reload the service, and have renewal do so.',
    command: 'systemctl reload {unit}',
  },

  'url-parameter-invalid': {
    severity: 'error',
    why: 'The driver refuses the URL, or passes the parameter over and connects as if it were not there.',
    remedy: 'Write it as this driver knows it.',
  },
  'url-not-verifying': {
    severity: 'error',
    why: 'It encrypts towards whoever answers: an impostor on the way gets the password and the data.',
    remedy: 'Have it verify chain and name.',
  },

  'http01-redirected': {
    severity: 'error',
    why: 'The authority follows to where an application answers, and does not find the token.',
    remedy: 'Leave /.well-known/acme-challenge/ out of the redirect, and serve it from the webroot.',
    command: 'curl -siL http://{where}/.well-known/acme-challenge/test | head',
  },
  'http01-wrong-server': {
    severity: 'error',
    why: 'The authority asks whatever this name leads to, and that does not serve this webroot.',
    remedy: 'Point the name here, or serve /.well-known/acme-challenge/ there from this webroot.',
    command: 'getent ahosts {host} && ls -ld {webroot}',
  },
  'dns01-credentials': {
    severity: 'error',
    why: 'The record that proves the name cannot be written.',
    remedy: 'Correct name, algorithm and secret of the update key, and let it write this zone.',
    command: 'nsupdate -k KEYFILE -d',
  },
  'acme-rate-limited': {
    severity: 'error',
    why: 'The authority issues nothing more for now, and trying again earlier prolongs it.',
    remedy: 'Wait as long as it says, and find out what asked so often.',
  },
} as const satisfies Readonly<Record<string, CauseRow>> & Readonly<Record<VerificationFindingId, CauseRow>>;

export type CauseId = keyof typeof CAUSES;

export interface Case {
  /** What it is about: a certificate, a file, an address. */
  readonly subject: string;
  readonly where: FindingPlace;
  /** One sentence: what was seen. */
  readonly what: string;
  readonly evidence?: Evidence;
  /** Absent: certain. */
  readonly confidence?: Confidence;
  /** Absent: as the table says. */
  readonly severity?: Severity;
  /** What the remedy's command is about; shell-quoted here. */
  readonly words?: Readonly<Record<string, string | undefined>>;
  /** More to do in this case, or something else. */
  readonly remedy?: Partial<Remedy>;
  /** In place of the table's. */
  readonly why?: string;
}

export function causeFinding(id: CauseId, one: Case): Finding {
  const row: CauseRow = CAUSES[id];
  // A password that is not shown cannot be pasted: without it a URL leads to the same place.
  const words = {
    ...('file' in one.where && { file: one.where.file }),
    ...('target' in one.where && { target: one.where.target.replace(':***@', '@') }),
    ...one.words,
  };
  const command =
    one.remedy?.command ?? firstWhole([row.command, 'file' in one.where ? SEE_THE_FILE : SEE_FOR_YOURSELF], words);
  return {
    id,
    severity: one.severity ?? row.severity,
    ...(one.confidence !== undefined && one.confidence !== 'certain' && { confidence: one.confidence }),
    subject: one.subject,
    where: one.where,
    what: one.what,
    why: one.why ?? row.why,
    remedy: { text: one.remedy?.text ?? row.remedy, ...(command !== null && { command }) },
    evidence: one.evidence ?? {},
  };
}

/** Where no line helps, or a word of it is not known. */
const SEE_FOR_YOURSELF = 'fullchain probe -v {target}';
const SEE_THE_FILE = 'fullchain cert inspect {file}';

function firstWhole(
  templates: readonly (string | undefined)[],
  words: Readonly<Record<string, string | undefined>>,
): string | null {
  for (const template of templates) {
    const line = template === undefined ? null : filled(template, words);
    if (line !== null) return line;
  }
  return null;
}

/** null where a word is missing. */
function filled(template: string, words: Readonly<Record<string, string | undefined>>): string | null {
  let isWhole = true;
  const text = template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const word = words[name];
    if (word === undefined) isWhole = false;
    return shellQuoted(word ?? '');
  });
  return isWhole ? text : null;
}

export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
