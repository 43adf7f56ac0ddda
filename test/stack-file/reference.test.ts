/** `UPDATE_DOCS=1` writes the tables of docs/stack-file.md instead of comparing them. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SERVICE_KIND_TABLE } from '../../src/core/services/service-kinds.ts';
import { stackJsonSchema } from '../../src/edge/stack-file/json-schema.ts';
import { formatStackProblems, parseStackFile } from '../../src/edge/stack-file/parse-stack-file.ts';
import { ROOT } from '../house-rules/source-file.ts';
import { referenceTables } from './reference-tables.ts';

const PATH = join(ROOT, 'docs', 'stack-file.md');
const document = readFileSync(PATH, 'utf8');

test('docs/stack-file.md has the tables of the schema; if not, UPDATE_DOCS=1 node --test test/stack-file/reference.test.ts', () => {
  const tables = referenceTables(stackJsonSchema(SERVICE_KIND_TABLE));
  const missing = [...tables.keys()].filter((name) => !document.includes(`<!-- ${name} -->\n`));
  assert.deepEqual(missing, [], 'tables without a place');
  const updated = document.replace(
    /<!-- (?!end)([\w-]+) -->\n[\s\S]*?<!-- end -->/g,
    (_, name: string) => `<!-- ${name} -->\n${tables.get(name)}\n<!-- end -->`,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PATH, updated);
  else assert.equal(document, updated);
});

test('the file in docs/stack-file.md is right', () => {
  const text = /```yaml\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
  const parsed = parseStackFile(text, '/srv/fullchain.yaml', SERVICE_KIND_TABLE);
  assert.equal(parsed.kind === 'stack' ? parsed.stack.name : formatStackProblems(parsed.problems, text, 'f'), 'shop');
});

test('the mistake in docs/stack-file.md is rendered as it says', () => {
  const [, text = '', said = ''] = /```yaml\n([\s\S]*?)```[\s\S]*?```\n([\s\S]*?)\n```/.exec(document) ?? [];
  const wrong = text.replace('address', 'adress');
  const parsed = parseStackFile(wrong, '/srv/fullchain.yaml', SERVICE_KIND_TABLE);
  const lines =
    parsed.kind === 'problems' ? formatStackProblems(parsed.problems, wrong, 'fullchain.yaml').split('\n') : [];
  assert.deepEqual(lines, said.split('\n'));
});
