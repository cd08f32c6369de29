import type { ProgramOptions } from './api.ts';
import { programOrder, runOptionsFor } from './api.ts';
import { planOrder } from './carry-out.ts';
import { targetsOf } from './cli/parse.ts';
import type { Config } from './config.ts';
import type { PlanView } from './event.ts';
import { jsonOfGiven } from './input.ts';
import { planView } from './step-view.ts';
import type { Task } from './task.ts';
import { specOf } from './task.ts';

/**
 * What `run` would run, as plain data: for tests, and to show.
 *
 * @throws {UserError} when the input is wrong
 */
export async function plan<I, O>(
  task: Task<I, O>,
  ...rest: {} extends I ? [input?: NoInfer<I>, options?: ProgramOptions] : [input: NoInfer<I>, options?: ProgramOptions]
): Promise<PlanView> {
  const [input, options = {}] = rest;
  const given = jsonOfGiven(specOf(task).input, input ?? {});
  const order = await programOrder([{ task, given, isFromCode: true }], options);
  const planned = await planOrder(order);
  return planView(planned.plan, planned.planner, planned.nameOf);
}

/**
 * What `runTargets` would run.
 *
 * @throws {UserError} when the words are wrong
 */
export async function planTargets(
  config: Config,
  argv: readonly string[],
  options: Omit<ProgramOptions, 'config'> = {},
): Promise<PlanView> {
  const order = await programOrder([], { ...options, config });
  const { targets, own } = targetsOf(argv, order);
  const planned = await planOrder({ ...order, targets, options: await runOptionsFor({ ...options, config }, own) });
  return planView(planned.plan, planned.planner, planned.nameOf);
}
