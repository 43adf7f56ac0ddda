/**
 * The clients in a process of their own, so that the server's CPU time is the server's alone. It lives as long as the
 * benchmark: its compiled code is as warm for the last load as for the second.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AcmeLoad, AcmeLoadResult } from './acme-load-client.ts';
import { cpuTimeMs } from './cpu-time.ts';
import type { IssueLoad, IssueLoadResult } from './issue-load-client.ts';

export type ToLoadProcess = { readonly kind: 'load'; readonly load: AcmeLoad | IssueLoad } | { readonly kind: 'begin' };

export type FromLoadProcess =
  | { readonly kind: 'listening' }
  /** Everything is made and connected; the timed part begins when it is told to. */
  | { readonly kind: 'prepared' }
  | { readonly kind: 'result'; readonly result: AcmeLoadResult | IssueLoadResult };

/** With the CPU time that the server used between begin and result. */
export type Measured<Result> = Result & { readonly serverCpuMs: number };

export interface LoadProcess {
  readonly acme: (load: AcmeLoad, serverPid: number) => Promise<Measured<AcmeLoadResult>>;
  readonly issue: (load: IssueLoad, serverPid: number) => Promise<Measured<IssueLoadResult>>;
  readonly stop: () => void;
}

export async function startLoadProcess(): Promise<LoadProcess> {
  const child = fork(join(import.meta.dirname, 'load-main.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new AbortController();
  child.once('exit', () => ended.abort(new Error('the process of the clients ended')));
  const next = async <Kind extends FromLoadProcess['kind']>(
    kind: Kind,
  ): Promise<Extract<FromLoadProcess, { kind: Kind }>> => {
    const [message] = (await once(child, 'message', { signal: ended.signal })) as [FromLoadProcess];
    if (message.kind !== kind) throw new Error(`the process of the clients says ${message.kind}, not ${kind}`);
    return message as Extract<FromLoadProcess, { kind: Kind }>;
  };
  const measure = async (load: AcmeLoad | IssueLoad, serverPid: number) => {
    child.send({ kind: 'load', load } satisfies ToLoadProcess);
    await next('prepared');
    const before = cpuTimeMs(serverPid);
    child.send({ kind: 'begin' } satisfies ToLoadProcess);
    const { result } = await next('result');
    return { ...result, serverCpuMs: cpuTimeMs(serverPid) - before };
  };
  await next('listening');
  return {
    acme: (load, serverPid) => measure(load, serverPid) as Promise<Measured<AcmeLoadResult>>,
    issue: (load, serverPid) => measure(load, serverPid) as Promise<Measured<IssueLoadResult>>,
    stop: () => void child.kill('SIGKILL'),
  };
}
