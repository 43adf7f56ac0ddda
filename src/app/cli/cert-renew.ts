/** `cert renew` and `cert rekey`: by the certificate itself over mutual TLS. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { commonNames } from '../../core/x509/name.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import { post } from '../../edge/authority-client/authority-client.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { readCertificates, readInput } from '../../edge/files/certificate-files.ts';
import { algorithmOfKey, generateKey } from '../../edge/signer/key-pair.ts';
import { readConfig } from '../config.ts';
import { readReady } from './ca.ts';
import { chainOf, newCsr, reportIssued } from './cert-issue.ts';
import { type Context, contextOf } from './context.ts';

interface RenewFlags {
  readonly url?: string;
  readonly root?: string;
}

export function addCertRenewCommands(cert: Command): void {
  for (const [name, description, withNewKey] of [
    ['renew', 'A new certificate for the same key and names', false],
    ['rekey', 'A new certificate and a new key for the same names', true],
  ] as const) {
    cert
      .command(name)
      .description(`${description}, asked for with the certificate itself`)
      .argument('<cert>', 'file with the chain; it is replaced')
      .argument('<key>', `file with the key${withNewKey ? '; it is replaced' : ''}`)
      .option('--url <url>', 'of the authority (default: the one of this host)')
      .option('--root <file>', 'root certificate to verify it with (default: the one of this host)')
      .option('--force', 'accepted for those who are used to it; renewal is never refused as too early')
      .addHelpText(
        'after',
        `\nExample:\n  fullchain cert ${name} db.crt db.key --url https://ca.internal:9000 --root root_ca.crt`,
      )
      .action(async (certFile: string, keyFile: string, flags: RenewFlags, self: Command) =>
        run(contextOf(self), certFile, keyFile, flags, withNewKey),
      );
  }
}

async function run(
  context: Context,
  certFile: string,
  keyFile: string,
  flags: RenewFlags,
  withNewKey: boolean,
): Promise<void> {
  const [leaf] = readCertificates(certFile);
  if (!leaf) throw new OperatorFault('input-invalid', `${certFile} holds no certificate`, { path: certFile });
  const key = readPrivateKey(keyFile);
  const url = (flags.url ?? readReady(context.paths)?.url ?? fallbackUrl(context)).replace(/\/+$/, '');
  const tls = {
    ca: readInput(flags.root ?? context.paths.rootCertificate).toString(),
    cert: readFileSync(certFile),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
  };
  if (!withNewKey) {
    const chain = chainOf(await post(`${url}/1.0/renew`, {}, tls));
    writeFileAtomically(certFile, pem(chain), 0o644);
    reportIssued(context, chain, certFile, keyFile);
    return;
  }
  const algorithm = algorithmOfKey(key) ?? 'ecdsa-p256';
  const newKey = await generateKey(algorithm);
  const csr = await newCsr(newKey, algorithm, subjectAltNames(leaf), commonNames(leaf.subject)[0]);
  const chain = chainOf(await post(`${url}/1.0/rekey`, { csr }, tls));
  writeFileAtomically(keyFile, newKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  writeFileAtomically(certFile, pem(chain), 0o644);
  reportIssued(context, chain, certFile, keyFile);
}

function pem(chain: readonly Uint8Array[]): string {
  return chain.map((der) => pemFromDer('CERTIFICATE', der)).join('');
}

/** @throws OperatorFault input-unreadable, key-unusable */
function readPrivateKey(path: string): KeyObject {
  const bytes = readInput(path);
  try {
    return createPrivateKey(Buffer.from(bytes));
  } catch (cause) {
    throw new OperatorFault('key-unusable', `${path} is not a private key`, { path }, cause);
  }
}

function fallbackUrl(context: Context): string {
  const { listen } = readConfig(context.paths.config);
  return `https://localhost:${listen.split(':').at(-1)}`;
}
