import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { stackJsonSchema } from '../../src/edge/stack-file/json-schema.ts';
import { ROOT } from '../house-rules/source-file.ts';
import { BAD_STACK_FILES } from './bad-stack-files.ts';
import { SOME_KINDS } from './some-kinds.ts';

const SCHEMA = stackJsonSchema(SOME_KINDS);
/** Strict: a keyword that does not fit its type, or that nobody knows, is an error. */
const accepts = new Ajv2020({ strict: true, strictRequired: false }).compile(SCHEMA);

test('the schema is in JSON, and is JSON Schema 2020-12 as its meta schema has it', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(SCHEMA)), SCHEMA);
  assert.equal(SCHEMA.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.ok(new Ajv2020().validateSchema(SCHEMA));
});

for (const { title, text, schema } of BAD_STACK_FILES) {
  if (schema === 'cannot see') continue;
  test(`the schema ${schema ?? 'refuses'} ${title}`, () => {
    assert.equal(accepts(parse(text)), schema === 'accepts');
  });
}

for (const path of [
  'test/stack-file/contract.yaml',
  ...['bakery-ia', 'aragora', 'kldload'].map((name) => `examples/${name}.yaml`),
]) {
  test(`the schema accepts ${path}`, () => {
    assert.ok(accepts(parse(readFileSync(join(ROOT, path), 'utf8'))));
  });
}

test('whatever has a key of its own is described for editors', () => {
  const undescribed: string[] = [];
  const look = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [keyword, inner] of Object.entries(schema)) {
      look(inner, `${path}/${keyword}`);
      if (keyword !== 'properties' || path.endsWith('/if') || path.includes('/oneOf')) continue;
      for (const [key, property] of Object.entries(inner)) {
        const isDescribed =
          property === false || (typeof property === 'object' && property !== null && 'description' in property);
        if (!isDescribed) undescribed.push(`${path}/${key}`);
      }
    }
  };
  look(SCHEMA, '');
  assert.deepEqual(undescribed, []);
});
