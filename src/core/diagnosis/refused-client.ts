/** Why a server refused a client for its certificate: none was shown, or which flaw the one that was shown has. */
import { formatRfc3339, type Instant } from '../time/instant.ts';
import { contains } from '../time/validity-period.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { extendedKeyUsage } from '../x509/extended-key-usage.ts';
import { formatName } from '../x509/name.ts';
import { causeFinding } from './causes.ts';
import type { Confidence, Finding, FindingPlace } from './finding.ts';

/** What the server said of it. "unsaid": it closed the connection, or sent an alert that fits anything. */
export type ClientRefusal = 'required' | 'unknown-ca' | 'wrong-purpose' | 'expired' | 'revoked' | 'unsaid';

export interface RefusedClient {
  readonly where: FindingPlace;
  readonly host: string;
  readonly refusal: ClientRefusal;
  /** In the server's words, or the alert's. */
  readonly said: string;
  /** RFC 4514; empty: it names none. */
  readonly acceptedAuthorities: readonly string[];
  /** What was shown, the leaf first; empty: nothing. */
  readonly shown: readonly Certificate[];
  readonly now: Instant;
}

/** From the alert in Node.js' code of an error, or the words of an HTTP answer; null: it is not about a certificate. */
export function clientRefusalOf(said: string): ClientRefusal | null {
  const text = said.toLowerCase().replaceAll('_', ' ');
  return REFUSALS.find(([words]) => words.test(text))?.[1] ?? null;
}

const REFUSALS: readonly (readonly [RegExp, ClientRefusal])[] = [
  [
    /certificate required|no required ssl certificate|did not return a certificate|requires a valid client certificate/,
    'required',
  ],
  [/unknown ca/, 'unknown-ca'],
  [/unsupported certificate/, 'wrong-purpose'],
  [/certificate expired/, 'expired'],
  [/certificate revoked/, 'revoked'],
  [/bad certificate|certificate unknown|access denied|ssl certificate error/, 'unsaid'],
];

export function refusedClientFinding(one: RefusedClient): Finding {
  const { shown, where, said, acceptedAuthorities, host } = one;
  const [leaf] = shown;
  const accepts =
    acceptedAuthorities.length === 0 ? '' : ` It accepts those of ${acceptedAuthorities.slice(0, 3).join(' and of ')}.`;
  const evidence = { said, acceptedAuthorities: [...acceptedAuthorities] };
  if (leaf === undefined)
    return causeFinding('client-certificate-required', {
      subject: host,
      where,
      what: `The server wants a client certificate, and none was shown.${accepts}`,
      // A bare close could be anything; that a certificate was asked for just before is why it is said.
      confidence: one.refusal === 'unsaid' ? 'likely' : 'certain',
      evidence,
      words: { client: 'NAME' },
      remedy: { command: `fullchain cert issue NAME --profile client --cert client.crt --key client.key` },
    });
  const { id, flaw, confidence } = flawOf(leaf, one);
  return causeFinding(id, {
    subject: describeCertificate(leaf),
    where,
    what: `The server refuses the client certificate ${JSON.stringify(describeCertificate(leaf))}: ${flaw}.${id === 'client-certificate-untrusted' ? accepts : ''}`,
    confidence,
    evidence: {
      ...evidence,
      shown: shown.map((certificate) => formatName(certificate.subject)),
      issuer: formatName(leaf.issuer),
    },
    words: { client: 'NAME' },
  });
}

type ClientFlaw = {
  readonly id: 'client-certificate-expired' | 'client-certificate-wrong-purpose' | 'client-certificate-untrusted';
  readonly flaw: string;
  readonly confidence: Confidence;
};

/** What can be seen on the certificate itself goes before what the server says: some say the same of everything. */
function flawOf(leaf: Certificate, { refusal, acceptedAuthorities, shown, now }: RefusedClient): ClientFlaw {
  const { validity } = leaf;
  if (!contains(validity, now))
    return {
      id: 'client-certificate-expired',
      flaw:
        now > validity.notAfter
          ? `it expired at ${formatRfc3339(validity.notAfter)}`
          : `it is valid from ${formatRfc3339(validity.notBefore)} on only`,
      confidence: 'certain',
    };
  const purposes = extendedKeyUsage(leaf);
  if (purposes !== null && !purposes.includes('clientAuth') && !purposes.includes('anyExtendedKeyUsage'))
    return {
      id: 'client-certificate-wrong-purpose',
      flaw: `it is not for clients (its extended key usage is ${purposes.join(', ')})`,
      confidence: 'certain',
    };
  if (refusal === 'expired')
    return {
      id: 'client-certificate-expired',
      flaw: 'the server calls it expired; by the clock of this host it is valid, so one of the clocks is wrong',
      confidence: 'likely',
    };
  if (refusal === 'revoked')
    return { id: 'client-certificate-untrusted', flaw: 'it was revoked', confidence: 'certain' };
  const issuers = shown.map((certificate) => formatName(certificate.issuer));
  const isAccepted = acceptedAuthorities.some((name) => issuers.includes(name));
  const issuer = formatName(shown.at(-1)?.issuer ?? leaf.issuer);
  const gap = `its chain ends below ${JSON.stringify(issuer)}, which is not among the authorities that the server accepts`;
  if (refusal === 'unknown-ca')
    return {
      id: 'client-certificate-untrusted',
      flaw: isAccepted ? 'the server does not get from it to an authority that it trusts' : gap,
      confidence: 'certain',
    };
  if (acceptedAuthorities.length > 0 && !isAccepted)
    return { id: 'client-certificate-untrusted', flaw: gap, confidence: 'certain' };
  return {
    id: 'client-certificate-untrusted',
    flaw: 'it does not say why; dates and purpose of the certificate are right, so its log decides',
    confidence: 'likely',
  };
}
