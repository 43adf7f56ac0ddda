/** The world of a stack, wired: who issues, where pairs lie, how services are reached. */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { pemFromDer } from '../../core/bytes/pem.ts';
import type { LeafProfileName } from '../../core/issuance/profile.ts';
import { generalNameFromText } from '../../core/issuance/requested-names.ts';
import type { ServiceSpec, Stack } from '../../core/stack/stack.ts';
import { parseCertificate } from '../../core/x509/certificate.ts';
import { configurationFiles } from '../../edge/files/configuration-file.ts';
import { installedKeyFlaw } from '../../edge/files/key-file.ts';
import { memberRecords } from '../../edge/files/member-records.ts';
import type { StatePaths } from '../../edge/files/state-directory.ts';
import { versionedInstall } from '../../edge/files/versioned-install.ts';
import { addressesOf } from '../../edge/net/addresses.ts';
import { isListening } from '../../edge/net/is-listening.ts';
import { remotePlaintext } from '../../edge/probe/remote-plaintext.ts';
import { readFlight } from '../../edge/probe/server-flight.ts';
import { handshake } from '../../edge/probe/service-handshake.ts';
import { runAction } from '../../edge/reload/run-action.ts';
import { generateKey } from '../../edge/signer/key-pair.ts';
import { sleep, wallClock } from '../../edge/system/clock.ts';
import { hostFacts } from '../../edge/system/host-facts.ts';
import type { HostPorts } from '../../flow/agent/agent-ports.ts';
import type { ApplyPorts } from '../../flow/agent/apply-plan.ts';
import type { PlanPorts } from '../../flow/agent/install-plan.ts';
import type { MemberRecords } from '../../flow/agent/member-records.ts';
import type { VerifyPorts } from '../../flow/agent/verify/check.ts';
import type { ClientIdentity } from '../../flow/probe/attempt.ts';
import type { PasswordOptions } from '../passwords.ts';
import { inMemoryAuthority } from './in-memory-authority.ts';
import { openLocalAuthority } from './local-authority.ts';
import { openRemoteAuthority } from './remote-authority.ts';
import type { StackAuthority } from './stack-authority.ts';
import { stackIssuers } from './stack-issuers.ts';

export interface StackWorld extends ApplyPorts, PlanPorts {
  readonly install: ApplyPorts['install'];
  readonly configuration: ApplyPorts['configuration'];
  readonly host: ApplyPorts['host'];
  readonly records: MemberRecords;
  readonly authority: StackAuthority;
  /** What proves a service; made when it is first needed. */
  readonly verification: (service: ServiceSpec) => Promise<VerifyPorts>;
  readonly close: () => void;
}

/** @throws OperatorFault where the authority cannot be opened */
export async function openStackWorld(
  stack: Stack,
  paths: StatePaths,
  password: PasswordOptions,
  agentAlive: () => boolean,
): Promise<StackWorld> {
  return stackWorld(stack, paths, await openAuthority(stack, paths, password), agentAlive);
}

export function openAuthority(stack: Stack, paths: StatePaths, password: PasswordOptions): Promise<StackAuthority> {
  const listsWanted = stack.services.some(({ clients }) => clients.kind !== 'none');
  return stack.authority === null
    ? openLocalAuthority(paths, password, listsWanted)
    : openRemoteAuthority(stack.authority, join(paths.root, 'authorities'), listsWanted);
}

export function stackWorld(
  stack: Stack,
  paths: StatePaths,
  authority: StackAuthority,
  agentAlive: () => boolean,
): StackWorld {
  const host: HostPorts = {
    facts: hostFacts,
    run: runAction,
    sleep,
    clock: wallClock,
    addresses: addressesOf,
    isListening,
    async servedFingerprint(protocol, address, serverName) {
      const result = await handshake({
        protocol,
        address,
        serverName,
        anchors: null,
        exchange: false,
        timeoutMs: 5000,
      });
      if (result.kind === 'refused') return { why: result.why };
      return parseCertificate(result.leaf).fingerprint;
    },
  };
  const issuers = stackIssuers(stack, authority, join(paths.root, 'acme-accounts'));
  let foreign: Promise<VerifyPorts['foreign']> | null = null;
  const identity = async (profile: LeafProfileName, names: readonly string[]): Promise<ClientIdentity> => {
    const key = await generateKey('ecdsa-p256');
    const chain = await authority.issue(
      {
        profile,
        names: names.flatMap((name) => generalNameFromText(name) ?? []),
        key,
        lifetimeSeconds: 300,
        ...(profile === 'client' && names[0] !== undefined && { commonName: names[0] }),
      },
      null,
    );
    return { certPem: chain.map(({ raw }) => pemFromDer('CERTIFICATE', raw)).join(''), keyPem: keyPem(key) };
  };
  const own = async ({ clients }: ServiceSpec): Promise<VerifyPorts['own']> => {
    if (clients.kind === 'none') return null;
    const listed = clients.kind === 'required-names' ? clients.names[0] : undefined;
    try {
      return {
        client: await identity('client', [listed ?? NOBODY]),
        unlistedClient: clients.kind === 'required-names' ? await identity('client', [NOBODY]) : null,
        server: await identity('server', [`${NOBODY}.invalid`]),
      };
    } catch (fault) {
      return { fault };
    }
  };
  return {
    authority,
    install: versionedInstall,
    configuration: configurationFiles,
    host,
    records: memberRecords(join(paths.root, 'members'), stack.name),
    ...issuers,
    stackTrust: () => authority.roots().bundle,
    revocationLists: authority.revocationLists,
    listToSign: authority.listToSign,
    async verification(service) {
      foreign ??= foreignAuthority();
      return {
        handshake,
        readFlight,
        plaintext: remotePlaintext,
        addresses: addressesOf,
        run: runAction,
        anchors: issuers.anchors(service.issuer).map(({ raw }) => pemFromDer('CERTIFICATE', raw)),
        foreign: await foreign,
        own: await own(service),
        keyFlaw: installedKeyFlaw,
        revocation: (leaf) => issuers.revocation(service.issuer, leaf),
        agentAlive,
        clock: wallClock,
      };
    },
    close: authority.close,
  };
}

const NOBODY = 'fullchain-verify';

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** For the checks that must fail. */
async function foreignAuthority(): Promise<VerifyPorts['foreign']> {
  const { root, intermediate, key } = await inMemoryAuthority(['A foreign root', 'A foreign certificate']);
  // Shown as a client certificate: whatever its profile, it leads to a root that the service does not know.
  return {
    rootPem: pemFromDer('CERTIFICATE', root.raw),
    client: { certPem: pemFromDer('CERTIFICATE', intermediate.raw), keyPem: keyPem(key) },
  };
}
