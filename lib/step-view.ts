import type { JsonObject, PlanView, StepView } from './event.ts';
import { renderArgv, shellLine } from './flags.ts';
import type { Binding, Plan, PlanScope, Planner, Step } from './plan.ts';
import type { Field } from './schema.ts';
import { fieldsOf } from './schema.ts';
import { SHOWN } from './secrets.ts';
import { flagsOf, specOf } from './task.ts';
import { once } from './util/once.ts';

/** A step without its secrets. @internal */
export function stepView(step: Step, binding: Binding, isRegistered: boolean, program: string): StepView {
  const spec = specOf(binding.task);
  const fields = fieldsOf(spec.input);
  const flagFields = fieldsOf(flagsOf(binding.task)?.fields);
  const shown = withoutSecrets(fields, step.input);
  const flags = withoutSecrets(flagFields, step.flags);
  const needs: Record<string, string> = {};
  for (const key in step.needs) if (step.needs[key] !== undefined) needs[key] = step.needs[key];
  const view: StepView = {
    id: step.id,
    name: step.name,
    title: step.title,
    input: shown,
    ...(Object.keys(flags).length > 0 && { flags }),
    needs,
    after: step.after,
    ...(step.passthrough.length > 0 && { passthrough: step.passthrough }),
    ...(step.calledBy !== undefined && { calledBy: step.calledBy }),
    ...(step.postOf !== undefined && { postOf: step.postOf }),
    ...(step.target !== undefined && { target: step.target }),
    ...(spec.service && { service: true as const }),
  };
  if (!isRegistered) return view;
  // Of most steps nobody wants to know.
  const rerun = once(() => {
    const rest = step.passthrough.length > 0 ? ['--', ...step.passthrough] : [];
    return shellLine([program, ...renderArgv(flagFields, flags), step.name, ...renderArgv(fields, shown), ...rest]);
  });
  return Object.defineProperty(view, 'rerun', { enumerable: true, get: rerun });
}

function withoutSecrets(fields: readonly Field[], input: JsonObject): JsonObject {
  if (!fields.some((field) => field.secret)) return input;
  const secrets = fields.filter((field) => field.secret && input[field.key] !== undefined);
  return { ...input, ...Object.fromEntries(secrets.map((field) => [field.key, SHOWN])) };
}

/** @internal */
export function planView(plan: Plan, planner: Planner, nameOf: PlanScope['nameOf']): PlanView {
  return {
    version: 1,
    steps: plan.steps.map((step) => {
      const binding = planner.bindingOf(step);
      return stepView(step, binding, nameOf(binding.task) !== undefined, planner.program);
    }),
    targets: plan.targets,
  };
}
