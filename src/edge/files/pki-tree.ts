/** A directory that somebody has filled with certificates and keys: what is in it, file by file. Links are not followed. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { type PkiObject, pkiObjects } from './pki-objects.ts';

export interface TreeCertificate {
  readonly path: string;
  readonly certificate: Certificate;
}

export interface TreeKey {
  readonly path: string;
  /** Of the file. */
  readonly pem: string;
  readonly encrypted: boolean;
  /** Permission bits. */
  readonly mode: number;
}

export interface PkiTree {
  readonly certificates: readonly TreeCertificate[];
  readonly keys: readonly TreeKey[];
}

const DEEPEST = 12;
const MOST_FILES = 20_000;
/** Nothing with keys or certificates of one authority is larger. */
const LARGEST_BYTES = 1 << 20;

/** @throws OperatorFault input-unreadable; import-refused where there are more files than can belong to an authority */
export function readPkiTree(root: string): PkiTree {
  const [certificates, keys]: [TreeCertificate[], TreeKey[]] = [[], []];
  let files = 0;
  const walk = (path: string, depth: number): void => {
    const status = lstatSync(path);
    if (status.isDirectory() && depth <= DEEPEST) {
      for (const name of readdirSync(path).sort()) walk(join(path, name), depth + 1);
      return;
    }
    if (!status.isFile() || status.size > LARGEST_BYTES) return;
    if (++files > MOST_FILES)
      throw new OperatorFault(
        'import-refused',
        `${root} holds more than ${MOST_FILES} files: name the directory of the authority`,
        { path: root },
      );
    const bytes = readFileSync(path);
    if (!isPki(bytes)) return;
    for (const object of objectsIn(bytes, path)) {
      if (object.kind === 'certificate') certificates.push({ path, certificate: object.certificate });
      if (object.kind === 'private-key') {
        const pem = bytes.toString('latin1');
        keys.push({
          path,
          pem,
          encrypted: object.label.startsWith('ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(pem),
          mode: status.mode & 0o777,
        });
      }
    }
  };
  try {
    walk(root, 0);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && !(cause instanceof OperatorFault))
      throw new OperatorFault('input-unreadable', `${root} cannot be read: ${cause.message}`, { path: root }, cause);
    throw cause;
  }
  return { certificates, keys };
}

/** A file of something else that looks like it: not of an authority, and no reason to stop. */
function objectsIn(bytes: Buffer, path: string): readonly PkiObject[] {
  try {
    return pkiObjects(bytes, path);
  } catch (cause) {
    if (cause instanceof OperatorFault) return [];
    throw cause;
  }
}

function isPki(bytes: Buffer): boolean {
  return bytes[0] === 0x30 || bytes.includes('-----BEGIN ');
}
