/** Who issues: the authority of the stack and issuers by ACME. */
import type { AcmeChallengeSpec, AuthorityReference, IssuerSpec } from '../../core/stack/stack.ts';
import { keys, optional, required } from './keys-shape.ts';
import { listOf } from './list-shape.ts';
import { nearestWord } from './nearest-word.ts';
import { type Found, type Shape, then } from './shape.ts';
import { quoted } from './stack-problem.ts';
import {
  directoryPath,
  dnsZone,
  emailAddress,
  filePath,
  fingerprint,
  hostPort,
  httpsUrl,
  listenAddress,
  plainText,
  programPath,
  secretFilePath,
  webUrl,
} from './text-forms.ts';
import { nameOf, text } from './text-shape.ts';

export const authority: Shape<AuthorityReference> = keys(
  {
    url: required(httpsUrl, 'Where the authority is reached.'),
    fingerprint: required(fingerprint, 'SHA-256 of its root: nothing else is trusted.'),
    tokenFile: optional(secretFilePath, 'File with a token that allows issuance.', null),
    provisioner: optional(plainText, 'Provisioner that signs tokens for this stack.', null),
    passwordFile: optional(secretFilePath, 'File with the password of the provisioner’s key.', null),
  },
  'an authority: url, fingerprint, and tokenFile or provisioner with passwordFile',
  { oneGroupOf: [['tokenFile'], ['provisioner', 'passwordFile']] },
);

/** Directories that have a name of their own. */
const ACME_DIRECTORIES = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
} as const;

function isNamed(url: string): boolean {
  return Object.values(ACME_DIRECTORIES).some((known) => known === url);
}

const NAMES = Object.keys(ACME_DIRECTORIES);

const namedDirectory: Shape<string> = text({
  wanted: 'letsencrypt, letsencrypt-staging, or the https:// address of an ACME directory',
  schema: { anyOf: [{ enum: NAMES }, { pattern: httpsUrl.schema.pattern }] },
  read(written) {
    const known = Object.entries(ACME_DIRECTORIES).find(([name]) => name === written);
    if (known) return { value: known[1] };
    return { flaw: `${quoted(written)} is not ${namedDirectory.wanted}`, nearest: nearestWord(written, NAMES) };
  },
});

const directory: Shape<string> = {
  ...namedDirectory,
  read(place, reading) {
    const { tree } = place;
    const isUrl = tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value.includes('://');
    return (isUrl ? httpsUrl : namedDirectory).read(place, reading);
  },
};

const http01: Shape<AcmeChallengeSpec> = then(
  keys(
    {
      webroot: optional(directoryPath, 'What a web server on port 80 serves.', null),
      listen: optional(listenAddress, 'Answered by Fullchain itself, listening here while it proves.', null),
    },
    '{ webroot: DIRECTORY } or { listen: ":80" }',
    { oneGroupOf: [['webroot'], ['listen']] },
  ),
  ({ webroot, listen }): Found<AcmeChallengeSpec> => {
    if (webroot !== null) return { value: { kind: 'http-01-webroot', webroot } };
    return listen === null ? null : { value: { kind: 'http-01-listen', listen } };
  },
);

const rfc2136 = keys(
  {
    server: required(hostPort, 'The authoritative server of the zone, which takes the updates.'),
    zone: required(dnsZone, 'The zone that the names lie in.'),
    keyName: required(dnsZone, 'Name of the TSIG key, HMAC-SHA-256.'),
    secretFile: required(secretFilePath, 'BIND’s file of this key, or the secret alone in base64; 0600.'),
  },
  'a DNS server: server, zone, keyName and secretFile',
);

const dns01: Shape<AcmeChallengeSpec> = then(
  keys(
    {
      rfc2136: optional(rfc2136, 'By dynamic updates, signed with TSIG.', null),
      exec: optional(programPath, 'By a program: PROGRAM present NAME VALUE, PROGRAM cleanup NAME VALUE.', null),
      httpreq: optional(webUrl, 'By a web service, in the words of lego’s “httpreq”: …/present and …/cleanup.', null),
    },
    '{ rfc2136: { … } }, { exec: PROGRAM } or { httpreq: URL }',
    {
      oneGroupOf: [['rfc2136'], ['exec'], ['httpreq']],
      refused: { acmesh: 'acmesh is not supported yet; its scripts can be called by "exec", a program of yours' },
    },
  ),
  ({ rfc2136: updates, exec, httpreq }): Found<AcmeChallengeSpec> => {
    if (updates !== null) return { value: { kind: 'dns-01-rfc2136', ...updates } };
    if (exec !== null) return { value: { kind: 'dns-01-exec', command: exec } };
    return httpreq === null ? null : { value: { kind: 'dns-01-httpreq', url: httpreq } };
  },
);

const challenge: Shape<AcmeChallengeSpec> = then(
  keys(
    {
      'http-01': optional(http01, 'By a file that is fetched from port 80; not for wildcards.', null),
      'dns-01': optional(dns01, 'By a TXT record; the only one for wildcards, not for IP addresses.', null),
    },
    'a challenge: http-01 or dns-01',
    {
      oneGroupOf: [['http-01'], ['dns-01']],
      refused: { 'tls-alpn-01': 'tls-alpn-01 is not supported yet; http-01 and dns-01 are' },
    },
  ),
  (found): Found<AcmeChallengeSpec> => {
    const chosen = found['http-01'] ?? found['dns-01'];
    return chosen && { value: chosen };
  },
);

export const issuer: Shape<IssuerSpec> = then(
  keys(
    {
      acme: required(directory, 'Where certificates are ordered.'),
      caFile: optional(filePath, 'Root by which a private ACME server is trusted, PEM.', null),
      contact: optional(emailAddress, 'For the account.', null),
      challenge: required(challenge, 'How control of the names is proved.'),
      fallback: optional(
        listOf(nameOf('issuer'), 'a list of issuers', (name) => name),
        'Further issuers of this file, asked in order when this one fails.',
        [],
      ),
    },
    'an issuer: acme and challenge',
  ),
  ({ acme, ...others }, place, reading) => {
    const caFile = place.tree.kind === 'map' ? place.tree.entries.find(({ key }) => key === 'caFile') : undefined;
    if (!caFile || !isNamed(acme)) return { value: { kind: 'acme', directory: acme, ...others } };
    const what = 'only for a private ACME server; this one is trusted by the public store';
    reading.report(caFile.span, `${place.path}.caFile`, what);
    return null;
  },
);
