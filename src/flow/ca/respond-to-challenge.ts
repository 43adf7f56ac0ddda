/**
 * A client says that a challenge is in place (RFC 8555 §7.5.1): the authority looks, once, and what it saw
 * decides the authorization.
 *
 * A quick validation is answered within the request, which spares the client its polling. A slow one is
 * recorded as begun, answered as "processing" and finished in the background; after a crash the recovery
 * finds the record and looks again, so no authorization hangs.
 */
import {
  type AttemptOutcome,
  type Authorization,
  authorizationStatus,
  type ChallengeType,
  keyAuthorization,
  offeredChallenges,
} from '../../core/acme/authorization.ts';
import { baseValue } from '../../core/acme/identifier.ts';
import { parseObjectPayload } from '../../core/acme/payload.ts';
import type { Refused } from '../../core/faults/acme-problems.ts';
import type { Thumbprint } from '../../core/jose/jwk.ts';
import type { Instant } from '../../core/time/instant.ts';
import type { Authenticated, ByAccount } from './authenticate-request.ts';
import { type AuthorizationResult, notFound } from './orders.ts';
import type { AccountStore, AuthorizationStore } from './store-ports.ts';
import type { ValidateChallenge } from './validation-ports.ts';

export interface ChallengePorts {
  readonly store: Pick<
    AuthorizationStore,
    'loadAuthorization' | 'recordAttempt' | 'recordOutcome' | 'listUnfinishedAttempts'
  > &
    Pick<AccountStore, 'loadAccount'>;
  readonly validators: Readonly<Record<ChallengeType, ValidateChallenge>>;
  readonly clock: () => Instant;
  readonly sleep: (ms: number) => Promise<void>;
  /** A background validation failed for a reason of our own (storage): it stays recorded as begun. */
  readonly onFault: (fault: unknown) => void;
}

export interface Challenges {
  readonly respond: (
    request: Authenticated<ByAccount>,
    authorizationId: number,
    type: string,
  ) => Promise<AuthorizationResult>;
  /** Looks again at every challenge whose validation was begun and not finished. */
  readonly resume: () => Promise<void>;
  /** Ends running validations without an outcome; they are resumed at the next start. */
  readonly stop: () => Promise<void>;
}

/** How long a request waits for its validation before it is answered with "processing". */
const ANSWER_WITHIN_MS = 400;

export function challenges(ports: ChallengePorts): Challenges {
  const { store, clock } = ports;
  const stopping = new AbortController();
  /** One validation an authorization at a time, whoever asks. */
  const running = new Map<number, Promise<Authorization | null>>();

  const validate = (
    authorization: Authorization,
    type: ChallengeType,
    thumbprint: Thumbprint,
  ): Promise<Authorization | null> => {
    const known = running.get(authorization.id);
    if (known) return known;
    const startedAt = clock();
    const work = (async () => {
      const observed = await ports.validators[type](
        {
          identifierType: authorization.identifier.type,
          value: baseValue(authorization.identifier),
          token: authorization.token,
          keyAuthorization: keyAuthorization(authorization.token, thumbprint),
        },
        stopping.signal,
      );
      if (stopping.signal.aborted) return null;
      const outcome: AttemptOutcome = { ...observed, at: clock() };
      return store.recordOutcome(authorization.id, type, startedAt, outcome);
    })().finally(() => running.delete(authorization.id));
    running.set(authorization.id, work);
    return work;
  };

  return {
    async respond(request, authorizationId, type) {
      const authorization = await store.loadAuthorization(authorizationId);
      if (authorization?.accountId !== request.by.account.id) return notFound('challenge');
      const offered = offeredChallenges(authorization).find((challenge) => challenge === type);
      if (!offered) return notFound('challenge');
      if (request.payload.byteLength === 0) return { kind: 'authorization', authorization };
      const refusal = checkPayload(request.payload);
      if (refusal) return refusal;
      // A challenge is tried once: asking again shows how it stands.
      if (authorizationStatus(authorization, clock()) !== 'pending' || authorization.attempt)
        return { kind: 'authorization', authorization };

      const work = validate(authorization, offered, request.by.account.thumbprint);
      const quick = await Promise.race([work, ports.sleep(ANSWER_WITHIN_MS).then(() => 'slow' as const)]);
      if (quick !== 'slow') return { kind: 'authorization', authorization: quick ?? authorization };
      work.catch(ports.onFault);
      await store.recordAttempt(authorizationId, offered, clock());
      const begun = await store.loadAuthorization(authorizationId);
      return begun ? { kind: 'authorization', authorization: begun } : notFound('challenge');
    },

    async resume() {
      for (const authorization of await store.listUnfinishedAttempts()) {
        const account = await store.loadAccount(authorization.accountId);
        const type = authorization.attempt?.challengeType;
        if (account && type) validate(authorization, type, account.thumbprint).catch(ports.onFault);
      }
    },

    async stop() {
      stopping.abort();
      await Promise.allSettled(running.values());
    },
  };
}

/** §7.5.1: "{}"; a keyAuthorization as clients before the RFC send it is ignored, not refused. */
function checkPayload(payload: Uint8Array): Refused | null {
  const parsed = parseObjectPayload(payload);
  return parsed.kind === 'refused' ? parsed : null;
}
