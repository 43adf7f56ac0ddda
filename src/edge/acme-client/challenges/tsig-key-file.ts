/** The secret of a TSIG key: BIND's key file as tsig-keygen writes it, or the secret alone in base64. */
import { readFileSync, statSync } from 'node:fs';
import { OperatorFault } from '../../../core/faults/operator-faults.ts';

const MAX_BYTES = 65_536;

/** @throws OperatorFault password-file-exposed, input-unreadable, dns-credentials; never with the secret */
export function readTsigSecret(path: string, keyName: string): Uint8Array {
  const text = readSecretFile(path);
  const clause = text.includes('{') ? clauseOf(text, keyName) : null;
  if (text.includes('{') && clause === null)
    throw new OperatorFault('dns-credentials', `DNS credentials: ${path} has no key "${keyName}"`, { name: keyName });
  const algorithm = clause === null ? null : /algorithm\s+"?([\w.-]+)"?\s*;/.exec(clause)?.[1];
  if (algorithm && !/^hmac-sha256\.?$/i.test(algorithm))
    throw new OperatorFault(
      'dns-credentials',
      `DNS credentials: the key "${keyName}" in ${path} is for ${algorithm}; hmac-sha256 is supported`,
      { name: keyName },
    );
  const written = clause === null ? text.trim() : (/secret\s+"?([A-Za-z0-9+/=\s]+?)"?\s*;/.exec(clause)?.[1] ?? '');
  const secret = Buffer.from(written, 'base64');
  if (secret.byteLength < 8 || !/^[A-Za-z0-9+/=\s]+$/.test(written))
    throw new OperatorFault(
      'dns-credentials',
      `DNS credentials: ${path} holds neither a key file of BIND nor a secret in base64`,
      { name: keyName },
    );
  return secret;
}

function clauseOf(text: string, keyName: string): string | null {
  for (const [, name = '', clause = ''] of text.matchAll(/key\s+"?([^"\s{]+)"?\s*\{([^}]*)\}/g)) {
    if (bare(name) === bare(keyName)) return clause;
  }
  return null;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function readSecretFile(path: string): string {
  try {
    const { mode, size } = statSync(path);
    if (mode & 0o077)
      throw new OperatorFault(
        'password-file-exposed',
        `${path} has mode ${(mode & 0o777).toString(8)}: others may read the secret`,
        { path },
      );
    if (size > MAX_BYTES) throw new Error('it is too large');
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof OperatorFault) throw cause;
    const why = cause instanceof Error ? cause.message : cause;
    throw new OperatorFault('input-unreadable', `the secret ${path} cannot be read: ${why}`, { path }, cause);
  }
}
