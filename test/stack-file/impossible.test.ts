/** What a kind of service can never do is an error of the file that asks for it, at its place and with what can be done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERVICE_KIND_TABLE } from '../../src/core/services/service-kinds.ts';
import { SERVICE_KINDS } from '../../src/core/stack/stack.ts';
import { formatStackProblems, parseStackFile } from '../../src/edge/stack-file/parse-stack-file.ts';

/** Four good lines of each kind; what is asked of it stands on line 7. */
const service = (kind: string, asked: string): string => `stack: shop
services:
  svc:
    kind: ${kind}
    names: [shop.test]
    address: 127.0.0.1:443
    ${asked}
    ${kind === 'postgresql' ? 'data: /var/lib/pg' : kind === 'files' ? 'key: /etc/tls.key' : 'config: /etc/svc'}
`;

function problemsOf(text: string) {
  const parsed = parseStackFile(text, '/srv/fullchain.yaml', SERVICE_KIND_TABLE);
  return parsed.kind === 'problems' ? parsed.problems : [];
}

const IMPOSSIBLE: readonly (readonly [kind: string, asked: string, column: number, said: RegExp])[] = [
  ['mysql', 'clients: required', 14, /^required cannot be enforced: mysql asks .* user by user.*none, optional$/],
  ['mysql', 'clients: { required: [app] }', 14, /^\{ required: \[app\] \} cannot be enforced/],
  ['redis', 'clients: { required: [app] }', 14, /redis does not look at the names.*none, optional, required$/],
  ['caddy', 'clients: { required: [app] }', 14, /caddy does not look at the names/],
  ['grafana', 'clients: optional', 14, /put nginx in front of it; possible here: none$/],
  ['dovecot', 'clients: optional', 14, /dovecot goes on with a client.*possible here: none, required$/],
  ['postfix', 'clients: optional', 14, /postfix goes on with a client.*possible here: none, required$/],
  ['postfix', 'clients: required\n    security: may', 14, /only where TLS is required \(security: encrypt\)/],
  ['postfix', 'protocol: imaps', 15, /^"imaps" is neither smtp nor smtps$/],
  ['dovecot', 'protocol: pop3s', 15, /^"pop3s" is neither imap nor imaps$/],
  ['postfix', 'security: must', 15, /^"must" is neither encrypt nor may$/],
  ['haproxy', 'clients: required', 14, /with "upstream" we write it; possible here: none$/],
  ['haproxy', 'upstream: http://127.0.0.1:80/app', 15, /more than host and port.*take the path out$/],
  ['nginx', 'root: /var/www\n    upstream: http://127.0.0.1:80', 11, /an upstream or a root, not both$/],
  ['nginx', 'webroot: /var/www', 14, /give redirectHttp its port$/],
  ['nginx', 'hsts: 1y', 11, /^"1y" is no number of seconds, such as "31536000"$/],
  ['postgresql', 'directory: /etc/a b', 16, /^"\/etc\/a b" has characters that need quoting/],
  ['files', 'certificate: /etc/tls.key', 10, /^also the place of "certificate"; each needs a file of its own$/],
];

for (const [kind, asked, column, said] of IMPOSSIBLE) {
  test(`${kind}: ${asked.replace(/\n\s*/, ', ')}`, () => {
    const text = service(kind, asked);
    const [problem = assert.fail('it is accepted'), ...others] = problemsOf(text);
    assert.deepEqual(others, []);
    const key = kind === 'files' ? 'key' : asked.split(':', 1)[0];
    assert.deepEqual(
      [problem.line, problem.column, problem.path],
      [kind === 'files' ? 8 : 7, column, `services.svc.${key}`],
    );
    assert.match(problem.what, said);
    assert.match(formatStackProblems([problem], text, 'f.yaml'), /^f\.yaml:\d+:\d+: services\.svc\.[^\n]*\n.*\^/s);
  });
}

/** Every answer of every kind to `clients`, as the table of kinds has it: the file and the kind never differ. */
const CLIENTS = ['none', 'optional', 'required', '{ required: [app] }'];
const ENFORCED: Readonly<Record<string, readonly boolean[]>> = {
  nginx: [true, true, true, true],
  postgresql: [true, true, true, true],
  mysql: [true, true, false, false],
  redis: [true, true, true, false],
  caddy: [true, true, true, false],
  haproxy: [true, false, false, false],
  // By the version that is there.
  prometheus: [true, true, true, true],
  grafana: [true, false, false, false],
  'node-exporter': [true, true, true, true],
  postfix: [true, false, true, false],
  dovecot: [true, false, true, false],
  files: [true, true, true, true],
};

test('each kind says of each policy for clients whether it can be', () => {
  for (const kind of SERVICE_KINDS) {
    const found = CLIENTS.map((clients) => {
      const more = kind === 'files' ? '\n    certificate: /etc/tls.crt' : '';
      return problemsOf(service(kind, `clients: ${clients}${more}`)).length === 0;
    });
    assert.deepEqual(found, ENFORCED[kind], kind);
  }
});

test('redis: clients: required, with a pair that another authority issues and that Redis refuses from its own host', () => {
  const issuers = (more: string): string =>
    `issuers:\n  public:\n    acme: https://acme.test/directory\n    challenge: { http-01: { webroot: /var/www } }\n${service('redis', `clients: required\n    ${more}`)}`;
  const [problem = assert.fail('it is accepted'), ...others] = problemsOf(issuers('issuer: public'));
  assert.deepEqual([others, problem.line, problem.column, problem.path], [[], 11, 14, 'services.svc.clients']);
  assert.match(problem.what, /"public" issues this one: give "reload" a command that restarts the server/);
  assert.deepEqual(problemsOf(issuers('issuer: public\n    reload: systemctl restart redis')), []);
  assert.deepEqual(problemsOf(issuers('issuer: internal')), []);
});

test('two members in one place, whatever it is called in each; what several can share is no fault', () => {
  const problems = problemsOf(
    [
      'stack: shop',
      'services:',
      '  a: { kind: postgresql, names: [a.test], address: "127.0.0.1:1", data: /var/lib/pg }',
      '  b: { kind: postgresql, names: [b.test], address: "127.0.0.1:2", data: /var/lib/pg/ }',
      '  c: { kind: redis, names: [c.test], address: "127.0.0.1:3", config: /etc/redis.conf }',
      '  d: { kind: redis, names: [d.test], address: "127.0.0.1:4", config: /etc/../etc/redis.conf }',
      '  e: { kind: files, names: [e.test], certificate: /etc/e.crt, key: /etc/e.key, ca: /etc/ca.crt }',
      '  f: { kind: files, names: [f.test], certificate: /etc/f.crt, key: /etc/e.crt, ca: /etc/ca.crt }',
      '  g: { kind: nginx, names: [g.test], address: "127.0.0.1:5", config: /etc/nginx/conf.d }',
      '  h: { kind: nginx, names: [h.test], address: "127.0.0.1:5", config: /etc/nginx/conf.d, directory: /etc/app }',
      'clients:',
      '  app: { connects: [a], names: [app], directory: /etc/app }',
      '',
    ].join('\n'),
  );
  assert.deepEqual(
    problems.map(({ line, column, path, what }) => `${line}:${column} ${path}: ${what}`),
    [
      '4:73 services.b.data: also the data of services.a; each needs its own',
      '6:70 services.d.config: also the config of services.c; each needs its own',
      '8:68 services.f.key: also the certificate of services.e; each needs its own',
      '12:50 clients.app.directory: also the directory of services.h; each needs its own',
    ],
  );
});
