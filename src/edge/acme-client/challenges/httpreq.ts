/**
 * dns-01 by a web service that sets records, in the words of lego's "httpreq": POST …/present and …/cleanup with
 * {"fqdn","value"}. Who may ask is the service's own matter: by address, or by what it has in front of it.
 */
import { OperatorFault } from '../../../core/faults/operator-faults.ts';
import type { ChallengeHandler } from '../challenge-handler.ts';
import { challengeRecord, type TxtRecord } from './txt-record.ts';

const TIMEOUT_MS = 60_000;

/** @param url absolute, http: or https: */
export function httpreqChallenge(url: string): ChallengeHandler {
  return {
    type: 'dns-01',
    present: (identifier, _token, keyAuthorization) =>
      ask(url, 'present', challengeRecord(identifier, keyAuthorization)),
    cleanUp: (identifier, _token, keyAuthorization) =>
      ask(url, 'cleanup', challengeRecord(identifier, keyAuthorization)),
  };
}

/** @throws OperatorFault dns-credentials, dns-record-failed */
async function ask(url: string, action: string, { name, value }: TxtRecord): Promise<void> {
  const target = `${url.replace(/\/+$/, '')}/${action}`;
  let status: number;
  try {
    const answer = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ fqdn: `${name}.`, value }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = answer.status;
    // Nothing in the body is of use, and its size is not ours.
    await answer.body?.cancel();
  } catch (cause) {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : cause;
    throw new OperatorFault('dns-record-failed', `${target} cannot be reached: ${why}`, { name }, cause);
  }
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403)
    throw new OperatorFault('dns-credentials', `DNS credentials: ${target} answers ${status} for ${name}`, { name });
  throw new OperatorFault('dns-record-failed', `${target} answers ${status} for ${name}`, { name });
}
