/**
 * Writes to a database in a process of its own, so that its system calls can be traced or made to fail:
 *
 *   node traced-writes.ts FILE COUNT together|apart
 *
 * Prints "begin", then "N" when the N-th promise resolves, or "N CODE" when it rejects.
 */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/edge/store/database.ts';
import { StoreFault } from '../../src/flow/ca/store-ports.ts';

const [path = '', count = '0', how = 'apart'] = process.argv.slice(2);
const db = openDatabase(path);
const insert = db.prepare('INSERT INTO certificate_name (name, certificate_id) VALUES (?, ?)');
// At once and not buffered: what is printed stands in the trace where it happened.
const say = (line: string): void => void writeSync(1, `${line}\n`);
const write = (id: number): Promise<void> =>
  db
    .write(() => void insert.run('a.test', id))
    .then(
      () => say(String(id)),
      (fault: unknown) => say(`${id} ${fault instanceof StoreFault ? fault.code : fault}`),
    );

// The log's first sync is also that of its header.
await db.write(() => void insert.run('first.test', 0));
say('begin');
const ids = Array.from({ length: Number(count) }, (_, index) => index + 1);
if (how === 'together') await Promise.all(ids.map(write));
else for (const id of ids) await write(id);
say('end');
db.close();
