/** What is said of the names of a certificate by whoever verified it. */
import { certain, likely, type MessageRow, possible, verifying } from './message-row.ts';

const IP = String.raw`(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{0,4}:[\da-f:.]{1,45}`;

const MISMATCH = [likely('name-mismatch'), possible('no-subject-alt-name'), possible('ip-not-in-certificate')];

export const NAME_ROWS: readonly MessageRow[] = [
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
