/** http-01 by a directory that a web server serves on port 80. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChallengeHandler } from '../../../edge/acme-client/challenge-handler.ts';
import { writeFileAtomically } from '../../../edge/files/atomic-file.ts';

/** Tokens are base64url by now, and so are good file names. */
export function webrootChallenge(webroot: string): ChallengeHandler {
  const directory = join(webroot, '.well-known', 'acme-challenge');
  return {
    type: 'http-01',
    async present(_identifier, token, keyAuthorization) {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      writeFileAtomically(join(directory, token), keyAuthorization, 0o644);
    },
    async cleanUp(_identifier, token) {
      rmSync(join(directory, token), { force: true });
    },
  };
}
