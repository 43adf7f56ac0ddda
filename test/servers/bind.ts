/** BIND on loopback, authoritative for one zone that a TSIG key may change; in the foreground, in its own directory. */
import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../world/free-port.ts';
import { acceptsConnections } from './accepts-connections.ts';
import { pathOf } from './available.ts';
import { startServer } from './process.ts';

export interface Bind extends AsyncDisposable {
  readonly port: number;
  /** "127.0.0.1:PORT" */
  readonly address: string;
  /** BIND's file of the key "acme", which may change TXT records of the zone; 0600. */
  readonly keyFile: string;
  /** A key of the same name with another secret. */
  readonly wrongKeyFile: string;
  /** Texts of a name, as the server answers. */
  readonly texts: (name: string) => Promise<readonly string[]>;
}

/** @param names below the zone that have the address 127.0.0.1 */
export async function startBind(directory: string, zone: string, names: readonly string[]): Promise<Bind> {
  mkdirSync(directory, { recursive: true });
  const path = (name: string): string => join(directory, name);
  const [port, control] = [await freePort(), await freePort()];
  for (const name of ['acme.key', 'wrong.key']) {
    const secret = randomBytes(32).toString('base64');
    writeFileSync(path(name), `key "acme" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`, { mode: 0o600 });
  }
  const records = names.map((name) => `${name}. A 127.0.0.1\n`).join('');
  writeFileSync(
    path('zone'),
    `$TTL 60\n@ SOA ns.${zone}. admin.${zone}. 1 60 60 60 60\n@ NS ns.${zone}.\nns A 127.0.0.1\n${records}`,
  );
  writeFileSync(
    path('named.conf'),
    `include "${path('acme.key')}";
controls {};
options {
  directory "${directory}"; pid-file "${path('pid')}"; session-keyfile "${path('session.key')}";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; managed-keys-directory "${directory}";
};
zone "${zone}" { type primary; file "${path('zone')}"; update-policy { grant acme subdomain ${zone}. TXT; }; };
`,
  );
  const program = await startServer(
    pathOf('named') ?? 'named',
    ['-f', '-c', path('named.conf'), '-p', `${port}`, '-D', `${control}`],
    {
      isReady: () => acceptsConnections(port),
    },
  );
  return {
    port,
    address: `127.0.0.1:${port}`,
    keyFile: path('acme.key'),
    wrongKeyFile: path('wrong.key'),
    async texts(name) {
      const resolver = new Resolver({ timeout: 2000, tries: 3 });
      resolver.setServers([`127.0.0.1:${port}`]);
      const found = await resolver.resolveTxt(name).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOTFOUND' || cause.code === 'ENODATA') return [];
        throw cause;
      });
      return found.map((strings) => strings.join(''));
    },
    [Symbol.asyncDispose]: program[Symbol.asyncDispose],
  };
}
