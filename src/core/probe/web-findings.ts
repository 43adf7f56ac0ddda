/** What a browser that comes for the first time can be led into, as findings. */
import type { Finding } from '../diagnosis/finding.ts';
import { formatHostPort } from '../stack/host-port.ts';
import type { EndpointFacts, WebFacts } from './endpoint-facts.ts';
import type { At } from './finding-at.ts';

const ONE_YEAR_SECONDS = 31_536_000;

export function webFindings({ target }: EndpointFacts, web: WebFacts, at: At): Finding[] {
  const { hsts, hstsHeader, redirects, mixedContent, plain } = web;
  const away = redirects.find((address) => address.startsWith('http:'));
  return [
    ...(hsts === null || hsts.maxAge === 0
      ? [
          at(
            'hsts-missing',
            'warning',
            target.text,
            hstsHeader === null
              ? 'There is no Strict-Transport-Security.'
              : `Browsers ignore this Strict-Transport-Security: ${JSON.stringify(hstsHeader.slice(0, 100))}.`,
            'The first visit of a browser can be led astray in plaintext, and nobody notices.',
            {
              text: 'Send it with every answer over TLS (nginx: add_header Strict-Transport-Security "max-age=63072000" always;).',
              command: `curl --silent --head --insecure https://${formatHostPort(target)}/ | grep -i strict`,
            },
            { header: hstsHeader },
          ),
        ]
      : []),
    ...(hsts?.preload && (hsts.maxAge < ONE_YEAR_SECONDS || !hsts.includeSubDomains)
      ? [
          at(
            'hsts-preload',
            'warning',
            target.text,
            'Strict-Transport-Security says preload without a year for all subdomains.',
            'The list takes no such name, and once on it the way back takes months.',
            { text: 'Leave preload out until max-age is a year, with includeSubDomains, and all of them speak TLS.' },
            { header: hstsHeader },
          ),
        ]
      : []),
    ...(away === undefined
      ? []
      : [
          at(
            'plaintext-listener',
            'error',
            away,
            `It leads away from TLS, to ${away}.`,
            'Everything from there on goes over the network in plaintext.',
            { text: 'Redirect to an https address.' },
            { redirects: [...redirects] },
          ),
        ]),
    ...(plain !== null && plain.status < 300
      ? [
          at(
            'plaintext-listener',
            'warning',
            `http://${target.host}/`,
            `Port 80 serves content in plaintext (status ${plain.status}).`,
            'Who comes by http stays in plaintext.',
            { text: 'Redirect everything at port 80 to https, but for /.well-known/acme-challenge/.' },
            { status: plain.status },
          ),
        ]
      : []),
    ...(mixedContent.length === 0
      ? []
      : [
          at(
            'mixed-content',
            'warning',
            target.text,
            `The page fetches ${mixedContent.length === 1 ? mixedContent[0] : `${mixedContent.length} addresses`} in plaintext.`,
            'Browsers block such scripts and styles, and what they do load can be changed on the way.',
            { text: 'Write these addresses with https, or without host.' },
            { addresses: [...mixedContent] },
          ),
        ]),
  ];
}
