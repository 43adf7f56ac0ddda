/** A TLS server that answers tls-alpn-01 (RFC 8737), well or wrongly, by server name. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { createSecureContext, createServer, type SecureContext, type SecureVersion } from 'node:tls';
import { boolean, octetString, oid, sequence } from '../../src/core/asn1/der-writer.ts';
import { ACME_IDENTIFIER, encodeAcmeIdentifier } from '../../src/core/x509/acme-identifier.ts';
import { encodeExtension } from '../../src/core/x509/extension.ts';
import type { GeneralName } from '../../src/core/x509/general-name.ts';
import { parseIpAddress } from '../../src/core/x509/ip-address.ts';
import { encodeSubjectAltName } from '../../src/core/x509/subject-alt-name.ts';
import { type SelfSigned, selfSigned } from './self-signed.ts';
import { startTcpServer, type TcpServer } from './tcp-server.ts';

/** What is wrong with the validation certificate. */
export interface ValidationCertificateFaults {
  /** In place of the identifier alone: addresses become iPAddress entries. */
  readonly names?: readonly string[];
  readonly keyAuthorization?: string;
  readonly acmeIdentifier?: 'absent' | 'not-critical' | 'obsolete' | 'short' | 'not-octet-string';
  readonly signer?: 'other-key' | 'other-name';
}

export interface TlsAlpnResponder extends TcpServer {
  readonly host: string;
  /** The server names asked for so far. */
  readonly serverNames: readonly string[];
  /** What is shown for this server name from now on: for an address, its reverse-mapping name. */
  readonly present: (serverName: string, certificate: SelfSigned) => void;
}

export interface TlsAlpnResponderOptions {
  readonly host?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** Protocols to choose from; none switches the negotiation off. */
  readonly protocols?: readonly string[];
  readonly maxVersion?: SecureVersion;
}

/** The certificate of RFC 8737 §3 for an identifier. */
export function validationCertificate(
  identifier: string,
  keyAuthorization: string,
  faults: ValidationCertificateFaults = {},
): SelfSigned {
  const digest = createHash('sha256')
    .update(faults.keyAuthorization ?? keyAuthorization)
    .digest();
  const names = (faults.names ?? [identifier]).map(generalName);
  const extensions = [
    ...(names.length > 0 ? [encodeSubjectAltName(names, false)] : []),
    ...acmeIdentifierExtension(digest, faults.acmeIdentifier),
  ];
  switch (faults.signer) {
    case 'other-key':
      return selfSigned(extensions, { signWith: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey });
    case 'other-name':
      return selfSigned(extensions, { issuer: 'somebody else' });
    default:
      return selfSigned(extensions);
  }
}

function generalName(text: string): GeneralName {
  const address = parseIpAddress(text);
  return address ? { kind: 'ip', value: address } : { kind: 'dns', value: text };
}

function acmeIdentifierExtension(digest: Buffer, fault: ValidationCertificateFaults['acmeIdentifier']): Uint8Array[] {
  switch (fault) {
    case undefined:
      return [encodeAcmeIdentifier(digest)];
    case 'absent':
      return [];
    case 'not-critical':
      return [encodeExtension(ACME_IDENTIFIER, false, octetString(digest))];
    case 'short':
      return [encodeAcmeIdentifier(digest.subarray(1))];
    case 'not-octet-string':
      return [encodeExtension(ACME_IDENTIFIER, true, digest)];
    case 'obsolete':
      return [sequence(oid('1.3.6.1.5.5.7.1.30.1'), boolean(true), octetString(octetString(digest)))];
  }
}

/** Until something is presented for a name, a certificate for nobody is shown. */
export async function startTlsAlpnResponder(options: TlsAlpnResponderOptions = {}): Promise<TlsAlpnResponder> {
  const { host = '127.0.0.1', protocols = ['acme-tls/1'], maxVersion = 'TLSv1.3' } = options;
  const contexts = new Map<string, SecureContext>();
  const serverNames: string[] = [];
  const server = createServer({
    ...selfSigned([]),
    ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    maxVersion,
    minVersion: maxVersion === 'TLSv1.3' ? 'TLSv1.2' : maxVersion,
    ...(maxVersion < 'TLSv1.2' && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
    SNICallback: (name, done) => {
      serverNames.push(name);
      done(null, contexts.get(name.toLowerCase()));
    },
  });
  server.on('secureConnection', (socket) => socket.on('error', () => socket.destroy()));
  server.on('tlsClientError', (_cause, socket) => socket.destroy());
  const { port, connections, close } = await startTcpServer(server, host, options.port ?? 0);
  return {
    host,
    port,
    connections,
    serverNames,
    present: (serverName, { cert, key }) =>
      void contexts.set(serverName.toLowerCase(), createSecureContext({ cert, key })),
    close,
  };
}
