import type { BodyEnd, BodyOptions, OpenBody } from './body.ts';
import { SkipRequest, openBody } from './body.ts';
import type { Engine } from './engine.ts';
import { parseTaskEnv } from './environment.ts';
import { Exit } from './errors.ts';
import type { Failure, Outcome } from './event.ts';
import { StepFailure, failureOf, firstThrown } from './failure.ts';
import type { Halt, HaltReason } from './halt.ts';
import { describeStop } from './halt.ts';
import { isIncremental } from './incremental.ts';
import type { Going } from './leave-alone.ts';
import { commandVariables, heldBackFact, keepOutcome, leaveAlone } from './leave-alone.ts';
import { asJson, checkedOutput } from './output.ts';
import type { Step } from './plan.ts';
import { findingsNow, refusalOf, scopeFor } from './preflight.ts';
import type { Attempt } from './retry.ts';
import { retryPolicyOf, withRetry } from './retry.ts';
import type { StepEnd } from './step-end.ts';
import { failed, haltFailure, hideSecrets } from './step-end.ts';
import type { StepScope } from './step-scope.ts';
import type { CallFunction, ErasedSpec } from './task.ts';
import { fieldOf, specOf } from './task.ts';
import { parseDurationMs } from './util/duration.ts';

export interface StepOptions {
  readonly halt: Halt;
  /** The outputs of what it needs, as the body is to see them. */
  readonly needs: unknown;
  /** Digests of what it needs, by the names in `needs`. */
  readonly needDigests: () => Readonly<Record<string, string>>;
  readonly call: CallFunction;
  /** Its requirements were left for now, as an earlier step provides them. */
  readonly isDeferred: boolean;
}

/** The longest a body may take in a dry run, where nothing it waits for can happen. */
const DRY_RUN_LIMIT_MS = 10_000;

/**
 * Carry out one step that ends by itself: deferred checks → up to date? → body → clean-up → output. Never rejects.
 *
 * @returns nothing where it has to run, and services that it needs rest: it is to be carried out again when they are ready
 */
export async function runStep(
  engine: Engine,
  step: Step,
  options: StepOptions & { readonly mustWait: () => boolean },
): Promise<StepEnd | undefined> {
  const startedAt = engine.now();
  try {
    const spec = specOf(engine.planner.bindingOf(step).task);
    const prepared = await prepare(engine, step, options.isDeferred);
    if ('outcome' in prepared) return prepared;
    const going = mayBeLeft(engine, spec)
      ? await leaveAlone(engine, step, spec, { scope: prepared.scope, needDigests: options.needDigests })
      : ALWAYS;
    if ('outcome' in going) {
      hideSecrets(engine, step, going.value);
      return going;
    }
    if (options.mustWait()) return undefined;
    if (going.isExplained && going.attempt) engine.emit({ type: 'step-explained', step: step.id, why: going.attempt.why });

    const interactive = fieldOf(spec.interactive, engine.scopes.inputScopeOf(step)) === true && engine.terminal.isTerminal;
    if (interactive) engine.emit({ type: 'interactive-started', step: step.id });
    try {
      const { variables, heldBack } = commandVariables(engine, step, spec, prepared.scope);
      if (going.attempt && spec.run) engine.incremental?.begin(going.attempt);
      const said: Said = { returned: undefined, log: '' };
      const policy = retryPolicyOf(spec.retry, engine.scopes.inputScopeOf(step), engine.options.dryRun);
      const body = {
        ...prepared,
        step,
        needs: options.needs,
        call: options.call,
        variables,
        interactive,
        keepsLog: going.attempt !== undefined,
      };
      const ended = await withRetry(engine, step, policy, options.halt, () => attempt(engine, spec, body, options.halt, said));
      if (going === ALWAYS) return { ...ended, outcome: withFact(ended.outcome, heldBackFact(heldBack)) };
      const gives = await keepOutcome(engine, spec, going.attempt, { ...ended, ...said }, options.needDigests);
      return { ...ended, ...(gives !== undefined && { gives }), outcome: withFact(ended.outcome, heldBackFact(heldBack)) };
    } finally {
      if (interactive) engine.emit({ type: 'interactive-ended', step: step.id });
    }
  } catch (error) {
    return failed(engine, step, startedAt, failureOf(error, engine.root), '');
  }
}

/** While watching, and where something is kept, any step may be known already. */
const mayBeLeft = (engine: Engine, { upToDate }: ErasedSpec): boolean =>
  engine.incremental !== undefined || engine.earlier !== undefined || upToDate !== undefined;
const ALWAYS: Going = { attempt: undefined, isExplained: false };

/** Whether it is known only when it is looked at that it has to run. */
export function canBeLeft(engine: Engine, step: Step): boolean {
  const spec = specOf(engine.planner.bindingOf(step).task);
  const { force, noCache } = engine.options;
  if (!spec.run || force === 'all' || (force === 'targets' && step.target !== undefined)) return false;
  const isKept = engine.incremental !== undefined && !noCache && isIncremental(spec, engine.scopes.inputScopeOf(step));
  return isKept || engine.earlier !== undefined || spec.upToDate !== undefined;
}

/** What the last attempt returned and said. */
interface Said {
  returned: unknown;
  log: string;
}

/** The body once, within its time, with the clean-up that it registered. */
async function attempt(
  engine: Engine,
  spec: ErasedSpec,
  options: Omit<BodyOptions, 'halt' | 'graceMs'>,
  ofStep: Halt,
  said: Said,
): Promise<Attempt> {
  const { step } = options;
  const startedAt = engine.now();
  const { timeoutMs, graceMs } = timingOf(engine, step, spec);
  const limitMs = engine.options.dryRun ? DRY_RUN_LIMIT_MS : timeoutMs;
  // What is too late, or over, may be this attempt and not the step.
  const halt = limitMs === undefined && spec.retry === undefined ? ofStep : ofStep.child();
  const timer = limitMs === undefined ? undefined : setTimeout(() => halt.halt({ kind: 'timeout', timeoutMs: limitMs }), limitMs);
  try {
    const body = openBody(engine, { ...options, halt, graceMs });
    const ended = await body.ended;
    const end = await concludeBody(engine, step, spec, body, ended, halt, startedAt);
    said.returned = ended.kind === 'returned' ? ended.value : undefined;
    said.log = body.log();
    return { end, thrown: ended.kind === 'threw' ? ended.error : undefined };
  } finally {
    clearTimeout(timer);
    if (halt !== ofStep) halt.release();
  }
}

/** Close a body that has ended, and judge. */
async function concludeBody(
  engine: Engine,
  step: Step,
  spec: ErasedSpec,
  body: OpenBody,
  end: BodyEnd,
  halt: Halt,
  startedAt: number,
): Promise<StepEnd> {
  // What a failed body leaves running has nobody to wait for it.
  if (end.kind !== 'returned' && !halt.reason) body.endCommands();
  if (end.kind === 'abandoned' && halt.reason?.kind !== 'endless') {
    engine.emit({
      type: 'notice',
      step: step.id,
      text: `\`${step.name}\` was told to end and its body did not within the grace time: it is left behind`,
    });
  }
  const { unawaited, cleanUpErrors } = await body.close();
  const { first, later } = firstThrown(end.kind === 'threw' ? end.error : undefined);
  const also = [...later, ...cleanUpErrors].map((error) => failureOf(error, engine.root, 'clean-up'));
  return judge(engine, step, spec, {
    end: end.kind === 'threw' ? { ...end, error: first } : end,
    unawaited,
    also,
    reason: halt.reason,
    tail: body.tail(),
    startedAt,
  });
}

function withFact(outcome: Outcome, fact: string | undefined): Outcome {
  if (outcome.status !== 'failed' || fact === undefined) return outcome;
  return { ...outcome, failure: { ...outcome.failure, facts: [...(outcome.failure.facts ?? []), fact] } };
}

interface Facts {
  readonly end: BodyEnd;
  readonly unawaited: readonly Error[];
  readonly also: readonly Failure[];
  readonly reason: HaltReason | undefined;
  readonly tail: string;
  readonly startedAt: number;
}

/** From how the body ended to the outcome of the step. */
export function judge(engine: Engine, step: Step, spec: ErasedSpec, facts: Facts): StepEnd {
  const { end, reason } = facts;
  const ms = engine.now() - facts.startedAt;
  if (engine.options.dryRun && end.kind !== 'returned' && !(end.kind === 'threw' && end.error instanceof SkipRequest)) {
    const why = end.kind === 'threw' ? failureOf(end.error, engine.root).message : 'it waits for something that a dry run does not do';
    return notForeseen(why);
  }
  if (reason?.kind === 'stop') {
    // A body that heard the stop and still came to its end has done its work.
    if (end.kind === 'returned' && facts.unawaited.length === 0) return done(engine, spec, step, facts, ms);
    return { outcome: { status: 'stopped', ms, reason: describeStop(reason.reason) }, value: undefined };
  }
  if (reason && !(reason.kind === 'timeout' && end.kind === 'returned' && facts.unawaited.length === 0)) {
    return failedWith(engine, step, spec, facts, haltFailure(reason));
  }
  if (end.kind === 'threw') {
    if (end.error instanceof SkipRequest)
      return { outcome: { status: 'skipped', reason: end.error.message, because: 'body' }, value: undefined };
    if (end.error instanceof Exit) return exited(engine, step, spec, facts, end.error, ms);
    return failedWith(engine, step, spec, facts, failureOf(end.error, engine.root));
  }
  const [first] = facts.unawaited;
  if (first)
    return failedWith(engine, step, spec, facts, { ...failureOf(first, engine.root), facts: ['Its body did not await this command.'] });
  return done(engine, spec, step, facts, ms);
}

function done(engine: Engine, spec: ErasedSpec, step: Step, facts: Facts, ms: number): StepEnd {
  const returned = facts.end.kind === 'returned' ? facts.end.value : undefined;
  const output = checkedOutput(spec, returned);
  if (!output.ok) {
    if (engine.options.dryRun) return notForeseen('its output depends on what its commands answer');
    return failedWith(engine, step, spec, facts, { kind: 'output', message: output.message, exitCode: 1, facts: output.facts });
  }
  const [cleanUpFailure] = facts.also;
  if (cleanUpFailure) return failedWith(engine, step, spec, { ...facts, also: facts.also.slice(1) }, cleanUpFailure);
  hideSecrets(engine, step, output.value);
  return { outcome: { status: 'done', ms, ...asJson(output.value) }, value: output.value };
}

function exited(engine: Engine, step: Step, spec: ErasedSpec, facts: Facts, exit: Exit, ms: number): StepEnd {
  const request = { code: exit.exitCode, message: exit.message };
  if (exit.exitCode === 0) return { outcome: { status: 'done', ms }, value: undefined, exit: request };
  return { ...failedWith(engine, step, spec, facts, failureOf(exit, engine.root)), exit: request };
}

function failedWith(engine: Engine, step: Step, spec: ErasedSpec, facts: Facts, failure: Failure): StepEnd {
  const end = failed(engine, step, facts.startedAt, failure, facts.tail, facts.also);
  const mayFail = fieldOf(spec.mayFail, engine.scopes.inputScopeOf(step)) === true;
  return mayFail ? { ...end, outcome: { ...end.outcome, mayFail: true } as Outcome } : end;
}

function notForeseen(why: string): StepEnd {
  return { outcome: { status: 'skipped', because: 'dry-run', reason: `not foreseen from here: ${why}` }, value: undefined };
}

// ── Before the body ──────────────────────────────────────────────────────────────────────────────

/** Read the step's variables as of now, and look at what was left for its start. */
export async function prepare(engine: Engine, step: Step, isDeferred: boolean): Promise<{ scope: StepScope; env: unknown } | StepEnd> {
  const found = scopeFor(engine, step);
  const scoped = 'scope' in found ? found : await found;
  const { scope } = scoped;
  if ((isDeferred || scoped.trouble) && !engine.options.dryRun) {
    const findings = await findingsNow(engine, step, scoped);
    const [first] = findings;
    if (first && engine.options.skipUnmet) {
      return {
        outcome: { status: 'skipped', reason: first.problem, because: 'unmet', ...(first.remedy && { remedy: first.remedy }) },
        value: undefined,
      };
    }
    if (first) {
      const refusal = refusalOf(step, findings);
      throw new StepFailure({ kind: 'refused', message: refusal.message, exitCode: refusal.exitCode, facts: refusal.facts });
    }
  }
  const { env } = specOf(engine.planner.bindingOf(step).task);
  if (!env) return { scope, env: {} };
  const parsed = parseTaskEnv(env, scope.environment.variables);
  // In a dry run variables may be missing: the body sees what there is.
  return { scope, env: parsed.ok ? parsed.value : {} };
}

// ── Fields and values ────────────────────────────────────────────────────────────────────────────

export function timingOf(
  engine: Engine,
  step: Step,
  spec: ErasedSpec,
): { readonly timeoutMs: number | undefined; readonly graceMs: number } {
  const scope = engine.scopes.inputScopeOf(step);
  const timeout = fieldOf(spec.timeout, scope);
  const grace = fieldOf(spec.grace, scope);
  return {
    timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout),
    graceMs: grace === undefined ? engine.graceMs : parseDurationMs(grace),
  };
}
