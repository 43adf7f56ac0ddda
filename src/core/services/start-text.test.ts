import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from './service-kind.ts';
import { startText } from './start-text.ts';

const shell = (command: string): Action => ({ kind: 'shell', command, why: '' });

const CASES: readonly (readonly [reload: string, text: string])[] = [
  ['systemctl reload app', ': systemctl start app'],
  ['/usr/bin/systemctl reload app.service', ': systemctl start app.service'],
  ['systemctl --user try-reload-or-restart app@1', ': systemctl --user start app@1'],
  ['systemctl kill --signal=HUP app', ': systemctl start app'],
  ['sudo systemctl restart app && sleep 1', ': systemctl start app'],
  ['systemctl daemon-reload', ''],
  ['nginx -s reload', ''],
];

for (const [reload, text] of CASES)
  test(`${reload} has${text || ' no command'}`, () =>
    assert.equal(startText({ reload: shell(reload), restart: null }), text));

test('a restart names the unit where the reload does not', () => {
  assert.equal(
    startText({ reload: shell('kill -HUP 1'), restart: shell('systemctl restart db') }),
    ': systemctl start db',
  );
  assert.equal(startText({ reload: null, restart: null }), '');
});
