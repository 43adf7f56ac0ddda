/** A site of a real nginx, brought to TLS by a stack file, whose reload a test can meddle with; in a directory of the test's choice. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fullchain, type Ran, scratch } from '../ca/command-line.ts';
import { look } from '../services/look.ts';
import { startNginx } from '../services/start-nginx.ts';

export interface Site {
  readonly directory: string;
  /** Where the pair is installed: `versions` and `current`. */
  readonly install: string;
  /** nginx's drop-in directory. */
  readonly config: string;
  readonly file: string;
  readonly state: string;
  /** A command of the stack, with its answer. */
  readonly run: (
    command: string,
    ...args: readonly string[]
  ) => { readonly status: number | null; readonly result: Result };
  /** For people. */
  readonly shown: (command: string) => Ran;
  /** SHA-256 of the leaf that a verifying client sees; null: it sees no TLS that it trusts. */
  readonly served: () => Promise<string | null>;
  /** What the reload does before nginx is told, from the next one on; null: nothing. */
  readonly beforeReload: (script: string | null) => void;
  readonly versions: () => readonly string[];
}

export interface Result {
  readonly name: string;
  readonly ok: boolean;
  readonly action: string;
  readonly certificate: { readonly fingerprint: string; readonly serial: string } | null;
  readonly steps: readonly {
    readonly step: string;
    readonly ok: boolean;
    readonly detail: string;
    readonly remedy: string | null;
  }[];
}

/** @param disk where the pair goes; absent: beside everything else */
export async function startInstallSite(t: TestContext, disk?: string): Promise<Site> {
  const nginx = await startNginx(t);
  const directory = scratch(t);
  const [state, file, hook, reload] = ['state', 'fullchain.yaml', 'before-reload', 'reload'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  const install = join(disk ?? directory, 'pair');
  writeFileSync(reload, `#!/bin/sh\nif [ -e ${hook} ]; then . ${hook}; fi\nexec ${nginx.settings.command} -s reload\n`);
  chmodSync(reload, 0o755);
  writeFileSync(
    file,
    `stack: test
services:
  site:
    kind: nginx
    names: [service.internal, localhost]
    address: 127.0.0.1:${nginx.port}
    config: ${nginx.config}
    upstream: ${nginx.settings.upstream}
    command: ${nginx.settings.command}
    directory: ${install}
    reload: ${reload}
`,
  );
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const ca = readFileSync(join(state, 'certs/root_ca.crt'), 'utf8');
  return {
    directory,
    install,
    config: nginx.config,
    file,
    state,
    run(command, ...args) {
      const { status, stdout, stderr } = fullchain([command, ...args, '--json', '--file', file, '--state', state]);
      assert.match(stdout, /^\{.*\}\n$/, stderr);
      return { status, result: JSON.parse(stdout).services[0] };
    },
    shown: (command) => fullchain([command, '--file', file, '--state', state]),
    served: () =>
      look({ port: nginx.port, ca }).then(
        ({ fingerprint }) => fingerprint,
        () => null,
      ),
    beforeReload(script) {
      if (script === null) rmSync(hook, { force: true });
      else writeFileSync(hook, script);
    },
    versions: () =>
      existsSync(join(install, 'versions'))
        ? readdirSync(join(install, 'versions')).sort((a, b) => Number(a) - Number(b))
        : [],
  };
}

/** The step that failed, which must have a remedy. */
export function failure({ steps }: Result): Result['steps'][number] {
  const failed = steps.find(({ ok }) => !ok);
  assert.ok(failed, JSON.stringify(steps));
  assert.ok(failed.remedy !== null && failed.remedy !== '', `${failed.step} has a remedy`);
  return failed;
}

/** `current` names a whole version whose key and certificate belong together, or nothing. */
export function assertWhole(install: string): string | null {
  const current = join(install, 'current');
  if (!existsSync(current)) return null;
  // Followed once: who follows it for each file may do so before and after a swap.
  const target = readlinkSync(current);
  assert.match(target, /^versions\/\d+$/);
  const version = join(install, target);
  const leaf = new X509Certificate(readFileSync(join(version, 'tls.crt')));
  const key = createPublicKey(createPrivateKey(readFileSync(join(version, 'tls.key'), 'utf8')));
  assert.equal(leaf.publicKey.equals(key), true, 'key and certificate belong together');
  assert.ok(existsSync(join(version, 'ca.crt')));
  return leaf.fingerprint256.replaceAll(':', '').toLowerCase();
}
