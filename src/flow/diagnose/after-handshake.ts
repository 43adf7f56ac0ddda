/** What goes wrong after a handshake that went well: refusals in the first words of a protocol, and service without TLS. */
import { causeFinding } from '../../core/diagnosis/causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { clientRefusalOf } from '../../core/diagnosis/refused-client.ts';
import { loginOf } from '../../core/probe/target.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import { formatName } from '../../core/x509/name.ts';
import { namesOf } from '../probe/probe-endpoint.ts';
import type { Case, Established } from './case.ts';
import { answeredHttp, type PostgresRefusal, postgresRefusal } from './first-answer.ts';
import { refusedClient } from './refusals.ts';

/** What the server says to the first words: nginx and PostgreSQL let everybody shake hands, and refuse here. */
export function firstAnswerFindings(one: Case, { answer, flight }: Established): Finding[] {
  const { protocol } = one.target;
  const asked = flight?.acceptedAuthorities ?? [];
  if (protocol === 'https' || protocol === 'tls') {
    const http = answeredHttp(answer);
    if (http === null || ![400, 495, 496].includes(http.status)) return [];
    const refusalSaid = clientRefusalOf(http.text);
    return refusalSaid === null ? [] : [refusedClient(one, refusalSaid, `HTTP ${http.status}`, asked)];
  }
  if (protocol === 'mysql') return mysqlFindings(one, answer ?? '', flight?.acceptedAuthorities ?? null);
  const refusalSaid = protocol === 'postgres' ? postgresRefusal(answer) : null;
  if (refusalSaid === null) return [];
  return refusalSaid.kind === 'certificate-required'
    ? [refusedClient(one, 'required', refusalSaid.message, asked)]
    : [wrongUser(one, refusalSaid)];
}

const SAME_WORDS =
  'an account may have to show a certain one (REQUIRE X509, SUBJECT, ISSUER), and a wrong password is refused in the same words';

/** Who is let in hears whether the server insists on TLS. "Access denied" is also the answer to a user who has to show a certificate, or another one. */
function mysqlFindings(one: Case, answer: string, asked: readonly Uint8Array[] | null): Finding[] {
  if (/require_secure_transport=0$/.test(answer))
    return [
      causeFinding('plaintext-accepted', {
        subject: formatHostPort(one.dial),
        where: one.where,
        what: 'The server speaks TLS to who asks for it, and says itself that it serves plaintext too: require_secure_transport is off.',
        evidence: { said: answer },
      }),
    ];
  if (!answer.startsWith('1045 ') || asked === null) return [];
  const { target, options, where } = one;
  const user = target.url?.user ?? '';
  const [leaf] = options.clientChain;
  const remedy = {
    text: 'See what the user has to show, REQUIRE X509 or SUBJECT: that decides between certificate and password.',
    command: `mariadb -e "SHOW CREATE USER '${user.replace(/[^\w.-]/g, '')}'"`,
  };
  if (leaf === undefined)
    return [
      causeFinding('client-certificate-required', {
        subject: user,
        where,
        what: `The server asks for client certificates, none was shown, and ${JSON.stringify(user)} is denied access: ${SAME_WORDS}.`,
        confidence: 'possible',
        evidence: { said: answer, acceptedAuthorities: namesOf(asked) },
        remedy,
      }),
    ];
  return [
    causeFinding('client-certificate-wrong-user', {
      subject: formatName(leaf.subject),
      where,
      what: `The certificate is accepted, and ${JSON.stringify(user)} is denied access with it: ${SAME_WORDS}.`,
      confidence: 'possible',
      evidence: { said: answer, user, certificate: formatName(leaf.subject) },
      remedy,
    }),
  ];
}

function wrongUser({ options, target, where }: Case, { message, user }: PostgresRefusal): Finding {
  const [leaf] = options.clientChain;
  const subject = leaf ? formatName(leaf.subject) : 'the client certificate';
  const name = /(?:^|,)CN=([^,]*)/.exec(subject)?.[1];
  return causeFinding('client-certificate-wrong-user', {
    subject,
    where,
    what: `The certificate names ${name === undefined ? subject : JSON.stringify(name)}, and the login is of the user ${JSON.stringify(user)}.`,
    evidence: { said: message, user, certificate: subject },
    words: { host: target.host, user: name },
  });
}

/** Only where the answer cannot be misread: MariaDB says "access denied" to plaintext and to a wrong password alike. */
export async function plaintextFindings({ ports, target, dial, options, where }: Case): Promise<Finding[]> {
  if (target.protocol !== 'postgres') return [];
  const answer = await ports.plaintext('postgres', dial, options.timeoutMs, loginOf(target.url));
  if (answer.kind !== 'service') return [];
  return [
    causeFinding('plaintext-accepted', {
      subject: formatHostPort(dial),
      where,
      what: 'The server speaks TLS to who asks for it, and serves a client in plaintext too.',
      evidence: { said: answer.detail },
    }),
  ];
}
