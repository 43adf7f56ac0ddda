/** What `cert renew` and `cert rekey` do, over mutual TLS with the certificate itself. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { commonNames } from '../../core/x509/name.ts';
import { subjectAltNames } from '../../core/x509/subject-alt-name.ts';
import { post } from '../../edge/authority-client/authority-client.ts';
import { chainOf } from '../../edge/authority-client/signed-chain.ts';
import { writeFileAtomically } from '../../edge/files/atomic-file.ts';
import { readCertificates, readInput } from '../../edge/files/certificate-files.ts';
import { algorithmOfKey, generateKey } from '../../edge/signer/key-pair.ts';
import { newCsr } from '../../edge/signer/new-csr.ts';
import { readReady } from '../authority-files.ts';
import type { RenewFlags } from '../cli/cert-renew.ts';
import type { Context } from '../cli/context.ts';
import { readConfig } from '../config.ts';
import { reportIssued } from './cert-issue.ts';

export async function renew(
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
