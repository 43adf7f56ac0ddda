/** What is to be diagnosed: targets, the pair that should be served there, or a service of the stack with both. */
import { existsSync } from 'node:fs';
import { shellQuoted } from '../../core/diagnosis/causes.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { pasteable } from '../../core/probe/target-words.ts';
import type { Action, Desired } from '../../core/services/service-kind.ts';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { ServiceSpec } from '../../core/stack/stack.ts';
import type { PairPaths } from '../../edge/files/pair-facts.ts';
import { hostFacts } from '../../edge/system/host-facts.ts';
import { serviceTarget, type TargetFlags, type WantedTarget, wantedTargets } from './probe-targets.ts';
import { readStack } from './read-stack.ts';

export interface Subject {
  /** As it is called in the answer. */
  readonly text: string;
  /** null: only the files are looked at. */
  readonly wanted: WantedTarget | null;
  readonly pair: PairPaths | null;
  /** The reader of the pair is who such a service usually runs as; nobody named them. */
  readonly isReaderUsual: boolean;
  /** As the stack file has it; null: none was named. */
  readonly service: ServiceSpec | null;
  /** The service's own check of its configuration; null: there is none, or no service was named. */
  readonly check: Action | null;
  /** How the service is asked whether it refuses plaintext; null: a client sees it, or no service was named. */
  readonly plaintextRefused: Desired['plaintextRefused'] | null;
  /** The command that diagnoses it once more. */
  readonly again: string;
}

export interface SubjectFlags extends TargetFlags {
  readonly cert?: string;
  readonly key?: string;
  readonly runAs?: string;
  readonly service?: string;
}

/** @throws OperatorFault usage, input-unreadable, stack-file-invalid */
export async function subjectsOf(texts: readonly string[], flags: SubjectFlags): Promise<readonly Subject[]> {
  if (flags.service !== undefined) return [await serviceSubject(flags.stack ?? 'fullchain.yaml', flags.service, flags)];
  const pair = pairOf(flags);
  if (texts.length === 0 && pair !== null)
    return [
      {
        text: pair.certificate,
        wanted: null,
        pair,
        isReaderUsual: false,
        service: null,
        check: null,
        plaintextRefused: null,
        again: againOf('', flags),
      },
    ];
  const { starttls, connect } = flags;
  const targets = wantedTargets(texts, {
    ...(starttls !== undefined && { starttls }),
    ...(connect !== undefined && { connect }),
  });
  return targets.map((wanted) => {
    const { text } = wanted.target;
    return {
      text,
      wanted,
      pair,
      isReaderUsual: false,
      service: null,
      check: null,
      plaintextRefused: null,
      again: againOf(pasteable(wanted.target), flags),
    };
  });
}

/** Everything that was said, but for what only changes the output. */
function againOf(target: string, flags: SubjectFlags): string {
  const options = Object.entries(flags).flatMap(([name, value]) =>
    typeof value === 'string'
      ? [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${shellQuoted(value)}`]
      : [],
  );
  return ['fullchain diagnose', ...(target === '' ? [] : [shellQuoted(target)]), ...options].join(' ');
}

function pairOf({ cert, key, runAs }: SubjectFlags): PairPaths | null {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) throw new OperatorFault('usage', '--cert and --key go together');
  return { certificate: cert, key, runAs: runAs ?? null };
}

async function serviceSubject(file: string, name: string, flags: SubjectFlags): Promise<Subject> {
  const stack = readStack(file);
  const service = stack.services.find((one) => one.name === name);
  if (!service) {
    const names = stack.services.map((one) => one.name).join(', ');
    throw new OperatorFault('usage', `${file} has no service named ${JSON.stringify(name)}; it has ${names}`);
  }
  const kind = SERVICE_KIND_TABLE[service.kind];
  const facts = await hostFacts(kind.facts(service), service.runAs === null ? kind.users : [service.runAs]);
  const { install, check, plaintextRefused = null } = kind.desired(service, facts, { verifyClients: false });
  return {
    text: name,
    wanted: serviceTarget(stack, service),
    pair: { ...placesOf(install), runAs: flags.runAs ?? facts.user },
    isReaderUsual: flags.runAs === undefined && service.runAs === null,
    service,
    check,
    plaintextRefused,
    again: againOf('', flags),
  };
}

/** A fixed place that the service reads, else the file behind `current`. */
function placesOf({ directory, files, copies }: Desired['install']): Pick<PairPaths, 'certificate' | 'key'> {
  const placeOf = (part: 'chain' | 'key'): string => {
    const holding = files.filter(({ content }) => content.includes(part));
    const copy = copies.find(({ file, to }) => holding.some(({ name }) => name === file) && existsSync(to));
    return copy?.to ?? `${directory}/current/${holding[0]?.name ?? ''}`;
  };
  return { certificate: placeOf('chain'), key: placeOf('key') };
}
