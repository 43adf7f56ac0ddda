/** The handler of each way to prove control of a name. */
import { lookup } from 'node:dns/promises';
import type { AcmeChallengeSpec, HostPort } from '../../../core/stack/stack.ts';
import type { ChallengeHandler } from '../../../edge/acme-client/challenge-handler.ts';
import { execChallenge } from '../../../edge/acme-client/challenges/exec.ts';
import { httpreqChallenge } from '../../../edge/acme-client/challenges/httpreq.ts';
import { rfc2136Challenge } from '../../../edge/acme-client/challenges/rfc2136.ts';
import { DnsFault, dnsResolver } from '../../../edge/net/resolver.ts';
import { sleep, wallClock } from '../../../edge/system/clock.ts';
import { listeningChallenge } from './listen.ts';
import { webrootChallenge } from './webroot.ts';

export function challengeHandler(spec: AcmeChallengeSpec): ChallengeHandler {
  switch (spec.kind) {
    case 'http-01-webroot':
      return webrootChallenge(spec.webroot);
    case 'http-01-listen':
      return listeningChallenge(spec.listen);
    case 'dns-01-exec':
      return execChallenge(spec.command);
    case 'dns-01-httpreq':
      return httpreqChallenge(spec.url);
    case 'dns-01-rfc2136':
      return rfc2136Challenge(spec, { clock: wallClock, sleep, txtRecords });
  }
}

const LOOKUP_WITHIN_MS = 10_000;

/** As this server answers; nothing where it has none, or does not answer. */
async function txtRecords({ host, port }: HostPort, name: string): Promise<readonly string[]> {
  const { address, family } = await lookup(host);
  const resolver = dnsResolver([`${family === 6 ? `[${address}]` : address}:${port}`]);
  try {
    return await resolver.resolveTxt(name, AbortSignal.timeout(LOOKUP_WITHIN_MS));
  } catch (cause) {
    if (cause instanceof DnsFault || (cause instanceof Error && cause.name === 'TimeoutError')) return [];
    throw cause;
  }
}
