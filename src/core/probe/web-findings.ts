/** What a browser that comes for the first time can be led into, as findings. */
import type { Finding } from '../diagnosis/finding.ts';
import type { EndpointFacts, WebFacts } from './endpoint-facts.ts';
import { isSettled } from './gap.ts';
import { ruleFinding } from './probe-rules.ts';
import type { Target } from './target.ts';

const ONE_YEAR_SECONDS = 31_536_000;
const SHOWN_HEADER = 100;

export function webFindings({ target, web, clientCertificate, gaps }: EndpointFacts): Finding[] {
  // Refused for want of a client certificate: what it says to others was not seen.
  if (web === null || (clientCertificate === 'required' && web.status >= 400)) return [];
  const isHstsKnown = web.hsts !== null || isSettled(gaps, 'hsts');
  return [
    ...(isHstsKnown ? hstsFindings(target, web) : []),
    ...redirectFindings(target, web),
    ...mixedFindings(target, web),
  ];
}

function hstsFindings(target: Target, { hsts, hstsHeader }: WebFacts): Finding[] {
  const common = { subject: target.text, evidence: { header: hstsHeader } };
  if (hsts === null || hsts.maxAge === 0)
    return [
      ruleFinding('hsts-missing', target, {
        ...common,
        what:
          hstsHeader === null
            ? 'There is no Strict-Transport-Security.'
            : `Browsers ignore this Strict-Transport-Security: ${JSON.stringify(hstsHeader.slice(0, SHOWN_HEADER))}.`,
      }),
    ];
  if (!hsts.preload || (hsts.maxAge >= ONE_YEAR_SECONDS && hsts.includeSubDomains)) return [];
  return [
    ruleFinding('hsts-preload', target, {
      ...common,
      what: 'Strict-Transport-Security says preload without a year for all subdomains.',
    }),
  ];
}

function redirectFindings(target: Target, { redirects, plain }: WebFacts): Finding[] {
  const away = redirects.find((address) => address.startsWith('http:'));
  return [
    ...(away === undefined
      ? []
      : [
          ruleFinding('plaintext-listener', target, {
            severity: 'error',
            subject: away,
            what: `It leads away from TLS, to ${away}.`,
            why: 'Everything from there on goes over the network in plaintext.',
            evidence: { redirects: [...redirects] },
          }),
        ]),
    ...(plain === null || plain.status >= 300
      ? []
      : [
          ruleFinding('plaintext-listener', target, {
            subject: `http://${target.host}/`,
            what: `Port 80 serves content in plaintext (status ${plain.status}).`,
            evidence: { status: plain.status },
          }),
        ]),
  ];
}

function mixedFindings(target: Target, { mixedContent }: WebFacts): Finding[] {
  if (mixedContent.length === 0) return [];
  const what = mixedContent.length === 1 ? mixedContent[0] : `${mixedContent.length} addresses`;
  return [
    ruleFinding('mixed-content', target, {
      subject: target.text,
      what: `The page fetches ${what} in plaintext.`,
      evidence: { addresses: [...mixedContent] },
    }),
  ];
}
