import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatStackProblems, parseStackFile } from '../../src/edge/stack-file/parse-stack-file.ts';
import type { StackProblem } from '../../src/edge/stack-file/stack-problem.ts';
import { BAD_STACK_FILES } from './bad-stack-files.ts';
import { SOME_KINDS } from './some-kinds.ts';

const PATH = '/srv/stack/fullchain.yaml';

function problemsOf(text: string): readonly StackProblem[] {
  const parsed = parseStackFile(text, PATH, SOME_KINDS);
  assert.equal(parsed.kind, 'problems');
  return parsed.kind === 'problems' ? parsed.problems : [];
}

function shortForm({ line, column, path, what, nearest }: StackProblem): string {
  return `${line}:${column} ${path === '' ? '' : `${path}: `}${what}${nearest === undefined ? '' : ` → ${nearest}`}`;
}

for (const { title, text, problems } of BAD_STACK_FILES) {
  test(`${title} is refused at its place`, () => {
    assert.deepEqual(problemsOf(text).map(shortForm), problems);
  });
}

test('every problem is rendered with its place, its line and a caret', () => {
  const text =
    'stack: shop\nservices:\n  auth-db:\n    kind: postgresql\n    names: [db]\n    adress: db:5432\n    data: d\n';
  assert.equal(
    formatStackProblems(problemsOf(text), text, 'fullchain.yaml'),
    [
      'fullchain.yaml:6:5: services.auth-db.adress: unknown key; did you mean "address"?',
      '        adress: …',
      '        ^^^^^^',
    ].join('\n'),
  );
});

const RENDERED: readonly (readonly [title: string, text: string, lines: readonly string[]])[] = [
  [
    'an item of a list between brackets is shown without its neighbours',
    'stack: s\nservices:\n  a: { kind: mysql, names: [a_b, c], address: "h:1", config: /c }\n',
    ['  a: … a_b …', '       ^^^'],
  ],
  [
    'an item on its own line is shown with its dash',
    'stack: s\nservices:\n  a:\n    kind: mysql\n    config: c\n    address: h:1\n    names:\n      - a_b # why\n',
    ['      - a_b', '        ^^^'],
  ],
  ['a key without a value keeps its colon', 'stack: s\nservices:\n', ['services:', '^^^^^^^^']],
  ['a file of nothing has no line to show', '', []],
];

for (const [title, text, lines] of RENDERED) {
  test(title, () => {
    const rendered = formatStackProblems(problemsOf(text), text, 'f').split('\n').slice(1);
    assert.deepEqual(
      rendered,
      lines.map((line) => `    ${line}`),
    );
  });
}

test('a line without end is cut, and the caret stays below what is at fault', () => {
  const text = `stack: ${'é_'.repeat(500)}\n`;
  const [, source = '', caret = ''] = formatStackProblems(problemsOf(text), text, 'f').split('\n').slice(1);
  assert.ok(source.length < 120);
  assert.equal(caret.indexOf('^'), source.indexOf('é'));
});

test('of very many problems the first hundred are rendered', () => {
  const text = `stack: s\nservices:\n${Array.from({ length: 150 }, (_, index) => `  s${index}: 1\n`).join('')}`;
  const rendered = formatStackProblems(problemsOf(text), text, 'f').split('\n');
  assert.equal(rendered.filter((line) => line.startsWith('f:')).length, 100);
  assert.equal(rendered.at(-1), '… and 50 more');
});

/** Wherever people write it. */
const WHERE_SECRETS_ARE = (secret: string): readonly string[] => [
  secret,
  `stack: s\nservices:\n  a:\n    kind: redis\n    passwordFile: [${secret}]\n    password: ${secret}\n`,
  `stack: s\nservices:\n  a: { pasword: ${secret}, kind: rediz, paswordFile: ${secret}, names: [a_b] }\n`,
  `stack: s\nauthority:\n  tokenFile: "~${secret}"\n  token: ${secret}\n  passwordFile: |\n    ${secret}\n    ${secret}\n`,
  `stack: s\nservices:\n  a:\n    kind: nginx\n    upstream: http://u:${secret}@h\n    names: ["https://u:${secret}@h"]\n`,
  `stack: s\nservices:\n  a:\n    kind: nginx\n    address: https://u:${secret}@h\n    config: { token: ${secret} }\n`,
  `stack: s\nissuers:\n  p:\n    acme: ftp://u:${secret}@h\n    contact: { a: ${secret} }\n`,
  `password: ${secret}: x\n`,
  `password: "${secret}\n`,
  `{ password: ${secret}, a: [ }\n`,
  `password: @${secret}\n`,
  `? ${secret}\n: x\n\t${secret}: 1\n`,
  `stack: s\nservices:\n  a:\n    kind: files\n    names: [a]\n    key: |\n      -----BEGIN\n      ${secret}\n    tls: "-----BEGIN ${secret}"\n    issuer: "-----BEGIN\\n${secret}"\n`,
  `password: *${secret}\n`,
  `password: !${secret}\nstack: !${secret} x\n`,
  `password: &${secret}\nstack: &${secret}\n`,
  `stack: s\nservices:\n  a:\n    kind: redis\n    passwordFile: "~${secret}"\n    config: !!binary ${secret}\n`,
];

for (const [index, text] of WHERE_SECRETS_ARE('Hunter2xyz').entries()) {
  test(`a secret is never echoed, file ${index + 1}`, () => {
    const problems = problemsOf(text);
    const said = `${formatStackProblems(problems, text, 'f')}\n${JSON.stringify(problems)}`;
    assert.ok(problems.length > 0);
    assert.doesNotMatch(said, /Hunter2/i);
  });
}

test('nothing in a message commands the terminal', () => {
  const text =
    'stack: s\n"\\e[2J\\u009b": 1\nservices:\n  "\\e]0;x\\a": {}\n  a:\n    kind: "\\u202eevil"\nissuers: { "\\e[1m": {} }\ndefaults: { issuer: x }\n';
  assert.doesNotMatch(formatStackProblems(problemsOf(text), text, 'f'), /[^\P{Cc}\n]|\u202e/u);
});

const WHOLE = `
stack: shop
authority:
  url: https://ca.test:9000
  fingerprint: ${'AB:'.repeat(31)}ab
  provisioner: admin
  passwordFile: secrets/pw
issuers:
  public:
    acme: letsencrypt
    contact: ops@shop.test
    challenge: { http-01: { listen: ":80" } }
    fallback: [staging, private]
  staging: { acme: letsencrypt-staging, challenge: { http-01: { webroot: www } } }
  private:
    acme: https://acme.test/directory
    caFile: ../root.crt
    challenge: { dns-01: { exec: bin/hook } }
defaults: { issuer: private, lifetime: 7d, key: rsa-2048, tls: modern }
services:
  db:
    kind: postgresql
    names: [DB.test, "::1", 10.0.0.1, "spiffe://shop.test/db"]
    address: "[::1]:5432"
    issuer: internal
    data: data
    clients: { required: [alice, app_1] }
    lifetime: 3m
    key: ed25519
    tls: intermediate
    reload: pg_ctl reload
    restart: pg_ctl restart
    runAs: postgres
  site:
    kind: nginx
    names: [shop.test]
    address: shop.test:443
    config: /etc/nginx/conf.d
    redirectHttp: 80
  app:
    kind: files
    names: [app.test]
    certificate: tls.crt
    key: tls.key
    owner: app:app
    mode: "640"
clients:
  web:
    connects: [db, site]
    names: [web, web@shop.test]
    directory: /etc/web/tls
    owner: web
`;

/** Of the line of a service or a client in it. */
const placeOf = (name: string) => ({ file: PATH, line: WHOLE.split('\n').indexOf(`  ${name}:`) + 1, column: 3 });

test('a whole file becomes a stack in which everything is resolved', () => {
  const parsed = parseStackFile(WHOLE, PATH, SOME_KINDS);
  assert.deepEqual(parsed, {
    kind: 'stack',
    stack: {
      name: 'shop',
      authority: {
        url: 'https://ca.test:9000',
        fingerprint: 'ab'.repeat(32),
        tokenFile: null,
        provisioner: 'admin',
        passwordFile: '/srv/stack/secrets/pw',
      },
      issuers: {
        internal: { kind: 'internal' },
        public: {
          kind: 'acme',
          directory: 'https://acme-v02.api.letsencrypt.org/directory',
          caFile: null,
          contact: 'ops@shop.test',
          challenge: { kind: 'http-01-listen', listen: ':80' },
          fallback: ['staging', 'private'],
        },
        staging: {
          kind: 'acme',
          directory: 'https://acme-staging-v02.api.letsencrypt.org/directory',
          caFile: null,
          contact: null,
          challenge: { kind: 'http-01-webroot', webroot: '/srv/stack/www' },
          fallback: [],
        },
        private: {
          kind: 'acme',
          directory: 'https://acme.test/directory',
          caFile: '/srv/root.crt',
          contact: null,
          challenge: { kind: 'dns-01-exec', command: '/srv/stack/bin/hook' },
          fallback: [],
        },
      },
      services: [
        {
          name: 'db',
          place: placeOf('db'),
          kind: 'postgresql',
          names: [
            { kind: 'dns', value: 'db.test' },
            { kind: 'ip', value: '::1' },
            { kind: 'ip', value: '10.0.0.1' },
            { kind: 'uri', value: 'spiffe://shop.test/db' },
          ],
          address: { host: '::1', port: 5432 },
          issuer: 'internal',
          lifetimeSeconds: 180,
          key: 'ed25519',
          tls: 'intermediate',
          clients: { kind: 'required-names', names: ['alice', 'app_1'] },
          reload: 'pg_ctl reload',
          restart: 'pg_ctl restart',
          runAs: 'postgres',
          settings: { data: '/srv/stack/data' },
        },
        {
          name: 'site',
          place: placeOf('site'),
          kind: 'nginx',
          names: [{ kind: 'dns', value: 'shop.test' }],
          address: { host: 'shop.test', port: 443 },
          issuer: 'private',
          lifetimeSeconds: 604_800,
          key: 'rsa-2048',
          tls: 'modern',
          clients: { kind: 'none' },
          reload: null,
          restart: null,
          runAs: null,
          settings: { config: '/etc/nginx/conf.d', redirectHttp: 80 },
        },
        {
          name: 'app',
          place: placeOf('app'),
          kind: 'files',
          names: [{ kind: 'dns', value: 'app.test' }],
          address: null,
          issuer: 'private',
          lifetimeSeconds: 604_800,
          key: 'rsa-2048',
          tls: 'modern',
          clients: { kind: 'none' },
          reload: null,
          restart: null,
          runAs: null,
          settings: {
            certificate: '/srv/stack/tls.crt',
            key: '/srv/stack/tls.key',
            owner: 'app:app',
            mode: '0640',
          },
        },
      ],
      clients: [
        {
          name: 'web',
          place: placeOf('web'),
          connects: ['db', 'site'],
          names: [
            { kind: 'dns', value: 'web' },
            { kind: 'email', value: 'web@shop.test' },
          ],
          directory: '/etc/web/tls',
          owner: 'web',
          lifetimeSeconds: 7 * 86_400,
          key: 'rsa-2048',
        },
      ],
    },
  });
});

test('the file in which the form was agreed is read whole', () => {
  const text = readFileSync(join(import.meta.dirname, 'contract.yaml'), 'utf8');
  const parsed = parseStackFile(text, PATH, SOME_KINDS);
  assert.equal(parsed.kind === 'problems' ? formatStackProblems(parsed.problems, text, PATH) : '', '');
  if (parsed.kind === 'problems') return;
  const { stack } = parsed;
  assert.deepEqual(
    [
      stack.name,
      Object.keys(stack.issuers),
      stack.services.map(({ name }) => name),
      stack.clients.map(({ name }) => name),
    ],
    [
      'bakery-ia',
      ['internal', 'public', 'second-public'],
      ['auth-db', 'redis', 'site', 'legacy-app'],
      ['auth-service'],
    ],
  );
  assert.deepEqual(stack.services.find(({ name }) => name === 'legacy-app')?.settings, {
    certificate: '/etc/app/tls.crt',
    key: '/etc/app/tls.key',
    ca: '/etc/app/ca.crt',
    owner: 'app:app',
    mode: '0640',
  });
});

test('without defaults: issuer internal, 24h, ecdsa-p256, intermediate, no client certificates', () => {
  const text = 'stack: s\nservices:\n  a: { kind: mysql, names: [a], address: "a:1", config: c }\n';
  const parsed = parseStackFile(text, PATH, SOME_KINDS);
  assert.equal(parsed.kind, 'stack');
  if (parsed.kind !== 'stack') return;
  const [{ issuer, lifetimeSeconds, key, tls, clients } = assert.fail()] = parsed.stack.services;
  assert.deepEqual(
    { issuer, lifetimeSeconds, key, tls, clients },
    { issuer: 'internal', lifetimeSeconds: 86_400, key: 'ecdsa-p256', tls: 'intermediate', clients: { kind: 'none' } },
  );
  assert.deepEqual([parsed.stack.authority, parsed.stack.issuers], [null, { internal: { kind: 'internal' } }]);
});

test('an anchor may name a whole value, and its alias stands for it', () => {
  const text = 'stack: s\nservices:\n  a: &a { kind: mysql, names: [a], address: "a:1", config: c }\n  b: *a\n';
  const parsed = parseStackFile(text, PATH, SOME_KINDS);
  assert.deepEqual(parsed.kind === 'stack' && parsed.stack.services.map(({ name, kind }) => [name, kind]), [
    ['a', 'mysql'],
    ['b', 'mysql'],
  ]);
});

test('a byte order mark and CRLF change neither the meaning nor the places', () => {
  const text = 'stack: s\nservices:\n  a: { kind: mysql, names: [a], address: "a:1", config: c }\n';
  const dressed = `\ufeff${text.replaceAll('\n', '\r\n')}`;
  assert.deepEqual(parseStackFile(dressed, PATH, SOME_KINDS), parseStackFile(text, PATH, SOME_KINDS));
  const bad = `\ufeff${text.replaceAll('\n', '\r\n')}  b: 1\r\n`;
  assert.deepEqual(
    problemsOf(bad).map(({ line, column }) => [line, column]),
    [[4, 6]],
  );
});
