/** URLs of Redis: as redis-py reads them, which has names for TLS; ioredis and node-redis take none from a URL. */
import type { TargetUrl } from '../probe/target.ts';
import {
  isAboutTls,
  parameter,
  parameterNames,
  reading,
  shown,
  type UrlReading,
  type UrlVerdict,
} from './url-reading.ts';

const USE =
  'Use rediss://…?ssl_ca_certs=FILE&ssl_check_hostname=true; ioredis and node-redis verify by NODE_EXTRA_CA_CERTS.';
const driver = 'redis-py';

/** Of redis-py's SSLConnection, up to version 6. */
const TLS_PARAMETERS = new Set(
  `ssl_keyfile ssl_certfile ssl_cert_reqs ssl_ca_certs ssl_ca_data ssl_ca_path ssl_check_hostname ssl_password
ssl_validate_ocsp ssl_validate_ocsp_stapled ssl_ocsp_context ssl_ocsp_expected_cert ssl_min_version ssl_ciphers ssl_include_verify_flags
ssl_exclude_verify_flags`.split(/\s+/),
);

export function readRedisUrl(url: TargetUrl): UrlReading {
  // An empty value is as if it were not there.
  const names = parameterNames(url).filter((name) => parameter(url, name) !== '');
  if (url.scheme === 'redis') return readPlain(url, names);
  const invalid = [
    ...names.filter((name) => isAboutTls(name) && !TLS_PARAMETERS.has(name)).map((name) => unknown(url, name)),
    badRequirement(url),
  ];
  const known = invalid.filter((verdict) => verdict !== null);
  if (known.length > 0) return reading(...known);
  const checksName = flag(parameter(url, 'ssl_check_hostname'));
  const requirement = parameter(url, 'ssl_cert_reqs');
  const base = { id: 'url-not-verifying', driver, use: USE } as const;
  if (requirement === 'none')
    return checksName
      ? reading({
          ...{ id: 'url-parameter-invalid', driver, parameter: 'ssl_cert_reqs', use: USE },
          what: 'ssl_cert_reqs=none and ssl_check_hostname=true contradict each other, and redis-py refuses to connect.',
        })
      : reading({ ...base, parameter: 'ssl_cert_reqs', what: 'ssl_cert_reqs=none encrypts towards whoever answers.' });
  if (checksName) return reading();
  if (checksName === false)
    return reading({
      ...{ ...base, severity: 'warning', parameter: 'ssl_check_hostname' },
      what: 'ssl_check_hostname=false leaves the name unchecked: any server of the same authority passes.',
    });
  return reading({
    ...{ ...base, severity: 'warning', confidence: 'likely', parameter: null },
    what: 'Without ssl_check_hostname=true redis-py before version 6 verifies the chain and not the name: any server of the same authority passes.',
  });
}

function readPlain(url: TargetUrl, names: readonly string[]): UrlReading {
  // To ioredis any text behind "tls" means TLS; redis-py refuses it.
  const tls = names.includes('tls');
  const verdicts = names
    .filter((name) => isAboutTls(name))
    .map(
      (name): UrlVerdict => ({
        ...{ id: 'url-parameter-invalid', driver, parameter: name, use: `${USE} It is the scheme that decides.` },
        ...(name === 'tls' && { severity: 'warning', confidence: 'likely' }),
        what:
          name === 'tls'
            ? 'tls=… in a redis:// URL means TLS to ioredis alone; redis-py refuses it.'
            : `redis:// is plaintext: redis-py refuses ${shown(name, parameter(url, name))} there, and others pass it over.`,
      }),
    );
  return { plaintext: !tls, verdicts };
}

function unknown(url: TargetUrl, name: string): UrlVerdict {
  return {
    ...{ id: 'url-parameter-invalid', driver, parameter: name, use: USE },
    what: `redis-py does not know ${shown(name, parameter(url, name))} and fails with a TypeError; ioredis passes it over.`,
  };
}

function badRequirement(url: TargetUrl): UrlVerdict | null {
  const value = parameter(url, 'ssl_cert_reqs');
  if (value === null || ['', 'none', 'optional', 'required'].includes(value)) return null;
  // Celery’s names for the same.
  const isCelery = value.startsWith('CERT_');
  return {
    ...{ id: 'url-parameter-invalid', driver, parameter: 'ssl_cert_reqs', ...(isCelery && { confidence: 'likely' }) },
    what: `redis-py knows no ssl_cert_reqs=${value}${isCelery ? '; Celery does' : ''}: it takes none, optional and required.`,
    use: 'Use ssl_cert_reqs=required, which is also the default.',
  };
}

/** As redis-py reads it; null: nothing is said. */
function flag(value: string | null): boolean | null {
  return value === null || value === '' ? null : !['0', 'F', 'FALSE', 'N', 'NO'].includes(value.toUpperCase());
}
