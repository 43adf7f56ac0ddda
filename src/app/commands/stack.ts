/** What `plan`, `apply`, `rotate`, `verify` and `status` do. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { formatRfc3339 } from '../../core/time/instant.ts';
import type { FailureJournal } from '../../edge/files/failure-journal.ts';
import { stackJsonSchema } from '../../edge/stack-file/json-schema.ts';
import { formatStackProblems, parseStackFile } from '../../edge/stack-file/parse-stack-file.ts';
import { wallClock } from '../../edge/system/clock.ts';
import { type ApplyResult, applyPlan, failedStep } from '../../flow/agent/apply-plan.ts';
import { plannedChanges } from '../../flow/agent/install-plan.ts';
import type { FailureRecord } from '../../flow/agent/keep-stack.ts';
import { planService, type ServicePlan, serviceFootprint } from '../../flow/agent/plan-service.ts';
import { removeMember } from '../../flow/agent/remove-member.ts';
import { verifyService } from '../../flow/agent/verify-service.ts';
import { type Context, passwordSource, print } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { StackFlags } from '../cli/stack.ts';
import { openStackWorld, type StackWorld } from '../programs/stack-world.ts';
import { agentAlive, journalOf, waitForWorkLock } from '../stack-state.ts';

/** @throws OperatorFault input-unreadable, stack-file-invalid with every problem at its place */
export function readStack(file: string): Stack {
  const path = resolve(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperatorFault(
      'input-unreadable',
      `the stack file ${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { path },
      cause,
    );
  }
  const parsed = parseStackFile(text, path, SERVICE_KIND_TABLE);
  if (parsed.kind === 'stack') return parsed.stack;
  throw new OperatorFault('stack-file-invalid', `\n${formatStackProblems(parsed.problems, text, file)}`, { path });
}

export async function withWorld<T>(
  context: Context,
  flags: StackFlags,
  work: (stack: Stack, world: StackWorld) => Promise<T>,
): Promise<T> {
  const stack = readStack(flags.file);
  const world = await openStackWorld(stack, context.paths, passwordSource(flags.passwordFile), () =>
    agentAlive(context.paths),
  );
  if (stack.clients.length > 0 && !context.quiet) {
    const names = stack.clients.map(({ name }) => name).join(', ');
    process.stderr.write(
      `${paint('yellow', 'note:')} certificates for clients are not built yet; nothing is done for ${names}\n`,
    );
  }
  try {
    return await work(stack, world);
  } finally {
    world.close();
  }
}

export function chosen(stack: Stack, names: readonly string[]): readonly ServiceSpec[] {
  for (const name of names) {
    if (!stack.services.some((service) => service.name === name))
      throw new OperatorFault('usage', `the stack has no service named ${JSON.stringify(name)}`);
  }
  return names.length === 0 ? stack.services : stack.services.filter(({ name }) => names.includes(name));
}

export function planned(world: StackWorld, service: ServiceSpec, asked: boolean): Promise<ServicePlan> {
  return planService(world, service, SERVICE_KIND_TABLE[service.kind], asked);
}

export async function plan(context: Context, flags: StackFlags): Promise<void> {
  await withWorld(context, flags, async (stack, world) => {
    const found = await Promise.all(
      stack.services.map(async (service) =>
        plannedChanges(await planned(world, service, false)).map((change) => ({ service: service.name, ...change })),
      ),
    );
    const changes = found.flat();
    print(context, { stack: stack.name, changes }, () =>
      changes.flatMap(({ service, action, why, diff }) => [
        `${service.padEnd(16)} ${action.padEnd(9)} ${why}`,
        ...(diff
          ? diff
              .trimEnd()
              .split('\n')
              .map((line) => `    ${line}`)
          : []),
      ]),
    );
  });
}

/** One service after the other on the same file and process; a failed one never stops the others. */
export async function apply(
  context: Context,
  flags: StackFlags,
  names: readonly string[],
  rotate: boolean,
): Promise<void> {
  const lock = await waitForWorkLock(context.paths, () => {
    if (!context.quiet) process.stderr.write(`${paint('yellow', 'waiting:')} the agent or another apply is at work\n`);
  });
  try {
    await withWorld(context, flags, async (stack, world) => {
      const services: ApplyResult[] = [];
      const journal = journalOf(context.paths, stack.name);
      for (const service of chosen(stack, names)) {
        const result = await (flags.remove
          ? removeService(world, service)
          : applyService(world, service, rotate)
        ).catch((fault: unknown) => unplannable(service, fault));
        services.push(result);
        recordFailure(journal, result);
        if (!context.json && !context.quiet) process.stdout.write(`${progressLine(result)}\n`);
      }
      const ok = services.every((result) => result.ok);
      if (context.json) process.stdout.write(`${JSON.stringify({ stack: stack.name, ok, services })}\n`);
      if (!ok) process.exitCode = 1;
    });
  } finally {
    lock.release();
  }
}

async function applyService(world: StackWorld, service: ServiceSpec, rotate: boolean): Promise<ApplyResult> {
  return applyPlan(world, await planned(world, service, rotate));
}

async function removeService(world: StackWorld, service: ServiceSpec): Promise<ApplyResult> {
  return removeMember(world, await serviceFootprint(world, service, SERVICE_KIND_TABLE[service.kind]));
}

/** What it needs cannot even be gathered: a failure like any other, and the others go on. */
function unplannable({ name }: ServiceSpec, fault: unknown): ApplyResult {
  return { name, ok: false, action: 'failed', certificate: null, steps: [failedStep(fault, 'issue')] };
}

/** For `status` and the agent: what failed by hand is known to both, and what works is forgotten. */
function recordFailure(journal: FailureJournal, { name, ok, steps }: ApplyResult): void {
  const member = `services/${name}`;
  const failed = steps.find((step) => !step.ok);
  if (ok || failed === undefined) {
    journal.write(member, null);
    return;
  }
  const { step, detail, remedy } = failed;
  const failures = (journal.read(member)?.failures ?? 0) + 1;
  journal.write(member, { failures, retryAt: wallClock(), error: { step, detail, remedy } });
}

function progressLine({ name, ok, action, certificate, steps }: ApplyResult): string {
  const mark = ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout);
  const failed = steps.find((step) => !step.ok);
  const tail = failed
    ? `${failed.step}: ${failed.detail}\n  ${paint('bold', 'next:', process.stdout)} ${failed.remedy ?? ''}`
    : `${action}${certificate ? `, until ${certificate.notAfter}` : ''}`;
  return `${mark} ${name.padEnd(16)} ${tail}`;
}

export async function verify(context: Context, flags: StackFlags, names: readonly string[]): Promise<void> {
  await withWorld(context, flags, async (stack, world) => {
    const services = await Promise.all(
      chosen(stack, names).map(async (service) => {
        const plan = await planned(world, service, false);
        const checks =
          service.address === null ? [] : await verifyService(await world.verification(service), plan, service.address);
        const address = service.address && `${service.address.host}:${service.address.port}`;
        return { name: service.name, kind: service.kind, address, ok: checks.every(({ ok }) => ok !== false), checks };
      }),
    );
    const ok = services.every((service) => service.ok);
    print(context, { stack: stack.name, ok, services }, () =>
      services.flatMap((service) => [
        `${service.ok ? paint('green', '✓', process.stdout) : paint('red', '✗', process.stdout)} ${service.name}  ${service.kind}  ${service.address ?? 'no address'}`,
        ...service.checks
          .filter((check) => check.ok === false)
          .flatMap((check) => [
            `    ${check.id}: wanted ${check.wanted}; ${check.observed}`,
            `    next: ${check.remedy}`,
          ]),
      ]),
    );
    if (!ok) process.exitCode = 1;
  });
}

export async function status(context: Context, flags: StackFlags): Promise<void> {
  await withWorld(context, flags, async (stack, world) => {
    const services = await Promise.all(
      stack.services.map(async (service) =>
        statusOf(
          await planned(world, service, false),
          world,
          journalOf(context.paths, stack.name).read(`services/${service.name}`),
        ),
      ),
    );
    services.sort((a, b) => ((a.notAfter ?? '') < (b.notAfter ?? '') ? -1 : 1));
    const now = wallClock();
    print(context, { stack: stack.name, services }, () =>
      services.map(
        ({ name, state, why, notAfter }) =>
          `${name.padEnd(16)} ${state.padEnd(15)} ${notAfter ? `${formatDuration(Math.max(0, Date.parse(notAfter) / 1000 - now))} left` : ''}  ${why}`,
      ),
    );
  });
}

async function statusOf(
  { service, kind, installed, renewal, edits }: ServicePlan,
  world: StackWorld,
  failed: FailureRecord | null,
) {
  const leaf = installed?.chain[0];
  const served =
    leaf && service.address ? await world.host.servedFingerprint(kind.protocol, service.address, null) : null;
  const state = !installed
    ? 'unmanaged'
    : renewal.due
      ? 'due'
      : installed.confirmedAt === null || edits.length > 0
        ? 'pending-install'
        : served !== null && served !== leaf?.fingerprint
          ? 'not-served'
          : 'ok';
  const { step, detail } = failed?.error ?? { step: '', detail: '' };
  return {
    name: service.name,
    state: failed ? 'failed' : state,
    why: failed
      ? `${step} failed${failed.failures > 1 ? ` ${failed.failures} times` : ''}: ${detail}`
      : state === 'not-served' && served !== null && typeof served === 'object'
        ? served.why
        : edits.length > 0 && installed
          ? 'the configuration differs from the stack file'
          : renewal.why,
    notAfter: leaf ? formatRfc3339(leaf.validity.notAfter) : null,
    renewAt: renewal.renewAt === null ? null : formatRfc3339(renewal.renewAt),
    issuer: service.issuer,
    ...(failed && { lastError: { ...failed.error, retryAt: formatRfc3339(failed.retryAt) } }),
  };
}

export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(stackJsonSchema(SERVICE_KIND_TABLE), null, 2)}\n`);
}
