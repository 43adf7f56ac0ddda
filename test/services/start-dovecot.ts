/** A throw-away Dovecot that lets the user "app" in with "secret", also in plaintext; it starts as root only. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf } from '../servers/available.ts';
import { startServer } from '../servers/process.ts';
import { freePort } from '../world/free-port.ts';
import { account } from './applied.ts';
import { cleanup } from './cleanup.ts';
import { directoryFor } from './own-user.ts';

export async function startDovecot(t: TestContext) {
  const stack = cleanup(t);
  const directory = stack.use(directoryFor('dovecot'));
  const [etc, runtime, mail] = ['etc', 'run', 'mail'].map((name) => join(directory.path, name)) as [
    string,
    string,
    string,
  ];
  const config = join(etc, 'conf.d');
  for (const path of [etc, config, runtime, mail]) mkdirSync(path);
  const { uid, gid } = account(['dovecot']);
  chownSync(mail, uid, gid);
  const [port, directPort] = [await freePort(), await freePort()];
  writeFileSync(
    join(etc, 'dovecot.conf'),
    `base_dir = ${runtime}
state_dir = ${runtime}
log_path = /dev/stderr
protocols = imap
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:${mail}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${directPort}
    ssl = yes
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=${mail}
}
!include_try ${config}/*.conf
`,
  );
  const server = await startServer(pathOf('dovecot') ?? 'dovecot', ['-F', '-c', join(etc, 'dovecot.conf')], {
    isReady: () => acceptsConnections(port),
  });
  stack.defer(async () => void (await server.stop()));
  return { port, directPort, config };
}
