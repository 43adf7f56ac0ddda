/** A throw-away Postfix that takes mail in plaintext; it starts as root only. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { run, startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { cleanup } from './cleanup.ts';
import { directoryFor } from './own-user.ts';

export async function startPostfix(t: TestContext) {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('postfix'));
  const [etc, spool] = [join(directory.path, 'etc'), join(directory.path, 'spool')];
  for (const path of [etc, spool]) mkdirSync(path);
  const [port, directPort] = [await freePort(), await freePort()];
  const config = join(etc, 'main.cf');
  const text = [
    'compatibility_level = 3.6',
    `queue_directory = ${spool}`,
    `data_directory = ${directory.own}`,
    'myhostname = service.internal',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    `maillog_file_prefixes = ${directory.path}`,
    `maillog_file = ${directory.path}/mail.log`,
    // A child that dies is started again after this; the standard minute is longer than a test waits.
    'service_throttle_time = 1s',
    'mydestination = service.internal',
    'smtpd_tls_security_level = none',
    '',
  ].join('\n');
  writeFileSync(config, text);
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    `127.0.0.1:${directPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`,
    'postlog unix-dgram n - n - 1 postlogd',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'anvil unix - - n - 1 anvil',
    'rewrite unix - - n - - trivial-rewrite',
    'proxymap unix - - n - - proxymap',
  ];
  writeFileSync(join(etc, 'master.cf'), `${services.join('\n')}\n`);
  const program = pathOf('postfix') ?? 'postfix';
  await startServer(program, ['-c', etc, 'start-fg'], { isReady: () => acceptsConnections(port) });
  // Its daemons outlive the signal that ends the master.
  stack.defer(async () => void (await run(program, ['-c', etc, 'abort'])));
  return { port, directPort, config, text };
}
