/** Each check of `verify` is seen to fail against a service that a person has misconfigured in that way, and no other check with it but what follows. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CHECK_IDS } from '../../src/flow/agent/verify/verify-service.ts';
import { fullchain, scratch } from '../ca/command-line.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf, skipWithout } from '../servers/available.ts';
import { run, startServer, until } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { freePort } from '../world/free-port.ts';

interface Check {
  readonly id: string;
  readonly ok: boolean | null;
  readonly observed: string;
  readonly remedy: string | null;
}

interface Web {
  readonly directory: string;
  /** Serves this configuration of its TLS from now on; the rest of it is as it should be. */
  readonly serve: (changes: Partial<Tls>) => Promise<void>;
  /** @param more keys of the service in the stack file */
  readonly checks: (more?: string) => Promise<readonly Check[]>;
  /** Another pair of the same authority. @returns paths of chain and key */
  readonly otherPair: (names: readonly string[]) => Pick<Tls, 'certificate' | 'key'>;
  readonly installed: Pick<Tls, 'certificate' | 'key'> & { readonly ca: string };
}

interface Tls {
  readonly certificate: string;
  readonly key: string;
  readonly protocols: string;
  readonly ciphers: string;
  /** Further lines. */
  readonly more: string;
}

const POLICY = [
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** nginx whose configuration is a person's own (kind: files), brought to TLS by apply. */
async function startWeb(t: TestContext): Promise<Web> {
  const stack = cleanup(t);
  const directory = scratch(t);
  const [state, file, main, tls] = ['state', 'fullchain.yaml', 'nginx.conf', 'tls'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  mkdirSync(tls);
  const [plain, port] = [await freePort(), await freePort()];
  const installed = { certificate: join(tls, 'tls.crt'), key: join(tls, 'tls.key'), ca: join(tls, 'ca.crt') };
  const nginx = `${pathOf('nginx')} -p ${directory} -c ${main} -e ${directory}/error.log`;
  const write = (path: string, changes: Partial<Tls> | null): void => {
    const right: Tls = { ...installed, protocols: 'TLSv1.2 TLSv1.3', ciphers: POLICY, more: '' };
    const { certificate, key, protocols, ciphers, more } = { ...right, ...changes };
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${directory}/${name};`,
    );
    const secure = `server { listen 127.0.0.1:${port} ssl; server_name web.internal; ssl_certificate ${certificate}; ssl_certificate_key ${key};
ssl_protocols ${protocols}; ssl_ciphers ${ciphers}; ssl_prefer_server_ciphers off; ${more} location / { return 200 ok; } }`;
    writeFileSync(
      path,
      `${process.getuid?.() === 0 ? 'user root;' : ''} pid ${directory}/nginx.pid; error_log ${directory}/error.log notice; worker_processes 1; daemon off; events {}
http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${plain}; return 204; } ${changes === null ? '' : secure} }`,
    );
  };
  const writeStack = (more: string): void =>
    writeFileSync(
      file,
      `stack: test\nservices:\n  web:\n    kind: files\n    names: [web.internal, localhost, 127.0.0.1]\n    address: 127.0.0.1:${port}\n    certificate: ${installed.certificate}\n    key: ${installed.key}\n    ca: ${installed.ca}\n    reload: "cp ${directory}/right.conf ${main} && ${nginx} -s reload"\n${more}`,
    );
  write(main, null);
  // There is nothing yet that could be named in a configuration: it is put in place with the first pair.
  const right = join(directory, 'right.conf');
  write(right, {});
  writeStack('');
  const [program = '', ...args] = nginx.split(' ');
  stack.use(await startServer(program, args, { isReady: () => acceptsConnections(plain) }));
  assert.equal(fullchain(['ca', 'init', '--state', state]).status, 0);
  const applied = fullchain(['apply', '--file', file, '--state', state]);
  assert.equal(applied.status, 0, applied.stdout);

  function otherPair(names: readonly string[]): Pick<Tls, 'certificate' | 'key'> {
    const at = join(directory, names.join('_'));
    mkdirSync(at, { recursive: true });
    const paths = { certificate: join(at, 'tls.crt'), key: join(at, 'tls.key') };
    const issued = fullchain([
      'cert',
      'issue',
      ...names,
      '--cert',
      paths.certificate,
      '--key',
      paths.key,
      '--state',
      state,
    ]);
    assert.equal(issued.status, 0, issued.stderr);
    return paths;
  }
  return {
    directory,
    installed,
    otherPair,
    async serve(changes) {
      const log = join(directory, 'error.log');
      const before = readFileSync(log, 'utf8').length;
      write(main, changes);
      const { status, output } = await run('/bin/sh', ['-c', `${nginx} -t && ${nginx} -s reload`]);
      assert.equal(status, 0, output);
      // The old worker ends, and nobody is left who serves what was before.
      await until(
        () => / exited with code 0/.test(readFileSync(log, 'utf8').slice(before)),
        'nginx to take it up',
        10_000,
      );
    },
    async checks(more = '') {
      writeStack(more);
      const { stdout, stderr } = fullchain(['verify', '--json', '--file', file, '--state', state]);
      assert.match(stdout, /^\{/, stderr);
      const { services } = JSON.parse(stdout);
      return services[0].checks;
    },
  };
}

function failed(checks: readonly Check[]): readonly string[] {
  return checks.filter(({ ok }) => ok === false).map(({ id }) => id);
}

const observed = (checks: readonly Check[], id: string): string =>
  checks.find((check) => check.id === id)?.observed ?? '';

const skip = skipWithout('nginx', 'openssl');

test('each check fails when it should', { skip }, async (t) => {
  const web = await startWeb(t);
  const { installed, directory } = web;

  const pemsOf = (path: string): readonly string[] =>
    readFileSync(path, 'utf8').match(/-----BEGIN[\s\S]*?END CERTIFICATE-----\n/g) ?? [];
  const [leaf = '', intermediate = ''] = pemsOf(installed.certificate);
  const [root = ''] = pemsOf(installed.ca);
  const chainOf = (name: string, ...pems: readonly string[]): Partial<Tls> => {
    const certificate = join(directory, `${name}.crt`);
    writeFileSync(certificate, pems.join(''));
    return { certificate };
  };

  await t.test('a healthy service fails none, and all are there in their order', async () => {
    const checks = await web.checks();
    assert.deepEqual(failed(checks), [], JSON.stringify(checks));
    assert.deepEqual(
      checks.map(({ id }) => id),
      CHECK_IDS,
    );
    for (const { ok, remedy } of checks) assert.equal(remedy, null, String(ok));
  });

  const cases: readonly {
    readonly what: string;
    readonly changes: () => Partial<Tls>;
    readonly fails: readonly string[];
    readonly says: readonly [id: string, words: RegExp];
    readonly more?: string;
  }[] = [
    {
      what: 'another pair is served than the one on disk',
      changes: () => web.otherPair(['web.internal', 'localhost', '127.0.0.1']),
      fails: ['served'],
      says: ['served', /… at 127\.0\.0\.1:/],
    },
    {
      what: 'the intermediate is left out',
      changes: () => chainOf('leaf-alone', leaf),
      fails: ['chain', 'names'],
      says: ['chain', /the leaf alone is sent/],
    },
    {
      what: 'the root is sent along',
      changes: () => chainOf('with-root', leaf, intermediate, root),
      fails: ['chain'],
      says: ['chain', /the root is sent along/],
    },
    {
      what: 'a certificate is sent twice',
      changes: () => chainOf('twice', leaf, intermediate, intermediate),
      fails: ['chain'],
      says: ['chain', /sent twice/],
    },
    {
      what: 'a name is not in the certificate that is served',
      changes: () => web.otherPair(['web.internal', '127.0.0.1']),
      fails: ['served', 'names'],
      says: ['names', /^localhost: /],
    },
    {
      what: 'the certificate that is served has a name too many',
      changes: () => web.otherPair(['web.internal', 'localhost', '127.0.0.1', 'not-listed.invalid']),
      fails: ['served', 'wrong-name'],
      says: ['wrong-name', /it was accepted/],
    },
    {
      what: 'TLS 1.2 is switched off',
      changes: () => ({ protocols: 'TLSv1.3' }),
      fails: ['protocols'],
      says: ['protocols', /accepted: TLSv1\.3$/],
    },
    {
      what: 'TLS 1.0 and 1.1 are switched on, with the suites that they need',
      changes: () => ({
        protocols: 'TLSv1 TLSv1.1 TLSv1.2 TLSv1.3',
        ciphers: `${POLICY}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0`,
      }),
      fails: ['protocols', 'suites'],
      says: ['protocols', /accepted: TLSv1, TLSv1\.1, TLSv1\.2, TLSv1\.3/],
    },
    {
      what: 'a suite outside of the policy is switched on',
      changes: () => ({ ciphers: `${POLICY}:ECDHE-ECDSA-AES256-SHA384` }),
      fails: ['suites'],
      says: ['suites', /TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384/],
    },
    {
      what: 'client certificates are declared, and nobody asks for them',
      changes: () => ({}),
      more: '    clients: required\n',
      fails: ['clients'],
      says: ['clients', /without a certificate: accepted; a certificate of a foreign authority: accepted/],
    },
    {
      what: 'client certificates are asked for, and not verified',
      changes: () => ({ more: 'ssl_verify_client optional_no_ca;' }),
      more: '    clients: optional\n',
      fails: ['clients'],
      says: ['clients', /a certificate of a foreign authority: accepted/],
    },
    {
      what: 'every client of the authority is let in, and only some names are to be',
      changes: () => ({ more: `ssl_verify_client on; ssl_verify_depth 4; ssl_client_certificate ${installed.ca};` }),
      more: '    clients: { required: [app] }\n',
      fails: ['clients'],
      says: ['clients', /^a certificate of a name that is not listed: accepted$/],
    },
    {
      what: 'it is due, and there is no agent',
      changes: () => ({}),
      more: 'defaults: { key: rsa-2048 }\n',
      fails: ['renewal'],
      says: ['renewal', /its key is not rsa-2048.*no agent is running/],
    },
  ];
  for (const { what, changes, fails, says, more } of cases) {
    await t.test(`${what}: ${fails.join(' and ')}`, async () => {
      await web.serve(changes());
      const checks = await web.checks(more);
      assert.deepEqual(failed(checks), fails, JSON.stringify(checks));
      assert.match(observed(checks, says[0]), says[1]);
      for (const { id, ok, remedy } of checks) assert.equal(remedy !== null && remedy !== '', ok === false, id);
    });
  }

  await t.test('the key is readable for everybody: key', async () => {
    await web.serve({});
    const key = join(directory, 'tls', 'fullchain-web', 'current', 'tls.key');
    chmodSync(key, 0o644);
    assert.deepEqual(failed(await web.checks()), ['key']);
    chmodSync(key, 0o600);
    assert.deepEqual(failed(await web.checks()), []);
  });

  await t.test('another key lies where the right one was: key', async () => {
    const key = join(directory, 'tls', 'fullchain-web', 'current', 'tls.key');
    const right = readFileSync(key);
    writeFileSync(key, readFileSync(web.otherPair(['web.internal']).key));
    const checks = await web.checks();
    assert.ok(failed(checks).includes('key'), JSON.stringify(checks));
    assert.match(observed(checks, 'key'), /does not belong to the certificate/);
    writeFileSync(key, right);
  });

  await t.test('for people: the verdict first, then what failed and the next command', async () => {
    await web.serve({ protocols: 'TLSv1.3' });
    const { status, stdout } = fullchain([
      'verify',
      '--file',
      join(directory, 'fullchain.yaml'),
      '--state',
      join(directory, 'state'),
    ]);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^✗ web {2}files {2}127\.0\.0\.1:\d+\n {4}protocols: .*accepted: TLSv1\.3\n {4}next: .*in the configuration of the program itself, set: .*tls\.crt.*TLSv1\.2 and TLSv1\.3 alone.*\n$/,
    );
  });
});
