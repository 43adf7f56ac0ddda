/** A stack of one service below an authority of its own, and the commands on it as a person gives them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run } from '../servers/process.ts';

export interface Check {
  readonly id: string;
  readonly ok: boolean | null;
  readonly observed: string;
  readonly remedy: string | null;
}

export interface Result {
  readonly ok: boolean;
  readonly action: string;
  readonly certificate: { readonly fingerprint: string };
  readonly steps: readonly {
    readonly step: string;
    readonly ok: boolean;
    readonly detail: string;
    readonly remedy: string | null;
  }[];
}

export interface OneService {
  /** From now on the stack file says this of the service, in one line of keys. */
  readonly declare: (keys: string) => void;
  readonly apply: (...args: readonly string[]) => Promise<Result>;
  readonly rotate: () => Promise<Result>;
  readonly plan: () => Promise<{
    readonly changes: readonly { action: string; why: string }[];
    readonly notes: readonly string[];
  }>;
  readonly verify: () => Promise<readonly Check[]>;
}

/** @param keys of the service, in one line */
export function oneService(t: TestContext, keys: string): OneService {
  const directory = scratch(t);
  const [state, file] = [join(directory, 'state'), join(directory, 'fullchain.yaml')];
  const declare = (now: string): void => writeFileSync(file, `stack: one\nservices:\n  svc: { ${now} }\n`);
  declare(keys);
  // Not in this process's time: what a service proxies to may be in it.
  const answer = async (...args: readonly string[]) => {
    const { stdout, output } = await run(process.execPath, [
      LAUNCHER,
      ...args,
      '--json',
      '--file',
      file,
      '--state',
      state,
    ]);
    assert.match(stdout, /^\{/, output);
    return JSON.parse(stdout);
  };
  return {
    declare,
    apply: async (...args) => (await answer('apply', ...args)).services[0],
    rotate: async () => (await answer('rotate')).services[0],
    plan: () => answer('plan'),
    verify: async () => (await answer('verify')).services[0].checks,
  };
}

export function failed(checks: readonly Check[]): readonly string[] {
  return checks.filter(({ ok }) => ok === false).map(({ id }) => id);
}

/** Each with its reason. */
export function untried(checks: readonly Check[]): readonly (readonly [id: string, why: string])[] {
  return checks.filter(({ ok }) => ok === null).map(({ id, observed }) => [id, observed]);
}

export function checkOf(checks: readonly Check[], id: string): Check {
  return checks.find((check) => check.id === id) ?? assert.fail(`no check ${id}`);
}
