/** A URL's own TLS parameters, judged as its driver would: does it know them, and does it verify the server with them? */
import type { Target, TargetUrl } from '../probe/target.ts';
import { causeFinding } from './causes.ts';
import type { Finding } from './finding.ts';
import { readMysqlUrl } from './judge-url-mysql.ts';
import { readPostgresUrl } from './judge-url-postgres.ts';
import { readRedisUrl } from './judge-url-redis.ts';
import { PLAINTEXT, SILENT, type UrlReading, type UrlVerdict } from './url-reading.ts';

/** Nothing for host:port, for drivers that nobody here knows, and for a URL whose driver verifies chain and name. */
export function urlFindings(target: Target): readonly Finding[] {
  const { verdicts } = target.url === null ? SILENT : readingOf(target.url);
  const ids = [...new Set(verdicts.map(({ id }) => id))];
  return ids.map((id) =>
    merged(
      target,
      verdicts.filter((verdict) => verdict.id === id),
    ),
  );
}

/** Whether its driver would not even try TLS: redis://, http://, sslmode=disable, ssl-mode=DISABLED and the like. */
export function asksForPlaintext({ url }: Target): boolean {
  return url !== null && readingOf(url).plaintext;
}

function readingOf(url: TargetUrl): UrlReading {
  switch (url.scheme) {
    case 'http':
      return PLAINTEXT;
    case 'redis':
    case 'rediss':
      return readRedisUrl(url);
    case 'postgres':
    case 'postgresql':
      return readPostgresUrl(url);
    case 'mysql':
    case 'mariadb':
      return readMysqlUrl(url);
    default:
      return SILENT;
  }
}

/** Several parameters of another driver are one cause; the gravest and the surest of them decides. */
function merged({ text }: Target, verdicts: readonly UrlVerdict[]): Finding {
  const [first] = verdicts.toSorted((a, b) => rank(a) - rank(b));
  if (first === undefined) throw new RangeError('a finding needs a verdict');
  const { id, severity, confidence, driver, parameter } = first;
  return causeFinding(id, {
    ...(severity && { severity }),
    ...(confidence && { confidence }),
    subject: parameter ?? driver,
    where: { target: text },
    what: verdicts.map(({ what }) => what).join(' '),
    evidence: { driver, parameters: verdicts.flatMap((verdict) => verdict.parameter ?? []) },
    remedy: { text: [...new Set(verdicts.map(({ use }) => use))].join(' ') },
  });
}

function rank({ severity, confidence }: UrlVerdict): number {
  return (severity === undefined ? 0 : 2) + (confidence === undefined ? 0 : 1);
}
