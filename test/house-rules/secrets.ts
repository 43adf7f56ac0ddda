/** No private key, password or token lies in the repository outside the tests. */
import { lineAt, type SourceFile, type Violation } from './source-file.ts';

const SECRETS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  // The label alone is code; a label with base64 below it is a key. \n may be written out, as in JSON and YAML.
  { what: 'a private key in PEM', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\n|["'+])*[A-Za-z0-9+/=]{40}/g },
  { what: 'a private key as JWK', pattern: /["']?\bd["']?\s*:\s*["'][A-Za-z0-9_-]{40,}["']/g },
  { what: 'an age identity', pattern: /AGE-SECRET-KEY-1[A-Z0-9]{50}/g },
  { what: 'an npm or GitHub token', pattern: /\b(?:npm_|ghp_|github_pat_)[A-Za-z0-9_]{30,}/g },
];

export function secrets(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => !path.startsWith('test/') && !/\.test\.[a-z]+$/.test(path))
    .flatMap((file) =>
      SECRETS.flatMap(({ what, pattern }) =>
        [...file.text.matchAll(pattern)].map((match) => ({
          rule: 'no secrets outside tests',
          where: `${file.path}:${lineAt(file.text, match.index)}`,
          what,
        })),
      ),
    );
}
