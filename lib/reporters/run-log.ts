import type { EventOf, Outcome, StepView } from '../event.ts';

/** What a reporter remembers of a run to tell its end: the steps, and how each ended. */
export interface RunLog {
  /** In plan order, those that calls brought in at the end. */
  readonly steps: readonly StepView[];
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly isSolo: boolean;
  start(event: EventOf<'run-started'>): void;
  add(step: StepView): void;
  end(event: EventOf<'step-ended'>): void;
  viewOf(step: string): StepView | undefined;
  titleOf(step: string): string;
}

export function createRunLog(): RunLog {
  const steps: StepView[] = [];
  const views = new Map<string, StepView>();
  const outcomes = new Map<string, Outcome>();
  let isSolo = false;
  const add = (step: StepView): void => {
    steps.push(step);
    views.set(step.id, step);
  };
  return {
    steps,
    outcomes,
    get isSolo() {
      return isSolo;
    },
    start(event) {
      isSolo = event.solo;
      for (const step of event.plan.steps) add(step);
    },
    add,
    end: (event) => void outcomes.set(event.step, event.outcome),
    viewOf: (step) => views.get(step),
    titleOf: (step) => views.get(step)?.title ?? step,
  };
}
