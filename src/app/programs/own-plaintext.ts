/** Whether a service serves clients in plaintext, asked of itself where nobody can see it from outside. */
import { causeFinding } from '../../core/diagnosis/causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { commandLine } from '../../core/services/action-text.ts';
import type { Desired } from '../../core/services/service-kind.ts';
import { runAction } from '../../edge/reload/run-action.ts';

/** Who may not ask gets no answer, and then nothing is concluded. */
export async function ownPlaintextFindings(
  { action, output }: NonNullable<Desired['plaintextRefused']>,
  { service, target }: { readonly service: string; readonly target: string },
): Promise<Finding[]> {
  const answer = await runAction(action);
  const said = answer.output.trim().slice(0, 200);
  if (!answer.ok || said === output) return [];
  return [
    causeFinding('plaintext-accepted', {
      subject: service,
      where: { target },
      what: 'The service speaks TLS, and says itself that it does not insist on it.',
      evidence: { asked: commandLine(action), said, wanted: output },
    }),
  ];
}
