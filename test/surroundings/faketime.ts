/** Another time for a process: libfaketime, as Debian's package faketime installs it. */
import { existsSync } from 'node:fs';

export const FAKETIME_LIBRARY = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

export const needsFaketime =
  FAKETIME_LIBRARY === undefined && 'skipped: faketime is not installed (run as root with apt-get)';
