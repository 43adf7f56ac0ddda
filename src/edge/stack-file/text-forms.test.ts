import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Reading, Shape } from './shape.ts';
import {
  clientName,
  duration,
  emailAddress,
  fileMode,
  fileOwner,
  filePath,
  fingerprint,
  hostPort,
  httpsUrl,
  listenAddress,
  principal,
  secretFilePath,
  serverName,
  userName,
  webUrl,
} from './text-forms.ts';
import { properName } from './text-shape.ts';

interface Row {
  readonly form: string;
  readonly shape: Shape<unknown>;
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  readonly refused: readonly string[];
}

const same = (...texts: readonly string[]): readonly (readonly [string, string])[] => texts.map((text) => [text, text]);

const FORMS: readonly Row[] = [
  {
    form: 'a duration',
    shape: duration,
    accepted: [
      ['3m', 180],
      ['24h', 86_400],
      ['1h30m', 5400],
    ],
    refused: ['', '24', '24H', '-1h', '1.5h', '0h', ' 1h', '1h\n'],
  },
  {
    form: 'a path',
    shape: filePath,
    accepted: [
      ['/etc/x', '/etc/x'],
      ['x', '/srv/x'],
      ['../x y', '/x y'],
      ['./a/../b/', '/srv/b'],
    ],
    refused: ['', ' ', '~/x', '~root/x', 'a\0b', 'a\nb'],
  },
  {
    form: 'a path of a secret',
    shape: secretFilePath,
    accepted: [['pw', '/srv/pw']],
    refused: ['~/pw', 'eyJhbGciOiJub25lIn0.e30.', '-----BEGIN PRIVATE KEY-----'],
  },
  {
    form: 'a file mode',
    shape: fileMode,
    accepted: [
      ['0640', '0640'],
      ['600', '0600'],
    ],
    refused: ['0o640', '648', '64', '1640', '00640', 'rw-r-----'],
  },
  {
    form: 'the name of a server',
    shape: serverName,
    accepted: [
      ['A.test', { kind: 'dns', value: 'a.test' }],
      ['localhost', { kind: 'dns', value: 'localhost' }],
      ['*.a.test', { kind: 'dns', value: '*.a.test' }],
      ['10.0.0.1', { kind: 'ip', value: '10.0.0.1' }],
      ['2001:DB8::1', { kind: 'ip', value: '2001:db8::1' }],
      ['::ffff:10.0.0.1', { kind: 'ip', value: '::ffff:10.0.0.1' }],
      ['spiffe://a.test/b_c', { kind: 'uri', value: 'spiffe://a.test/b_c' }],
    ],
    refused: [
      '',
      'a_b',
      'a b',
      'a.test.',
      'a..b',
      '-a',
      'a.*.b',
      '*',
      'a@b',
      'http://a',
      '1.2.3',
      '[::1]',
      'a:1',
      'ä.test',
      `${'a'.repeat(64)}.test`,
    ],
  },
  {
    form: 'the name of a client',
    shape: clientName,
    accepted: [
      ['web', { kind: 'dns', value: 'web' }],
      ['ops@a.test', { kind: 'email', value: 'ops@a.test' }],
    ],
    refused: ['a_b', 'a@b@c', 'ops@', ''],
  },
  {
    form: 'a principal',
    shape: principal,
    accepted: same('alice', 'app_1', '_x', 'a@b', 'spiffe://a/b', 'a-b.c'),
    refused: ['', 'a b', "o'hara", '-x', 'a"b', 'a\\b', 'ü', 'a'.repeat(256)],
  },
  {
    form: 'a user',
    shape: userName,
    accepted: same('postgres', '_apt', 'www-data', 'a.b', '70'),
    refused: ['', '-a', 'a b', 'a:b', 'a'.repeat(33)],
  },
  {
    form: 'an owner',
    shape: fileOwner,
    accepted: same('app', 'app:app', 'root:ssl-cert'),
    refused: ['', 'a:', ':a', 'a:b:c', 'a b'],
  },
  {
    form: 'an e-mail address',
    shape: emailAddress,
    accepted: same('ops@a.test'),
    refused: ['ops', 'mailto:ops@a.test', 'a b@c', 'a@b@c', 'ops@'],
  },
  {
    form: 'a fingerprint',
    shape: fingerprint,
    accepted: [
      ['AB'.repeat(32), 'ab'.repeat(32)],
      [`${'ab:'.repeat(31)}ab`, 'ab'.repeat(32)],
    ],
    refused: ['', 'ab', 'ab'.repeat(31), 'ab'.repeat(33), 'xy'.repeat(32), `a:${'ba:'.repeat(31)}b`],
  },
  {
    form: 'host and port',
    shape: hostPort,
    accepted: [
      ['127.0.0.1:5432', { host: '127.0.0.1', port: 5432 }],
      ['[::1]:443', { host: '::1', port: 443 }],
      ['[2001:DB8:0::1]:1', { host: '2001:db8::1', port: 1 }],
      ['DB.test:65535', { host: 'db.test', port: 65_535 }],
    ],
    refused: [
      ':443',
      '443',
      'a',
      'a:',
      'a:0',
      'a:65536',
      'a:b',
      '::1:443',
      '::1',
      '[::1]',
      '[a]:1',
      '[127.0.0.1]:1',
      'a_b:1',
      '*.a:1',
      '0.0.0.0:1',
      '[::]:1',
      'https://a:1',
      'a:1/x',
      '256.0.0.1:1',
      'a b:1',
    ],
  },
  {
    form: 'a place to listen',
    shape: listenAddress,
    accepted: same(':80', '127.0.0.1:8080', '[::]:80', '0.0.0.0:80', 'localhost:80'),
    refused: ['80', '', ':', ':0', ':65536', '[a]:80', 'a_b:80', 'http://a:80'],
  },
  {
    form: 'an https address',
    shape: httpsUrl,
    accepted: same('https://ca.test:9000', 'https://a/b?c', 'https://[::1]:1/x'),
    refused: [
      'http://a',
      'https://',
      'ca.test',
      'https://u:p@a',
      'https://u@a',
      'https://a/#x',
      'https://a b',
      'HTTPS://a',
    ],
  },
  {
    form: 'a web address',
    shape: webUrl,
    accepted: same('http://127.0.0.1:8080', 'https://a/'),
    refused: ['ws://a', 'http:a', '//a', 'http://a:99999', 'http://u:p@a'],
  },
  {
    form: 'a proper name',
    shape: properName,
    accepted: same('auth-db', 'A1', '9_9', 'a'.repeat(63)),
    refused: ['', '-a', '_a', 'a.b', 'a/b', 'a b', '..', '__proto__', 'a'.repeat(64)],
  },
];

function readText(shape: Shape<unknown>, text: string): { readonly value: unknown; readonly said: readonly string[] } {
  const said: string[] = [];
  const reading: Reading = {
    directory: '/srv',
    names: { issuer: [], service: [] },
    report: (_span, _path, what) => said.push(what),
  };
  const span = { start: 0, end: text.length };
  const found = shape.read({ path: 'x', label: span, tree: { kind: 'scalar', span, value: text } }, reading);
  return { value: found?.value, said };
}

for (const { form, shape, accepted, refused } of FORMS) {
  const schemaAccepts = new Ajv2020({ strict: true, strictRequired: false }).compile(shape.schema);
  test(`${form} is read as what it means, and the schema accepts it`, () => {
    for (const [text, value] of accepted) {
      assert.deepEqual(readText(shape, text), { value, said: [] }, text);
      assert.ok(schemaAccepts(text), `the schema refuses ${text}`);
    }
  });
  test(`${form} is refused in any other form, with one reason`, () => {
    for (const text of refused) {
      const { value, said } = readText(shape, text);
      assert.deepEqual([value, said.length], [undefined, 1], JSON.stringify(text));
    }
  });
}
