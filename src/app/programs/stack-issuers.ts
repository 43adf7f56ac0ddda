/** Who issues for a stack: its authority and ACME servers, by their names in the stack file. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { pemFromDer } from '../../core/bytes/pem.ts';
import { spreadOf } from '../../core/renewal/renewal-due.ts';
import { instantInWindow } from '../../core/renewal/renewal-window.ts';
import type { Pair } from '../../core/renewal/stage-pair.ts';
import type { IssuerSpec, Stack } from '../../core/stack/stack.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Certificate } from '../../core/x509/certificate.ts';
import { readCertificates } from '../../edge/files/certificate-files.ts';
import { generateKey } from '../../edge/signer/key-pair.ts';
import { monotonicMs } from '../../edge/system/clock.ts';
import type { Obtain, WantedCertificate } from '../../flow/agent/agent-ports.ts';
import type { PlanPorts } from '../../flow/agent/install-plan.ts';
import { issuersInOrder, obtainWithFallback } from '../../flow/agent/obtain-with-fallback.ts';
import { type AcmeIssuer, openAcmeIssuer, publicRoots } from './acme-issuer.ts';
import type { PairInUse, StackAuthority } from './stack-authority.ts';

type AcmeSpec = Extract<IssuerSpec, { kind: 'acme' }>;

export interface StackIssuers
  extends Pick<PlanPorts, 'anchors' | 'activeRoots' | 'challengeWebroot' | 'suggestedRenewal' | 'revocation'> {
  readonly obtain: Obtain;
}

/** @param accounts directory of the keys of ACME accounts */
export function stackIssuers(stack: Stack, authority: StackAuthority, accounts: string): StackIssuers {
  const specOf = (name: string): IssuerSpec => stack.issuers[name] ?? { kind: 'internal' };
  const acme = acmeIssuers(accounts);
  const suggested = suggestions();

  const anchors = (issuer: string): readonly Certificate[] => {
    const spec = specOf(issuer);
    if (spec.kind !== 'acme') return authority.roots().bundle;
    const own = spec.caFile === null ? publicRoots() : readCertificates(spec.caFile);
    return [own, ...spec.fallback.map(anchors)].flat();
  };

  const obtainFrom = async (name: string, wanted: WantedCertificate, previous: Pair | null): Promise<Pair> => {
    const spec = specOf(name);
    const key = await generateKey(wanted.key);
    if (spec.kind === 'acme') {
      const { chain, trust } = await (await acme(name, spec)).issue(wanted, key, previous?.chain[0] ?? null);
      return pairOf(chain, key, trust);
    }
    const { commonName, ...rest } = wanted;
    const request = { ...rest, key, ...(commonName !== null && { commonName }) };
    const chain = await authority.issue(request, previous && pairInUse(previous));
    return pairOf(chain, key, authority.roots().bundle);
  };

  return {
    anchors,
    activeRoots: (issuer) => (specOf(issuer).kind === 'acme' ? anchors(issuer) : [authority.roots().active]),
    obtain: (wanted, previous) =>
      obtainWithFallback(issuersInOrder(wanted.issuer, stack.issuers), (name) => obtainFrom(name, wanted, previous)),
    challengeWebroot(issuer) {
      // A fallback's webroot may be another one: the listener of the service answers for the first that has one.
      for (const name of issuersInOrder(issuer, stack.issuers)) {
        const spec = specOf(name);
        if (spec.kind === 'acme' && spec.challenge.kind === 'http-01-webroot') return spec.challenge.webroot;
      }
      return null;
    },
    revocation: (name, leaf) => (specOf(name).kind === 'internal' ? authority.revocation(leaf) : null),
    suggestedRenewal: async (name, leaf) => {
      const spec = specOf(name);
      return spec.kind === 'acme'
        ? suggested(leaf, () => acme(name, spec).then(({ renewalInfo }) => renewalInfo(leaf)))
        : null;
    },
  };
}

/** Each is opened once; one that could not be opened is tried again. */
function acmeIssuers(accounts: string): (name: string, spec: AcmeSpec) => Promise<AcmeIssuer> {
  const opened = new Map<string, Promise<AcmeIssuer>>();
  return (name, spec) => {
    const known = opened.get(name);
    if (known) return known;
    const opening = openAcmeIssuer(name, spec, accounts);
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
    return opening;
  };
}

/** A certificate of which nothing is said is asked about again after this. */
const ASK_AGAIN_SECONDS = 3600;
/** Nobody waits longer for a suggestion. */
const PATIENCE_MS = 5000;

/** More certificates than one agent has in use; of older ones nobody asks any more. */
const MOST_KNOWN = 10_000;

/** When issuers want their certificates replaced (RFC 9773), asked as often as they say; an issuer that is down says nothing. */
function suggestions(): (
  leaf: Certificate,
  ask: () => ReturnType<AcmeIssuer['renewalInfo']>,
) => Promise<Instant | null> {
  const known = new Map<string, { readonly at: Instant | null; readonly askAtMs: number }>();
  return async (leaf, ask) => {
    const before = known.get(leaf.fingerprint);
    if (before !== undefined && monotonicMs() < before.askAtMs) return before.at;
    const asked = await within(
      PATIENCE_MS,
      ask().catch(() => 'unknown' as const),
    );
    // What was said before holds until something else is.
    const at =
      asked === 'unknown' ? (before?.at ?? null) : asked === null ? null : instantInWindow(asked, spreadOf(leaf));
    const waitSeconds = asked === 'unknown' || asked === null ? ASK_AGAIN_SECONDS : asked.retryAfterSeconds;
    // Anew at the end, so that the first is the one that was not asked about for the longest.
    known.delete(leaf.fingerprint);
    known.set(leaf.fingerprint, { at, askAtMs: monotonicMs() + waitSeconds * 1000 });
    const [oldest] = known.keys();
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
    return at;
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | 'unknown'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'unknown'>((resolve) => {
    timer = setTimeout(resolve, ms, 'unknown');
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function pairInUse({ chain, keyPem }: Pair): PairInUse | null {
  const [certificate] = chain;
  return certificate
    ? { certificate, chainPem: chain.map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join(''), keyPem }
    : null;
}

function pairOf(chain: readonly Certificate[], key: KeyObject, anchors: readonly Certificate[]): Pair {
  return {
    chain,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    anchors,
  };
}
