/**
 * URLs of MySQL and MariaDB. Without a driver in the scheme, the spelling of the parameters tells whose they are: ssl-mode of
 * MySQL itself, ssl={…} of mysql2, ssl_ca of SQLAlchemy. PyMySQL and mysql2 were measured; what was only read is "likely".
 */
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

const USE_MYSQL = 'Use ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE, with the root’s certificate in FILE.';
const USE_MYSQL2 =
  'Use ssl={"rejectUnauthorized":true,"verifyIdentity":true}, with the root named by NODE_EXTRA_CA_CERTS.';
const USE_ALCHEMY = 'Use ssl_ca=FILE&ssl_check_hostname=true, with the root’s certificate in FILE.';
const USE_CONTEXT = 'Use connect_args={"ssl": ssl.create_default_context(cafile=FILE)}: a URL cannot say it.';

export function readMysqlUrl(url: TargetUrl): UrlReading {
  switch (url.driver) {
    case null:
      return readUnnamed(url);
    case 'pymysql':
      return readPyMysql(url);
    case 'aiomysql':
    case 'asyncmy':
      return readAioMysql(url, `${url.driver} under SQLAlchemy`);
    case 'mysqldb':
      return readMysqlClient(url);
    default:
      return SILENT;
  }
}

function readUnnamed(url: TargetUrl): UrlReading {
  const names = parameterNames(url).filter(isAboutTls);
  if (names.includes('ssl')) return readMysql2(url);
  if (names.some((name) => OWN_PARAMETERS.has(name))) return readOwn(url, names);
  if (names.some((name) => ALCHEMY_PARAMETERS.includes(name))) return readMysqlClient(url);
  if (names.length > 0)
    return reading(
      ...names.map(
        (name): UrlVerdict => ({
          ...{ id: 'url-parameter-invalid', confidence: 'likely', driver: 'mysql2', parameter: name },
          what: `No driver of MySQL that takes a URL is known to know ${shown(name, parameter(url, name))}; mysql2 passes it over and speaks plaintext.`,
          use: `${USE_MYSQL} Of mysql2: ${USE_MYSQL2} Of SQLAlchemy: ${USE_ALCHEMY}`,
        }),
      ),
    );
  return reading({
    ...{ id: 'url-not-verifying', confidence: 'likely', driver: 'libmysqlclient', parameter: null },
    what: 'Nothing is said of TLS: MySQL’s own client library encrypts towards whoever answers, mysql2 and PyMySQL not at all.',
    use: `${USE_MYSQL} Of mysql2: ${USE_MYSQL2}`,
  });
}

/** MySQL Shell and MySQL's own connectors. */
const OWN_PARAMETERS = new Set([
  ...['ssl-mode', 'ssl-ca', 'ssl-capath', 'ssl-cert', 'ssl-key', 'ssl-crl', 'ssl-crlpath', 'ssl-cipher'],
  ...['tls-version', 'tls-versions', 'tls-ciphersuites'],
]);

function readOwn(url: TargetUrl, names: readonly string[]): UrlReading {
  const driver = 'MySQL’s own connectors';
  const strangers = names.filter((name) => !OWN_PARAMETERS.has(name));
  if (strangers.length > 0)
    return reading(
      ...strangers.map(
        (name): UrlVerdict => ({
          ...{ id: 'url-parameter-invalid', confidence: 'likely', driver, parameter: name, use: USE_MYSQL },
          what: `${driver} do not know ${shown(name, parameter(url, name))}.`,
        }),
      ),
    );
  return modeVerdict(
    driver,
    'ssl-mode',
    parameter(url, 'ssl-mode'),
    parameter(url, 'ssl-ca', 'ssl-capath') !== null,
    USE_MYSQL,
  );
}

function modeVerdict(driver: string, name: string, value: string | null, hasRoot: boolean, use: string): UrlReading {
  const base = { id: 'url-not-verifying', driver, parameter: value === null ? null : name, use } as const;
  switch (value?.toUpperCase() ?? null) {
    case 'DISABLED':
      return PLAINTEXT;
    case 'VERIFY_IDENTITY':
      return SILENT;
    case 'VERIFY_CA':
      return reading({
        ...base,
        severity: 'warning',
        what: `${name}=VERIFY_CA verifies the chain and not the name: any server of the same authority passes.`,
      });
    case 'REQUIRED':
      return reading({ ...base, what: `${name}=REQUIRED encrypts towards whoever answers.` });
    case 'PREFERRED':
      return reading({
        ...base,
        what: `${name}=PREFERRED encrypts towards whoever answers, and goes on in plaintext where TLS is refused.`,
      });
    case null:
      return hasRoot
        ? reading({
            ...base,
            severity: 'warning',
            confidence: 'likely',
            what: `Without ${name}, a root means VERIFY_CA at most: the name goes unchecked.`,
          })
        : reading({
            ...base,
            confidence: 'likely',
            what: `Without ${name}, PREFERRED is meant: it encrypts towards whoever answers.`,
          });
    default:
      return reading({
        ...{ id: 'url-parameter-invalid', driver, parameter: name, use },
        what: `${name} is not ${JSON.stringify(value)}, but one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY.`,
      });
  }
}

/** Every value is JSON where it can be; a text names a profile. */
function readMysql2(url: TargetUrl): UrlReading {
  const driver = 'mysql2';
  const text = parameter(url, 'ssl') ?? '';
  const value = parsed(text);
  if (value === false || value === null || value === 0 || value === '') return PLAINTEXT;
  const base = { driver, parameter: 'ssl', use: USE_MYSQL2 };
  if (typeof value !== 'object' && value !== 'Amazon RDS')
    return reading({
      ...{ ...base, id: 'url-parameter-invalid' },
      what: `${driver} takes an object or the name of a profile for ssl, and refuses ${JSON.stringify(value)}.`,
    });
  const options = typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : {};
  if (options.rejectUnauthorized === false)
    return reading({
      ...base,
      id: 'url-not-verifying',
      what: '"rejectUnauthorized":false encrypts towards whoever answers.',
    });
  return options.verifyIdentity
    ? SILENT
    : reading({
        ...{ ...base, id: 'url-not-verifying', severity: 'warning' },
        what: 'Without "verifyIdentity":true mysql2 verifies the chain and not the name: any server of the same authority passes.',
      });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return text;
    throw cause;
  }
}

/** SQLAlchemy gathers these into one argument for its drivers of MySQL. */
const ALCHEMY_PARAMETERS = ['ssl_ca', 'ssl_key', 'ssl_cert', 'ssl_capath', 'ssl_cipher', 'ssl_check_hostname'];

function readPyMysql(url: TargetUrl): UrlReading {
  const driver = 'PyMySQL under SQLAlchemy';
  // SQLAlchemy drops empty ones.
  const names = parameterNames(url).filter((name) => isAboutTls(name) && parameter(url, name) !== '');
  const base = { driver, use: USE_ALCHEMY };
  const refused = names
    .filter((name) => ![...ALCHEMY_PARAMETERS, ...OVERRIDING, 'ssl_disabled'].includes(name))
    .map(
      (name): UrlVerdict => ({
        ...{ ...base, id: 'url-parameter-invalid', parameter: name },
        what:
          name === 'ssl'
            ? `${driver} takes no text for ssl, and fails with an AttributeError.`
            : `${driver} has no argument ${name}: the connection fails with a TypeError.`,
      }),
    );
  if (refused.length > 0) return reading(...refused);
  if (names.includes('ssl_disabled')) {
    const value = parameter(url, 'ssl_disabled') ?? '';
    const verdict: UrlVerdict = {
      ...{ ...base, id: 'url-parameter-invalid', parameter: 'ssl_disabled' },
      what: `${driver} takes any text for ssl_disabled as yes, ${JSON.stringify(value)} too, and speaks plaintext.`,
    };
    return { plaintext: true, verdicts: isNo(value) ? [verdict] : [] };
  }
  const overriding = names.filter((name) => OVERRIDING.includes(name));
  if (overriding.length > 0)
    return reading(
      ...overriding.map(
        (name): UrlVerdict => ({
          ...{ ...base, id: 'url-parameter-invalid', parameter: name },
          what: `${shown(name, parameter(url, name))} puts ssl_ca out of force: ${driver} then verifies by other roots, or nothing, and never the name.`,
        }),
      ),
    );
  if (names.length === 0) return PLAINTEXT;
  const weak = { ...base, id: 'url-not-verifying' } as const;
  if (!names.includes('ssl_ca') && !names.includes('ssl_capath'))
    return reading({
      ...weak,
      parameter: names[0] ?? null,
      what: `Without ssl_ca, ${driver} encrypts towards whoever answers.`,
    });
  return isNo(parameter(url, 'ssl_check_hostname') ?? '')
    ? reading({
        ...{ ...weak, severity: 'warning', parameter: 'ssl_check_hostname' },
        what: 'The name goes unchecked: any server of the same authority passes.',
      })
    : SILENT;
}

const OVERRIDING = ['ssl_verify_cert', 'ssl_verify_identity'];

function isNo(value: string): boolean {
  return ['0', 'f', 'false', 'n', 'no', 'off'].includes(value.toLowerCase());
}

/** They want an SSLContext where SQLAlchemy gives what the URL says. */
function readAioMysql(url: TargetUrl, driver: string): UrlReading {
  const names = parameterNames(url).filter((name) => isAboutTls(name) && parameter(url, name) !== '');
  if (names.length === 0) return PLAINTEXT;
  return reading({
    ...{ id: 'url-parameter-invalid', confidence: 'likely', driver, parameter: names[0] ?? null, use: USE_CONTEXT },
    what: `${driver} wants an SSLContext, which ${names.join(', ')} in a URL cannot be.`,
  });
}

function readMysqlClient(url: TargetUrl): UrlReading {
  const driver = 'mysqlclient under SQLAlchemy';
  const own = ['ssl_mode', ...ALCHEMY_PARAMETERS];
  const strangers = parameterNames(url).filter((name) => isAboutTls(name) && !own.includes(name));
  const use = 'Use ssl_mode=VERIFY_IDENTITY&ssl_ca=FILE, with the root’s certificate in FILE.';
  if (strangers.length > 0)
    return reading(
      ...strangers.map(
        (name): UrlVerdict => ({
          ...{ id: 'url-parameter-invalid', confidence: 'likely', driver, parameter: name, use },
          what: `${driver} has no argument ${name}: the connection fails with a TypeError.`,
        }),
      ),
    );
  const hasRoot = parameter(url, 'ssl_ca', 'ssl_capath') !== null;
  return modeVerdict(driver, 'ssl_mode', parameter(url, 'ssl_mode'), hasRoot, use);
}
