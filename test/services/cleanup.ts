/** What a test has started is stopped in reverse order: servers first, then the directory that they write to. */
import type { TestContext } from 'node:test';

export function cleanup(t: TestContext): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  return stack;
}
