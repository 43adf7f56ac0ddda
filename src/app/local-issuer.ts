/** Issuing with this host's own state: the issuing key signs in this process, and the record is in the same database. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { OperatorFault } from '../core/faults/operator-faults.ts';
import type { LeafProfileName } from '../core/issuance/profile.ts';
import type { Certificate } from '../core/x509/certificate.ts';
import type { GeneralName } from '../core/x509/general-name.ts';
import type { SerialNumber } from '../core/x509/serial-number.ts';
import type { StatePaths } from '../edge/files/state-directory.ts';
import { publicKeyDer } from '../edge/signer/key-pair.ts';
import { wallClock } from '../edge/system/clock.ts';
import { issueCertificate } from '../flow/ca/issue-certificate.ts';
import { issuanceLimits } from '../flow/ca/provisioner-limits.ts';
import { readReady } from './authority-files.ts';
import { readConfig } from './config.ts';
import { databaseFault, openState } from './open-state.ts';
import type { PasswordOptions } from './passwords.ts';
import { type RevocationList, revocationLists } from './revocation-lists.ts';

export interface LeafRequest {
  readonly profile: LeafProfileName;
  readonly names: readonly GeneralName[];
  readonly key: KeyObject;
  readonly lifetimeSeconds?: number;
  readonly commonName?: string;
  /** Whose limits apply. */
  readonly provisioner: string;
  /** The certificate that this one replaces, for the records. */
  readonly replaces?: SerialNumber;
}

export interface LocalIssuer {
  readonly root: Certificate;
  /** Leaf and intermediates, DER. @throws OperatorFault issuance-refused, provisioner-unknown, disk-full … */
  readonly issue: (request: LeafRequest) => Promise<Uint8Array[]>;
  readonly revocationList: RevocationList;
  readonly close: () => void;
}

/** @throws OperatorFault as opening the state does */
export async function openLocalIssuer(paths: StatePaths, password: PasswordOptions): Promise<LocalIssuer> {
  const state = await openState(paths, password, { lock: false, acceptClock: false });
  const plainBase = plainBaseOf(paths);
  const issuer = state.issuerAt(plainBase);
  return {
    root: state.root,
    async issue({ profile, names, key, lifetimeSeconds, commonName, provisioner: name, replaces }) {
      try {
        const provisioner = await state.store.loadProvisioner(name);
        if (!provisioner) throw new OperatorFault('provisioner-unknown', `there is no provisioner named ${name}`);
        const replaced = replaces === undefined ? null : await state.store.findCertificate(replaces);
        const result = await issueCertificate(
          { store: state.store, issuer: () => issuer, random: randomBytes },
          {
            profile,
            names,
            publicKey: publicKeyDer(key),
            ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
            ...(commonName !== undefined && { subject: { commonName } }),
          },
          issuanceLimits(provisioner),
          {
            origin: replaced ? { kind: 'renewal', certificateId: replaced.id } : { kind: 'authority' },
            provisioner: provisioner.name,
            accountId: null,
          },
          wallClock(),
        );
        if (result.kind === 'issued') return [result.der, issuer.certificate.raw];
        throw new OperatorFault(
          'issuance-refused',
          result.kind === 'refused' ? result.detail : 'it has been issued already',
        );
      } catch (fault) {
        throw databaseFault(fault, paths.database);
      }
    },
    revocationList: revocationLists(state, () => issuer, plainBase),
    close: state.close,
  };
}

/** Where the authority's lists are, also when it is not running. */
function plainBaseOf(paths: StatePaths): string {
  const running = readReady(paths);
  if (running) return running.plainUrl;
  const { dnsNames, listen, httpListen } = readConfig(paths.config);
  const port = (httpListen ?? listen).split(':').at(-1);
  return `http://${dnsNames[0] ?? 'localhost'}${port === '80' ? '' : `:${port}`}`;
}
