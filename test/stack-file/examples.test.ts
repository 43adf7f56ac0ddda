import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SERVICE_KIND_TABLE } from '../../src/core/services/service-kinds.ts';
import type { ServiceSpec, Stack } from '../../src/core/stack/stack.ts';
import { formatGeneralName } from '../../src/core/x509/general-name.ts';
import { formatStackProblems, parseStackFile } from '../../src/edge/stack-file/parse-stack-file.ts';
import { ROOT } from '../house-rules/source-file.ts';

function example(name: string): { readonly stack: Stack; readonly text: string } {
  const path = join(ROOT, 'examples', `${name}.yaml`);
  const text = readFileSync(path, 'utf8');
  return { stack: parsed(text, path), text };
}

function parsed(text: string, path: string): Stack {
  const result = parseStackFile(text, path, SERVICE_KIND_TABLE);
  if (result.kind === 'problems') assert.fail(formatStackProblems(result.problems, text, path));
  return result.stack;
}

const namesOf = ({ names }: Pick<ServiceSpec, 'names'>): string[] => names.map(formatGeneralName);

test('bakery-ia: fourteen PostgreSQL clusters and a Redis, each with its names and an address of its own (R116)', () => {
  const { stack } = example('bakery-ia');
  const databases = stack.services.filter(({ kind }) => kind === 'postgresql');
  assert.deepEqual(
    databases.map(({ name }) => name),
    [
      'auth',
      'tenant',
      'training',
      'forecasting',
      'sales',
      'external',
      'notification',
      'inventory',
      'recipes',
      'suppliers',
      'pos',
      'orders',
      'production',
      'alert-processor',
    ].map((name) => `${name}-db`),
  );
  assert.deepEqual(
    stack.services.map(({ kind }) => kind).filter((kind) => kind !== 'postgresql'),
    ['redis'],
  );
  for (const database of databases) {
    const { name } = database;
    for (const wanted of [
      name,
      `${name}.bakery-ia.svc.cluster.local`,
      `${name}-service`,
      `${name}-service.bakery-ia.svc.cluster.local`,
      'localhost',
      '127.0.0.1',
    ])
      assert.ok(namesOf(database).includes(wanted), `${name} lacks ${wanted}`);
    assert.equal(database.settings.data, `/var/lib/postgresql/15/${name}`);
  }
  const addresses = new Set(stack.services.map(({ address }) => `${address?.host}:${address?.port}`));
  assert.equal(addresses.size, 15);
});

test('bakery-ia: every application connects to its own database and to Redis, and every database has one', () => {
  const { stack } = example('bakery-ia');
  const databases = stack.clients.map(({ connects }) => connects[0]);
  assert.deepEqual(
    databases,
    stack.services.filter(({ kind }) => kind === 'postgresql').map(({ name }) => name),
  );
  for (const { connects } of stack.clients) assert.deepEqual(connects.slice(1), ['redis']);
  assert.ok(stack.services.every(({ issuer, lifetimeSeconds }) => issuer === 'internal' && lifetimeSeconds === 86_400));
});

test('aragora: a site of nginx, by a private ACME server over http-01 with a webroot', () => {
  const { stack } = example('aragora');
  assert.deepEqual(stack.issuers.public, {
    kind: 'acme',
    directory: 'https://ca.internal:9000/acme/acme/directory',
    caFile: '/etc/fullchain/ca.internal.crt',
    contact: 'ops@aragora.ai',
    challenge: { kind: 'http-01-webroot', webroot: '/var/www/acme' },
    fallback: [],
  });
  const [site = assert.fail()] = stack.services;
  assert.deepEqual([site.kind, site.issuer, namesOf(site)], ['nginx', 'public', ['aragora.test', 'www.aragora.test']]);
  assert.deepEqual(site.address, { host: '127.0.0.1', port: 443 });
  assert.deepEqual([site.settings.upstream, site.settings.redirectHttp], ['http://127.0.0.1:8080', 80]);
});

test('aragora: the issuer in the comment can take the place of the one above it', () => {
  const { text } = example('aragora');
  const own = /\n {2}public:\n(?: {4}.*\n)+/;
  const [commented = ''] = /(?: {2}# .*\n)+$/.exec(text.slice(0, text.indexOf('\ndefaults:'))) ?? [];
  const letsEncrypt = commented.replace(/^ {2}# /gm, '');
  assert.match(letsEncrypt, /^public:/);
  const stack = parsed(text.replace(own, `\n${letsEncrypt.replace(/^/gm, '  ').trimEnd()}\n`), '/srv/aragora.yaml');
  const { public: issuer } = stack.issuers;
  assert.equal(issuer?.kind === 'acme' && issuer.directory, 'https://acme-v02.api.letsencrypt.org/directory');
});

test('kldload: the whole estate, with who must show a certificate', () => {
  const { stack } = example('kldload');
  assert.deepEqual(Object.fromEntries(stack.services.map(({ name, kind, clients }) => [name, [kind, clients.kind]])), {
    postgres: ['postgresql', 'optional'],
    mariadb: ['mysql', 'none'],
    redis: ['redis', 'none'],
    api: ['nginx', 'required-names'],
    prometheus: ['prometheus', 'none'],
    'node-exporter': ['node-exporter', 'required'],
    grafana: ['grafana', 'none'],
    'web-ui': ['files', 'none'],
  });
  const webUi = stack.services.find(({ name }) => name === 'web-ui');
  assert.deepEqual(
    [webUi?.settings.certificate, webUi?.settings.key, webUi?.settings.mode, webUi?.reload],
    ['/etc/kldload/tls/server.crt', '/etc/kldload/tls/server.key', '0600', 'systemctl restart kldload-webui'],
  );
});

test('kldload: whoever a service wants to see by certificate is a client of the stack', () => {
  const { stack } = example('kldload');
  for (const { name, clients } of stack.services) {
    const connecting = stack.clients.filter(({ connects }) => connects.includes(name));
    if (clients.kind === 'required') assert.ok(connecting.length > 0, name);
    if (clients.kind === 'required-names')
      for (const wanted of clients.names)
        assert.ok(
          connecting.some((client) => namesOf(client).includes(wanted)),
          wanted,
        );
  }
});
