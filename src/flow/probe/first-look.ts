/** What the first handshake shows, beside what a sweep finds: it is the only one in which the server proves who it is. */
import type { EndpointFacts, ProbeFailure } from '../../core/probe/endpoint-facts.ts';
import type { GapField } from '../../core/probe/gap.ts';
import { suiteByName } from '../../core/tls/cipher-suites.ts';
import { PROTOCOL_VERSIONS } from '../../core/tls/protocol-version.ts';
import type { AttemptResult } from './attempt.ts';
import { isBroken, isForgery, isLocal } from './refusal-code.ts';
import { SWEPT, type Sweep } from './sweep.ts';

/**
 * OpenSSL has verified what the server signed when it ends a handshake well, and when the server refuses us after it (a client
 * certificate that was wanted). What only came in answer to hellos of our own may have been copied from anybody.
 */
export function unprovenOf(look: AttemptResult): EndpointFacts['unproven'] {
  if (look.kind === 'established') return null;
  if (look.flight?.chain && look.flight.isWhole && look.by === 'server' && !isLocal(look.code)) return null;
  return { why: look.why, isForged: isForgery(look.code) };
}

/** What only a finished handshake shows. */
export const UNFINISHED = [
  'trust',
  'clientCertificate',
  'ocspStapling',
  'sessionTickets',
] as const satisfies readonly GapField[];

/** null: the handshake came as far as the server had something to say. */
export function unseenOf(look: AttemptResult): string | null {
  return look.kind === 'refused' && isBroken(look) && !look.flight?.isWhole ? look.why : null;
}

/** Nothing was refused in words, and hardly anything could be asked. null: it was asked, and refused. */
export function brokenOff(look: AttemptResult, { gaps }: Sweep): ProbeFailure | null {
  const why = isBroken(look) ? gaps[0]?.why : undefined;
  return why === undefined
    ? null
    : { id: 'closed-by-peer', detail: `no handshake comes to its end: ${why}`, protocol: null };
}

/** What a finished handshake shows counts, also where the server takes no hello of ours. */
export function withLook(swept: Sweep, look: AttemptResult): Sweep {
  if (look.kind !== 'established') return swept;
  const version = PROTOCOL_VERSIONS.find((known) => known === look.version);
  const code = suiteByName(look.suite);
  if (version === undefined || code === null || swept.versions.includes(version)) return swept;
  return {
    ...swept,
    versions: PROTOCOL_VERSIONS.filter((known) => known === version || swept.versions.includes(known)),
    suites: [...swept.suites, { version, code }],
    groups: [...new Set([...swept.groups, ...(look.flight?.group == null ? [] : [look.flight.group])])],
    gaps: [
      ...swept.gaps,
      {
        fields: SWEPT,
        what: `everything but ${version} with ${look.suite}`,
        why: 'the server takes no hello but those of a whole handshake',
      },
    ],
  };
}
