/** Why a server, or the library of this client, ends a handshake; of clients with certificates also why it is taken back after it. */
import { causeFinding, shellQuoted } from '../../core/diagnosis/causes.ts';
import type { Finding } from '../../core/diagnosis/finding.ts';
import { clientRefusalOf, refusedClientFinding } from '../../core/diagnosis/refused-client.ts';
import type { Gap } from '../../core/probe/gap.ts';
import { formatHostPort } from '../../core/stack/host-port.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { describeCertificate } from '../../core/x509/describe.ts';
import { EVERYTHING, namesOf } from '../probe/probe-endpoint.ts';
import { isAlert, isLocal } from '../probe/refusal-code.ts';
import type { Case, Refused } from './case.ts';
import type { Negotiation } from './negotiation.ts';

export function forged({ where }: Case, leaf: Certificate, why: string): Finding {
  return causeFinding('key-mismatch', {
    subject: describeCertificate(leaf),
    where,
    what: `The server shows this certificate and cannot prove that it has its key (${why}).`,
    why: 'Either its key is another one, or somebody else shows a certificate that is not theirs; clients refuse.',
    evidence: { said: why },
  });
}

export function clientRefusal(one: Case, look: Refused, said: string): Finding | null {
  if (look.by !== 'server' || isLocal(said)) return null;
  const asked = look.flight?.acceptedAuthorities ?? null;
  const refusalSaid = clientRefusalOf(said);
  if (asked === null && refusalSaid !== 'required' && (refusalSaid === null || one.options.client === null))
    return null;
  return refusedClient(one, refusalSaid ?? 'unsaid', look.why, asked ?? []);
}

export function refusedClient(
  { target, options, ports, where }: Case,
  refusalSaid: Parameters<typeof refusedClientFinding>[0]['refusal'],
  said: string,
  asked: readonly Uint8Array[],
): Finding {
  return refusedClientFinding({
    where,
    host: target.host,
    refusal: refusalSaid,
    said,
    acceptedAuthorities: namesOf(asked),
    shown: options.clientChain,
    now: ports.clock(),
  });
}

/** The library of this client refuses, and with its security level at the lowest it would not. */
export async function localPolicy(
  { ports, base, options, where }: Case,
  look: Refused,
  said: string,
): Promise<Finding | null> {
  // A library that leaves old versions out by itself hears that the server has none of the others.
  const isLeftOut = options.limits.isNarrowed && /PROTOCOL_VERSION|HANDSHAKE_FAILURE/.test(said);
  if (!isLocal(said) && !isLeftOut) return null;
  const lax = await ports.handshake({ ...base, suites: 'DEFAULT:@SECLEVEL=0', exchange: false });
  if (lax.kind === 'refused' && (isLeftOut || lax.code === look.code)) return null;
  return causeFinding('local-policy', {
    subject: 'the TLS library of this client',
    where,
    what: `This client's own library ends the handshake: ${look.why}.`,
    confidence: lax.kind === 'established' ? 'certain' : 'likely',
    evidence: { said: look.why, code: look.code, withoutPolicy: lax.kind === 'established' ? lax.version : lax.why },
  });
}

/** The asking ended before it was known what both have in common. */
export function cutShort({ target, dial, where }: Case, { what, why }: Gap, said: string | null): Finding {
  return causeFinding(said !== null && isAlert(said) ? 'handshake-refused' : 'closed-by-peer', {
    subject: formatHostPort(dial),
    where,
    what: `Whether client and server have anything in common is not known: the asking was cut short (${why}).`,
    why: 'What could not be asked may be what the two have in common, or what they lack.',
    confidence: 'likely',
    evidence: { said, unseen: what, saw: why },
    remedy: {
      text: 'Ask again, slower, from where the server takes more connections: a probe without gaps decides.',
      command: `fullchain probe -v --rate 2 ${shellQuoted(target.text.replace(':***@', '@'))}`,
    },
  });
}

/** No handshake is taken, whether hellos of our own were or not. */
export function refusesAll(one: Case, said: string, { server, unseen }: Negotiation): Finding[] {
  const { dial, target, where } = one;
  const takesSome = server.versions.length > 0;
  const at = { subject: formatHostPort(dial), where, confidence: 'likely', evidence: { said } } as const;
  if (/UNRECOGNIZED_NAME/.test(said))
    return [
      causeFinding('name-mismatch', {
        ...at,
        what: `The server refuses the name ${target.host}: it has no certificate for it (alert unrecognized_name).`,
        evidence: { said, asked: target.host, names: [] },
        words: { host: target.host },
      }),
    ];
  if (/ALERT_INTERNAL_ERROR/.test(said)) return withoutCertificate(at, target.host, said);
  if (unseen !== null) return [cutShort(one, unseen, said)];
  if (!isAlert(said))
    return [
      causeFinding('closed-by-peer', {
        ...at,
        what: `The server ends every handshake without a word (${said}).`,
      }),
    ];
  const remedy = {
    text: 'Compare key and certificate on the server’s host, and look into its log ("no shared cipher", "no suitable signature algorithm"); that decides.',
    command: 'fullchain diagnose --cert FILE --key FILE',
  };
  const mismatch = causeFinding('key-type-mismatch', {
    ...at,
    what: takesSome
      ? 'The server refuses every handshake, although both sides have version, suite and group in common: as it does when its key is not of the kind of its certificate.'
      : 'The server takes nothing that any client has: as it does when its key is not of the kind of its certificate.',
    remedy,
  });
  if (takesSome) return [mismatch];
  return [
    mismatch,
    causeFinding('no-common-suite', {
      ...at,
      what: 'The server takes nothing that any client has: as it does when its suites are for another kind of certificate than it has.',
      remedy,
    }),
  ];
}

/** Go has no other alert for it, and many reasons for this one; its clients and servers never send it over a pair that does not fit. */
function withoutCertificate(
  at: { readonly subject: string; readonly where: Case['where'] },
  host: string,
  said: string,
): Finding[] {
  const remedy = {
    text: 'Look into the log of the service at the time of this try ("no certificate available for …"); that decides.',
    command: "journalctl --since '-5min' --no-pager | tail -n 50",
  };
  return [
    causeFinding('name-mismatch', {
      ...at,
      confidence: 'likely',
      what: `The server fails over every handshake for ${host} (alert internal_error): so do Caddy and other programs in Go where they have no certificate for that name, or could not get one yet.`,
      evidence: { said, asked: host, names: [] },
      remedy,
    }),
    causeFinding('handshake-refused', {
      ...at,
      confidence: 'possible',
      what: 'The server ends every handshake with internal_error: it may have failed over something of its own.',
      evidence: { said },
      remedy,
    }),
  ];
}

/**
 * Some servers close without a word where they have nothing for a name: then the same hello without the name gets an answer.
 *
 * @returns null: the name makes no difference
 */
export async function refusedName({ ports, endpoint, target, dial, where }: Case): Promise<Finding | null> {
  const { serverName, address, protocol } = endpoint;
  if (serverName === null) return null;
  const timeoutMs = Math.min(endpoint.timeoutMs, NAMELESS_MS);
  const ask = async (name: string | null): Promise<boolean> => {
    const answer = await ports.readFlight({
      ...{ protocol, address, timeoutMs },
      hello: { ...EVERYTHING, serverName: name },
    });
    return answer.kind === 'flight' || answer.kind === 'alert';
  };
  // A service that has just come back, or closes now and then, is not told from one that minds the name by one answer.
  if (!(await ask(null)) || (await ask(serverName))) return null;
  return causeFinding('name-mismatch', {
    subject: formatHostPort(dial),
    where,
    confidence: 'likely',
    what: `The server closes every connection that asks for ${target.host}, and answers one that asks for no name: it has no certificate for that name.`,
    evidence: { asked: target.host, names: [] },
    words: { host: target.host },
  });
}

const NAMELESS_MS = 2000;
