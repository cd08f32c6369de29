import type { Engine } from './engine.ts';
import type { Failure } from './event.ts';
import type { Halt } from './halt.ts';
import { describeStop } from './halt.ts';
import type { Step } from './plan.ts';
import type { StepEnd } from './step-end.ts';
import { failed, haltFailure } from './step-end.ts';
import type { ErasedSpec, InputScope, RetrySpec } from './task.ts';
import { parseDurationMs } from './util/duration.ts';
import { pause } from './util/pause.ts';

/** Trying a body again (R22): after its clean-up, never its needs, and never what was stopped or refused. */
export interface RetryPolicy {
  /** The first one included. */
  readonly attempts: number;
  readonly delayMs: number;
  readonly factor: number;
  readonly when: (error: unknown) => boolean;
}

/** One attempt: how it would end the step, and what its body threw. */
export interface Attempt {
  readonly end: StepEnd;
  readonly thrown: unknown;
}

const ONCE: RetryPolicy = { attempts: 1, delayMs: 0, factor: 1, when: () => false };
/** `setTimeout` takes no longer wait (about 24 days). */
const LONGEST_MS = 2 ** 31 - 1;

export function retryPolicyOf(retry: ErasedSpec['retry'], scope: InputScope<unknown>, isDryRun: boolean): RetryPolicy {
  const spec: RetrySpec | undefined = typeof retry === 'function' ? retry(scope) : retry;
  if (!spec || isDryRun) return ONCE;
  return {
    attempts: spec.times + 1,
    delayMs: spec.delay === undefined ? 0 : parseDurationMs(spec.delay),
    factor: spec.factor ?? 1,
    when: spec.when ?? (() => true),
  };
}

/** How long it is waited after attempt `number`, counted from 1. */
export const delayAfter = (number: number, { delayMs, factor }: Pick<RetryPolicy, 'delayMs' | 'factor'>): number =>
  Math.min(LONGEST_MS, Math.round(delayMs * factor ** (number - 1)));

/**
 * Attempt until one succeeds, or none is left.
 *
 * @param halt  of the step: once it was told to end nothing is tried again
 */
export async function withRetry(
  engine: Engine,
  step: Step,
  policy: RetryPolicy,
  halt: Halt,
  attempt: () => Promise<Attempt>,
): Promise<StepEnd> {
  const startedAt = engine.now();
  for (let number = 1; ; number++) {
    const { end, thrown } = await attempt();
    const { outcome } = end;
    if (outcome.status !== 'failed') return number === 1 ? end : withAttempts(end, number);
    const isLast = number >= policy.attempts || !mayRetry(outcome.failure) || end.exit !== undefined || halt.reason !== undefined;
    if (isLast || !policy.when(thrown ?? new Error(outcome.failure.message))) return number === 1 ? end : withAttempts(end, number);
    const nextInMs = delayAfter(number, policy);
    engine.emit({
      type: 'attempt-failed',
      step: step.id,
      attempt: number,
      attempts: policy.attempts,
      failure: outcome.failure,
      nextInMs,
    });
    await pause(nextInMs, halt.signal);
    const { reason } = halt;
    if (reason?.kind === 'stop') {
      return { outcome: { status: 'stopped', ms: engine.now() - startedAt, reason: describeStop(reason.reason) }, value: undefined };
    }
    if (reason) return failed(engine, step, startedAt, haltFailure(reason), '');
  }
}

/** Words, permissions and an asked-for end are the same the next time. */
const mayRetry = ({ kind }: Failure): boolean => kind !== 'usage' && kind !== 'refused' && kind !== 'exit';

function withAttempts(end: StepEnd, attempts: number): StepEnd {
  const { outcome } = end;
  return outcome.status === 'done' || outcome.status === 'failed' ? { ...end, outcome: { ...outcome, attempts } } : end;
}
