/** What a service's own check of its configuration says, where it refuses: its words often name the cause. */
import { type CauseId, causeFinding } from './causes.ts';
import { explainMessage } from './explain-message.ts';
import type { Finding } from './finding.ts';

export interface RefusedCheck {
  /** The service, by its name in the stack file. */
  readonly service: string;
  /** As it is called. */
  readonly target: string;
  /** The check, ready to paste. */
  readonly command: string;
  readonly output: string;
}

/** What goes wrong while a service takes up its configuration, files and pairs. */
export const LOAD_CAUSES: readonly string[] = [
  'key-mismatch',
  'key-type-mismatch',
  'key-permissions',
  'file-missing',
  'file-unusable',
  'chain-order',
] satisfies readonly CauseId[];

const SHOWN_LENGTH = 300;

export function checkFindings({ service, target, command, output }: RefusedCheck): Finding[] {
  const [named] = explainMessage(output, { side: 'server', where: { target } }).filter(({ id }) =>
    LOAD_CAUSES.includes(id),
  );
  if (named !== undefined) return [{ ...named, evidence: { ...named.evidence, check: command } }];
  const said = output
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(-SHOWN_LENGTH);
  return [
    causeFinding('config-refused', {
      subject: service,
      where: { target },
      what: `The service's own check refuses its configuration: ${said}.`,
      evidence: { check: command, said },
      remedy: { command },
    }),
  ];
}
