/** Why there was no TLS at a port: from what came in place of it, and from what speaks there in plaintext. */
import { type CauseId, causeFinding } from '../../core/diagnosis/causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import type { ProbeFailure, ProbeFailureId } from '../../core/probe/endpoint-facts.ts';
import { isStarttlsWord, type StarttlsWord, starttlsOf } from '../../core/probe/protocol.ts';
import type { Target } from '../../core/probe/target.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { HostPort } from '../../core/stack/stack.ts';
import type { Identified } from '../probe/identify.ts';

/** What came could be said by many: what speaks there decides. */
const UNCERTAIN: readonly ProbeFailureId[] = ['no-answer', 'closed-by-peer', 'plaintext-service', 'starttls-needed'];

/** @param identify who speaks there */
export async function noTls(
  identify: () => Promise<Identified | null>,
  target: Target,
  dial: HostPort,
  failure: ProbeFailure,
): Promise<{
  readonly finding: Finding;
  /** How its TLS is asked for, whether it is offered or not. */
  readonly spoken: StarttlsWord | null;
}> {
  const known = UNCERTAIN.includes(failure.id) ? await identify() : null;
  if (known === null) return { finding: asSeen(target, dial, failure), spoken: null };
  return { finding: asSpoken(target, dial, failure, known), spoken: known.starttls };
}

function asSeen(target: Target, dial: HostPort, { id, detail, protocol }: ProbeFailure): Finding {
  return causeFinding(id, {
    subject: formatHostPort(dial),
    where: { target: target.text },
    what: `${formatHostPort(dial)}: ${detail}.`,
    evidence: { ...(protocol !== null && { protocol }), saw: detail },
    words: wordsOf(target, dial, protocol),
  });
}

function asSpoken(
  target: Target,
  dial: HostPort,
  { detail }: ProbeFailure,
  { protocol, starttls, offersTls, said }: Identified,
): Finding {
  // Whoever asked for the protocol's own way to TLS, and finds none, hears that it is off.
  const isOwn = starttls !== null && starttls === starttlsOf(target.protocol);
  const id: CauseId = isOwn
    ? offersTls
      ? 'closed-by-peer'
      : 'tls-off'
    : offersTls
      ? 'starttls-needed'
      : 'plaintext-service';
  return causeFinding(id, {
    subject: formatHostPort(dial),
    where: { target: target.text },
    what: SENTENCES[id]?.(formatHostPort(dial), protocol) ?? `${formatHostPort(dial)}: ${detail}.`,
    evidence: { protocol, said, saw: detail },
    words: wordsOf(target, dial, starttls),
  });
}

const SENTENCES: Readonly<Partial<Record<CauseId, (where: string, protocol: string) => string>>> = {
  'plaintext-service': (where, protocol) => `${where} speaks ${protocol} in plaintext; it does not understand TLS.`,
  'starttls-needed': (where, protocol) => `${where} speaks ${protocol}, whose TLS begins only after a request.`,
  'tls-off': (where, protocol) => `${where} speaks ${protocol} and offers no TLS.`,
};

function wordsOf(
  target: Target,
  dial: HostPort,
  protocol: string | null,
): Readonly<Record<string, string | undefined>> {
  return {
    host: target.host,
    port: String(target.port),
    address: dial.host,
    where: formatHostPort(target),
    starttls: protocol !== null && isStarttlsWord(protocol) ? protocol : undefined,
  };
}
