/** What commands of remedies are about, of a target. */
import { shellQuoted } from '../diagnosis/causes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { formatHostPort } from '../stack/host-port.ts';
import type { Target } from './target.ts';

export function wordsOf(target: Target): Readonly<Record<string, string>> {
  const { host, port } = target;
  return { target: pasteable(target), host, port: String(port), where: formatHostPort({ host, port }) };
}

/** Where the table has no command for this case, the next look says more. */
export function orDiagnose(finding: Finding, target: Target): Finding {
  if (finding.remedy.command !== undefined) return finding;
  return { ...finding, remedy: { ...finding.remedy, command: `fullchain diagnose ${shellQuoted(pasteable(target))}` } };
}

/** A password that is not shown cannot be pasted: without it the URL leads to the same place. */
export function pasteable({ text }: Target): string {
  return text.replace(':***@', '@');
}
