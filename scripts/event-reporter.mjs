/**
 * A reporter for node:test that hands each verdict to scripts/run-tests.mjs as one line of JSON on file descriptor 3.
 * Written synchronously, so that nothing is lost when the process ends early.
 */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

export default async function* events(source) {
  for await (const { type, data } of source) {
    if (type === 'test:enqueue' || type === 'test:complete') send({ type: type.slice('test:'.length) });
    else if (type === 'test:pass' || type === 'test:fail') send({ type: 'verdict', ...verdictOf(type, data) });
    else if (type === 'test:summary') send({ type: 'summary', success: data.success });
    yield '';
  }
}

function verdictOf(type, { name, classname, nesting, file, line, skip, todo, details }) {
  const failed = type === 'test:fail';
  const excuse = skip ?? todo;
  return {
    verdict: excuse !== undefined && excuse !== false ? 'skipped' : failed ? 'failed' : 'passed',
    reason: typeof excuse === 'string' ? excuse : todo ? 'todo' : '',
    name: classname ? `${classname.replaceAll(' > ', ' › ')} › ${name}` : name,
    nesting,
    file,
    line,
    isSuite: details.type === 'suite',
    onlyBySubtests: failed && details.error?.failureType === 'subtestsFailed',
    error: failed ? textOf(details.error?.cause instanceof Error ? details.error.cause : details.error) : '',
    durationMs: details.duration_ms,
  };
}

/** An assertion's message has the difference already; of other errors the properties matter too. */
function textOf(error) {
  const text = error?.code === 'ERR_ASSERTION' ? error.stack : inspect(error);
  return text.replace(/^ +at .*\(?node:internal.*\n?/gm, '').trimEnd();
}

function send(event) {
  writeSync(3, `${JSON.stringify(event)}\n`);
}
