/**
 * tls-alpn-01 (RFC 8737; RFC 8738 §6 for addresses): a self-signed certificate with the digest of the key
 * authorization, shown to whoever negotiates the protocol "acme-tls/1".
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AddressPolicy } from '../../core/acme/address-policy.ts';
import { parseIpAddress } from '../../core/x509/ip-address.ts';
import type { ChallengeTarget, ValidateChallenge, ValidationOutcome } from '../../flow/ca/validation-ports.ts';
import { checkTarget } from './check-target.ts';
import { connectToFirst } from './connect.ts';
import { withDeadline } from './deadline.ts';
import { boundedLook, excerpt, invalid } from './outcome.ts';
import { permittedAddresses } from './permitted-addresses.ts';
import type { Resolver } from './resolver.ts';
import { reverseName } from './reverse-name.ts';
import { describeHandshakeFailure, shakeHands } from './tls-handshake.ts';
import { checkValidationCertificate } from './validation-certificate.ts';

export interface TlsAlpn01Options {
  readonly resolver: Resolver;
  readonly policy: AddressPolicy;
  /** RFC 8737 §3 says 443. */
  readonly port?: number;
  /** For the handshake. Connecting may take half of it for each address. */
  readonly timeoutMs?: number;
  /** For everything. */
  readonly overallMs?: number;
}

type Settings = Required<TlsAlpn01Options>;

/** RFC 8737 §6.2. */
const ACME_TLS = 'acme-tls/1';

export function tlsAlpn01Validator(options: TlsAlpn01Options): ValidateChallenge {
  const settings: Settings = { port: 443, timeoutMs: 10_000, overallMs: 30_000, ...options };
  return boundedLook(
    settings.overallMs,
    async (target, signal) => checkTarget(target) ?? look(settings, target, signal),
  );
}

async function look(settings: Settings, target: ChallengeTarget, signal: AbortSignal): Promise<ValidationOutcome> {
  const permitted = await permittedAddresses(target.value, settings, signal);
  if (permitted.kind === 'invalid') return permitted;
  const connection = await connectToFirst(permitted.addresses, settings.port, settings.timeoutMs / 2, signal);
  if (connection.kind === 'failed') return invalid('connection', connection.detail);
  const from = `${connection.address} port ${settings.port}`;
  try {
    return await withDeadline(signal, settings.timeoutMs, (limited) =>
      examine(target, connection.socket, from, limited),
    );
  } finally {
    connection.socket.destroy();
  }
}

async function examine(
  target: ChallengeTarget,
  socket: Socket,
  from: string,
  signal: AbortSignal,
): Promise<ValidationOutcome> {
  // RFC 8738 §6: SNI cannot carry an address, so its reverse-mapping name stands for it.
  const address = parseIpAddress(target.value);
  const serverName = address === null ? target.value : reverseName(address);
  let secured: TLSSocket;
  try {
    secured = await shakeHands(socket, { serverName, applicationProtocols: [ACME_TLS] }, signal);
  } catch (cause) {
    const { problem, what } = describeHandshakeFailure(cause);
    return invalid(problem, `${from} ${what} (wanted "${ACME_TLS}" for ${serverName})`);
  }
  if (secured.alpnProtocol !== ACME_TLS) {
    const chosen = secured.alpnProtocol ? excerpt(secured.alpnProtocol) : 'no application protocol';
    return invalid('tls', `${from} chose ${chosen} in the TLS handshake for ${serverName} (wanted "${ACME_TLS}")`);
  }
  const certificate = secured.getPeerX509Certificate();
  const fault = certificate ? checkValidationCertificate(certificate.raw, target) : 'showed no certificate';
  return fault === null ? { kind: 'valid' } : invalid('unauthorized', `${from} ${fault}`);
}
