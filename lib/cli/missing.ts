import type { Config } from '../config.ts';
import type { Json } from '../event.ts';
import { decodeVariable } from '../flags.ts';
import type { InputProblem } from '../input.ts';
import type { Field } from '../schema.ts';
import { fieldsOf } from '../schema.ts';
import { specOf } from '../task.ts';
import type { AskForText } from './ask.ts';
import type { ParsedTarget } from './parse.ts';
import { resolveTarget } from './parse.ts';

/** What targets still want before they can be planned (R11): told, or asked for at a terminal. */
export interface InputScope {
  readonly config: Config;
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What is wrong with the input of a target, but for what a problem of its line has told already. */
export function inputProblems(target: ParsedTarget, { config, root, env }: InputScope): readonly InputProblem[] {
  const resolved = resolveTarget(target, { root, env, defaults: config.defaults });
  return resolved.ok ? [] : resolved.problems;
}

/**
 * The targets with what was missing, as somebody typed it. Where more is wrong than that something is missing nobody is
 * asked: the answers would be for nothing.
 */
export async function withMissing(
  targets: readonly ParsedTarget[],
  scope: InputScope,
  ask: AskForText,
): Promise<{ readonly targets: readonly ParsedTarget[]; readonly wereAsked: boolean }> {
  const problems = targets.map((target) => inputProblems(target, scope));
  if (!problems.some((some) => some.length > 0) || problems.flat().some((problem) => !problem.isMissing))
    return { targets, wereAsked: false };
  const filled: ParsedTarget[] = [];
  for (const [index, target] of targets.entries()) {
    const missing = new Set(problems[index]?.map(({ key }) => key));
    const fields = fieldsOf(specOf(target.task).input).filter((field) => missing.has(field.key));
    const given: Record<string, Json> = { ...target.given };
    for (const field of fields) given[field.key] = await askFor(field, { ...target, given }, scope, ask);
    filled.push({ ...target, given });
  }
  return { targets: filled, wereAsked: true };
}

async function askFor(field: Field, target: ParsedTarget, scope: InputScope, ask: AskForText): Promise<Json> {
  const withText = (text: string): Json | undefined => {
    const decoded = decodeVariable(field, text);
    return decoded.ok ? decoded.value : undefined;
  };
  const text = await ask(target.name, field, (typed) => {
    const decoded = decodeVariable(field, typed);
    if (!decoded.ok) return decoded.problem;
    if (decoded.value === undefined) return 'it is required';
    const given = { ...target.given, [field.key]: decoded.value };
    return inputProblems({ ...target, given }, scope).find(({ key }) => key === field.key)?.text;
  });
  return withText(text) ?? text;
}
