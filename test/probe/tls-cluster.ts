/** A PostgreSQL with TLS, and how a service gets files that only its user may read. */
import { appendFileSync, chmodSync, chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { account, IS_ROOT } from '../services/applied.ts';
import { type Cluster, startCluster } from '../services/start-postgresql.ts';
import type { OpensslPairs, PairFiles } from './openssl-pairs.ts';

const WITH_PASSWORD =
  'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n';

/** Owned by the service's user, as it insists on. */
export function place(file: string, to: string, user: string): void {
  copyFileSync(file, to);
  chmodSync(to, 0o600);
  const { uid, gid } = account([user]);
  if (IS_ROOT) chownSync(to, uid, gid);
}

/** @param settings lines of postgresql.conf */
export async function tlsCluster(
  t: TestContext,
  { ca }: OpensslPairs,
  { cert, key }: PairFiles,
  settings: string,
): Promise<Cluster> {
  const made = await startCluster(t, WITH_PASSWORD);
  place(cert, join(made.data, 'server.crt'), 'postgres');
  place(key, join(made.data, 'server.key'), 'postgres');
  place(ca, join(made.data, 'root.crt'), 'postgres');
  appendFileSync(join(made.data, 'postgresql.conf'), `ssl = on\n${settings}`);
  await made.stop();
  await made.start();
  return made;
}
