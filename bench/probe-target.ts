/** What is probed: nginx with a chain of two on a P-256 key, its root in a file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type ServerProgram, startServerProgram } from './server-program.ts';

export interface ProbeTarget extends ServerProgram {
  readonly port: number;
  /** PEM file. */
  readonly root: string;
}

const MAIN = new URL('../src/app/cli/main.ts', import.meta.url).pathname;

export async function startProbeTarget(directory: string, port: number): Promise<ProbeTarget> {
  mkdirSync(join(directory, 'tmp'), { recursive: true });
  const at = (name: string): string => join(directory, name);
  const fullchain = (...args: readonly string[]): void => {
    execFileSync(process.execPath, [MAIN, ...args, '--state', at('state')], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  fullchain('ca', 'init');
  fullchain('cert', 'issue', 'localhost', '127.0.0.1', '--cert', at('tls.crt'), '--key', at('tls.key'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${at('tmp')};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    at('nginx.conf'),
    `daemon off; pid ${at('pid')}; error_log /dev/null; worker_processes 1; ${user} events { worker_connections 4096; }
http { access_log off; ${temporary.join(' ')}
server { listen 127.0.0.1:${port} ssl backlog=4096; ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers off;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305;
ssl_certificate ${at('tls.crt')}; ssl_certificate_key ${at('tls.key')}; location / { return 200 "here\\n"; } } }
`,
  );
  const server = await startServerProgram('nginx', ['-e', 'stderr', '-p', directory, '-c', at('nginx.conf')], {
    logFile: at('nginx.log'),
    isReady: () => answers(port),
  });
  return { ...server, port, root: at('state/certs/root_ca.crt') };
}

export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
