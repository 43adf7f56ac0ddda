/**
 * Where each kind of service logs, and what it says there of its own configuration: an operator's knowledge, one row a kind.
 * What a process that runs holds open, and its unit's journal, need no row.
 */
import { setting } from '../services/setting.ts';
import type { ServiceKindName, ServiceSpec } from '../stack/stack.ts';
import { plainPostgresLines } from './postgres-log.ts';

export interface LogHabits {
  /** Configuration that names logs; of a directory, the files in it. */
  readonly configuration: (service: ServiceSpec) => readonly string[];
  /** Group 1 is the log's path. */
  readonly directive: RegExp | null;
  /** Group 1 is the directory where names without a slash in front begin. */
  readonly directory?: RegExp;
  /** Logs that are there without being named. */
  readonly usual: (service: ServiceSpec) => readonly string[];
  /** Units of systemd that it usually runs in; for one that runs, its own is known. */
  readonly units: readonly string[];
  /** Said while the service takes up its configuration, and never of a client's request; null: it cannot be told. */
  readonly loads: RegExp | null;
  /** What it writes without a time, at the time of the line before; absent: a line without one is not used. */
  readonly undated?: RegExp;
  /** Where its log may be of another form than text. */
  readonly plain?: (lines: readonly string[]) => string[];
  /** A start or reload begins, or went well: what stands before is of another time. */
  readonly begins: RegExp | null;
}

const NONE = (): readonly string[] => [];

/** Programs that write to standard error, wherever that leads. */
const TO_STDERR: Pick<LogHabits, 'directive' | 'usual' | 'configuration'> = {
  configuration: NONE,
  directive: null,
  usual: NONE,
};

export const LOG_HABITS: Readonly<Record<ServiceKindName, LogHabits>> = {
  nginx: {
    configuration: (service) => [option(service, '-c') ?? '/etc/nginx/nginx.conf', ...settingOf(service, 'config')],
    directive: /^\s*error_log\s+([^\s;]{1,400})/gm,
    usual: (service) => [option(service, '-e') ?? '/var/log/nginx/error.log'],
    units: ['nginx.service'],
    // "*12" is the number of a connection: then a client is spoken of.
    loads: /^(?:nginx: \[emerg\] |[\d/]+ [\d:]+ \[emerg\] \d+#\d+: )(?!\*)/,
    begins: /\[notice\] \d+#\d+: (?:reconfiguring|start worker process)/,
  },
  postgresql: {
    // Kept by its logging collector; without one, its standard error tells, or Debian's place.
    configuration: (service) => settingOf(service, 'data').map((data) => `${data}/current_logfiles`),
    directive: /^(?:stderr|csvlog|jsonlog) (\S{1,400})$/gm,
    usual: debianClusterLog,
    plain: plainPostgresLines,
    units: ['postgresql@*.service', 'postgresql.service'],
    loads:
      /(?:LOG|FATAL): {1,2}(?:could not (?:load|open|access|read|set|create)|private key file|check of private key failed|SSL)\b(?!.*(?:LOG|FATAL|ERROR): {2})/,
    begins: /LOG: {1,2}(?:received SIGHUP, reloading|starting PostgreSQL|database system is ready to accept)/,
  },
  mysql: {
    configuration: (service) =>
      settingOf(service, 'config').flatMap((config) => [config, `${config}/../my.cnf`, '/etc/mysql/my.cnf']),
    directive: /^\s*log[-_]error\s*=\s*([^\s#]{1,400})/gm,
    directory: /^\s*datadir\s*=\s*([^\s#]{1,400})/m,
    usual: () => ['/var/log/mysql/error.log'],
    units: ['mariadb.service', 'mysql.service', 'mysqld.service'],
    loads:
      /(?:\[(?:ERROR|Warning)\] (?:\[MY-\d+\] )?(?:\[Server\] )?|^)(?:SSL error|Failed to set ?up SSL|CA certificate)/,
    undated: /^SSL error: /,
    begins: /starting as process|Starting MariaDB/,
  },
  redis: {
    configuration: (service) => settingOf(service, 'config'),
    directive: /^\s*logfile\s+"?([^\s"]{1,400})/gm,
    directory: /^\s*dir\s+"?([^\s"]{1,400})/m,
    usual: NONE,
    units: ['redis-server.service', 'redis.service', 'valkey-server.service', 'valkey.service'],
    loads: /^\d+:[A-Z] .{20,30} # (?:Failed to|Either tls-)/,
    begins: /Redis is starting|Valkey is starting|Server initialized|Ready to accept connections/,
  },
  haproxy: {
    configuration: NONE,
    directive: null,
    usual: () => ['/var/log/haproxy.log'],
    units: ['haproxy.service'],
    loads: /\[(?:ALERT|WARNING)\] .{0,40}: config : /,
    begins: /New worker .{0,40}forked|Loading success/,
  },
  postfix: {
    configuration: (service) => settingOf(service, 'config'),
    directive: /^maillog_file\s*=\s*(\S{1,400})/gm,
    usual: () => ['/var/log/mail.log'],
    units: ['postfix@-.service', 'postfix.service'],
    loads:
      /\/smtpd\[\d+\]: (?:warning|fatal|error): (?:cannot (?:get|load)|error loading|.{0,40}No (?:server )?cert|TLS library problem)/,
    begins: /\/master\[\d+\]: (?:daemon started|reload)/,
  },
  dovecot: {
    configuration: (service) => settingOf(service, 'config'),
    directive: /^\s*(?:log_path|error_log_path)\s*=\s*(\/\S{1,400})/gm,
    usual: () => ['/var/log/mail.log'],
    units: ['dovecot.service'],
    loads:
      /(?:Error|Fatal): (?:.{0,80}(?:Failed to initialize SSL|Can't load SSL|Couldn't (?:initialize|parse)|ssl_(?:server_)?(?:cert|key)))/,
    begins: /Dovecot v\S+ .{0,40}starting up|SIGHUP received/,
  },
  caddy: {
    ...TO_STDERR,
    units: ['caddy.service'],
    loads: /^(?!.{0,200}"logger":"http\.log)\{"level":"(?:error|fatal)"|^Error: /,
    begins: /"msg":"(?:using config from file|autosaved config|serving initial configuration)/,
  },
  prometheus: {
    ...TO_STDERR,
    units: ['prometheus.service'],
    loads: /level=(?:error|ERROR)\b.{0,200}(?:X509|TLS|tls|cert)/,
    begins: /Server is ready to receive|Starting Prometheus/,
  },
  grafana: {
    configuration: NONE,
    directive: null,
    usual: () => ['/var/log/grafana/grafana.log'],
    units: ['grafana-server.service', 'grafana.service'],
    loads: /level=error\b(?!.{0,200}\bmethod=).{0,200}(?:cert|key|TLS|tls)/,
    begins: /HTTP Server Listen|Starting Grafana/,
  },
  'node-exporter': {
    ...TO_STDERR,
    units: ['prometheus-node-exporter.service', 'node_exporter.service'],
    loads: /level=(?:error|ERROR)\b.{0,200}(?:X509|TLS|tls|cert)/,
    begins: /Starting node_exporter|TLS is enabled/,
  },
  files: { ...TO_STDERR, units: [], loads: null, begins: null },
};

/** What the stack file reloads or restarts goes before what is usual. */
export function usualUnits({ kind, reload, restart }: ServiceSpec): readonly string[] {
  const declared = /\bsystemctl\s+(?:-\S+\s+)*(?:try-)?(?:reload|restart|reload-or-restart)\s+([\w@:.\\-]+)/.exec(
    `${reload ?? ''}\n${restart ?? ''}`,
  )?.[1];
  if (declared === undefined) return LOG_HABITS[kind].units;
  return [/\.\w+$/.test(declared) ? declared : `${declared}.service`];
}

/** Named in text of a service's configuration. */
export function namedLogs({ kind }: ServiceSpec, configuration: string): string[] {
  const { directive, directory } = LOG_HABITS[kind];
  if (directive === null) return [];
  const within = directory?.exec(configuration)?.[1];
  return [...configuration.matchAll(directive)].map(([, path = '']) =>
    within === undefined || path.startsWith('/') ? path : `${within}/${path}`,
  );
}

/** Where names without a slash in front begin; null: where the process works. */
export function baseOf(service: ServiceSpec): string | null {
  return service.kind === 'nginx' ? option(service, '-p') : setting(service, 'data');
}

/** Of the command by which the stack file says that nginx is called. */
function option(service: ServiceSpec, name: '-c' | '-e' | '-p'): string | null {
  const words = setting(service, 'command')?.split(/\s+/) ?? [];
  return words[words.indexOf(name) + 1 || words.length] ?? null;
}

function settingOf(service: ServiceSpec, name: string): readonly string[] {
  const path = setting(service, name);
  return path === null ? [] : [path];
}

/** /etc/postgresql/15/main logs to postgresql-15-main.log. */
function debianClusterLog(service: ServiceSpec): readonly string[] {
  const [, version, name] = /^\/etc\/postgresql\/([\d.]+)\/([\w.-]+)\/?$/.exec(setting(service, 'config') ?? '') ?? [];
  return version === undefined ? [] : [`/var/log/postgresql/postgresql-${version}-${name}.log`];
}
