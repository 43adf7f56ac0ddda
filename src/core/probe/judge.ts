/** From what was seen of an address to findings: ids are causes of `diagnose` and rules of `audit`, each with its remedy. */
import { causeFinding } from '../diagnosis/causes.ts';
import { type ClientTrust, chainFindings, type ServedChain, verifyServed } from '../diagnosis/chain-causes.ts';
import { type Finding, sortFindings } from '../diagnosis/finding.ts';
import type { Instant } from '../time/instant.ts';
import type { Certificate } from '../x509/certificate.ts';
import { describeCertificate } from '../x509/describe.ts';
import { formatName } from '../x509/name.ts';
import type { Verification } from '../x509/verification.ts';
import { type EndpointFacts, isRefusing } from './endpoint-facts.ts';
import { expiryFindings } from './expiry-findings.ts';
import { failureFindings } from './failure-findings.ts';
import { clientFindings, protocolFindings, suiteFindings } from './offer-findings.ts';
import type { Target } from './target.ts';
import { orDiagnose, wordsOf } from './target-words.ts';
import { webFindings } from './web-findings.ts';

export interface TrustContext extends ClientTrust {
  readonly now: Instant;
}

/** Whether a client that verifies gets from the chain to a root it trusts. The name is judged apart. */
export interface Trust {
  readonly ok: boolean;
  /** null where it is ok. */
  readonly why: string | null;
  /** RFC 4514; null: there is none. */
  readonly anchor: string | null;
}

export interface Judgement {
  readonly trust: Trust;
  readonly findings: readonly Finding[];
}

export function judge(facts: EndpointFacts, context: TrustContext): Judgement {
  if (facts.failure) return { trust: NO_CHAIN, findings: failureFindings(facts) };
  const chains = [facts.chain, ...facts.otherChains];
  const served = chains.flatMap((chain) => servedChain(chain, facts.target, context));
  const [first] = served;
  return {
    trust: first ? proven(facts, trustOf(verifyServed(first, context.now))) : NO_CHAIN,
    findings: sortFindings([
      ...eachOnce([
        ...served.flatMap(chainFindings).map((finding) => orDiagnose(finding, facts.target)),
        ...chains.flatMap(([leaf]) => expiryFindings(leaf, facts.target, context.now)),
      ]),
      ...forgeryFindings(facts),
      ...refusalFindings(facts),
      ...protocolFindings(facts),
      ...suiteFindings(facts),
      ...clientFindings(facts),
      ...webFindings(facts),
    ]),
  };
}

/** The chain for another key type mostly has the same flaw: one cause, one finding. */
function eachOnce(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ id }, index) => findings.findIndex((other) => other.id === id) === index);
}

const NO_CHAIN: Trust = { ok: false, why: 'no certificate was sent', anchor: null };

function servedChain(chain: readonly Certificate[], target: Target, context: TrustContext): ServedChain[] {
  const [leaf, ...sent] = chain;
  return leaf === undefined ? [] : [{ ...context, chain: [leaf, ...sent], target, peerTime: null }];
}

/** Not about the way to a root. */
const ABOUT_THE_NAME: readonly string[] = ['name-mismatch', 'ip-not-in-certificate', 'no-subject-alt-name'];

/** A chain can be copied by anybody; only a handshake shows that its key is there. */
function proven({ unproven }: EndpointFacts, trust: Trust): Trust {
  if (unproven === null || !trust.ok) return trust;
  return { ...trust, ok: false, why: `no handshake shows that the server has the key (${unproven.why})` };
}

function forgeryFindings({ unproven, target, chain: [leaf] }: EndpointFacts): Finding[] {
  if (!unproven?.isForged || leaf === undefined) return [];
  const finding = causeFinding('key-mismatch', {
    subject: describeCertificate(leaf),
    where: { target: target.text },
    what: `The server shows this certificate and cannot prove that it has its key (${unproven.why}).`,
    why: 'Either its key is another one, or somebody else shows a certificate that is not theirs; clients refuse.',
    evidence: { said: unproven.why },
  });
  return [orDiagnose(finding, target)];
}

/** Hellos are answered, and no handshake: there is no server for any client. */
function refusalFindings(facts: EndpointFacts): Finding[] {
  const { unproven, target } = facts;
  if (unproven === null || !isRefusing(facts)) return [];
  const finding = causeFinding('handshake-refused', {
    subject: target.host,
    where: { target: target.text },
    what: `Every handshake for ${target.host} is refused before a certificate is shown (${unproven.why}).`,
    evidence: { said: unproven.why },
    words: wordsOf(target),
  });
  return [orDiagnose(finding, target)];
}

function trustOf({ findings, path, isAnchored }: Verification): Trust {
  const flaw = findings.find(({ id, severity }) => severity === 'error' && !ABOUT_THE_NAME.includes(id));
  const anchor = isAnchored ? path.at(-1) : undefined;
  return { ok: flaw === undefined, why: flaw?.what ?? null, anchor: anchor ? formatName(anchor.subject) : null };
}
