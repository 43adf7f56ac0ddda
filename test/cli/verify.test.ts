/** `cert verify` and `cert lint` of broken chains, revoked certificates and what servers send, beside openssl's opinion. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { openssl, type Ran, scratch } from '../ca/command-line.ts';
import { skipWithout } from '../servers/available.ts';
import { startNginx } from '../servers/nginx.ts';
import { EVERYBODY, skipWithoutPostgresql, startCluster } from '../services/start-postgresql.ts';
import { AUTHORITY, OpensslTree, SERVER } from './openssl-tree.ts';

const MAIN = new URL('../../src/app/cli/main.ts', import.meta.url).pathname;

/** While a server of this process answers. */
function cert(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: '/nonexistent', FULLCHAIN_STATE: '/nonexistent' };
    execFile(process.execPath, [MAIN, 'cert', ...args], { env }, (fault, stdout, stderr) =>
      resolve({ status: fault ? (typeof fault.code === 'number' ? fault.code : null) : 0, stdout, stderr }),
    );
  });
}

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly subject: string;
  readonly what: string;
}

async function verified(...args: readonly string[]): Promise<{ ok: boolean; findings: readonly Finding[] }> {
  const { status, stdout, stderr } = await cert('verify', ...args, '--json');
  assert.ok(status === 0 || status === 1, stderr);
  const document = JSON.parse(stdout);
  assert.equal(status, document.ok ? 0 : 1);
  return document;
}

/** The leaf first in its file; the rest of the file helps. */
function opensslAccepts(file: string, ca: string, ...options: readonly string[]): boolean {
  const { status, stdout, stderr } = openssl([
    ...['verify', '-no-CApath', '-no-CAstore', '-CAfile', ca, '-untrusted', file, '-purpose', 'sslserver'],
    ...options,
    file,
  ]);
  assert.match(`${stdout}${stderr}`, /: OK|error \d+/);
  return status === 0;
}

const tree = new OpensslTree();
after(() => tree.remove());
const NAMED = `${SERVER}\nsubjectAltName=DNS:api.internal`;
const root = tree.issue('Root', null, AUTHORITY, { days: 3650 });
tree.issue('Intermediate', 'Root', AUTHORITY);
tree.issue('server', 'Intermediate', NAMED);
const good = tree.bundle('good.pem', 'server', 'Intermediate');

/** A chain of these certificates, each issued by the one before; the last one is the leaf. */
function chain(...below: readonly (readonly [name: string, extensions: string])[]): string {
  let issuer = 'Root';
  for (const [name, extensions] of below) {
    tree.issue(name, issuer, extensions);
    issuer = name;
  }
  return tree.bundle(`${issuer}.pem`, ...below.map(([name]) => name).reverse());
}

const POLICY = 'certificatePolicies=1.2.3.4';

interface Row {
  readonly what: string;
  readonly make: () => string;
  readonly options?: readonly string[];
  readonly opensslOptions?: readonly string[];
  /** null: accepted. */
  readonly finding: readonly [id: string, what: RegExp] | null;
  /** What `cert lint` says of the chain, where it has something to say. */
  readonly lint?: string;
}

const CHAINS: readonly Row[] = [
  {
    what: 'a name that an authority two steps above may not certify',
    make: () =>
      chain(
        ['Constrained', `${AUTHORITY}\nnameConstraints=critical,permitted;DNS:internal`],
        ['Below constrained', AUTHORITY],
        ['outside', `${SERVER}\nsubjectAltName=DNS:example.org`],
      ),
    finding: ['name-constraints', /^CN=Constrained: the dns name "example\.org" lies outside internal/],
    lint: 'chain-name-constraints',
  },
  {
    what: 'an authority more than the path length allows, two steps below',
    make: () =>
      chain(
        ['Two at most', AUTHORITY.replace('CA:TRUE', 'CA:TRUE,pathlen:1')],
        ['One of two', AUTHORITY],
        ['Two of two', AUTHORITY],
        ['too deep', NAMED],
      ),
    finding: ['path-length-exceeded', /^CN=Two at most: allows 1 authorities below itself; there are 2/],
    // The pair of issuer and issued says it first.
    lint: 'path-length-over-issuer',
  },
  {
    what: 'a certificate that issued another without being an authority',
    make: () => chain(['No authority', NAMED], ['issued by a leaf', NAMED]),
    finding: ['not-an-authority', /^CN=No authority: issued a certificate without being an authority/],
    lint: 'issuer-not-an-authority',
  },
  {
    what: 'an authority whose key may not sign certificates',
    make: () => chain(['Lists only', AUTHORITY.replace('keyCertSign,', '')], ['issued in spite', NAMED]),
    finding: ['certificate-wrong-purpose', /^CN=Lists only: issued a certificate although its key may not/],
    lint: 'issuer-not-an-authority',
  },
  {
    what: 'an authority for clients above a server',
    make: () => chain(['For clients', `${AUTHORITY}\nextendedKeyUsage=clientAuth`], ['a server', NAMED]),
    finding: ['certificate-wrong-purpose', /^CN=For clients: is for clientAuth, not for serverAuth/],
    lint: 'chain-extended-key-usage',
  },
  {
    what: 'a critical extension that nobody knows',
    make: () => chain(['odd', `${NAMED}\n1.2.3.4=critical,DER:0500`]),
    finding: ['unknown-critical-extension', /^CN=odd: has the critical extension 1\.2\.3\.4/],
    lint: 'critical-extension-unknown',
  },
  {
    what: 'an authority that demands a policy, and a certificate without one',
    make: () =>
      chain(
        ['Demanding', `${AUTHORITY}\npolicyConstraints=critical,requireExplicitPolicy:0\n${POLICY}`],
        ['lax', NAMED],
      ),
    opensslOptions: ['-policy_check'],
    finding: ['policy-not-met', /^CN=lax: has no acceptable policy/],
    lint: 'chain-policy',
  },
  {
    what: 'a policy that is wanted and not there',
    make: () => good,
    options: ['--policy', '1.2.3.4'],
    opensslOptions: ['-policy', '1.2.3.4', '-explicit_policy'],
    finding: ['policy-not-met', /has no acceptable policy/],
  },
  {
    what: 'a policy that is wanted and there',
    make: () => chain(['Under policy', `${AUTHORITY}\n${POLICY}`], ['under policy', `${NAMED}\n${POLICY}`]),
    options: ['--policy', '1.2.3.4', '--policy', '1.2.3.5'],
    opensslOptions: ['-policy', '1.2.3.4', '-policy', '1.2.3.5', '-explicit_policy'],
    finding: null,
  },
  {
    what: 'a signature that was altered',
    make: () => {
      const path = chain(['altered', NAMED]);
      const der = tree.path('altered.der');
      openssl(['x509', '-in', path, '-outform', 'DER', '-out', der]);
      const octets = readFileSync(der);
      const last = octets.length - 1;
      octets[last] = (octets[last] ?? 0) ^ 1;
      writeFileSync(der, octets);
      openssl(['x509', '-inform', 'DER', '-in', der, '-out', path]);
      return path;
    },
    finding: ['signature-invalid', /^CN=altered: its signature does not verify with the key of "CN=Root"/],
  },
];

for (const { what, make, options = [], opensslOptions = [], finding, lint } of CHAINS)
  test(`verify agrees with openssl verify: ${what}`, async () => {
    const file = make();
    assert.equal(opensslAccepts(file, root, ...opensslOptions), finding === null);
    const [{ findings }, linted] = await Promise.all([
      verified(file, '--ca', root, ...options),
      lint === undefined ? null : cert('lint', file, '--json'),
    ]);
    assert.deepEqual(
      findings.map(({ id }) => id),
      finding === null ? [] : [finding[0]],
    );
    if (finding !== null) assert.match(findings[0]?.what ?? '', finding[1]);
    if (linted === null) return;
    const ids = JSON.parse(linted.stdout).findings.map(({ id }: Finding) => id);
    assert.ok(ids.includes(lint), String(ids));
    assert.equal(ids.filter((id: string) => id.startsWith('chain-')).length, lint?.startsWith('chain-') ? 1 : 0);
  });

test('lint has nothing to say of a good chain, and of the same one with its root', async () => {
  for (const file of [good, tree.bundle('with-root.pem', 'server', 'Intermediate', 'Root')])
    assert.doesNotMatch((await cert('lint', file, '--json')).stdout, /"chain-/);
});

interface ListRow {
  readonly what: string;
  readonly lists: () => readonly string[];
  readonly isEveryAuthorityChecked?: true;
  /** Ids, and the words of the first. */
  readonly findings: readonly [ids: readonly string[], what?: RegExp];
}

const ofIntermediate = (file: string, options: Parameters<OpensslTree['list']>[2] = {}): string =>
  tree.list(`intermediate-${file}.crl`, 'Intermediate', options);
const ofRoot = (file: string, options: Parameters<OpensslTree['list']>[2] = {}): string =>
  tree.list(`root-${file}.crl`, 'Root', options);

const LISTS: readonly ListRow[] = [
  {
    what: 'not revoked',
    lists: () => [ofIntermediate('a'), ofRoot('a')],
    isEveryAuthorityChecked: true,
    findings: [[]],
  },
  {
    what: 'not revoked, and nothing is known of its authority',
    lists: () => [ofIntermediate('b')],
    findings: [['revocation-unchecked'], /^CN=Intermediate: whether this authority is revoked was not looked at/],
  },
  {
    what: 'the same, where all must be known',
    lists: () => [ofIntermediate('c')],
    isEveryAuthorityChecked: true,
    findings: [['revocation-unknown'], /^CN=Intermediate: .* no revocation list of its issuer "CN=Root" was given/],
  },
  {
    what: 'revoked',
    lists: () => [ofIntermediate('d', { revoked: ['server'] }), ofRoot('d')],
    findings: [['certificate-revoked'], /^CN=server: was revoked at 2026-11-01T00:00:00Z \(keyCompromise\)/],
  },
  {
    what: 'its authority is revoked',
    lists: () => [ofIntermediate('e'), ofRoot('e', { revoked: ['Intermediate'] })],
    isEveryAuthorityChecked: true,
    findings: [['certificate-revoked'], /^CN=Intermediate: was revoked at /],
  },
  {
    what: 'a list that is stale',
    lists: () => [ofIntermediate('f', { from: '20200101000000Z', until: '20200108000000Z' }), ofRoot('f')],
    findings: [['revocation-unknown'], /^CN=server: .*"CN=Intermediate" is stale: the next one was due at 2020-01-08/],
  },
  {
    what: 'a list of tomorrow',
    lists: () => [ofIntermediate('g', { from: '20480101000000Z', until: '20490101000000Z' }), ofRoot('g')],
    findings: [['revocation-unknown'], /^CN=server: .* is of 2048-01-01T00:00:00Z, which is still to come/],
  },
  {
    what: 'a list by another of the same name',
    lists: () => {
      tree.issue('Impostor', null, AUTHORITY, { subject: 'Intermediate' });
      return [tree.list('impostor.crl', 'Impostor'), ofRoot('h')];
    },
    findings: [['revocation-unknown'], /^CN=server: .*"CN=Intermediate" is not signed by its issuer/],
  },
  {
    what: 'a list with a critical extension that nobody knows',
    lists: () => [ofIntermediate('i', { extensions: '1.2.3.4=critical,DER:0500' }), ofRoot('i')],
    findings: [['revocation-unknown'], /has the critical extension 1\.2\.3\.4, which is not processed/],
  },
  {
    what: 'a list for authorities only',
    lists: () => [
      ofIntermediate('j', { extensions: 'issuingDistributionPoint=critical,@p\n[p]\nonlyCA=TRUE' }),
      ofRoot('j'),
    ],
    findings: [['revocation-unknown'], /"CN=Intermediate" is for authorities only/],
  },
  {
    what: 'a list for another place than the certificate names',
    lists: () => [
      ofIntermediate('k', { extensions: 'issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://a/crl' }),
      ofRoot('k'),
    ],
    findings: [['revocation-unknown'], /is the one for the distribution point http:\/\/a\/crl/],
  },
  {
    what: 'a list of another issuer',
    lists: () => [ofRoot('l')],
    findings: [['revocation-unknown'], /^CN=server: .* no revocation list of its issuer "CN=Intermediate" was given/],
  },
];

for (const {
  what,
  lists,
  isEveryAuthorityChecked,
  findings: [ids, words],
} of LISTS)
  test(`verify agrees with openssl verify about lists: ${what}`, async () => {
    const given = lists();
    const check = isEveryAuthorityChecked ? ['-crl_check', '-crl_check_all'] : ['-crl_check'];
    const accepted = opensslAccepts(good, root, ...check, ...given.flatMap((file) => ['-CRLfile', file]));
    const { ok, findings } = await verified(
      ...[good, '--ca', root, ...(isEveryAuthorityChecked ? ['--crl-all'] : [])],
      ...given.flatMap((file) => ['--crl', file]),
    );
    assert.equal(ok, accepted);
    assert.deepEqual(
      findings.map(({ id }) => id),
      ids,
    );
    if (words) assert.match(findings[0]?.what ?? '', words);
  });

test('the words for people: the verdict, the certificate, the reason and what to do', async () => {
  const list = ofIntermediate('words', { revoked: ['server'] });
  const bad = await cert('verify', good, '--ca', root, '--crl', list);
  assert.equal(bad.status, 1);
  assert.match(
    bad.stdout,
    /^refused: CN=server\n {2}error {2}CN=server: was revoked at .* {2}\(certificate-revoked\)\n {9}Have a new certificate/,
  );
  const fine = await cert('verify', good, '--ca', root, '--crl', ofIntermediate('fine'), '--crl', ofRoot('fine'));
  assert.match(fine.stdout, /^ok: CN=server is valid \(no name was asked for: --name\) as a server, not revoked\n/);
});

test('options that cannot be are said to be so', async () => {
  for (const [args, status, words] of [
    [['--crl-all'], 2, /give them with --crl/],
    [['--policy', 'any'], 2, /"any" is not an object identifier/],
    [['--crl', root], 1, /Root\.crt holds no revocation list/],
    [['--crl', join(tree.directory, 'none')], 1, /cannot be read/],
    [['--starttls', 'gopher'], 2, /Allowed choices/],
  ] as const) {
    const ran = await cert('verify', good, '--ca', root, ...args);
    assert.equal(ran.status, status, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, words);
  }
  const gopher = await cert('verify', 'gopher://app:secret@db.internal');
  assert.equal(gopher.status, 2);
  assert.match(gopher.stderr, /gopher:\/\/ is not known/);
  assert.doesNotMatch(gopher.stderr, /secret/);
});

test('nginx: the chain that it sends is judged as the file is, with what is missing in it', {
  skip: skipWithout('nginx'),
}, async (t) => {
  const directory = scratch(t);
  const name = 'nginx';
  tree.issue(name, 'Intermediate', `${SERVER}\nsubjectAltName=DNS:localhost,IP:127.0.0.1`);
  const list = ofIntermediate('nginx', { revoked: [name] });
  const [whole, alone] = [tree.bundle('nginx.pem', name, 'Intermediate'), tree.path(`${name}.crt`)];
  const served = join(directory, 'served.pem');
  copyFileSync(whole, served);
  await using nginx = await startNginx({
    directory: join(directory, 'nginx'),
    tls: { certificate: served, key: tree.path(`${name}.key`) },
  });
  const at = `127.0.0.1:${nginx.httpsPort}`;
  assert.deepEqual(await verified(at, '--ca', root).then(({ findings }) => findings), []);
  const revoked = await verified(`https://localhost:${nginx.httpsPort}/`, '--ca', root, '--crl', list);
  assert.deepEqual(
    revoked.findings.map(({ id, subject }) => [id, subject]),
    [['certificate-revoked', `CN=${name}`]],
  );
  copyFileSync(alone, served);
  nginx.reload();
  // Workers with the old certificate take connections for a moment still.
  let findings: readonly Finding[] = [];
  for (let round = 0; round < 20 && findings.length === 0; round++)
    findings = (await verified(at, '--ca', root)).findings;
  assert.deepEqual(
    findings.map(({ id }) => id),
    ['unknown-ca'],
  );
  assert.match(findings[0]?.what ?? '', /^CN=nginx: its issuer "CN=Intermediate" was neither sent nor is it trusted/);
});

test('PostgreSQL: its chain comes after a request of its own, by URL or by --starttls', {
  skip: skipWithoutPostgresql,
}, async (t) => {
  const cluster = await startCluster(t, EVERYBODY);
  await cluster.stop();
  const name = 'postgres';
  tree.issue(name, 'Intermediate', `${SERVER}\nsubjectAltName=DNS:localhost`);
  const owner = statSync(cluster.data);
  for (const [from, to, mode] of [
    [tree.bundle('postgres.pem', name, 'Intermediate'), 'server.crt', 0o644],
    [tree.path(`${name}.key`), 'server.key', 0o600],
  ] as const) {
    const path = join(cluster.data, to);
    writeFileSync(path, readFileSync(from), { mode });
    chownSync(path, owner.uid, owner.gid);
  }
  appendFileSync(join(cluster.data, 'postgresql.conf'), 'ssl = on\n');
  await cluster.start();
  for (const target of [
    [`localhost:${cluster.port}`, '--starttls', 'postgres'],
    [`postgres://app:secret@localhost:${cluster.port}/orders`],
  ])
    assert.deepEqual(await verified(...target, '--ca', root).then(({ ok, findings }) => [ok, findings]), [true, []]);
  const direct = await cert('verify', `localhost:${cluster.port}`, '--ca', root);
  // It was reached, and closed the connection.
  assert.equal(direct.status, 1);
  assert.match(direct.stdout, /\(closed-by-peer\)/);
  const inspected = await cert('inspect', `localhost:${cluster.port}`, '--starttls', 'postgres');
  assert.match(inspected.stdout, /sends 2 certificates, in this order:[\s\S]*CN=postgres[\s\S]*CN=Intermediate/);
  assert.doesNotMatch(cluster.output(), /error|unexpected/i);
});
