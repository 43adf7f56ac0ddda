/** A stack of one nginx that verifies clients and one client of it, below the authority of a state directory of its own. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openssl, scratch } from '../ca/command-line.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { type Ran, run } from '../servers/process.ts';
import { ask } from '../services/fetch.ts';
import { startNginx } from '../services/start-nginx.ts';

export interface Change {
  readonly service?: string;
  readonly client?: string;
  readonly action: string;
  readonly why: string;
}

export interface NginxStack {
  readonly directory: string;
  readonly state: string;
  readonly file: string;
  /** Where the versions of the pair lie. */
  readonly pair: string;
  /** While this file is there, nginx refuses every configuration. */
  readonly fault: string;
  /** In this stack; not in this process's time, since what nginx proxies to is in it. */
  readonly command: (...args: readonly string[]) => Promise<Ran>;
  /** As `command`, with more in its environment. */
  readonly commandWith: (env: Readonly<Record<string, string>>, ...args: readonly string[]) => Promise<Ran>;
  /** What a command that succeeds answers. */
  readonly answer: (...args: readonly string[]) => Promise<never>;
  readonly plan: (member: string) => Promise<readonly Change[]>;
  /** HTTP status that a client gets with this pair; the code of the fault where it gets none. */
  readonly get: (client?: Client) => Promise<string>;
  readonly serial: () => string;
}

export interface Client {
  readonly certificate: string;
  readonly key: string;
}

/** @param more lines of the stack file, such as another authority than this state's */
export async function startNginxStack(t: TestContext, more = ''): Promise<NginxStack> {
  const directory = scratch(t);
  const nginx = await startNginx(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const [program, fault] = [join(directory, 'nginx.sh'), join(directory, 'fault')];
  writeFileSync(
    program,
    `#!/bin/sh
case " $* " in *" -t "*) if [ -e ${fault} ]; then echo "told to refuse" >&2; exit 1; fi;; esac
exec ${nginx.settings.command} "$@"
`,
  );
  chmodSync(program, 0o755);
  writeFileSync(
    file,
    `stack: one
${more}services:
  site: { kind: nginx, names: [service.internal, localhost], address: "localhost:${nginx.port}", config: ${nginx.config}, upstream: "${nginx.settings.upstream}", command: ${program}, clients: optional }
clients:
  app: { connects: [site], names: [app], directory: ${directory}/app }
`,
  );
  const commandWith: NginxStack['commandWith'] = (env, ...args) =>
    run(process.execPath, [LAUNCHER, ...args, '--json', '--file', file, '--state', state], { env });
  const command: NginxStack['command'] = (...args) => commandWith({}, ...args);
  const answer = async (...args: readonly string[]): Promise<never> => {
    const { status, stdout, output } = await command(...args);
    assert.equal(status, 0, output);
    return JSON.parse(stdout) as never;
  };
  const pair = join(nginx.directory, 'fullchain-site');
  return {
    directory,
    state,
    file,
    pair,
    fault,
    command,
    commandWith,
    answer,
    async plan(member) {
      const { changes }: { readonly changes: readonly Change[] } = await answer('plan');
      return changes.filter(({ service, client }) => (service ?? client) === member);
    },
    get: (client) =>
      ask({
        port: nginx.port,
        ca: readFileSync(join(directory, 'app/ca.crt'), 'utf8'),
        ...(client && {
          client: {
            chain: readFileSync(client.certificate, 'utf8'),
            key: readFileSync(client.key, 'utf8'),
            ca: '',
            fingerprint: '',
          },
        }),
      }).then(
        ({ status }) => String(status),
        (fault: NodeJS.ErrnoException) => fault.code ?? fault.message,
      ),
    serial: () => serialOf(join(pair, 'current/tls.crt')),
  };
}

/** What the client of the stack has now. */
export function clientIn(directory: string): Client {
  return { certificate: join(directory, 'client.crt'), key: join(directory, 'client.key') };
}

/** As it is now: what it was copied from may be renewed. */
export function copyOf({ certificate, key }: Client, directory: string): Client {
  mkdirSync(directory);
  const copy = clientIn(directory);
  copyFileSync(certificate, copy.certificate);
  copyFileSync(key, copy.key);
  return copy;
}

export function serialOf(certificate: string): string {
  return openssl(['x509', '-in', certificate, '-noout', '-serial']).stdout.trim().replace('serial=', '');
}

/** SubjectPublicKeyInfo, PEM. */
export function keyOf(certificate: string): string {
  return openssl(['x509', '-in', certificate, '-noout', '-pubkey']).stdout;
}
