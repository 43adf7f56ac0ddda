/** Every kind of service, by the name that the stack file has for it. */
import { SERVICE_KINDS, type ServiceKindName } from '../stack/stack.ts';
import { caddy } from './caddy.ts';
import { dovecot } from './dovecot.ts';
import { files } from './files.ts';
import { grafana } from './grafana.ts';
import { haproxy } from './haproxy.ts';
import { mysql } from './mysql.ts';
import { nginx } from './nginx.ts';
import { nodeExporter } from './node-exporter.ts';
import { postfix } from './postfix.ts';
import { postgresql } from './postgresql.ts';
import { prometheus } from './prometheus.ts';
import { redis } from './redis.ts';
import type { ServiceKind } from './service-kind.ts';

export const SERVICE_KIND_TABLE = {
  nginx,
  postgresql,
  mysql,
  redis,
  caddy,
  haproxy,
  prometheus,
  grafana,
  'node-exporter': nodeExporter,
  postfix,
  dovecot,
  files,
} as const satisfies Record<ServiceKindName, ServiceKind>;

export function serviceKind(name: ServiceKindName): ServiceKind {
  return SERVICE_KIND_TABLE[name];
}

export const BUILT_KINDS: readonly ServiceKindName[] = SERVICE_KINDS;
