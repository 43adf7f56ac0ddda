/** Why there was no TLS, as a finding. */
import type { Finding } from '../diagnosis/finding.ts';
import { formatHostPort } from '../stack/host-port.ts';
import type { EndpointFacts, ProbeFailureId } from './endpoint-facts.ts';
import { type At, quoted } from './finding-at.ts';

const FAILURE_ROWS: Readonly<Record<ProbeFailureId, { readonly why: string; readonly remedy: string }>> = {
  'name-not-resolved': {
    why: 'No client can connect to a name without an address.',
    remedy: 'Correct the name, or give it an address in DNS; --connect ADDRESS tries one without.',
  },
  'connection-refused': {
    why: 'The host is there, but no program listens at this port.',
    remedy: 'Start the service, or name the port where it listens.',
  },
  'connect-timeout': {
    why: 'A firewall drops the packets, or no host has this address.',
    remedy: 'Let the port through on the way, or correct the address.',
  },
  'no-answer': {
    why: 'A service that waits for more in plaintext looks like this, and so does one that hangs.',
    remedy: 'Find out what speaks there; of a protocol that upgrades, name it with --starttls.',
  },
  'closed-by-peer': {
    why: 'The service ends connections before TLS begins: another protocol, a limit, or an address it does not serve.',
    remedy: 'Look into its log; of a protocol that upgrades, name it with --starttls.',
  },
  'tls-off': {
    why: 'Everything, passwords included, goes over the network in plaintext.',
    remedy: 'Switch TLS on in the service, and have clients insist on it.',
  },
  'starttls-needed': {
    why: 'TLS from the first byte is not what this port speaks.',
    remedy: 'Name the protocol with --starttls, or use its port for TLS.',
  },
  'plaintext-service': {
    why: 'What is said there can be read and changed by everyone on the way.',
    remedy: 'Name the port that speaks TLS, or switch TLS on in the service.',
  },
  'handshake-refused': {
    why: 'Every version and every suite was offered; a server whose key does not fit its certificate refuses so.',
    remedy: 'Compare the key with the certificate on the server’s host, and look into its log.',
  },
};

export function failureFindings({ target, failure, address }: EndpointFacts, at: At): Finding[] {
  if (failure === null) return [];
  const { id, detail, protocol } = failure;
  const { why, remedy } = FAILURE_ROWS[id];
  const where = address === null ? target.host : formatHostPort({ host: address, port: target.port });
  const starttls = id === 'starttls-needed' && protocol !== null ? ` --starttls ${protocol}` : '';
  const command =
    starttls === ''
      ? `fullchain diagnose ${quoted(target.text)}`
      : `fullchain probe ${quoted(formatHostPort(target))}${starttls}`;
  const seen = at(id, 'error', where, `${where}: ${detail}.`, why, { text: remedy, command }, { protocol });
  // The likeliest cause of a server that takes nothing; its log would decide.
  return [id === 'handshake-refused' ? { ...seen, id: 'key-type-mismatch', confidence: 'likely' } : seen];
}
