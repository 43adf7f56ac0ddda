/** A check of a service: its id, what holds, and the next step where it does not. */
import type { Revocation } from '../../../core/revocation/revocation.ts';
import type { Action, Desired } from '../../../core/services/service-kind.ts';
import type { HostPort, ServiceSpec } from '../../../core/stack/stack.ts';
import type { Instant } from '../../../core/time/instant.ts';
import type { Certificate } from '../../../core/x509/certificate.ts';
import type { Attempt, AttemptResult, ClientIdentity, RemotePlaintextAnswer } from '../../probe/attempt.ts';
import type { ReadFlight } from '../../probe/server-flight.ts';
import { wordsOf } from '../step.ts';

export const CHECK_IDS = [
  'served',
  'chain',
  'names',
  'wrong-name',
  'foreign-ca',
  'plaintext',
  'protocols',
  'suites',
  'key',
  'clients',
  'renewal',
] as const;

export type CheckId = (typeof CHECK_IDS)[number];

export interface Check {
  readonly id: CheckId;
  /** null: does not apply, and `observed` says why. */
  readonly ok: boolean | null;
  readonly wanted: string;
  readonly observed: string;
  readonly remedy: string | null;
}

/** A check without its id, which the list of all checks gives it. @param remedy only shown when it fails */
export function finding(ok: boolean | null, wanted: string, observed: string, remedy: string): Omit<Check, 'id'> {
  return { ok, wanted, observed, remedy: ok === false ? remedy : null };
}

const NOT_TRIED = 'not tried: ';

/** Nothing is known against it, and nothing for it. */
export function untried(why: string): Omit<Check, 'id'> {
  return finding(null, 'a service that can be looked at', `${NOT_TRIED}${why}`, '');
}

export function isUntried({ ok, observed }: Pick<Check, 'ok' | 'observed'>): boolean {
  return ok === null && observed.startsWith(NOT_TRIED);
}

/** Certificates of the stack's own authority, made for the occasion. */
export interface OwnIdentities {
  readonly client: ClientIdentity;
  /** Of none of the names that are let in; null: names do not matter. */
  readonly unlistedClient: ClientIdentity | null;
  /** Without clientAuth. */
  readonly server: ClientIdentity;
}

/** Why a service that insists on client certificates may refuse us, whatever is looked at; null: it has no reason to. */
export function lackedIdentity(own: VerifyPorts['own'], { clients }: Pick<ServiceSpec, 'clients'>): string | null {
  const insists = clients.kind === 'required' || clients.kind === 'required-names';
  return insists && own !== null && 'fault' in own ? wordsOf(own.fault).detail : null;
}

export interface VerifyPorts {
  readonly handshake: (attempt: Attempt) => Promise<AttemptResult>;
  readonly readFlight: ReadFlight;
  readonly plaintext: (
    protocol: Attempt['protocol'],
    address: HostPort,
    timeoutMs: number,
  ) => Promise<RemotePlaintextAnswer>;
  /** Every IP address of a host name, an address as itself; empty: it does not resolve. */
  readonly addresses: (host: string) => Promise<readonly string[]>;
  /** Runs an action to its end; what it printed. */
  readonly run: (action: Action) => Promise<{ readonly ok: boolean; readonly output: string }>;
  /** PEM of the roots of this service's issuer. */
  readonly anchors: readonly string[];
  /** A root that this stack does not trust, and an identity below it to show to the service: made for the occasion. */
  readonly foreign: { readonly rootPem: string; readonly client: ClientIdentity };
  /** What is shown to a service that asks for certificates, or why it could not be had; null: this one asks for none. */
  readonly own: OwnIdentities | { readonly fault: unknown } | null;
  /** Mode, owner and content of the installed key, as the service's user would find it. */
  readonly keyFlaw: (layout: Desired['install']) => string | null;
  /** Of a certificate that leads to the anchors; null: its issuer has not revoked it, or is not asked. */
  readonly revocation: (leaf: Certificate) => Revocation | null;
  readonly agentAlive: () => boolean;
  readonly clock: () => Instant;
}

/** Of each connection. */
export const TIMEOUT_MS = 5000;
