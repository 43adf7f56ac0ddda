/**
 * What helps against a limit of an ACME authority, by the words in which Boulder names it (Let's Encrypt's ratelimits
 * package; the older wording beside it), and Google Trust Services its own. ZeroSSL names none: its proxy answers a bare 429.
 * An authority of another make says it otherwise, and gets the usual remedy.
 */

export interface LimitAdvice {
  /** In what comes after "too many", or instead of it. */
  readonly says: RegExp;
  readonly remedy: string;
  /** `{…}` is filled from what was taken out of the text; without it there is no command. */
  readonly command?: string;
}

const LIMITS: readonly LimitAdvice[] = [
  {
    says: /exact set of (?:identifiers|domains)/,
    remedy:
      'Use the certificate that was issued already: it is for just these names. Find what throws it away and asks anew; a set with one name more or less is another one.',
    command: 'fullchain status',
  },
  {
    says: /^failed authorizations/,
    remedy:
      'Ask no more until the cause is mended: each try that fails counts. See first what the authority would find.',
    command: 'fullchain diagnose http-01://{name}',
  },
  {
    says: /^new orders/,
    remedy:
      'Find what orders so often on this account, and give it back-off; for tests there is the staging directory.',
  },
  {
    says: /^(?:new )?registrations/,
    remedy: 'Keep one account and use it for all certificates: something makes a new one each time.',
  },
  {
    says: /pending authorizations/,
    remedy:
      'Orders were left unfinished. Let the client finish or deactivate them; they end by themselves in some days.',
  },
  {
    says: /^certificates .*already issued for/,
    remedy:
      'All names below this domain share the limit: put several into one certificate, and renew with ARI, which is not counted.',
  },
  {
    says: /for the given ACME resource/,
    remedy:
      'It counts requests in a minute, not certificates: let the client ask for fewer names at once, order after order in a row, with pauses.',
  },
  {
    says: /temporarily prevented/,
    remedy: 'Mend what has failed for so long, then end the pause at the address in the text: waiting does not end it.',
  },
];

/** @param limit what comes after "too many", else what was said; null for one that is not known */
export function limitAdvice(limit: string): LimitAdvice | null {
  return LIMITS.find(({ says }) => says.test(limit)) ?? null;
}
