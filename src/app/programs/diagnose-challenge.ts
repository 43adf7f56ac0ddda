/** `http-01://NAME --webroot DIR`: whether an authority would find there what an ACME client puts into this webroot. */
import type { CauseId } from '../../core/diagnosis/causes.ts';
import { shellQuoted } from '../../core/diagnosis/causes.ts';
import { sortFindings } from '../../core/diagnosis/finding.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { parseTarget } from '../../core/probe/target.ts';
import { placeToken } from '../../edge/files/webroot-token.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { walkHttp01 } from '../../edge/net/http01-walk.ts';
import { diagnoseHttp01, type Http01Result } from '../../flow/diagnose/diagnose-http01.ts';
import type { DiagnosedSubject } from './diagnose-subject.ts';
import { connectOption } from './probe-targets.ts';

export interface ChallengeFlags {
  readonly webroot?: string;
  readonly connect?: string;
  readonly timeout: number;
}

/** null: the text is a target of another kind. @throws OperatorFault usage, file-unwritable */
export async function diagnoseChallenge(text: string, flags: ChallengeFlags): Promise<DiagnosedSubject | null> {
  const parsed = parseTarget(text, null);
  if (parsed.kind !== 'http-01') return null;
  const { webroot } = flags;
  if (webroot === undefined)
    throw new OperatorFault('usage', `${text} needs --webroot DIR: where an ACME client puts its tokens`);
  const { host, port } = parsed;
  const connect = connectOption(flags.connect, port);
  const options = { timeoutMs: flags.timeout * 1000, ...(connect && { dialPort: connect.port }) };
  const results = await diagnoseHttp01(
    { text, host, port, webroot, addresses: connect && [connect.host] },
    {
      placeToken,
      addressesOf,
      walk: (target, address, placed) => walkHttp01(target, address, placed, options),
    },
  );
  const counted = countedResults(results);
  const findings = counted.flatMap((result) => result.findings);
  return {
    target: text,
    address: counted[0]?.address ?? null,
    findings: sortFindings(findings.filter(({ id }, at) => findings.findIndex((other) => other.id === id) === at)),
    healthy: `the token is found at ${counted.map(({ address }) => address).join(' and ')}`,
    again: `fullchain diagnose ${shellQuoted(text)} --webroot ${shellQuoted(webroot)}`,
  };
}

const UNREACHED: readonly string[] = ['connection-refused', 'connect-timeout'] satisfies readonly CauseId[];

/** An authority goes on to the address that answers; where none does, all of them count. */
function countedResults(results: readonly Http01Result[]): readonly Http01Result[] {
  const reached = results.filter(({ findings }) => !findings.some(({ id }) => UNREACHED.includes(id)));
  return reached.length > 0 ? reached : results;
}
