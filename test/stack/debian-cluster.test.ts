/** A cluster whose configuration lies elsewhere, as Debian's do: what is missing is said with the line to write, and with it all goes well. */
import assert from 'node:assert/strict';
import { appendFileSync, chownSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../ca/command-line.ts';
import { LAUNCHER } from '../servers/fullchain.ts';
import { run, startServer } from '../servers/process.ts';
import { cleanup } from '../services/cleanup.ts';
import { speak } from '../services/look.ts';
import { as } from '../services/own-user.ts';
import {
  EVERYBODY,
  POSTGRES_BIN,
  skipWithoutPostgresql,
  startCluster,
  startupMessage,
} from '../services/start-postgresql.ts';

test('PostgreSQL with its configuration below /etc', { skip: skipWithoutPostgresql }, async (t) => {
  const { port, data, directory, stop } = await startCluster(t, EVERYBODY);
  await stop();
  const etc = join(directory, 'etc');
  mkdirSync(etc);
  const { uid, gid } = statSync(data);
  chownSync(etc, uid, gid);
  for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) renameSync(join(data, name), join(etc, name));
  appendFileSync(
    join(etc, 'postgresql.conf'),
    `data_directory = '${data}'\nhba_file = '${etc}/pg_hba.conf'\nident_file = '${etc}/pg_ident.conf'\n`,
  );
  const [program, args] = as('postgres', [
    ...[`${POSTGRES_BIN}/postgres`, '-D', data, '-c', `config_file=${etc}/postgresql.conf`],
  ]);
  cleanup(t).use(
    await startServer(program, args, {
      isReady: async () => /^R/.test(await speak(port, startupMessage('postgres')).catch(() => '')),
    }),
  );
  const scratched = scratch(t);
  const file = join(scratched, 'fullchain.yaml');
  const declare = (more: string): void =>
    writeFileSync(
      file,
      `stack: one\nservices:\n  db:\n    kind: postgresql\n    names: [localhost]\n    address: 127.0.0.1:${port}\n    data: ${data}\n${more}`,
    );
  const fullchain = (command: string) =>
    run(process.execPath, [LAUNCHER, command, '--file', file, '--state', join(scratched, 'state')]);
  declare('');
  const refused = await fullchain('plan');
  assert.equal(refused.status, 1, refused.output);
  assert.ok(refused.output.includes(`write "config: ${etc}"`), refused.output);
  declare(`    config: ${etc}\n`);
  for (const command of ['apply', 'verify']) {
    const { status, output } = await fullchain(command);
    assert.equal(status, 0, output);
  }
});
