/** Application protocols that are offered in a handshake (RFC 7301), by their registered names, as far as they run over TCP. */
import type { Protocol } from '../probe/protocol.ts';

/** Nobody's: who takes it takes whatever is offered, and what is done with it shows how a mismatch ends. */
export const UNKNOWN_APPLICATION_PROTOCOL = 'fullchain-unknown';

/** RFC 8737 §3: offered alone. Servers that validate by it refuse a client that offers it among others. */
export const ACME_APPLICATION_PROTOCOL = 'acme-tls/1';

const WEB: readonly string[] = ['h2', 'http/1.1', 'http/1.0'];

const ALL: readonly string[] = [
  ...WEB,
  'dot',
  'mqtt',
  'imap',
  'pop3',
  'managesieve',
  'smtp',
  'esmtp',
  'ftp',
  'xmpp-client',
  'xmpp-server',
  'postgresql',
  'irc',
  'nntp',
  'stun.turn',
  'ntske/1',
];

/** Where it is known what follows. */
const OF_PROTOCOL: Readonly<Partial<Record<Protocol, readonly string[]>>> = {
  postgres: ['postgresql'],
  smtp: ['smtp', 'esmtp'],
  lmtp: [],
  imap: ['imap'],
  pop3: ['pop3'],
  ftp: ['ftp'],
  xmpp: ['xmpp-client', 'xmpp-server'],
  ldap: [],
  mysql: [],
  redis: [],
};

/** Whether an ACME server could come there to validate a name. */
export function mayValidate(protocol: Protocol): boolean {
  return OF_PROTOCOL[protocol] === undefined;
}

/** What a server of this protocol may take beside ACME's; empty: none is registered for it. */
export function applicationProtocols(protocol: Protocol): readonly string[] {
  return OF_PROTOCOL[protocol] ?? ALL;
}

export function isWebProtocol(name: string): boolean {
  return WEB.includes(name);
}
