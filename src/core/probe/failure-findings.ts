/** Why there was no TLS, as a finding. */
import { causeFinding, shellQuoted } from '../diagnosis/causes.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { formatHostPort } from '../stack/host-port.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { isStarttlsWord } from './protocol.ts';
import { orDiagnose, wordsOf } from './target-words.ts';

export function failureFindings({ target, failure, address }: EndpointFacts): Finding[] {
  if (failure === null) return [];
  const { id, detail, protocol } = failure;
  const where = address === null ? target.host : formatHostPort({ host: address, port: target.port });
  const words = { ...wordsOf(target), ...(address !== null && { address }) };
  const again =
    id === 'starttls-needed' && protocol !== null && isStarttlsWord(protocol)
      ? { command: `fullchain probe ${shellQuoted(formatHostPort(target))} --starttls ${protocol}` }
      : {};
  const finding = causeFinding(id, {
    subject: where,
    where: { target: target.text },
    what: `${where}: ${detail}.`,
    evidence: { protocol },
    words,
    remedy: again,
  });
  return [orDiagnose(finding, target)];
}
