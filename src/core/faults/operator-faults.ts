/**
 * Every fault that an operator can meet: what to do about it, in words and as a command, and the exit status.
 * One row a code; the command line, the log and the API print from here, and a test asserts that no row lacks a
 * remedy. `{…}` in remedies is filled from the fault's facts.
 */

interface FaultRow {
  /** 1 an operation failed, 2 wrong usage, 3 something could not be reached. */
  readonly exit: 1 | 2 | 3;
  readonly remedy: string;
  /** A line that can be pasted; absent only where no one line can help. */
  readonly command?: string;
}

export const OPERATOR_FAULTS = {
  'port-in-use': {
    exit: 1,
    remedy: 'Stop the program that listens there, or listen elsewhere.',
    command: "ss -ltnp 'sport = :{port}'",
  },
  'port-forbidden': {
    exit: 1,
    remedy:
      'Ports below 1024 need a privilege: choose a higher one, or let the service manager grant CAP_NET_BIND_SERVICE.',
    command: 'fullchain up --listen :9000',
  },
  'address-unavailable': { exit: 1, remedy: 'Listen on an address that this host has.', command: 'ip -brief address' },
  'state-unwritable': {
    exit: 1,
    remedy: 'Give the state directory to the user who runs the authority, or choose another one with --state.',
    command: 'ls -ld {path}',
  },
  'state-exposed': {
    exit: 1,
    remedy:
      'Others may read the state directory, and with it the keys: close it, and replace the keys if others use this host.',
    command: 'chmod -R go-rwx {path}',
  },
  'state-too-new': {
    exit: 1,
    remedy: 'A newer Fullchain wrote this state. Run that version or a later one; nothing was changed.',
    command: 'fullchain --version',
  },
  'state-locked': {
    exit: 1,
    remedy:
      'Another authority runs on this state directory. Stop it, or give this one a state of its own with --state.',
    command: 'cat {path}/ready.json',
  },
  'state-incomplete': {
    exit: 1,
    remedy: 'Put the missing file back from a backup. A new authority needs a new, empty state directory.',
    command: 'ls -l {path}',
  },
  'not-initialised': {
    exit: 1,
    remedy: 'There is no authority in this state directory: create one, or name the right directory with --state.',
    command: 'fullchain ca init --state {path}',
  },
  'already-initialised': {
    exit: 1,
    remedy: 'There is an authority already, and it was left as it is. Choose another directory with --state.',
    command: 'fullchain ca status --state {path}',
  },
  'password-wrong': {
    exit: 1,
    remedy: 'Give the password with which this key was encrypted, by --password-file or FULLCHAIN_PASSWORD.',
    command: 'openssl pkey -in {path} -noout',
  },
  'password-missing': {
    exit: 1,
    remedy: 'Give the password by --password-file or FULLCHAIN_PASSWORD; it is never taken from the command line.',
    command: 'fullchain up --password-file FILE',
  },
  'password-file-exposed': {
    exit: 1,
    remedy: 'Others may read the password file: close it, and choose a new password if others use this host.',
    command: 'chmod 600 {path}',
  },
  'key-unusable': {
    exit: 1,
    remedy: 'The file is not a private key that can be read. Put the right one back from a backup.',
    command: 'openssl pkey -in {path} -noout',
  },
  'key-mismatch': {
    exit: 1,
    remedy: 'Key and certificate do not belong together. Put the pair back from one backup.',
    command: 'openssl x509 -in {path} -noout -text',
  },
  'database-damaged': {
    exit: 1,
    remedy: 'Keep a copy of the damaged file, and restore the state directory from a backup.',
    command: 'sqlite3 {path} "PRAGMA integrity_check"',
  },
  'database-failed': {
    exit: 1,
    remedy: 'Look at the cause above, and at the disk and the rights of the state directory.',
    command: 'df -h {path}',
  },
  'database-locked': {
    exit: 1,
    remedy: 'Another process holds the database; try again when it has ended.',
    command: 'fuser -v {path}',
  },
  'disk-full': {
    exit: 1,
    remedy: 'Make room on the disk. Nothing half-written was kept.',
    command: 'df -h {path}',
  },
  'file-unwritable': {
    exit: 1,
    remedy:
      'Let the user who runs Fullchain write there; a file system may be mounted read-only, a file may be immutable.',
    command: 'ls -ld {path}; findmnt -T {path}',
  },
  'clock-behind': {
    exit: 1,
    remedy: 'Set the clock right. If it is right, and was wrong before, say so once with --accept-clock.',
    command: 'timedatectl status',
  },
  'clock-jumped': {
    exit: 1,
    remedy: 'The clock was set while the authority ran. Check that it is right now: certificates carry its time.',
    command: 'timedatectl timesync-status',
  },
  'config-invalid': {
    exit: 1,
    remedy: 'Correct the configuration file at the place named above.',
    command: 'cat {path}',
  },
  'algorithm-unsupported': {
    exit: 1,
    remedy: 'This runtime does not know the algorithm: use another one, or a newer Node.js.',
    command: 'node -p process.versions.openssl',
  },
  'root-key-offline': {
    exit: 1,
    remedy: 'The root key is not in the state directory. Mount the medium that holds it.',
    command: 'ls -l {path}',
  },
  'rotation-order': {
    exit: 1,
    remedy: 'Nothing was changed. The status says how far the rotation is, and which step comes next.',
    command: 'fullchain ca status --state {path}',
  },
  'root-in-use': {
    exit: 1,
    remedy:
      'Nothing was changed. Replace the certificates named above first (a stack does with rotate); --force gives them up.',
    command: 'fullchain rotate',
  },
  'import-refused': {
    exit: 1,
    remedy: 'Nothing was changed. Name the right files, or make a new authority with ca init.',
    command: 'fullchain cert inspect {path}',
  },
  'runtime-too-old': {
    exit: 1,
    remedy: 'Run Fullchain with Node.js 24.16 or newer, or let its own installation bring one.',
    command: 'npm ci',
  },
  'issuance-refused': {
    exit: 1,
    remedy: 'Ask for what the provisioner allows, or change its limits.',
    command: 'fullchain provisioner list',
  },
  'acme-refused': {
    exit: 1,
    remedy: 'The ACME server’s own words are above: correct what it names, or ask another issuer by fallback.',
    command: 'fullchain plan',
  },
  'acme-rate-limited': {
    exit: 1,
    remedy:
      'Wait as long as the server says, and find out why so much was asked for; letsencrypt-staging has wider limits for trials.',
    command: 'fullchain status',
  },
  'challenge-failed': {
    exit: 1,
    remedy:
      'The issuer could not see the proof that the name is yours. For http-01 its port 80 must lead to this host; for dns-01 all its DNS servers must answer with the TXT record.',
    command: 'curl --include http://{identifier}/.well-known/acme-challenge/test',
  },
  'dns-record-failed': {
    exit: 1,
    remedy: 'The TXT record that proves the name could not be set; what refused it is named above.',
    command: 'dig TXT {name}',
  },
  'dns-credentials': {
    exit: 1,
    remedy: 'Give the name and the secret of a key that the DNS server knows, and let it change TXT records there.',
    command: 'tsig-keygen {name}',
  },
  'token-refused': { exit: 1, remedy: 'Make a new token on the authority’s host.', command: 'fullchain token NAME' },
  'provisioner-unknown': { exit: 1, remedy: 'Name a provisioner that exists.', command: 'fullchain provisioner list' },
  'provisioner-exists': {
    exit: 1,
    remedy: 'Choose another name, or remove the provisioner first.',
    command: 'fullchain provisioner list',
  },
  'certificate-unknown': {
    exit: 1,
    remedy: 'Look up the serial number in the list of certificates.',
    command: 'fullchain cert list',
  },
  'already-revoked': {
    exit: 1,
    remedy: 'Nothing is left to do: it is in the revocation list.',
    command: 'fullchain cert list --state revoked',
  },
  'file-exists': {
    exit: 1,
    remedy: 'Nothing was overwritten. Name another file, or say --force.',
    command: 'ls -l {path}',
  },
  'input-unreadable': {
    exit: 1,
    remedy: 'Name a file that exists and that this user may read.',
    command: 'ls -l {path}',
  },
  'input-invalid': { exit: 1, remedy: 'Give a certificate, chain or request in PEM or DER.', command: 'file {path}' },
  'authority-unreachable': {
    exit: 3,
    remedy: 'Check that the authority runs and that this host reaches it.',
    command: 'curl --insecure {url}/health',
  },
  'target-unreachable': {
    exit: 3,
    remedy: 'Check that the service runs and that this host reaches it.',
    command: 'ss -ltn',
  },
  'target-refused': {
    exit: 1,
    remedy: 'The server was reached, and ends the handshake by itself: look what it takes, and into its log.',
    command: 'fullchain diagnose {target}',
  },
  'target-not-tls': {
    exit: 1,
    remedy:
      'Name the port where TLS begins at once. Protocols that upgrade (PostgreSQL, SMTP, IMAP, LDAP) need their own first words.',
    command: 'openssl s_client -connect {target} -starttls postgres',
  },
  'fingerprint-mismatch': {
    exit: 1,
    remedy:
      'Nothing was trusted. Compare the fingerprint with the one that the authority’s own host prints; if it differs, somebody is in between.',
    command: 'fullchain ca status',
  },
  'fingerprint-required': {
    exit: 2,
    remedy: 'Take the fingerprint from the authority’s own host, over a channel that you trust.',
    command: 'fullchain ca status',
  },
  'trust-store-unsupported': {
    exit: 1,
    remedy: 'No trust store of a kind that is known was found here; install the root by hand.',
    command: 'fullchain trust bundle',
  },
  'trust-store-failed': {
    exit: 1,
    remedy: 'The system’s own tool failed; its message is above. Changing the system’s store needs root.',
    command: 'sudo fullchain trust install --help',
  },
  'trust-store-unwritable': {
    exit: 1,
    remedy: 'Changing the trust store of the system needs root. A browser’s own is the user’s: --store nss.',
    command: 'sudo fullchain trust install --help',
  },
  'trust-name-taken': {
    exit: 1,
    remedy: 'Another root has this name in the store. Choose one with --name, or uninstall the other root first.',
    command: 'fullchain trust uninstall --name {name}',
  },
  'trust-root-refused': {
    exit: 1,
    remedy:
      'Nothing was trusted. Give the self-signed root of the authority, not an intermediate or a server’s own certificate.',
    command: 'fullchain cert inspect {path}',
  },
  'tool-missing': { exit: 1, remedy: 'Install the missing program.', command: 'apt-get install {package}' },
  'stack-file-invalid': {
    exit: 2,
    remedy: 'Correct the places named above; an editor with the JSON Schema completes and checks while you type.',
    command: 'fullchain stack schema',
  },
  'service-unsupported': {
    exit: 1,
    remedy: 'Correct the service in the stack file, or bring its program and its files to what is asked of it.',
    command: 'fullchain plan',
  },
  'agent-busy': {
    exit: 1,
    remedy: 'Two of them on one host would undo each other: wait for the other one, or stop it.',
    command: 'fuser -v {path}',
  },
  'user-unknown': {
    exit: 1,
    remedy: 'Name the user as whom the service runs, with runAs in the stack file.',
    command: 'getent passwd {user}',
  },
  usage: { exit: 2, remedy: 'See the help of the command.', command: 'fullchain{command} --help' },
} as const satisfies Record<string, FaultRow>;

export type OperatorFaultCode = keyof typeof OPERATOR_FAULTS;

/** A fault with what was seen. `facts` fill the remedy's placeholders, and are never secrets. */
export class OperatorFault extends Error {
  readonly code: OperatorFaultCode;
  readonly facts: Readonly<Record<string, string | number>>;
  constructor(
    code: OperatorFaultCode,
    what: string,
    facts: Readonly<Record<string, string | number>> = {},
    cause?: unknown,
  ) {
    super(what, cause === undefined ? {} : { cause });
    this.name = 'OperatorFault';
    this.code = code;
    this.facts = facts;
  }
}

/** What to do next, with the fault's own facts in place. */
export function remedyOf(fault: OperatorFault): { readonly text: string; readonly command: string | null } {
  const row: FaultRow = OPERATOR_FAULTS[fault.code];
  const facts = fault.code === 'usage' ? { command: '', ...fault.facts } : fault.facts;
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) => String(facts[name] ?? whole));
  return { text: fill(row.remedy), command: row.command ? fill(row.command) : null };
}
