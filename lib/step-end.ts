import type { Engine } from './engine.ts';
import type { Failure, Outcome } from './event.ts';
import type { HaltReason } from './halt.ts';
import { describeHalt } from './halt.ts';
import type { Step } from './plan.ts';
import { secretValuesIn } from './schema.ts';
import { placeOf, specOf } from './task.ts';

/** How a step ended, and the value it hands over. */
export interface StepEnd {
  readonly outcome: Outcome;
  readonly value: unknown;
  /** A digest of what its users depend on; absent where nothing is left alone. */
  readonly gives?: string;
  /** Its body asked to end the whole run with this code. */
  readonly exit?: { readonly code: number; readonly message: string };
}

export function failed(
  engine: Engine,
  step: Step,
  startedAt: number,
  failure: Failure,
  tail: string,
  also: readonly Failure[] = [],
): StepEnd {
  const declared = failure.place ?? placeOf(engine.planner.bindingOf(step).task);
  return {
    outcome: {
      status: 'failed',
      ms: engine.now() - startedAt,
      failure: { ...failure, ...(declared && { place: { file: declared.file, line: declared.line } }) },
      ...(tail && { tail: engine.masker.mask(tail) }),
      ...(also.length > 0 && { alsoFailed: also }),
    },
    value: undefined,
  };
}

/** Whatever gave it, a body or an earlier run: what its schema calls secret is hidden from here on (R29). */
export function hideSecrets(engine: Engine, step: Step, value: unknown): void {
  const { output } = specOf(engine.planner.bindingOf(step).task);
  for (const secret of secretValuesIn(output, value)) engine.masker.add(secret);
}

export function haltFailure(reason: HaltReason): Failure {
  if (reason.kind === 'service') return reason.failure;
  if (reason.kind === 'endless') return { kind: 'thrown', message: describeHalt(reason), exitCode: 1 };
  return { kind: 'timeout', message: describeHalt(reason), exitCode: 124 };
}
