/** What a server says to the first words of its protocol, read: HTTP's status and clock, PostgreSQL's refusals. */

export interface HttpAnswer {
  readonly status: number;
  /** The Date header; null: there is none. */
  readonly date: string | null;
  /** All of it, as far as it came. */
  readonly text: string;
}

/** null: it is no HTTP. */
export function answeredHttp(answer: string | null): HttpAnswer | null {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer ?? '')?.[1];
  if (answer === null || status === undefined) return null;
  return { status: Number(status), date: /^date:[ \t]*(.{1,40}?)\r?$/im.exec(answer)?.[1] ?? null, text: answer };
}

export interface PostgresRefusal {
  readonly kind: 'certificate-required' | 'wrong-user';
  readonly message: string;
  /** Who wanted to log in; empty where it is not said. */
  readonly user: string;
}

/** An ErrorResponse (PostgreSQL protocol 3.0 §55.8) about the client's certificate; null: it is not, or there is none. */
export function postgresRefusal(answer: string | null): PostgresRefusal | null {
  if (answer?.[0] !== 'E') return null;
  const message =
    answer
      .slice(5)
      .split('\0')
      .find((field) => field[0] === 'M')
      ?.slice(1) ?? '';
  if (/requires a valid client certificate/.test(message)) return { kind: 'certificate-required', message, user: '' };
  const user = /certificate authentication failed for user "([^"]{0,63})"/.exec(message)?.[1];
  return user === undefined ? null : { kind: 'wrong-user', message, user };
}
