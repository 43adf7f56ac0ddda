/** HOST:PORT as people write it. */
import type { HostPort } from './stack.ts';

/** An IPv6 address in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
