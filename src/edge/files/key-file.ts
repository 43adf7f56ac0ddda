/** A private key on disk as its service's user and everybody else would find it. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytesEqual } from '../../core/bytes/compare.ts';
import { pemBlocksLabelled } from '../../core/bytes/pem.ts';
import type { InstallLayout } from '../../core/services/service-kind.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';

/** Why the installed key is not as it should be; null when it is. */
export function installedKeyFlaw({ directory, files, owner }: InstallLayout): string | null {
  const file = files.find(({ content }) => content.includes('key'));
  const certificateFile = files.find(({ content }) => content.includes('chain'));
  if (!file || !certificateFile) return 'the layout names no key or no certificate';
  const path = join(directory, 'current', file.name);
  try {
    const { mode, uid, gid } = statSync(path);
    if (mode & 0o007) return `${path} has mode ${octal(mode)}: everybody may use it`;
    if (mode & 0o022) return `${path} has mode ${octal(mode)}: others may replace it`;
    const readable = uid === owner.uid ? mode & 0o400 : gid === owner.gid ? mode & 0o040 : 0;
    if (!readable && owner.uid !== 0)
      return `${path} belongs to ${uid}:${gid} with mode ${octal(mode)}: the service (${owner.uid}:${owner.gid}) cannot read it`;
    if (mode & 0o040 && gid !== owner.gid) return `${path} may be read by the group ${gid}, which is not the service's`;
    const blocked = blockedDirectory(path, owner);
    if (blocked) return `the service (${owner.uid}:${owner.gid}) cannot enter ${blocked}`;
    const key = createPublicKey(createPrivateKey(readFileSync(path, 'utf8'))).export({ type: 'spki', format: 'der' });
    const [leaf] = pemBlocksLabelled(
      readFileSync(join(directory, 'current', certificateFile.name), 'utf8'),
      'CERTIFICATE',
    );
    if (!leaf || !bytesEqual(parseCertificate(leaf.der).publicKey.raw, key))
      return `${path} does not belong to the certificate beside it`;
    return null;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return `${path}: ${cause.message}`;
    throw cause;
  }
}

/** The first directory above the file that the user may not pass through. */
function blockedDirectory(path: string, { uid, gid }: InstallLayout['owner']): string | null {
  if (uid === 0) return null;
  for (let directory = dirname(path); directory !== '/'; directory = dirname(directory)) {
    const status = statSync(directory);
    const passable =
      status.uid === uid ? status.mode & 0o100 : status.gid === gid ? status.mode & 0o010 : status.mode & 0o001;
    if (!passable) return directory;
  }
  return null;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
