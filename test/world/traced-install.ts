/**
 * Installs a pair in a process of its own, so that its system calls can be traced:
 *
 *   node traced-install.ts DIRECTORY
 *
 * Prints "begin", "staged" when a version is written, "activated" when `current` names it.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { provePair } from '../../src/core/renewal/stage-pair.ts';
import { versionedInstall } from '../../src/edge/files/versioned-install.ts';
import { dns, makeIntermediate, makeLeaf, makeRoot, NOW } from '../vectors/made-certificate.ts';

const [directory = ''] = process.argv.slice(2);
const root = makeRoot();
const intermediate = makeIntermediate(root);
const { certificate, key } = makeLeaf(intermediate);
const pair = {
  chain: [certificate, intermediate.certificate],
  keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  publicKey: key.publicKey,
  anchors: [root.certificate],
};
const proof = provePair(pair, { names: dns('api.internal'), purpose: 'server', trust: null }, NOW);
if ('flaw' in proof) throw new Error(proof.flaw);
const layout = {
  directory: join(directory, 'pair'),
  files: [
    { name: 'tls.crt', content: ['chain'], mode: 0o644 },
    { name: 'tls.key', content: ['key'], mode: 0o600 },
    { name: 'ca.crt', content: ['ca'], mode: 0o644 },
  ],
  owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  copies: [{ file: 'tls.crt', to: join(directory, 'copies', 'server.crt'), mode: 0o644 }],
  links: ['tls.key'],
} as const;
// At once and not buffered: what is printed stands in the trace where it happened.
const say = (line: string): void => void writeSync(1, `${line}\n`);

say('begin');
const version = versionedInstall.stage(layout, proof, 'reload');
say('staged');
versionedInstall.activate(layout, version);
say('activated');
