/** What a text shows of each cause, in one sentence; what it is about; and what would decide where the text does not. */
import type { CauseId } from './causes.ts';

/** Out of the text, by name. */
export type Taken = Readonly<Record<string, string>>;

interface Sentence {
  readonly subject: string | ((taken: Taken) => string | undefined);
  readonly what: string | ((taken: Taken) => string);
  readonly decide: Deciding;
}

interface Deciding {
  readonly what: string;
  /** The command that shows it; `{…}` is filled as far as the text tells. */
  readonly by?: string;
}

const SERVER_CERTIFICATE = 'the server’s certificate';
const CLIENT_CERTIFICATE = 'the client’s certificate';

const LOOK: Deciding = { what: 'What the server shows decides', by: 'fullchain diagnose {target}' };
const LOOK_AS_CLIENT: Deciding = {
  what: 'What the server says to this certificate decides',
  by: 'fullchain diagnose {target} --client-cert {cert} --client-key {key}',
};
const LOOK_AT_FILES: Deciding = {
  what: 'The files decide',
  by: 'fullchain diagnose --cert {cert} --key {key} --run-as {user}',
};
const LOOK_AT_WEBROOT: Deciding = {
  what: 'A token that is fetched as the authority would decides',
  by: 'fullchain diagnose http-01://{name} --webroot {webroot}',
};
const COMPARE_LIMITS: Deciding = { what: 'What both sides take decides', by: 'fullchain probe -v {target}' };

const file = ({ file }: Taken): string => file ?? 'a file of the pair';
const endpoint = ({ host, port, address, name }: Taken): string | undefined =>
  host === undefined
    ? (name ?? address)
    : port === undefined
      ? host
      : `${host.includes(':') ? `[${host}]` : host}:${port}`;
const asked = ({ asked: name, host }: Taken): string => name ?? host ?? 'the name asked for';

const certificate = (what: Sentence['what'], decide = LOOK): Sentence => ({
  subject: SERVER_CERTIFICATE,
  what,
  decide,
});
const clients = (what: Sentence['what']): Sentence => ({ subject: CLIENT_CERTIFICATE, what, decide: LOOK_AS_CLIENT });
const connection = (what: Sentence['what'], decide = LOOK): Sentence => ({ subject: endpoint, what, decide });
const pairFile = (what: Sentence['what']): Sentence => ({ subject: file, what, decide: LOOK_AT_FILES });

export const SENTENCES: Readonly<Record<CauseId, Sentence>> = {
  'certificate-expired': certificate('a certificate of the chain is past its date, by the clock of whoever says so'),
  'certificate-expiring': certificate('a certificate of the chain is soon past its date'),
  'certificate-not-yet-valid': certificate('a certificate of the chain begins later, by the clock of whoever says so', {
    what: 'A second clock decides: this host’s is compared with the peer’s',
    by: 'fullchain diagnose {target}',
  }),
  'clock-skew': {
    subject: 'the clock',
    what: 'the clock of whoever says so may be wrong, and the certificate right',
    decide: { what: 'A second clock decides: on both hosts', by: 'date -u' },
  },
  'unknown-ca': certificate('the chain leads to an authority that this client does not trust'),
  'chain-incomplete': certificate(
    'the issuer of the certificate is not known here, and the server may have left it out',
  ),
  'chain-order': {
    subject: file,
    what: 'the file may begin with another certificate than the leaf',
    decide: LOOK_AT_FILES,
  },
  'self-signed': certificate('the certificate is its own issuer'),
  'retired-ca': certificate('an authority of this name is trusted, with another key than the one that signed'),
  'name-mismatch': certificate(({ names, asked, host }) =>
    names === undefined
      ? `the certificate is not for ${asked ?? host ?? 'the name asked for'}`
      : `the certificate is for ${names}, and ${asked ?? 'another name'} was asked for`,
  ),
  'ip-not-in-certificate': certificate(
    (taken) => `${asked(taken)} is an address, and no address entry of the certificate is this one`,
  ),
  'no-subject-alt-name': certificate('the certificate has no subjectAltName; its common name is not read'),
  'certificate-wrong-purpose': certificate('the certificate is not for servers'),
  'weak-certificate': certificate('key or signature of a certificate are too weak for whoever says so'),
  'certificate-revoked': certificate('the certificate is revoked'),
  'certificate-invalid': certificate('the chain breaks a rule of RFC 5280'),
  'signature-invalid': certificate('a signature of the chain does not verify'),
  'not-an-authority': certificate('a certificate of the chain was issued by one that is no authority'),
  'path-length-exceeded': certificate('the chain is longer than an authority in it allows'),
  'path-too-long': certificate('the chain is longer than is accepted'),
  'too-many-candidates': certificate('the chain has too many certificates to choose from'),
  'name-constraints': certificate('an authority of the chain may not certify this name'),
  'policy-not-met': certificate('the chain has none of the policies that are demanded'),
  'unknown-critical-extension': certificate('a certificate has a critical extension that is not known'),
  'revocation-unchecked': certificate('whether an authority of the chain is revoked was not looked at'),
  'revocation-unknown': certificate('no current revocation list says whether a certificate of the chain is revoked'),
  'client-certificate-required': clients('the server wants a client certificate, and none was shown'),
  'client-certificate-untrusted': clients('the server does not accept the authority of the client’s certificate'),
  'client-certificate-wrong-purpose': clients('the client’s certificate is not for clients'),
  'client-certificate-expired': clients('the client’s certificate is past its date, by the server’s clock'),
  'client-certificate-wrong-user': clients(({ user, certificateUser }) =>
    [
      user === undefined ? 'the login' : `the login is for ${user}`,
      certificateUser === undefined ? 'the certificate names another user' : `the certificate is ${certificateUser}’s`,
    ].join(', and '),
  ),
  'no-common-protocol': connection('the two sides have no version of TLS in common', COMPARE_LIMITS),
  'no-common-suite': connection('the two sides may have no cipher suite in common', COMPARE_LIMITS),
  'no-common-group': connection('the two sides have no group for the key exchange in common', COMPARE_LIMITS),
  'local-policy': connection('the library of this side refuses by its own settings, before or without the other side'),
  'plaintext-service': connection(
    ({ protocol }) => `a TLS client met a port that speaks ${protocol ?? 'plaintext'}, or nothing that it understands`,
  ),
  'tls-service': connection('a plaintext client met a port that speaks TLS'),
  'starttls-needed': connection('a TLS client met a port where TLS begins only when it is asked for'),
  'tls-off': connection('the service offers no TLS'),
  'tls-required': connection('the service insists on TLS, and the client came without'),
  'plaintext-accepted': connection('the service also takes clients without TLS'),
  'connection-refused': connection(({ host, port }) => `nothing listens at ${endpointText(host, port)}`),
  'connect-timeout': connection(({ host, port }) => `no answer at all comes from ${endpointText(host, port)}`),
  'no-answer': connection('the connection stands, and nothing comes back'),
  'closed-by-peer': connection('the other side ended the connection without a word'),
  'name-not-resolved': connection(({ host }) => `${host ?? 'the name'} has no address here`),
  'handshake-refused': connection('the server refuses the handshake'),
  'key-mismatch': pairFile('the key belongs to another certificate'),
  'key-type-mismatch': pairFile('key and certificate are of different types'),
  'key-permissions': pairFile((taken) => `owner, mode or a directory of ${file(taken)} is not as the service needs it`),
  'file-missing': pairFile((taken) => `there is no ${taken.file ?? 'such file'}`),
  'file-unusable': pairFile((taken) => `${file(taken)} is not what is expected: encrypted, no PEM, empty or damaged`),
  'config-refused': pairFile('the service refuses its configuration'),
  'served-not-installed': pairFile('what is served is not what is on disk'),
  'url-parameter-invalid': {
    subject: ({ parameter }) => parameter ?? 'the connection string',
    what: ({ parameter }) => `the driver does not know ${parameter ?? 'a parameter or value of the connection string'}`,
    decide: { what: 'The driver’s own list of parameters decides' },
  },
  'url-not-verifying': {
    subject: 'the connection string',
    what: 'the client was told not to verify the server',
    decide: { what: 'The client’s connection string or settings decide' },
  },
  'http01-redirected': {
    subject: ({ name }) => name,
    what: 'the address of the token leads on to where it is not served',
    decide: LOOK_AT_WEBROOT,
  },
  'http01-wrong-server': {
    subject: ({ name }) => name,
    what: 'what answers under this name does not serve the token',
    decide: LOOK_AT_WEBROOT,
  },
  'dns01-credentials': {
    subject: ({ name }) => name,
    what: 'the record that proves the name could not be written',
    decide: { what: 'An update by hand decides', by: 'nsupdate -k {keyfile} -d' },
  },
  'acme-rate-limited': {
    subject: ({ name }) => name,
    what: ({ limit, retryAfter }) =>
      [
        limit === undefined ? 'a limit of the authority is reached' : `a limit is reached: too many ${limit}`,
        ...(retryAfter === undefined ? [] : [`the next try may succeed ${when(retryAfter)}`]),
      ].join('; '),
    decide: { what: 'When the next try may succeed, the header Retry-After of the answer decides' },
  },
};

function endpointText(host: string | undefined, port: string | undefined): string {
  return endpoint({ ...(host && { host }), ...(port && { port }) }) ?? 'the port';
}

/** Retry-After is either a number of seconds or an instant. */
function when(retryAfter: string): string {
  return /^\d{1,10}$/.test(retryAfter) ? `after ${retryAfter} seconds` : `after ${retryAfter}`;
}
