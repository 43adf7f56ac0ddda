import assert from 'node:assert/strict';
import test from 'node:test';
import { findTool, requireTool, runTool } from './run-tool.ts';

test('a tool is found where PATH does not look, and a missing one is named with its package', () => {
  assert.match(findTool({ name: 'sh', package: 'dash' }, '/usr/bin:/bin') ?? '', /\/sh$/);
  assert.ok(findTool({ name: 'ldconfig', package: 'libc-bin' }, '/nonexistent:'));
  const tool = { name: 'fullchain-has-no-such-tool', package: 'some-package' };
  assert.equal(findTool(tool, '/usr/bin'), null);
  assert.throws(() => requireTool(tool, '/usr/bin'), { code: 'tool-missing', facts: { package: 'some-package' } });
});

test('what a failed tool said last is in the fault', () => {
  const sh = requireTool({ name: 'sh', package: 'dash' }, '/bin:/usr/bin');
  assert.equal(runTool(sh, ['-c', 'cat'], 'input'), 'input');
  assert.throws(() => runTool(sh, ['-c', 'echo reason >&2; exit 3']), {
    code: 'trust-store-failed',
    message: /exited with status 3: reason/,
  });
  assert.throws(() => runTool(sh, ['-c', 'kill -9 $$']), {
    code: 'trust-store-failed',
    message: /was ended by SIGKILL/,
  });
  assert.throws(() => runTool('/nonexistent', []), { code: 'trust-store-failed', message: /ENOENT/ });
});
