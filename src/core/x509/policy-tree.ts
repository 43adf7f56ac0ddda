/**
 * Certificate policies along a path (RFC 5280 §6.1), with the graph of RFC 9618 in place of the tree: a policy has one
 * node a certificate, however many ways lead to it, so that the work grows with the certificates and not with their
 * product. Qualifiers are not looked at.
 */
import { type Certificate, isSelfIssued } from './certificate.ts';
import { CERTIFICATE_POLICIES } from './certificate-policies.ts';
import { extensionValue } from './extension.ts';
import { inhibitAnyPolicy, policyConstraints } from './policy-constraints.ts';
import { policyMappings } from './policy-mappings.ts';

/** What the relying party wants (RFC 5280 §6.1.1 (c), (e) to (g)). */
export interface PolicyInputs {
  /** The policies that are acceptable (user-initial-policy-set); null: any. */
  readonly acceptable: ReadonlySet<string> | null;
  /** The path must be valid under one of them (initial-explicit-policy). */
  readonly isRequired: boolean;
  readonly inhibitsMapping: boolean;
  readonly inhibitsAnyPolicy: boolean;
}

/** As clients of TLS are: any policy, and none is fine unless an authority demands one. */
export const ANY_POLICY_INPUTS: PolicyInputs = {
  acceptable: null,
  isRequired: false,
  inhibitsMapping: false,
  inhibitsAnyPolicy: false,
};

export type PolicyResult =
  /** The policies that the path is valid under, anyPolicy among them when every one is. */
  | { readonly ok: true; readonly policies: readonly string[] }
  /** `at`: index in the path of the certificate at fault. */
  | { readonly ok: false; readonly detail: string; readonly at: number };

export const ANY_POLICY = '2.5.29.32.0';

interface PolicyNode {
  readonly policy: string;
  readonly parents: readonly PolicyNode[];
  /** Policies of the next certificate that continue this one. */
  expected: ReadonlySet<string>;
}

/** The nodes of one depth, by their valid_policy. */
type Level = ReadonlyMap<string, PolicyNode>;

/** The state variables of §6.1.2 (a), (d) to (f). */
interface State {
  /** Depth 0 first; null: no policy is left (NULL). */
  graph: readonly Level[] | null;
  explicitPolicy: number;
  policyMapping: number;
  inhibitAnyPolicy: number;
}

/** `path`: leaf first, anchor last, as it was built. The anchor's own extensions do not count (§6.1). */
export function processPolicies(path: readonly Certificate[], inputs: PolicyInputs): PolicyResult {
  const state = initialState(path.length - 1, inputs);
  for (let at = path.length - 2; at >= 0; at--) {
    const certificate = path[at];
    if (!certificate) break;
    state.graph = grow(state, certificate, at === 0);
    // §6.1.3 (f).
    if (state.explicitPolicy === 0 && state.graph === null)
      return { ok: false, at, detail: 'has no acceptable policy' };
    if (at === 0) break;
    const isMapped = prepare(state, certificate);
    if (!isMapped) return { ok: false, at, detail: 'maps anyPolicy, which RFC 5280 §6.1.4 (a) forbids' };
  }
  return wrapUp(state, path[0], inputs);
}

function initialState(length: number, inputs: PolicyInputs): State {
  const root: PolicyNode = { policy: ANY_POLICY, parents: [], expected: new Set([ANY_POLICY]) };
  const never = length + 1;
  return {
    graph: [new Map([[ANY_POLICY, root]])],
    explicitPolicy: inputs.isRequired ? 0 : never,
    policyMapping: inputs.inhibitsMapping ? 0 : never,
    inhibitAnyPolicy: inputs.inhibitsAnyPolicy ? 0 : never,
  };
}

/** §6.1.3 (d) and (e): the graph with the nodes of one more certificate. */
function grow({ graph, inhibitAnyPolicy: left }: State, certificate: Certificate, isLeaf: boolean): State['graph'] {
  const policies = extensionValue(certificate, CERTIFICATE_POLICIES);
  const above = graph?.at(-1);
  if (policies === null || !graph || !above) return null;
  const continued = byExpectedPolicy(above);
  const anyNode = above.get(ANY_POLICY);
  const level = new Map<string, PolicyNode>();
  const add = (policy: string, parents: readonly PolicyNode[]): void => {
    if (!level.has(policy)) level.set(policy, { policy, parents, expected: new Set([policy]) });
  };
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue;
    const parents = continued.get(policy) ?? (anyNode ? [anyNode] : []);
    if (parents.length > 0) add(policy, parents);
  }
  if (policies.includes(ANY_POLICY) && (left > 0 || (!isLeaf && isSelfIssued(certificate)))) {
    for (const [policy, parents] of continued) add(policy, parents);
  }
  return pruned([...graph, level]);
}

function byExpectedPolicy(level: Level): ReadonlyMap<string, readonly PolicyNode[]> {
  const index = new Map<string, PolicyNode[]>();
  for (const node of level.values()) {
    for (const policy of node.expected) {
      const nodes = index.get(policy);
      if (nodes) nodes.push(node);
      else index.set(policy, [node]);
    }
  }
  return index;
}

/** §6.1.3 (d)(3): without the nodes that nothing of the last level goes back to; null when nothing is left. */
function pruned(graph: readonly Level[]): State['graph'] {
  const kept: Level[] = [];
  let level = graph.at(-1) ?? new Map<string, PolicyNode>();
  for (let depth = graph.length - 1; depth >= 0; depth--) {
    if (level.size === 0) return null;
    kept.unshift(level);
    const parents = new Set([...level.values()].flatMap((node) => node.parents));
    level = new Map([...(graph[depth - 1] ?? [])].filter(([, node]) => parents.has(node)));
  }
  return kept;
}

/** §6.1.4 (a), (b), (h) to (j): before the next certificate; false when anyPolicy is mapped. */
function prepare(state: State, certificate: Certificate): boolean {
  const mappings = new Map<string, Set<string>>();
  for (const { issuerDomainPolicy, subjectDomainPolicy } of policyMappings(certificate)) {
    if (issuerDomainPolicy === ANY_POLICY || subjectDomainPolicy === ANY_POLICY) return false;
    const mapped = mappings.get(issuerDomainPolicy) ?? new Set();
    mappings.set(issuerDomainPolicy, mapped.add(subjectDomainPolicy));
  }
  if (state.graph !== null && mappings.size > 0) {
    state.graph = state.policyMapping > 0 ? mapped(state.graph, mappings) : unmapped(state.graph, mappings);
  }
  if (!isSelfIssued(certificate)) {
    state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
    state.policyMapping = Math.max(0, state.policyMapping - 1);
    state.inhibitAnyPolicy = Math.max(0, state.inhibitAnyPolicy - 1);
  }
  const constraints = policyConstraints(certificate);
  state.explicitPolicy = Math.min(state.explicitPolicy, constraints?.requireExplicitPolicy ?? Infinity);
  state.policyMapping = Math.min(state.policyMapping, constraints?.inhibitPolicyMapping ?? Infinity);
  state.inhibitAnyPolicy = Math.min(state.inhibitAnyPolicy, inhibitAnyPolicy(certificate) ?? Infinity);
  return true;
}

/** §6.1.4 (b)(1). */
function mapped(
  graph: readonly Level[],
  mappings: ReadonlyMap<string, ReadonlySet<string>>,
): NonNullable<State['graph']> {
  const level = new Map(graph.at(-1));
  const anyNode = level.get(ANY_POLICY);
  for (const [policy, expected] of mappings) {
    const node = level.get(policy);
    if (node) node.expected = expected;
    else if (anyNode) level.set(policy, { policy, parents: anyNode.parents, expected });
  }
  return [...graph.slice(0, -1), level];
}

/** §6.1.4 (b)(2): policies that are mapped where nothing may be mapped any more are lost. */
function unmapped(graph: readonly Level[], mappings: ReadonlyMap<string, unknown>): State['graph'] {
  const level = new Map([...(graph.at(-1) ?? [])].filter(([policy]) => !mappings.has(policy)));
  return pruned([...graph.slice(0, -1), level]);
}

/** §6.1.5 (a), (b), (g). */
function wrapUp(state: State, leaf: Certificate | undefined, { acceptable }: PolicyInputs): PolicyResult {
  const isRequiredByLeaf = leaf !== undefined && policyConstraints(leaf)?.requireExplicitPolicy === 0;
  const isRequired = isRequiredByLeaf || state.explicitPolicy <= 1;
  const policies = userConstrainedPolicies(authorityConstrainedPolicies(state.graph), acceptable);
  if (!isRequired || policies.length > 0) return { ok: true, policies };
  const wanted = acceptable === null ? '' : `; acceptable is ${[...acceptable].join(', ')}`;
  return { ok: false, at: 0, detail: `is valid under no acceptable policy, and one is required${wanted}` };
}

/** The policies in the words of the first authority: those that come straight from "any policy". */
function authorityConstrainedPolicies(graph: State['graph']): ReadonlySet<string> {
  const policies = new Set<string>();
  for (const level of graph ?? []) {
    for (const { policy, parents } of level.values()) {
      if (policy !== ANY_POLICY && parents.some((parent) => parent.policy === ANY_POLICY)) policies.add(policy);
    }
  }
  if (graph?.at(-1)?.has(ANY_POLICY)) policies.add(ANY_POLICY);
  return policies;
}

function userConstrainedPolicies(policies: ReadonlySet<string>, acceptable: PolicyInputs['acceptable']): string[] {
  if (acceptable === null || acceptable.has(ANY_POLICY)) return [...policies].sort();
  return [...acceptable].filter((policy) => policies.has(ANY_POLICY) || policies.has(policy)).sort();
}
