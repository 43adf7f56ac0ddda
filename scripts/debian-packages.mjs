/**
 * The Debian packages that tests against real programs need, and their installation for a test run: no service is
 * started or enabled by it, and what is installed already stays at its version. Runs on any Node since 18.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Package → what needs it. */
export const DEBIAN_PACKAGES = {
  'nginx-light': 'serves webroots and our certificates',
  certbot: 'ACME client',
  caddy: 'ACME client and web server',
  lego: 'ACME client',
  dehydrated: 'ACME client',
  uacme: 'ACME client',
  pebble: 'ACME server, the second opinion for our own client',
  'libnss3-tools': 'certutil: the NSS trust store',
  curl: 'checks chains as an HTTPS client',
  openssl: 'second opinion on everything signed',
  bind9: 'a DNS server that takes updates',
  faketime: 'certificates seen from another day',
  'gnutls-bin': 'second TLS implementation',
  iproute2: 'ss: who listens where',
  strace: 'in which order files are synced',
  'python3-cryptography-vectors': 'test vectors of X.509',
  postgresql: 'a service brought to TLS',
  'redis-server': 'a service brought to TLS',
  'mariadb-server': 'a service brought to TLS',
  haproxy: 'a service brought to TLS',
  prometheus: 'a service brought to TLS',
  'prometheus-node-exporter': 'a service brought to TLS',
  postfix: 'a service brought to TLS',
  'dovecot-imapd': 'a service brought to TLS',
  slapd: 'a server of LDAP that is looked at',
  vsftpd: 'a server of FTP that is looked at',
  prosody: 'a server of XMPP that is looked at',
  sslscan: 'second opinion on what a server takes',
  'testssl.sh': 'second opinion on what a server takes',
  wget: 'words of GnuTLS’ errors',
  'prometheus-blackbox-exporter': 'words of Go’s errors, and the probe that ours is measured beside',
  'python3-asyncpg': 'client of PostgreSQL that takes our URLs',
  'python3-sqlalchemy': 'client of databases that takes our URLs',
  'python3-psycopg2': 'client of PostgreSQL that takes our URLs',
  'python3-redis': 'client of Redis that takes our URLs',
  'python3-pymysql': 'client of MariaDB that takes our URLs',
};

const POLICY = '/usr/sbin/policy-rc.d';
const SAVED_POLICY = `${POLICY}.before-fullchain-tests`;
const OUR_POLICY =
  '#!/bin/sh\n# Of the tests of Fullchain, for the time of an installation: nothing is started.\nexit 101\n';

/** The packages that are not installed; all of them where there is no dpkg. */
export function missingPackages() {
  const installed = installedPackages();
  return Object.keys(DEBIAN_PACKAGES).filter((name) => !installed.has(name));
}

function installedPackages() {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n'], { encoding: 'utf8' });
  const lines = (stdout ?? '').split('\n').filter((line) => line.endsWith(' installed'));
  return new Set(lines.map((line) => line.slice(0, line.indexOf(' '))));
}

export function canInstall() {
  return process.getuid?.() === 0 && isCommand('/usr/bin/apt-get');
}

/**
 * Installs what is missing.
 * @param {readonly string[]} names
 * @param {(line: string) => void} print
 * @returns {readonly string[]} those that could not be installed
 */
export function installPackages(names, print) {
  return withoutServices(() => {
    const before = installedPackages();
    if (!apt('install', names)) {
      // Package lists that are missing, or older than the mirror's packages, are the usual cause.
      print('That failed; again after apt-get update …');
      apt('update', []);
      const available = names.filter(hasCandidate);
      if (available.length > 0) apt('install', available, print);
    }
    const after = installedPackages();
    disableUnits([...after].filter((name) => !before.has(name)));
    return names.filter((name) => !after.has(name));
  });
}

/** @returns {boolean} whether it succeeded; if not and `print` is given, it gets apt's words */
function apt(verb, names, print) {
  const options = [
    '-q',
    '-y',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-o',
    'Dpkg::Options::=--force-confdef',
    '-o',
    'Dpkg::Options::=--force-confold',
  ];
  const { status, stdout, stderr } = spawnSync('apt-get', [...options, verb, ...names], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) print?.(`${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n'));
  return status === 0;
}

function hasCandidate(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return /Candidate: (?!\(none\))/.test(stdout ?? '');
}

/** Debian asks policy-rc.d before it starts a service; 101 means no. A policy of the machine's own comes back. */
function withoutServices(work) {
  // Ctrl-C ends apt-get, which has it from the terminal; this process still has to put the policy back.
  const wait = () => {};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, wait);
  if (isOurPolicy()) rmSync(POLICY);
  else if (existsSync(POLICY) && !existsSync(SAVED_POLICY)) renameSync(POLICY, SAVED_POLICY);
  writeFileSync(POLICY, OUR_POLICY, { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(POLICY, { force: true });
    if (existsSync(SAVED_POLICY)) renameSync(SAVED_POLICY, POLICY);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, wait);
  }
}

function isOurPolicy() {
  return existsSync(POLICY) && readFileSync(POLICY, 'utf8') === OUR_POLICY;
}

/** Debian enables what it installs; without this, nginx would be there after the next boot. */
function disableUnits(names) {
  if (names.length === 0 || !isCommand('/usr/bin/systemctl')) return;
  const { stdout } = spawnSync('dpkg', ['-L', ...names], { encoding: 'utf8' });
  const units = [
    ...(stdout ?? '').matchAll(/^\/(?:usr\/)?lib\/systemd\/system\/([^/@]+\.(?:service|timer|socket))$/gm),
  ].map((match) => match[1]);
  if (units.length > 0)
    spawnSync('systemctl', ['--quiet', 'disable', ...units], {
      stdio: 'ignore',
      env: { ...process.env, SYSTEMD_OFFLINE: '1' },
    });
}

function isCommand(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
