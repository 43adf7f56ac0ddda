/**
 * The replacement of a root, as a walk of three steps: prepare (the new root is trusted too), activate (it is issued
 * from), retire (the old one is trusted no more). Between them lies the time in which hosts take up the bundle, and then
 * their new certificates. Until the new root is active, cancel leads back.
 */
export type RotationStep = 'prepare' | 'activate' | 'retire' | 'cancel';

/** `preparing`, `activating` and `cancelling` are what a step that was cut short leaves. */
export type RotationPhase = 'none' | 'preparing' | 'prepared' | 'activating' | 'activated' | 'cancelling';

export type StepDecision =
  /** To be done, or to be gone on with. */
  | { readonly kind: 'do' }
  /** It has been done: nothing is left to do. */
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string };

const WAITS_FOR_ACTIVATION = 'a new root is prepared and not yet active: activate it first';
const WAITS_FOR_RETIREMENT = 'the new root is active and the old one still trusted: retire that one first';
const IS_PREPARING = 'the preparation of a new root was cut short: prepare once more, which goes on with it';
const IS_CANCELLING = 'the cancelling of a new root was cut short: cancel once more, which goes on with it';
/** Certificates may lead to it by now. */
const TOO_LATE = 'the new root issues already: retire the old one, then prepare another';

/** One row a phase, one answer a step. */
const DECISIONS: Readonly<
  Record<RotationPhase, Readonly<Record<RotationStep, 'do' | 'done' | { readonly why: string }>>>
> = {
  none: {
    prepare: 'do',
    activate: { why: 'no new root is prepared: prepare one first' },
    retire: { why: 'no root is being replaced, so there is none to retire' },
    cancel: { why: 'no new root is prepared, so there is nothing to cancel' },
  },
  preparing: { prepare: 'do', activate: { why: IS_PREPARING }, retire: { why: IS_PREPARING }, cancel: 'do' },
  prepared: { prepare: 'done', activate: 'do', retire: { why: WAITS_FOR_ACTIVATION }, cancel: 'do' },
  activating: {
    prepare: { why: WAITS_FOR_RETIREMENT },
    activate: 'do',
    retire: { why: WAITS_FOR_ACTIVATION },
    cancel: { why: TOO_LATE },
  },
  activated: { prepare: { why: WAITS_FOR_RETIREMENT }, activate: 'done', retire: 'do', cancel: { why: TOO_LATE } },
  cancelling: {
    prepare: { why: IS_CANCELLING },
    activate: { why: IS_CANCELLING },
    retire: { why: IS_CANCELLING },
    cancel: 'do',
  },
};

/** @param anyRetired whether a root was retired before: then retiring once more has nothing to do */
export function decideStep(step: RotationStep, phase: RotationPhase, anyRetired: boolean): StepDecision {
  const decision = DECISIONS[phase][step];
  if (typeof decision === 'string') return { kind: decision };
  if (phase === 'none' && step === 'retire' && anyRetired) return { kind: 'done' };
  return { kind: 'refused', ...decision };
}

const NEXT: Readonly<Record<RotationPhase, RotationStep | null>> = {
  none: null,
  preparing: 'prepare',
  prepared: 'activate',
  activating: 'activate',
  activated: 'retire',
  cancelling: 'cancel',
};

/** The step that comes next; null when no root is being replaced. */
export function nextStep(phase: RotationPhase): RotationStep | null {
  return NEXT[phase];
}
