/**
 * What clients say when they meet what lint refuses: the words with which people come. Chromium's names were
 * measured (requirements W-16).
 */
const CHROMIUM_ERRORS: Readonly<Record<string, string>> = {
  'san-missing': 'ERR_CERT_COMMON_NAME_INVALID',
  'no-digital-signature': 'ERR_SSL_KEY_USAGE_INCOMPATIBLE',
};

/** "…; Chromium says ERR_…", or nothing. */
export function clientErrorNote(lintId: string): string {
  const error = Object.hasOwn(CHROMIUM_ERRORS, lintId) ? CHROMIUM_ERRORS[lintId] : undefined;
  return error === undefined ? '' : `; Chromium says ${error}`;
}
