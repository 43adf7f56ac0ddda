/** The files that a client's URL names: its driver takes roots and its own pair from them. */
import type { TargetUrl } from '../probe/target.ts';

export interface UrlFiles {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

/** libpq and asyncpg, redis-py, PyMySQL, MySQL's own connectors. */
const NAMES = {
  ca: ['sslrootcert', 'ssl_ca_certs', 'ssl_ca', 'ssl-ca'],
  certificate: ['sslcert', 'ssl_certfile', 'ssl_cert', 'ssl-cert'],
  key: ['sslkey', 'ssl_keyfile', 'ssl_key', 'ssl-key'],
} as const;

export function urlFiles(url: TargetUrl | null): UrlFiles {
  const named = (names: readonly string[]): string | null =>
    url?.parameters.find(([name, value]) => names.includes(name) && value.startsWith('/'))?.[1] ?? null;
  return { ca: named(NAMES.ca), certificate: named(NAMES.certificate), key: named(NAMES.key) };
}
