/** Clients of many languages, each trying one HTTPS address, and what they print. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../servers/process.ts';
import type { PairFiles } from './messages-pairs.ts';

export interface Attempt {
  readonly host?: string;
  readonly port: number;
  readonly ca: string;
  readonly client?: PairFiles;
  /** For openssl alone. */
  readonly options?: readonly string[];
}

export type Client = (attempt: Attempt) => Promise<string>;

const NODE = `
const [host, port, ca, cert, key] = process.argv.slice(1);
const fs = require('node:fs');
const read = (file) => file && fs.readFileSync(file);
require('node:https').get({ host, port, ca: read(ca), cert: read(cert), key: read(key), timeout: 3000 }, (r) => r.resume().on('end', () => console.log('answered', r.statusCode)).on('error', (e) => console.error(e)))
  .on('timeout', function () { this.destroy(new Error('no answer in time')); }).on('error', (e) => { console.error(e); process.exit(1); });`;

const PYTHON = `
import sys, ssl, urllib.request
host, port, ca, cert, key = (sys.argv[1:] + [None, None])[:5]
context = ssl.create_default_context(cafile=ca)
if cert: context.load_cert_chain(cert, key)
print(urllib.request.urlopen(f"https://{host}:{port}/", context=context, timeout=3).read())`;

const pairArguments = ({ client }: Attempt): readonly string[] => (client ? [client.cert, client.key] : []);

async function output(command: string, args: readonly string[]): Promise<string> {
  return (await run(command, args, { withinMs: 15_000 })).output;
}

export const CLIENTS = {
  'openssl s_client': ({ host = 'localhost', port, ca, client, options = [] }) =>
    // What comes after the handshake is heard only while its standard input is open.
    output('/bin/sh', [
      ...['-c', 'sleep 0.4 | exec openssl "$@"', 'sh'],
      ...['s_client', '-connect', `${host}:${port}`, '-CAfile', ca, '-verify_return_error', '-verify_hostname', host],
      ...(client
        ? ['-cert', client.cert, '-key', client.key, ...(client.rest ? ['-cert_chain', client.rest] : [])]
        : []),
      ...options,
    ]),
  curl: ({ host = 'localhost', port, ca, client }) =>
    output('curl', [
      ...['-sSv', '--max-time', '3', '--cacert', ca, `https://${host}:${port}/`],
      ...(client ? ['--cert', client.cert, '--key', client.key] : []),
    ]),
  'Node.js': (attempt) =>
    output(process.execPath, [
      '-e',
      NODE,
      '--',
      attempt.host ?? 'localhost',
      `${attempt.port}`,
      attempt.ca,
      ...pairArguments(attempt),
    ]),
  Python: (attempt) =>
    output('/usr/bin/python3', [
      '-c',
      PYTHON,
      attempt.host ?? 'localhost',
      `${attempt.port}`,
      attempt.ca,
      ...pairArguments(attempt),
    ]),
  'gnutls-cli': ({ host = 'localhost', port, ca, client }) =>
    output('gnutls-cli', [
      ...['--x509cafile', ca, '-p', `${port}`, host],
      ...(client ? ['--x509certfile', client.cert, '--x509keyfile', client.key] : []),
    ]),
  Wget: ({ host = 'localhost', port, ca, client }) =>
    output('wget', [
      ...['-O', '/dev/null', '--tries=1', '--timeout=3', '--ca-certificate', ca, `https://${host}:${port}/`],
      ...(client ? ['--certificate', client.cert, '--private-key', client.key] : []),
    ]),
} as const satisfies Record<string, Client>;

/** Source of a Java client: arguments CA PORT…; prints each failure with its causes. */
export function writeJavaClient(directory: string): string {
  const path = join(directory, 'Client.java');
  writeFileSync(
    path,
    `
import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*; import javax.net.ssl.*;
public class Client {
  public static void main(String[] args) throws Exception {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    try (InputStream in = new FileInputStream(args[0])) {
      trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    for (int i = 1; i < args.length; i++) {
      System.out.println("=====" + args[i]);
      try {
        HttpsURLConnection c = (HttpsURLConnection) new URL("https://" + args[i] + "/").openConnection();
        c.setSSLSocketFactory(context.getSocketFactory());
        c.setConnectTimeout(3000); c.setReadTimeout(3000);
        System.out.println("answered " + c.getResponseCode());
      } catch (Exception e) { e.printStackTrace(System.out); }
    }
  }
}
`,
  );
  return path;
}
