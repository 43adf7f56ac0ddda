/** Running the authority until it is stopped: made first if the state is new. */
import pino from 'pino';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isInitialised } from '../../edge/files/state-directory.ts';
import { type ListenAddress, parseListenAddress } from '../../edge/http/listener.ts';
import { requireInitialised } from '../authority-files.ts';
import { type Context, passwordSource } from '../cli/context.ts';
import { paint } from '../cli/fault-output.ts';
import type { UpFlags } from '../cli/up.ts';
import { type AuthorityConfig, readConfig } from '../config.ts';
import { databaseFault } from '../open-state.ts';
import { type RunningAuthority, startAuthority } from '../programs/authority.ts';
import { type Initialised, initialise } from '../programs/initialise.ts';
import { initialiseOptions } from './initialise-options.ts';

export async function runAuthority(context: Context, flags: UpFlags, initialising: boolean): Promise<void> {
  const { paths } = context;
  const initialised = initialising && !isInitialised(paths) ? await initialise(paths, initialiseOptions(flags)) : null;
  requireInitialised(paths);
  const config = withFlags(readConfig(paths.config), flags);
  const logger = pino(
    {
      level: context.quiet ? 'error' : 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['req.headers.authorization'],
    },
    pino.destination({ fd: 2, sync: true }),
  );
  // Before the start: a signal that comes while it starts ends it as cleanly as a later one.
  const stopped = stopSignal();
  const authority = await startAuthority({
    paths,
    config,
    listen: addressOf(config.listen),
    httpListen: config.httpListen === null ? null : addressOf(config.httpListen),
    password: passwordSource(flags.passwordFile, 'FULLCHAIN_PASSWORD', flags.askPassword === true),
    acceptClock: flags.acceptClock === true,
    logger,
  }).catch((fault: unknown) => {
    throw databaseFault(fault, paths.database);
  });
  announce(context, authority, initialised);
  await stopped;
  await authority.stop();
}

/** Flags hold for this run; the file keeps what was chosen at the start. */
function withFlags(config: AuthorityConfig, flags: UpFlags): AuthorityConfig {
  return {
    ...config,
    listen: flags.listen ?? config.listen,
    httpListen: flags.httpListen ?? config.httpListen,
    dnsNames: flags.dns ?? config.dnsNames,
    validation: {
      resolvers: flags.resolver ?? config.validation.resolvers,
      httpPort: flags.http01Port ?? config.validation.httpPort,
      tlsAlpnPort: flags.tlsAlpn01Port ?? config.validation.tlsAlpnPort,
      denyAddresses: flags.denyAddresses ?? config.validation.denyAddresses,
      allowAddresses: flags.allowAddresses ?? config.validation.allowAddresses,
    },
  };
}

function addressOf(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (address === null) throw new OperatorFault('usage', `${JSON.stringify(text)} is not HOST:PORT`);
  return address;
}

function announce(context: Context, authority: RunningAuthority, initialised: Initialised | null): void {
  const { paths } = context;
  if (context.json) {
    process.stdout.write(
      `${JSON.stringify({ url: authority.url, acmeDirectory: authority.acmeDirectory, rootFingerprint: authority.rootFingerprint, rootCertificate: paths.rootCertificate, pid: process.pid, generated: initialised?.generated ?? [] })}\n`,
    );
    return;
  }
  if (context.quiet) return;
  const out = (text = ''): boolean => process.stdout.write(`${text}\n`);
  const bold = (text: string): string => paint('bold', text, process.stdout);
  out(`${bold('Fullchain')} ${initialised ? 'made a new authority, and it' : 'authority'} is ready.`);
  out();
  out(`  ACME directory    ${authority.acmeDirectory}`);
  out(`  root certificate  ${paths.rootCertificate}`);
  out(`  root fingerprint  ${authority.rootFingerprint}`);
  out(`  state             ${paths.root}`);
  for (const { what, file } of initialised?.generated ?? [])
    out(`  ${what}: ${file} (generated, mode 0600; keep a copy elsewhere)`);
  if (!isSecureRuntime(process.versions.node)) {
    out(
      `  note: Node.js ${process.versions.node} lacks security fixes; for production run 24.22.1, 26.12.1 or newer from nodejs.org or your distribution`,
    );
  }
  out();
  out('Trust it on this host (another host: the same, with its address and this fingerprint):');
  out(`  fullchain trust install --url ${authority.url} --fingerprint ${authority.rootFingerprint}`);
  out();
  out('Try next:');
  out(`  curl --cacert ${paths.rootCertificate} ${authority.url}/health`);
  out(`  fullchain cert issue db.internal --cert db.crt --key db.key --state ${paths.root}`);
  out(
    `  REQUESTS_CA_BUNDLE=${paths.rootCertificate} certbot certonly --standalone -d NAME --server ${authority.acmeDirectory}`,
  );
  out();
  out('Stop it with Ctrl-C.');
}

/** Resolves at the first SIGTERM, SIGINT or SIGHUP; further ones change nothing, because npm and a terminal both send Ctrl-C. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

/** The security releases of 2026-10-21 are the oldest that production should run. */
function isSecureRuntime(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major === 24) return minor > 22 || (minor === 22 && patch >= 1);
  return major > 26 || (major === 26 && (minor > 12 || (minor === 12 && patch >= 1)));
}
