/** A name with several addresses: one that does not answer while another does is a flaw, and no outage. */
import type { Finding } from '../diagnosis/finding.ts';
import { isReachable } from './endpoint-facts.ts';
import type { ProbedEndpoint } from './probe-document.ts';

/** @param probed every address of one target */
export function beside(probed: readonly ProbedEndpoint[]): readonly ProbedEndpoint[] {
  if (!probed.some(({ facts }) => isReachable(facts))) return probed;
  return probed.map((endpoint) =>
    isReachable(endpoint.facts)
      ? endpoint
      : {
          ...endpoint,
          judgement: { ...endpoint.judgement, findings: endpoint.judgement.findings.map(lessSevere) },
        },
  );
}

function lessSevere(finding: Finding): Finding {
  return {
    ...finding,
    severity: 'warning',
    why: 'Clients that try this address first wait, or give up; others of the same name answer.',
    remedy: {
      ...finding.remedy,
      text: 'Let the service listen at this address too, or take the address out of the name.',
    },
  };
}
