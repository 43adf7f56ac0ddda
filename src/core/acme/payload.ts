/** Payloads of signed requests: JSON objects, or the empty payload of a POST-as-GET (RFC 8555 §6.3). */
import { type Refused, refused } from '../faults/acme-problems.ts';

/** An object payload; anything else is malformed. */
export function parseObjectPayload(
  payload: Uint8Array,
): { readonly kind: 'object'; readonly value: Record<string, unknown> } | Refused {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return refused(
      'malformed',
      payload.byteLength === 0 ? 'the payload is empty; this resource takes a JSON object' : 'the payload is not JSON',
    );
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { kind: 'object', value: value as Record<string, unknown> }
    : refused('malformed', 'the payload is not a JSON object');
}

/** RFC 8555 §6.3: "a zero-length octet string" and nothing else. */
export function requireEmptyPayload(payload: Uint8Array): Refused | null {
  return payload.byteLength === 0
    ? null
    : refused('malformed', 'this resource is fetched with an empty payload (POST-as-GET)');
}
