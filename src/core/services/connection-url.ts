/**
 * How a client of the stack connects: addresses that authenticate the server by chain and by name, or do not connect at
 * all. None of them holds a secret; user, password and database are the application's, and go in where its library
 * wants them (PGUSER and PGPASSWORD, for instance).
 *
 * What "encrypted" means is the library's: `sslmode=require` and `ssl_cert_reqs=none` encrypt towards whoever answers.
 * Node.js verifies by default, by the roots that NODE_EXTRA_CA_CERTS adds to its own.
 */
import type { ClientSpec, ServiceSpec } from '../stack/stack.ts';
import { formatGeneralName } from '../x509/general-name.ts';
import { hostNames } from './setting.ts';

export interface ConnectionVariable {
  readonly name: string;
  readonly value: string;
}

/** What a client's directory holds, by the names that the addresses use. */
export interface ClientFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export function clientFiles({ directory }: Pick<ClientSpec, 'directory'>): ClientFiles {
  const at = (name: string): string => `${directory.replace(/\/+$/, '')}/${name}`;
  return { ca: at('ca.crt'), certificate: at('client.crt'), key: at('client.key') };
}

/** connection.env, for `EnvironmentFile=`, `. connection.env` and dotenv alike: an address has &, so values are quoted. */
export function connectionEnv(client: ClientSpec, services: readonly ServiceSpec[]): string {
  const connected = client.connects.flatMap((name) => services.filter((service) => service.name === name));
  const parts = connected.map((service) => [`# ${service.name}`, ...serviceVariables(client, service).map(line)]);
  return [
    `# Written by fullchain for the client "${client.name}": changes here are overwritten. No secrets are in here.`,
    ...sharedVariables(client, connected).map(line),
    ...parts.flat(),
    '',
  ].join('\n');
}

function line({ name, value }: ConnectionVariable): string {
  return value.includes("'") ? `${name}="${value}"` : `${name}='${value}'`;
}

/** What libraries read by themselves. Nothing here takes the public authorities away from other connections. */
export function sharedVariables(client: ClientSpec, services: readonly ServiceSpec[]): ConnectionVariable[] {
  const { ca, certificate, key } = clientFiles(client);
  const toPostgres = services.filter(({ kind }) => kind === 'postgresql');
  return [
    { name: 'NODE_EXTRA_CA_CERTS', value: ca },
    ...(toPostgres.length === 0
      ? []
      : [
          { name: 'PGSSLMODE', value: 'verify-full' },
          { name: 'PGSSLROOTCERT', value: ca },
          { name: 'PGSSLCERT', value: certificate },
          { name: 'PGSSLKEY', value: key },
        ]),
  ];
}

/** NAME_HOST, NAME_PORT, NAME_URL, and what else libraries want for this kind; NAME is the service's, in capitals. */
export function serviceVariables(client: ClientSpec, service: ServiceSpec): ConnectionVariable[] {
  if (service.address === null) return [];
  const prefix = service.name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  const host = reachableName(service);
  return Object.entries({
    HOST: host,
    PORT: String(service.address.port),
    ...urls(service, authority(host, service.address.port), clientFiles(client), client),
  }).map(([suffix, value]) => ({ name: `${prefix}_${suffix}`, value }));
}

/**
 * Addresses by what takes them. The certificate is in them also where no service asks for it yet: it is shown only to one that asks, and
 * that may begin while applications run that have read their environment long before.
 */
function urls(
  service: ServiceSpec,
  where: string,
  { ca, certificate, key }: ClientFiles,
  client: ClientSpec,
): Readonly<Record<string, string>> {
  switch (service.kind) {
    case 'postgresql': {
      // Where only named users get in, the certificate's name is the user.
      const user = service.clients.kind === 'required-names' ? `${encodeURIComponent(firstName(client))}@` : '';
      const libpq = { sslmode: 'verify-full', sslrootcert: ca, sslcert: certificate, sslkey: key };
      return {
        // libpq, psycopg, asyncpg, node-postgres.
        URL: `postgresql://${user}${where}/${query(libpq)}`,
        // SQLAlchemy hands asyncpg no paths: those come from PGSSLROOTCERT, PGSSLCERT and PGSSLKEY, or it refuses.
        SQLALCHEMY_URL: `postgresql+asyncpg://${user}${where}/?ssl=verify-full`,
      };
    }
    case 'redis':
      return {
        // redis-py; ioredis and node-redis take no notice of the rest and verify by NODE_EXTRA_CA_CERTS.
        URL: `rediss://${where}/0${query({
          ssl_cert_reqs: 'required',
          ssl_ca_certs: ca,
          ssl_check_hostname: 'true',
          ssl_certfile: certificate,
          ssl_keyfile: key,
        })}`,
      };
    case 'mysql': {
      // MariaDB asks everybody, and without roots to verify by it refuses whoever answers (measured with 10.11).
      const shown = service.clients.kind !== 'none';
      return {
        // MySQL Shell and connectors with MySQL's own names.
        URL: `mysql://${where}/${query({
          'ssl-mode': 'VERIFY_IDENTITY',
          'ssl-ca': ca,
          ...(shown && { 'ssl-cert': certificate, 'ssl-key': key }),
        })}`,
        SQLALCHEMY_URL: `mysql+pymysql://${where}/${query({
          ssl_ca: ca,
          ssl_check_hostname: 'true',
          ...(shown && { ssl_cert: certificate, ssl_key: key }),
        })}`,
        // Verifies by NODE_EXTRA_CA_CERTS, and the name only when told to.
        MYSQL2_URL: `mysql://${where}/${query({ ssl: '{"rejectUnauthorized":true,"verifyIdentity":true}' })}`,
      };
    }
    case 'postfix':
    case 'dovecot':
    case 'files':
      return {};
    default:
      return { URL: `https://${where}/` };
  }
}

/** The address where it is one of the certificate's names; else the first name, which has to lead there. */
export function reachableName({ address, names }: ServiceSpec): string {
  const known = hostNames(names).filter((name) => !name.startsWith('*.'));
  return address !== null && known.includes(address.host) ? address.host : (known[0] ?? address?.host ?? '');
}

function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function firstName({ names, name }: ClientSpec): string {
  return names[0] ? formatGeneralName(names[0]) : name;
}

/** Slashes stay as they are: libraries differ in what they decode, and all of them read a path as it stands. */
function query(parameters: Readonly<Record<string, string>>): string {
  const parts = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2F', '/')}`,
  );
  return `?${parts.join('&')}`;
}
