import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget, type Target } from '../../core/probe/target.ts';
import { type FetchPage, lookAtWeb, type Page, type PageRequest } from './look-at-web.ts';

const TRIED = { client: null, timeoutMs: 1000 } as const;

function targetOf(text: string): Target {
  const result = parseTarget(text, null);
  return result.kind === 'target' ? result.target : assert.fail(text);
}

function page(status: number, fields: Readonly<Record<string, string>> = {}, body = ''): Page {
  return { status, fields: new Map(Object.entries(fields)), body, isWhole: true };
}

/** Pages by scheme, Host and path. */
function world(pages: Readonly<Record<string, Page>>): {
  readonly fetchPage: FetchPage;
  readonly asked: PageRequest[];
} {
  const asked: PageRequest[] = [];
  return {
    asked,
    fetchPage: async (request) => {
      asked.push(request);
      return pages[`${request.tls ? 'https' : 'http'}://${request.host}${request.path}`] ?? null;
    },
  };
}

test('at port 443, port 80 of the same address is asked too: content there, or a redirect', async () => {
  const { fetchPage, asked } = world({
    'https://www.example.org/': page(200),
    'http://www.example.org/': page(301, { location: 'https://www.example.org/' }),
  });
  const { web: seen } = await lookAtWeb(
    fetchPage,
    targetOf('https://www.example.org'),
    { host: '192.0.2.7', port: 443 },
    TRIED,
  );
  assert.deepEqual(seen?.plain, { status: 301, location: 'https://www.example.org/' });
  assert.deepEqual(
    asked.map(({ address, tls, serverName }) => [address.host, address.port, tls, serverName]),
    [
      ['192.0.2.7', 443, true, 'www.example.org'],
      ['192.0.2.7', 80, false, 'www.example.org'],
    ],
  );
});

test('redirects that stay here are followed, three at most; others are only named', async () => {
  const on = (path: string): Page => page(302, { location: path });
  const target = targetOf('https://www.example.org:8443/start');
  const dial = { host: '192.0.2.7', port: 9443 };
  const { fetchPage, asked } = world({
    'https://www.example.org:8443/start': on('/a'),
    'https://www.example.org:8443/a': on('https://www.example.org:8443/b?x=1'),
    'https://www.example.org:8443/b?x=1': on('https://other.example.org/'),
  });
  const { web: seen } = await lookAtWeb(fetchPage, target, dial, TRIED);
  assert.deepEqual(seen?.redirects, [
    'https://www.example.org:8443/a',
    'https://www.example.org:8443/b?x=1',
    'https://other.example.org/',
  ]);
  assert.ok(asked.every(({ address }) => address === dial));
  const endless = world({ 'https://www.example.org:8443/start': on('/start') });
  assert.equal((await lookAtWeb(endless.fetchPage, target, dial, TRIED)).web?.redirects.length, 3);
});

test('only the first answer counts for HSTS, and only pages of HTML are read', async () => {
  const target = targetOf('https://www.example.org:8443');
  const dial = { host: '192.0.2.7', port: 8443 };
  const script = '<script src="http://a/b.js"></script>';
  const as = async (type: string) =>
    lookAtWeb(
      world({
        'https://www.example.org:8443/': page(302, { location: '/x', 'strict-transport-security': 'max-age=1' }),
        'https://www.example.org:8443/x': page(
          200,
          { 'content-type': type, 'strict-transport-security': 'max-age=2' },
          script,
        ),
      }).fetchPage,
      target,
      dial,
      TRIED,
    );
  assert.deepEqual((await as('text/html; charset=utf-8')).web?.mixedContent, ['http://a/b.js']);
  assert.deepEqual((await as('application/json')).web?.mixedContent, []);
  assert.equal((await as('text/html')).web?.hsts?.maxAge, 1);
});

test('what does not answer as HTTP is no web, and that is a gap', async () => {
  const target = targetOf('https://www.example.org');
  const { web, gaps } = await lookAtWeb(async () => null, target, { host: '::1', port: 443 }, TRIED);
  assert.deepEqual([web, gaps.map(({ fields }) => fields[0])], [null, ['hsts']]);
});

const PARTLY: readonly (readonly [what: string, pages: Readonly<Record<string, Page>>, field: string, why: RegExp])[] =
  [
    ['turned away with 429', { '/': page(429) }, 'hsts', /answers 429/],
    ['turned away with 503', { '/': page(503) }, 'hsts', /answers 503/],
    [
      'a page that broke off',
      { '/': { ...page(200, { 'content-type': 'text/html' }), isWhole: false } },
      'findings',
      /only its beginning/,
    ],
    ['a redirect that is not answered', { '/': page(302, { location: '/x' }) }, 'redirects', /no answer at .*\/x/],
  ];

for (const [what, pages, field, why] of PARTLY)
  test(`${what} is a gap`, async () => {
    const all = Object.fromEntries(
      Object.entries(pages).map(([path, answer]) => [`https://www.example.org:8443${path}`, answer]),
    );
    const target = targetOf('https://www.example.org:8443');
    const { gaps } = await lookAtWeb(world(all).fetchPage, target, { host: '192.0.2.7', port: 8443 }, TRIED);
    assert.deepEqual([gaps.length, gaps[0]?.fields[0]], [1, field]);
    assert.match(gaps[0]?.why ?? '', why);
  });
