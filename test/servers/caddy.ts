/** Caddy on loopback with a given Caddyfile; its data, among them its certificates, in a folder of the test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { acceptsConnections } from './accepts-connections.ts';
import { type RunningProgram, run, startServer } from './process.ts';

export interface CaddyOptions {
  /** One that Caddy listens on once it is ready. */
  readonly port: number;
  /** Renews when this part of the lifetime remains, in place of a third: no Caddyfile can say that. */
  readonly renewAtRemainingFraction?: number;
}

export async function startCaddy(directory: string, caddyfile: string, options: CaddyOptions): Promise<RunningProgram> {
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, 'caddy.json');
  writeFileSync(configuration, JSON.stringify(await adapt(directory, caddyfile, options.renewAtRemainingFraction)));
  return startServer('caddy', ['run', '--config', configuration], {
    cwd: directory,
    env: { HOME: directory, XDG_DATA_HOME: join(directory, 'data'), XDG_CONFIG_HOME: join(directory, 'config') },
    isReady: () => acceptsConnections(options.port),
  });
}

const adapted = z.looseObject({
  apps: z.looseObject({
    tls: z.looseObject({ automation: z.looseObject({ policies: z.array(z.looseObject({})) }) }),
  }),
});

async function adapt(directory: string, caddyfile: string, fraction: number | undefined): Promise<unknown> {
  const path = join(directory, 'Caddyfile');
  writeFileSync(path, caddyfile);
  const { status, stdout, output } = await run('caddy', ['adapt', '--config', path]);
  if (status !== 0) throw new Error(`caddy adapt: ${output}`);
  const configuration = adapted.parse(JSON.parse(stdout));
  if (fraction !== undefined) {
    for (const policy of configuration.apps.tls.automation.policies) policy.renewal_window_ratio = fraction;
  }
  return configuration;
}
