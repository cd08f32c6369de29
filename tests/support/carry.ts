import { everyEvent, programOrder } from '../../lib/api.ts';
import { carryOut } from '../../lib/carry-out.ts';
import type { ProgramOptions } from '../../lib/api.ts';
import type { Event, JsonObject, Outcome } from '../../lib/event.ts';
import type { RunOptions } from '../../lib/request.ts';
import type { RunResult } from '../../lib/run.ts';
import type { AnyTask } from '../../lib/task.ts';
import type { ScriptedRunner } from '../../lib/testing.ts';
import { scriptedRunner } from '../../lib/testing.ts';

export interface Carried {
  readonly result: RunResult;
  readonly exitCode: number;
  /** How each step ended, by its title. */
  readonly ended: Readonly<Record<string, Outcome['status']>>;
  /** Titles in the order in which steps started. */
  readonly started: readonly string[];
  readonly events: readonly Event[];
  readonly runner: ScriptedRunner;
  outcome(title: string): Outcome;
}

export type CarryOptions = ProgramOptions & {
  readonly runOptions?: Partial<RunOptions>;
  readonly names?: Readonly<Record<string, AnyTask>>;
};

/** Plan and run `targets` in this process: commands are answered with success, unless a runner is given. */
export async function carry(targets: readonly (AnyTask | readonly [AnyTask, JsonObject])[], options: CarryOptions = {}): Promise<Carried> {
  const runner = scriptedRunner([[/.*/, '']]);
  const events: Event[] = [];
  const order = await programOrder(
    targets.map((target) =>
      isPair(target) ? { task: target[0], given: target[1], isFromCode: true } : { task: target, given: {}, isFromCode: true },
    ),
    { runner, signals: false, env: {}, ...options, ...(options.names && { config: { tasks: options.names, dotenv: [] } }) },
  );
  const result = await carryOut({
    ...order,
    stateDir: undefined,
    keeping: undefined,
    options: { ...order.options, ...options.runOptions },
    reporters: [...order.reporters, everyEvent((event) => events.push(event))],
  });
  const titles = new Map(result.steps.map((step) => [step.id, step.title]));
  const outcomes = new Map([...result.outcomes].map(([id, outcome]) => [titles.get(id) ?? id, outcome]));
  return {
    result,
    exitCode: result.exitCode,
    ended: Object.fromEntries([...outcomes].map(([title, outcome]) => [title, outcome.status])),
    started: events.flatMap((event) => (event.type === 'step-started' ? [titles.get(event.step) ?? event.step] : [])),
    events,
    runner,
    outcome(title) {
      const outcome = outcomes.get(title);
      if (!outcome) throw new Error(`no step ${title}; there are ${[...outcomes.keys()].join(', ')}`);
      return outcome;
    },
  };
}

function isPair(target: AnyTask | readonly [AnyTask, JsonObject]): target is readonly [AnyTask, JsonObject] {
  return Array.isArray(target);
}
