import type { Engine } from './engine.ts';
import { childEnvironment } from './environment.ts';
import type { Outcome } from './event.ts';
import { StepFailure } from './failure.ts';
import type { Attempt } from './incremental.ts';
import { freshRun, isIncremental } from './incremental.ts';
import type { Step } from './plan.ts';
import { fieldsOf } from './schema.ts';
import type { StepScope } from './step-scope.ts';
import type { ErasedSpec } from './task.ts';
import { digestOf } from './util/digest.ts';
import { stableText } from './util/stable-text.ts';
import { asJson, checkedOutput } from './output.ts';

/** A step that is left alone: its outcome, its value, and what its users depend on. */
export interface Left {
  readonly outcome: Outcome;
  readonly value: unknown;
  readonly gives: string;
}

/** A step that is not, what is to be kept of it, and why it runs. */
export interface Going {
  readonly attempt: Attempt | undefined;
  /** Whether there is more to say than that it always runs. */
  readonly isExplained: boolean;
}

interface Facts {
  readonly scope: StepScope;
  readonly needDigests: () => Readonly<Record<string, string>>;
}

/** Whether a step can be left alone: nothing it depends on has changed (R32), or its own `upToDate` says so; with both, both. */
export async function leaveAlone(engine: Engine, step: Step, spec: ErasedSpec, facts: Facts): Promise<Left | Going> {
  const { scope } = facts;
  const decision = await engine.incremental?.decide(step, {
    cwd: scope.cwd,
    variables: scope.environment.variables,
    needs: facts.needDigests(),
    isTarget: step.target !== undefined,
  });
  const attempt = decision?.attempt;
  const hasKey = isIncremental(spec, engine.scopes.inputScopeOf(step));
  const isSourced = hasKey || spec.upToDate !== undefined;
  const earlier = isSourced || !spec.run ? undefined : engine.earlier?.of(step, facts.needDigests());
  if (earlier) return { outcome: { status: 'up-to-date', reason: 'nothing it needs has changed', ...asJson(earlier.value) }, ...earlier };
  const untouched = (value: unknown): string => (attempt && engine.incremental?.givesUntouched(attempt, value)) ?? freshRun();
  if (decision?.kind === 'runs' && decision.attempt.why.length > 0) return told(decision.attempt);
  // Where nothing is kept, nobody knows whether what it reads has changed: unknown means run.
  if (!decision && hasKey) return { attempt, isExplained: false };
  const own = await ownAnswer(engine, step, spec, scope);
  if (decision?.kind !== 'left') return own ? { ...own, gives: untouched(own.value) } : { attempt, isExplained: false };
  if (spec.upToDate && !own) return told({ ...decision.attempt, why: ['its own `upToDate` does not hold'] });

  const checked = checkedOutput(spec, decision.value);
  if (!checked.ok) return told({ ...decision.attempt, why: ['what it gave last time is not what its `output` accepts now'] });
  if (engine.options.replayLogs) {
    const text = await decision.log();
    if (text !== undefined) engine.emit({ type: 'log', step: step.id, level: 'info', text: text.trimEnd() });
  }
  const output = asJson(checked.value);
  const outcome: Outcome =
    decision.from === undefined
      ? { status: 'up-to-date', reason: 'nothing changed', ...output }
      : { status: 'cached', from: decision.from, ...output };
  return { outcome, value: checked.value, gives: decision.gives(checked.value) };
}

const told = (attempt: Attempt): Going => ({ attempt, isExplained: true });

async function ownAnswer(engine: Engine, step: Step, spec: ErasedSpec, scope: StepScope): Promise<Omit<Left, 'gives'> | undefined> {
  if (!spec.upToDate) return undefined;
  if (engine.options.force === 'all' || (engine.options.force === 'targets' && step.target !== undefined)) return undefined;
  let answer: Awaited<ReturnType<NonNullable<typeof spec.upToDate>>>;
  try {
    answer = await spec.upToDate({ ...scope.looking, ...engine.scopes.inputScopeOf(step) });
  } catch (error) {
    // What cannot be looked at yet is not up to date; in a real run it is the author's mistake.
    if (engine.options.dryRun) return undefined;
    throw error;
  }
  if (!answer) return undefined;
  const { reason, output } = typeof answer === 'string' ? { reason: answer, output: undefined } : { output: undefined, ...answer };
  const checked = checkedOutput(spec, output);
  if (!checked.ok)
    throw new StepFailure({ kind: 'output', message: `\`upToDate\`: ${checked.message}`, exitCode: 1, facts: checked.facts });
  return { outcome: { status: 'up-to-date', reason, ...asJson(checked.value) }, value: checked.value };
}

/** Keep what a step did, or see to it that nothing is known of it. */
export async function keepOutcome(
  engine: Engine,
  spec: ErasedSpec,
  attempt: Attempt | undefined,
  ended: { readonly outcome: Outcome; readonly value: unknown; readonly returned: unknown; readonly log: string },
  needDigests: () => Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (!engine.incremental || !attempt) return undefined;
  engine.earlier?.forget(attempt.step);
  const isDone = ended.outcome.status === 'done';
  // A group gives what its needs gave.
  if (!spec.run) return isDone ? digestOf(stableText(needDigests())) : undefined;
  const gives = await engine.incremental.end(attempt, {
    isDone,
    returned: ended.returned,
    value: ended.value,
    log: engine.masker.mask(ended.log),
    isSafe: (text) => engine.masker.mask(text) === text,
  });
  if (isDone) engine.earlier?.keep(attempt.step, attempt.facts.needs, { value: ended.value, gives });
  return gives;
}

/** The variables that commands of a step see: all, or, where it may be skipped, those that count (R31). */
export function commandVariables(
  engine: Engine,
  step: Step,
  spec: ErasedSpec,
  scope: StepScope,
): { readonly variables: Readonly<Record<string, string>>; readonly heldBack: readonly string[] } {
  const { variables } = scope.environment;
  if (!isIncremental(spec, engine.scopes.inputScopeOf(step))) return { variables, heldBack: [] };
  const declared = fieldsOf(spec.env).map(({ key }) => key);
  return childEnvironment(variables, [...declared, ...(spec.passEnv ?? []), ...engine.passEnv]);
}

const MANY_NAMES = 20;

/** For the report of a step that failed: what was set and its commands did not see. */
export function heldBackFact(heldBack: readonly string[]): string | undefined {
  const names = heldBack.filter((name) => !SHELLS_OWN.has(name)).toSorted();
  if (names.length === 0) return undefined;
  const shown = names.slice(0, MANY_NAMES).join(' ');
  const rest = names.length > MANY_NAMES ? ` and ${names.length - MANY_NAMES} more` : '';
  return `Its commands did not see these variables, which it does not declare (\`env\`, \`passEnv\`): ${shown}${rest}`;
}

const SHELLS_OWN = new Set(['_', 'PWD', 'OLDPWD', 'SHLVL']);
