/** `fullchain up` and `fullchain authority`: the authority, initialised at first start, until it is stopped. */
import type { Command } from 'commander';
import pino from 'pino';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { isInitialised } from '../../edge/files/state-directory.ts';
import { type ListenAddress, parseListenAddress } from '../../edge/http/listener.ts';
import { type AuthorityConfig, readConfig } from '../config.ts';
import { databaseFault } from '../open-state.ts';
import { type RunningAuthority, startAuthority } from '../programs/authority.ts';
import { type Initialised, initialise } from '../programs/initialise.ts';
import { type Context, contextOf, listOption, passwordSource, portOption } from './context.ts';
import { paint } from './fault-output.ts';
import { addInitialiseOptions, type InitialiseFlags, initialiseOptions } from './initialise-options.ts';

interface UpFlags extends InitialiseFlags {
  readonly listen?: string;
  readonly httpListen?: string;
  readonly resolver?: string[];
  readonly http01Port?: number;
  readonly tlsAlpn01Port?: number;
  readonly denyAddresses?: string[];
  readonly allowAddresses?: string[];
  readonly acceptClock?: boolean;
}

export function addUpCommand(program: Command): void {
  for (const [name, description] of [
    ['up', 'Run the authority; it is made at the first start'],
    ['authority', 'The same, for a state directory that `ca init` has made'],
  ] as const) {
    const command = program
      .command(name)
      .description(description)
      .option('--listen <address>', 'HOST:PORT for TLS (default: :9000)')
      .option(
        '--http-listen <address>',
        'HOST:PORT for revocation lists over plain HTTP (default: the TLS port answers them too)',
      )
      .option(
        '--resolver <addresses>',
        'HOST:PORT of the DNS servers for validation (default: the system’s)',
        listOption,
      )
      .option('--http-01-port <port>', 'where http-01 looks (default: 80)', portOption)
      .option('--tls-alpn-01-port <port>', 'where tls-alpn-01 looks (default: 443)', portOption)
      .option('--deny-addresses <cidrs>', 'networks that validation may not reach', listOption)
      .option('--allow-addresses <cidrs>', 'the only networks that validation may reach', listOption)
      .option('--accept-clock', 'the clock is right although records are newer than it')
      .addHelpText(
        'after',
        `
Examples:
  fullchain ${name}
  fullchain ${name} --listen 127.0.0.1:9443 --dns ca.internal,10.0.0.5
  fullchain ${name} --state /srv/ca --password-file /etc/fullchain/password`,
      );
    if (name === 'up') addInitialiseOptions(command);
    else
      command
        .option('--dns <names>', 'names and addresses under which it is reached', listOption)
        .option('--password-file <file>', 'password of the issuing key');
    command.action(async (flags: UpFlags, self: Command) => run(contextOf(self), flags, name === 'up'));
  }
}

async function run(context: Context, flags: UpFlags, initialising: boolean): Promise<void> {
  const { paths } = context;
  const initialised = initialising && !isInitialised(paths) ? await initialise(paths, initialiseOptions(flags)) : null;
  if (!isInitialised(paths))
    throw new OperatorFault('not-initialised', `${paths.root} holds no authority`, { path: paths.root });
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
  const authority = await startAuthority({
    paths,
    config,
    listen: addressOf(config.listen),
    httpListen: config.httpListen === null ? null : addressOf(config.httpListen),
    password: passwordSource(flags.passwordFile),
    acceptClock: flags.acceptClock === true,
    logger,
  }).catch((fault: unknown) => {
    throw databaseFault(fault, paths.database);
  });
  announce(context, authority, initialised);
  await stopSignal();
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

/** Resolves at the first SIGTERM, SIGINT or SIGHUP. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
