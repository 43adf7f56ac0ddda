/** Who gets service: nobody in plaintext, and of those with a certificate whom the stack file says. */

import type { Protocol } from '../../../core/probe/protocol.ts';
import { serviceProtocol } from '../../../core/services/service-protocol.ts';
import type { HostPort } from '../../../core/stack/stack.ts';
import type { Attempt, ClientIdentity } from '../../probe/attempt.ts';
import type { ServicePlan } from '../plan-service.ts';
import { wordsOf } from '../step.ts';
import { type Check, finding, TIMEOUT_MS, untried, type VerifyPorts } from './check.ts';
import { settingsRemedy } from './settings-remedy.ts';

type Finding = Omit<Check, 'id'>;

export async function plaintext(ports: VerifyPorts, plan: ServicePlan, address: HostPort): Promise<Finding> {
  const wanted = 'a plaintext client gets no service';
  const { kind, service, desired } = plan;
  const remedy = settingsRemedy('Require TLS in the configuration', plan);
  if (desired.plaintextTaken) return untried(desired.plaintextTaken);
  if (desired.plaintextRefused) {
    const { action, output } = desired.plaintextRefused;
    const ran = await ports.run(action);
    const said = ran.output.trimEnd();
    const ok = ran.ok && said === output;
    return finding(
      ok,
      wanted,
      ok ? 'the service itself says that it insists on TLS' : `the service says: ${said}`,
      remedy,
    );
  }
  const { kind: answer, detail } = await ports.plaintext(serviceProtocol(kind, service), address, TIMEOUT_MS);
  if (answer === 'unknown') return untried(detail);
  return finding(answer === 'refused', wanted, detail || 'an answer that is no text', remedy);
}

export async function clients(
  { handshake, foreign, own }: VerifyPorts,
  plan: ServicePlan,
  base: Attempt,
): Promise<Finding> {
  const policy = plan.service.clients.kind;
  if (policy === 'none' || own === null)
    return finding(null, 'no client certificates', 'the stack file asks for none', '');
  if ('fault' in own) return untried(wordsOf(own.fault).detail);
  const unclear: string[] = [];
  const tries = async (client: ClientIdentity | null): Promise<boolean> => {
    const { client: _own, ...without } = base;
    const result = await handshake({ ...without, exchange: 'login', ...(client && { client }) });
    if (result.kind === 'refused') return false;
    const answer = result.answer ?? '';
    if (isRefusal(base.protocol, answer)) return false;
    if (!isWelcome(base.protocol, answer)) unclear.push(answer.trim() || 'nothing');
    return true;
  };
  const none = await tries(null);
  const flaws = [
    none !== (policy === 'optional') ? `without a certificate: ${none ? 'accepted' : 'refused'}` : '',
    (await tries(foreign.client)) ? 'a certificate of a foreign authority: accepted' : '',
    (await tries(own.server)) ? 'a certificate without clientAuth: accepted' : '',
    own.unlistedClient !== null && (await tries(own.unlistedClient))
      ? 'a certificate of a name that is not listed: accepted'
      : '',
    (await tries(own.client)) ? '' : 'a right certificate: refused',
  ].filter((flaw) => flaw !== '');
  if (unclear.length > 0)
    return untried(
      `the server looks at certificates only when a login begins (AUTHENTICATE PLAIN), and answers that with ${unclear[0]}`,
    );
  return finding(
    flaws.length === 0,
    policy === 'optional'
      ? 'none sent: accepted; foreign or without clientAuth: refused; a right one: accepted'
      : 'none, foreign or without clientAuth: refused; a right one: accepted',
    flaws.join('; ') || 'as declared',
    settingsRemedy('Apply the declared policy', plan),
  );
}

/** Refusals that come inside the protocol, after a handshake that went well. A wrong password is none. */
export function isRefusal(protocol: Protocol, answer: string): boolean {
  switch (protocol) {
    case 'postgres':
      return answer.startsWith('E') && /certificate|pg_hba|SSL/i.test(answer);
    case 'https':
    case 'tls':
      return /^HTTP\/1\.[01] (?:400|403|495|496)/.test(answer);
    case 'smtp':
    case 'smtps':
    case 'lmtp':
      return /^(?:421|454|530|550|554)[ -].*(?:certificate|TLS)/im.test(answer);
    case 'mysql':
      // 1045 is "access denied", which is what nobody's user gets; these say that it is about the certificate or TLS.
      return /X509|certificate|secure.?transport/i.test(answer);
    case 'imap':
    case 'imaps':
      return /^a NO .*(?:certificate|SSL|TLS)/im.test(answer);
    case 'redis':
    case 'pop3':
    case 'ldap':
    case 'ftp':
    case 'xmpp':
      return false;
  }
}

/**
 * Whether no refusal means that one is let in. Dovecot lets every certificate through the handshake and refuses a login as
 * it begins, before it asks who logs in; a mechanism that it does not offer it refuses before it looks at the certificate.
 */
function isWelcome(protocol: Protocol, answer: string): boolean {
  return !['imap', 'imaps'].includes(protocol) || answer.startsWith('+');
}
