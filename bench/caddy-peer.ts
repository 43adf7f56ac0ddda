/** Caddy's `acme_server` (smallstep's engine over bbolt) as its package configures it, with throw-away data. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AcmePeer, acceptsConnections } from './acme-peer.ts';
import { startServerProgram } from './server-program.ts';

const PORT = 9443;

/** auto_https without redirects leaves port 80 to whoever answers challenges. */
const CADDYFILE = `{
	admin off
	auto_https disable_redirects
	skip_install_trust
	local_certs
}
https://localhost:${PORT} {
	tls internal
	acme_server
}
`;

export async function startCaddyPeer(directory: string): Promise<AcmePeer> {
  mkdirSync(directory, { recursive: true });
  const caddyfile = join(directory, 'Caddyfile');
  writeFileSync(caddyfile, CADDYFILE);
  const root = join(directory, 'data', 'caddy', 'pki', 'authorities', 'local', 'root.crt');
  const program = await startServerProgram('caddy', ['run', '--config', caddyfile, '--adapter', 'caddyfile'], {
    env: { HOME: directory, XDG_DATA_HOME: join(directory, 'data'), XDG_CONFIG_HOME: join(directory, 'config') },
    logFile: join(directory, 'log'),
    isReady: async () => existsSync(root) && (await acceptsConnections(PORT)),
  });
  return {
    ...program,
    name: 'caddy',
    version: execFileSync('caddy', ['version'], { encoding: 'utf8' }).trim(),
    directoryUrl: `https://localhost:${PORT}/acme/local/directory`,
    rootPem: readFileSync(root, 'utf8'),
  };
}
