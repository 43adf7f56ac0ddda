/** nginx on loopback: a webroot over HTTP, and TLS with a given certificate; in the foreground, in its own folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../world/free-port.ts';
import { acceptsConnections } from './accepts-connections.ts';
import { pathOf } from './available.ts';
import { type RunningProgram, startServer } from './process.ts';

export interface NginxOptions {
  /** For configuration, logs and temporary files. */
  readonly directory: string;
  readonly webroot?: string;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly httpPort?: number;
}

export interface Nginx extends RunningProgram {
  readonly httpPort: number;
  /** 0 without `tls`. */
  readonly httpsPort: number;
  /** Reads configuration and certificates again. */
  readonly reload: () => void;
}

export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { directory, webroot, tls } = options;
  mkdirSync(directory, { recursive: true });
  const httpPort = options.httpPort ?? (await freePort());
  const httpsPort = tls ? await freePort() : 0;
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(
    configuration,
    `
daemon off;
pid ${directory}/nginx.pid;
error_log stderr info;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  access_log ${directory}/access.log;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen 127.0.0.1:${httpPort};
    root ${webroot ?? directory};
  }
  ${
    tls
      ? `server {
    listen 127.0.0.1:${httpsPort} ssl;
    ssl_certificate ${tls.certificate};
    ssl_certificate_key ${tls.key};
    location / { return 200 "served by nginx\\n"; }
  }`
      : ''
  }
}
`,
  );
  const program = await startServer(
    pathOf('nginx') ?? 'nginx',
    ['-p', directory, '-e', 'stderr', '-c', configuration],
    {
      isReady: () => acceptsConnections(tls ? httpsPort : httpPort),
    },
  );
  return { ...program, httpPort, httpsPort, reload: () => program.signal('SIGHUP') };
}
