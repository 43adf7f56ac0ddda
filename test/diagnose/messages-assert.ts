/** What a text is expected to be explained as. */
import assert from 'node:assert/strict';
import { explainMessage } from '../../src/core/diagnosis/explain-message.ts';
import { confidenceOf, type Finding } from '../../src/core/diagnosis/finding.ts';
import type { Side } from '../../src/core/diagnosis/message-row.ts';

/** "certain unknown-ca": with confidence, best first, all of them. */
export type Expected = readonly string[];

export function idsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map((one) => `${confidenceOf(one)} ${one.id}`);
}

/** @returns the best one */
export function assertExplained(text: string, side: Side | null, expected: Expected, whose: string): Finding {
  const findings = explainMessage(text, { side, where: { target: '-' } });
  assert.deepEqual(idsOf(findings), expected, `${whose}:\n${text.slice(-4000)}`);
  const [best] = findings;
  assert.ok(best, whose);
  return best;
}
