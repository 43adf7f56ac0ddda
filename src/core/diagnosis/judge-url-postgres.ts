/** URLs of PostgreSQL: as libpq reads them, and as SQLAlchemy hands them to psycopg and to asyncpg. All of it was measured. */
import type { TargetUrl } from '../probe/target.ts';
import {
  isAboutTls,
  PLAINTEXT,
  parameter,
  parameterNames,
  reading,
  SILENT,
  shown,
  type UrlReading,
  type UrlVerdict,
} from './url-reading.ts';

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

const USE_LIBPQ = 'Use sslmode=verify-full&sslrootcert=FILE, with the root’s certificate in FILE.';
const USE_ASYNCPG =
  'Use ssl=verify-full, with the root’s certificate named by PGSSLROOTCERT; or pass connect_args={"ssl": ssl.create_default_context(cafile=FILE)}.';

export function readPostgresUrl(url: TargetUrl): UrlReading {
  switch (url.driver) {
    case null:
      return readLibpq(url, 'libpq');
    case 'psycopg2':
    case 'psycopg':
    case 'psycopg_async':
    case 'psycopg2cffi':
      return readLibpq(url, `${url.driver} under SQLAlchemy`);
    case 'asyncpg':
      return readAsyncpg(url);
    default:
      return SILENT;
  }
}

/** libpq's own (34.1.2 of PostgreSQL 18's documentation), and what node-postgres adds. */
const LIBPQ_PARAMETERS = new Set(
  `host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding options
application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout
replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl
sslcrldir sslsni requirepeer ssl_min_protocol_version ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname
gsslib gssdelegation scram_client_key scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer
oauth_client_id oauth_client_secret oauth_scope uselibpqcompat`.split(/\s+/),
);

function readLibpq(url: TargetUrl, driver: string): UrlReading {
  const mode = parameter(url, 'sslmode');
  const invalid = [...invalidNames(url, driver), ...invalidMode(url, mode, driver)];
  if (invalid.length > 0) return reading(...invalid);
  if (mode === 'disable') return PLAINTEXT;
  return reading(libpqWeakness(url, mode ?? (parameter(url, 'ssl') === 'true' ? 'require' : null), driver));
}

function invalidNames(url: TargetUrl, driver: string): UrlVerdict[] {
  const isSqlAlchemy = url.driver !== null;
  return parameterNames(url).flatMap((name): UrlVerdict[] => {
    const value = parameter(url, name);
    // libpq takes JDBC's ssl=true, and nothing else of it; SQLAlchemy does not pass it through a URL.
    if (LIBPQ_PARAMETERS.has(name) || (name === 'ssl' && value === 'true' && !isSqlAlchemy)) return [];
    const what = `${driver} does not know the parameter ${shown(name, value)}, and refuses the URL.`;
    const base = { id: 'url-parameter-invalid', driver, parameter: name, what } as const;
    if (name === 'ssl') return [{ ...base, use: `${USE_LIBPQ} ssl=… is asyncpg’s spelling.` }];
    if (isAboutTls(name)) return [{ ...base, use: USE_LIBPQ }];
    // Frameworks have names of their own, which they take out before they connect.
    if (!isSqlAlchemy)
      return [
        {
          ...base,
          severity: 'warning',
          confidence: 'likely',
          use: `Use it only where your framework takes ${name} out itself.`,
        },
      ];
    return [{ ...base, use: `Use connect_args or create_engine’s arguments for ${name}.` }];
  });
}

function invalidMode(url: TargetUrl, mode: string | null, driver: string): UrlVerdict[] {
  // SQLAlchemy makes a list of what is said twice; libpq takes the last.
  const isTwice = url.driver !== null && url.parameters.filter(([name]) => name === 'sslmode').length > 1;
  if (mode === null || (MODES.includes(mode) && !isTwice)) return [];
  if (mode === 'no-verify')
    return [
      {
        ...{ id: 'url-not-verifying', driver: 'node-postgres', parameter: 'sslmode' },
        what: 'sslmode=no-verify encrypts towards whoever answers: node-postgres verifies nothing with it, and libpq refuses it.',
        use: USE_LIBPQ,
      },
    ];
  const what = isTwice
    ? `sslmode is said twice, which ${driver} takes for one value that is none.`
    : `${driver} knows no sslmode ${JSON.stringify(mode)}, and refuses the URL.`;
  return [{ id: 'url-parameter-invalid', driver, parameter: 'sslmode', what, use: USE_LIBPQ }];
}

/** @param mode null: nothing is said */
function libpqWeakness(url: TargetUrl, mode: string | null, driver: string): UrlVerdict | null {
  const root = parameter(url, 'sslrootcert');
  const named = mode === null ? null : parameter(url, 'sslmode') === null ? 'ssl' : 'sslmode';
  const said =
    mode === null
      ? 'No sslmode is said, and libpq’s default, prefer,'
      : named === 'ssl'
        ? 'ssl=true, which means sslmode=require,'
        : `sslmode=${mode}`;
  const base = { id: 'url-not-verifying', driver, parameter: named, use: USE_LIBPQ } as const;
  // libpq 16: then verify-full is the default, and every weaker mode is refused.
  if (root === 'system' && mode === null)
    return {
      ...{ ...base, severity: 'warning', confidence: 'likely' },
      what: 'sslrootcert=system means verify-full from libpq 16 on; an older one looks for a file of that name and verifies nothing.',
      use: 'Use sslmode=verify-full&sslrootcert=system, which an old libpq refuses instead.',
    };
  switch (mode) {
    case 'verify-full':
      return null;
    case 'verify-ca':
      return {
        ...base,
        severity: 'warning',
        what: 'sslmode=verify-ca verifies the chain and not the name: any server of the same authority passes.',
      };
    case 'require':
      if (root !== null)
        return {
          ...{ ...base, severity: 'warning' },
          what: `${said} with sslrootcert acts as verify-ca where that file exists, and verifies nothing where it does not; the name goes unchecked.`,
        };
      break;
    case 'allow':
      return {
        ...base,
        what: 'sslmode=allow tries plaintext first, and verifies nothing where the server insists on TLS.',
      };
  }
  const bound = parameter(url, 'channel_binding') === 'require';
  const fallsBack = mode === 'require' ? '' : ', and goes on in plaintext where TLS is refused';
  const unless = root === null ? ' (unless the client has a ~/.postgresql/root.crt)' : '';
  return bound
    ? {
        ...base,
        severity: 'warning',
        what: `${said} verifies no certificate; channel_binding=require lets only a server that knows the password go on.`,
      }
    : { ...base, what: `${said} encrypts towards whoever answers${mode === 'require' ? unless : ''}${fallsBack}.` };
}

/** asyncpg.connect's, and what SQLAlchemy's dialect takes for itself. */
const ASYNCPG_PARAMETERS = new Set(
  `dsn host port user password passfile database loop timeout statement_cache_size max_cached_statement_lifetime
max_cacheable_statement_size command_timeout ssl direct_tls connection_class record_class server_settings service servicefile
target_session_attrs krbsrvname gsslib prepared_statement_cache_size prepared_statement_name_func async_fallback async_creator_fn`.split(
    /\s+/,
  ),
);

function readAsyncpg(url: TargetUrl): UrlReading {
  const driver = 'asyncpg under SQLAlchemy';
  const invalid = parameterNames(url)
    .filter((name) => !ASYNCPG_PARAMETERS.has(name) && parameter(url, name) !== '')
    .map((name): UrlVerdict => {
      const what = `${driver} has no argument ${name}: the connection fails with a TypeError.`;
      return {
        ...{ id: 'url-parameter-invalid', driver, parameter: name, what },
        use: isAboutTls(name)
          ? USE_ASYNCPG
          : `Use connect_args for what asyncpg.connect knows; ${name} is not among it.`,
      };
    });
  if (invalid.length > 0) return reading(...invalid);
  // SQLAlchemy drops empty ones.
  const said = parameter(url, 'ssl') || null;
  const mode = said?.replace('_', '-') ?? 'prefer';
  const base = { driver, parameter: said === null ? null : 'ssl', use: USE_ASYNCPG };
  if (!MODES.includes(mode))
    return reading({
      ...{ ...base, id: 'url-parameter-invalid' },
      what: `${driver} knows no ssl=${mode}; it takes ${MODES.join(', ')}.`,
    });
  const weak = { ...base, id: 'url-not-verifying' } as const;
  switch (mode) {
    case 'disable':
      return PLAINTEXT;
    case 'verify-full':
      return SILENT;
    case 'verify-ca':
      return reading({
        ...weak,
        severity: 'warning',
        what: 'ssl=verify-ca verifies the chain and not the name: any server of the same authority passes.',
      });
    case 'allow':
      return reading({
        ...weak,
        what: 'ssl=allow tries plaintext first, and verifies nothing where the server insists on TLS.',
      });
    case 'require':
      return reading({
        ...weak,
        what: 'ssl=require encrypts towards whoever answers (unless the client has a PGSSLROOTCERT or a ~/.postgresql/root.crt).',
      });
    default:
      return reading({
        ...weak,
        what: `${said === null ? 'Nothing is said of TLS, and asyncpg’s default, prefer,' : 'ssl=prefer'} encrypts towards whoever answers, and goes on in plaintext where TLS is refused.`,
      });
  }
}
