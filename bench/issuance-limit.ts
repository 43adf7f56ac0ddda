/** What issuance costs without HTTP, tokens and storage, in this process: CSR read and verified → decided → signed. */
import { randomBytes } from 'node:crypto';
import { openState } from '../src/app/open-state.ts';
import { decideIssuance } from '../src/core/issuance/decide-issuance.ts';
import { assembleCertificate } from '../src/core/x509/certificate.ts';
import { SERIAL_BYTE_LENGTH, serialFromRandom } from '../src/core/x509/serial-number.ts';
import { statePaths } from '../src/edge/files/state-directory.ts';
import { wallClock } from '../src/edge/system/clock.ts';
import { checkedCsr } from '../src/flow/ca/finalize-order.ts';
import {
  DEFAULT_LIFETIME_SECONDS,
  DEFAULT_MAX_LIFETIME_SECONDS,
  issuanceLimits,
} from '../src/flow/ca/provisioner-limits.ts';
import { csrRequest } from './csr-request.ts';

export interface IssuanceLimit {
  readonly issuancesPerSecond: number;
  readonly cpuMsPerIssuance: number;
}

const LIMITS = issuanceLimits({
  defaultLifetimeSeconds: DEFAULT_LIFETIME_SECONDS,
  maxLifetimeSeconds: DEFAULT_MAX_LIFETIME_SECONDS,
});

export type MeasureLimit = (count: number) => Promise<IssuanceLimit>;

/** With the issuing key of an existing state, whose records are not touched. */
export async function issuanceLimit(state: string): Promise<MeasureLimit> {
  const source = { file: undefined, environment: undefined, ask: false };
  const { issuerAt, close } = await openState(statePaths(state), source, { lock: false, acceptClock: false });
  close();
  const issuer = issuerAt('http://localhost');
  return async (count) => {
    const csrs = Array.from({ length: count }, (_, i) => csrRequest([`o${i}.limit.bench.test`]).der);
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    for (const der of csrs) {
      const csr = checkedCsr(der);
      if ('kind' in csr) throw new Error(csr.problem.detail);
      const serial = serialFromRandom(randomBytes(SERIAL_BYTE_LENGTH));
      const request = { profile: 'server', names: csr.names, publicKey: csr.publicKey.raw } as const;
      const decision = decideIssuance(request, issuer, LIMITS, wallClock(), serial);
      if (decision.kind === 'refused') throw new Error(decision.detail);
      const { tbs } = decision;
      assembleCertificate(tbs.bytes, tbs.keyAlgorithm, await issuer.sign(tbs));
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { issuancesPerSecond: count / seconds, cpuMsPerIssuance: (user + system) / 1000 / count };
  };
}
