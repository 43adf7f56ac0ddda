/** `npm start`: dependencies, then `fullchain up` with all further arguments. Runs on any Node since 18. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupFault, setup } from './setup.mjs';

const launcher = new URL('../bin/fullchain.mjs', import.meta.url);
try {
  await setup(dirname(dirname(fileURLToPath(import.meta.url))), { development: false });
  // In this process, which becomes the server or waits for it: nothing stands between it and npm's signals.
  process.argv.splice(1, 1, fileURLToPath(launcher), 'up');
  await import(launcher.href);
} catch (fault) {
  if (!(fault instanceof SetupFault)) throw fault;
  process.stderr.write(`${fault.message}\n`);
  process.exitCode = 1;
}
