/** Caddy on loopback with a given Caddyfile; its data, among them its certificates, in a folder of the test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections } from './accepts-connections.ts';
import { type RunningProgram, startServer } from './process.ts';

/** @param port one that Caddy listens on once it is ready */
export async function startCaddy(directory: string, caddyfile: string, port: number): Promise<RunningProgram> {
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, 'Caddyfile');
  writeFileSync(configuration, caddyfile);
  return startServer('caddy', ['run', '--config', configuration, '--adapter', 'caddyfile'], {
    cwd: directory,
    env: { HOME: directory, XDG_DATA_HOME: join(directory, 'data'), XDG_CONFIG_HOME: join(directory, 'config') },
    isReady: () => acceptsConnections(port),
  });
}
