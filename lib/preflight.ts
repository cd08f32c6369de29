import { dirname } from 'node:path';
import type { Engine } from './engine.ts';
import { parseTaskEnv, secretValuesOf } from './environment.ts';
import { EXIT, RefusedError, UsageError, UserError } from './errors.ts';
import type { JsonObject } from './event.ts';
import { guarded, guardedLook } from './guarded.ts';
import { describeHolder, locksOf } from './locks.ts';
import type { Step } from './plan.ts';
import { provisionKey } from './requirements.ts';
import type { Field } from './schema.ts';
import { fieldsOf, isTold } from './schema.ts';
import type { StepScope } from './step-scope.ts';
import type { ErasedSpec, Fields, Requirement } from './task.ts';
import { flagsOf, specOf } from './task.ts';
import { namesInWords } from './util/describe.ts';

/**
 * All that can be known to be wrong before the first side effect, in one report (R17, R18).
 *
 * What an earlier step of the plan provides is left for the moment its user starts.
 */
export interface Preflight {
  /** Steps that `--skip-unmet` leaves out, and why. */
  readonly unmet: ReadonlyMap<string, Finding>;
  /** Steps whose requirements or variables an earlier step provides: to be checked as they start. */
  readonly deferred: ReadonlySet<string>;
}

/** One thing that is not as a step needs it. */
export interface Finding {
  readonly problem: string;
  readonly remedy: string | undefined;
  /** A variable that holds a wrong value is the user's mistake; all else is a refusal. */
  readonly isUsage: boolean;
}

/**
 * Check `steps`, then put their questions.
 *
 * @param before  for a `call`: steps of the same plan that stand before them; absent: nothing has run
 * @throws {RefusedError} with all that is unmet, or for a question answered with no
 * @throws {UsageError} when a variable holds what its schema refuses
 */
export async function preflight(engine: Engine, steps: readonly Step[], before?: readonly Step[]): Promise<Preflight> {
  const deferred = new Set<string>();
  const findings = new Map<string, readonly Finding[]>();
  const isFirst = before === undefined;
  const provided = providedBy(engine, before ?? []);
  const checks = createChecks();

  for (const step of steps) askFields(engine, step);
  const looks: (Scoped & { readonly step: Step; readonly position: number })[] = [];
  for (const [position, step] of steps.entries()) {
    const scoped = await scopeFor(engine, step);
    addSecrets(engine, step, scoped.scope);
    if (scoped.trouble || asksForSomething(engine, step)) looks.push({ step, position, ...scoped });
    for (const key of provisionsOf(engine, step)) if (!provided.has(key)) provided.set(key, position);
  }
  const looked = looks.map(async ({ step, position, ...scoped }) => {
    const found = await findingsOf(engine, step, scoped, checks, (key) => (provided.get(key) ?? position) < position);
    if (found.isDeferred) deferred.add(step.id);
    if (found.findings.length > 0) findings.set(step.id, found.findings);
  });
  await Promise.all(looked);

  if (engine.options.dryRun) {
    for (const [id, list] of inOrderOf(steps, findings)) {
      for (const finding of list) engine.emit({ type: 'notice', step: id, text: `not met here: ${finding.problem}` });
    }
    return { unmet: new Map(), deferred };
  }
  if (findings.size > 0 && !engine.options.skipUnmet) throw reportOf(steps, findings, isFirst);

  const unmet = new Map(
    [...findings].map(([id, [first]]) => [id, first] as const).filter((entry): entry is [string, Finding] => !!entry[1]),
  );
  await askQuestions(engine, steps, leftOut(steps, unmet), isFirst);
  return { unmet, deferred };
}

/** What is unmet as a step starts: for steps whose requirements an earlier one provided. */
export async function findingsNow(engine: Engine, step: Step, scoped: Scoped): Promise<readonly Finding[]> {
  return (await findingsOf(engine, step, scoped, createChecks(), () => false)).findings;
}

/** Where a step stands, and what is wrong with its files of variables, which are then left out. */
export interface Scoped {
  readonly scope: StepScope;
  readonly trouble: UserError | undefined;
}

export function scopeFor(engine: Engine, step: Step): Scoped | Promise<Scoped> {
  const scope = engine.scopes.known(step);
  return scope ? { scope, trouble: undefined } : readScope(engine, step);
}

async function readScope(engine: Engine, step: Step): Promise<Scoped> {
  try {
    return { scope: await engine.scopes.read(step), trouble: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { scope: await engine.scopes.readWithoutFiles(step), trouble: error };
  }
}

/** The report of a single step, with the same words and exit code as before the run. */
export function refusalOf(step: Step, findings: readonly Finding[]): UserError {
  return reportOf([step], new Map([[step.id, findings]]), false);
}

// ── Looking ──────────────────────────────────────────────────────────────────────────────────────

/** Those that are asked again while the step runs, where a throw would come too late to be told well. */
const ASKED_LATER = [
  'cwd',
  'timeout',
  'grace',
  'interactive',
  'mayFail',
  'pty',
  'lock',
  'retry',
  'sources',
  'generates',
  'cache',
] as const satisfies readonly (keyof ErasedSpec)[];

function askFields(engine: Engine, step: Step): void {
  const spec = specOf(engine.planner.bindingOf(step).task);
  const known = functionsOf.get(spec) ?? ASKED_LATER.filter((field) => typeof spec[field] === 'function');
  functionsOf.set(spec, known);
  if (known.length === 0) return;
  const scope = engine.scopes.inputScopeOf(step);
  for (const field of known) {
    const value = spec[field];
    if (typeof value === 'function') guarded(field, step.name, () => value(scope));
  }
}
/** A task has many steps. */
const functionsOf = new WeakMap<ErasedSpec, readonly (typeof ASKED_LATER)[number][]>();

/** Most steps want nothing of where they run. */
function asksForSomething(engine: Engine, step: Step): boolean {
  const { env, requires, lock } = specOf(engine.planner.bindingOf(step).task);
  return env !== undefined || requires !== undefined || (lock !== undefined && engine.options.failIfLocked);
}

/** The same requirement in the same folder is looked at once. */
type Checks = Map<string, Promise<Finding | undefined>>;
const createChecks = (): Checks => new Map();

async function findingsOf(
  engine: Engine,
  step: Step,
  { scope, trouble }: Scoped,
  checks: Checks,
  isThere: (provision: string) => boolean,
): Promise<{ findings: readonly Finding[]; isDeferred: boolean }> {
  const { task } = engine.planner.bindingOf(step);
  const spec = specOf(task);
  const findings: Finding[] = [];
  let isDeferred = false;

  const isWritten = (path: string): boolean => isThere(provisionKey(`dotenv:${path}`, scope.cwd));
  if ((spec.env || trouble) && engine.scopes.dotenvFilesOf(step).some(isWritten)) isDeferred = true;
  else if (trouble) findings.push(findingOf(trouble));
  else if (spec.env) findings.push(...envFindings(spec.env, scope));

  const { requires } = spec;
  const inputScope = engine.scopes.inputScopeOf(step);
  // One that is up from before has what it requires, its port for one; where it starts anew, that is looked at then.
  const isUp = engine.isUpAlready(step);
  if (isUp && requires) isDeferred = true;
  const wanted = isUp
    ? []
    : ((typeof requires === 'function' ? guarded('requires', step.name, () => requires(inputScope)) : requires) ?? []);
  for (const requirement of wanted) {
    const key = provisionKey(requirement.id, scope.cwd);
    if (isProvided(key, isThere)) {
      isDeferred = true;
      continue;
    }
    const checkKey = `${scope.cwd}\0${key}`;
    const check = checks.get(checkKey) ?? lookAt(requirement, scope);
    checks.set(checkKey, check);
    const finding = await check;
    if (finding) findings.push(finding);
  }
  if (engine.options.failIfLocked && !engine.options.dryRun) {
    for (const lock of locksOf(spec.lock, engine.scopes.inputScopeOf(step))) {
      const held = engine.locks.look(lock);
      if (held) findings.push({ problem: `lock \`${lock.name}\`: ${describeHolder(held)}`, remedy: undefined, isUsage: false });
    }
  }
  return { findings, isDeferred };
}

/** A file is also provided by whoever provides a folder above it. */
function isProvided(key: string, isThere: (provision: string) => boolean): boolean {
  if (isThere(key)) return true;
  const [, path] = key.match(/^file:(.+)$/s) ?? [];
  for (let folder = path; folder !== undefined && dirname(folder) !== folder; folder = dirname(folder)) {
    if (isThere(`file:${dirname(folder)}`)) return true;
  }
  return false;
}

async function lookAt(requirement: Requirement, scope: StepScope): Promise<Finding | undefined> {
  try {
    const unmet = await requirement.check(scope.looking);
    return unmet && { problem: unmet.problem, remedy: unmet.remedy, isUsage: false };
  } catch (error) {
    return {
      problem: `${requirement.title}: it could not be checked: ${error instanceof Error ? error.message : String(error)}`,
      remedy: undefined,
      isUsage: false,
    };
  }
}

/** As one problem of several: its facts stand behind it. */
function findingOf(error: UserError): Finding {
  return { problem: [error.message, ...error.facts].join('\n  '), remedy: error.hint, isUsage: error.exitCode === EXIT.usage };
}

function envFindings(env: NonNullable<Parameters<typeof fieldsOf>[0]>, scope: StepScope): readonly Finding[] {
  const parsed = parseTaskEnv(env, scope.environment.variables);
  if (parsed.ok) return [];
  return parsed.problems.map((problem) => ({
    problem: problem.text,
    remedy: undefined,
    isUsage: !!(problem.name && scope.environment.variables[problem.name]),
  }));
}

function provisionsOf(engine: Engine, step: Step): readonly string[] {
  const { provides } = specOf(engine.planner.bindingOf(step).task);
  if (provides === undefined) return [];
  const inputScope = engine.scopes.inputScopeOf(step);
  const given = typeof provides === 'function' ? guarded('provides', step.name, () => provides(inputScope)) : provides;
  const cwd = engine.scopes.cwdOf(step);
  return given.map((provision) => provisionKey(provision.id, cwd));
}

/** What steps provide that stand before all that is looked at. */
function providedBy(engine: Engine, steps: readonly Step[]): Map<string, number> {
  return new Map(steps.flatMap((step) => provisionsOf(engine, step)).map((key) => [key, -1]));
}

function addSecrets(engine: Engine, step: Step, scope: StepScope): void {
  const { task } = engine.planner.bindingOf(step);
  const spec = specOf(task);
  if (spec.env) for (const value of secretValuesOf(spec.env, scope.environment.variables)) engine.masker.add(value);
  addSecretsOf(engine, spec.input, step.input);
  addSecretsOf(engine, flagsOf(task)?.fields, step.flags);
}

function addSecretsOf(engine: Engine, fields: Fields | undefined, values: JsonObject): void {
  if (fields === undefined) return;
  const secret = secretFields.get(fields) ?? fieldsOf(fields).filter((field) => field.secret);
  secretFields.set(fields, secret);
  for (const field of secret) {
    const value = values[field.key];
    if (typeof value === 'string' && !isTold(field, value)) engine.masker.add(value);
  }
}
const secretFields = new WeakMap<Fields, readonly Field[]>();

// ── Asking ───────────────────────────────────────────────────────────────────────────────────────

async function askQuestions(engine: Engine, steps: readonly Step[], left: ReadonlySet<string>, isFirst: boolean): Promise<void> {
  const questions = new Map<string, string[]>();
  for (const step of steps) {
    if (left.has(step.id)) continue;
    const { confirm } = specOf(engine.planner.bindingOf(step).task);
    if (confirm === undefined) continue;
    const { looking } = (await scopeFor(engine, step)).scope;
    const scope = { ...looking, ...engine.scopes.inputScopeOf(step) };
    const question = typeof confirm === 'function' ? await guardedLook('confirm', step.name, () => confirm(scope)) : confirm;
    if (question) questions.set(question, [...(questions.get(question) ?? []), step.name]);
  }
  for (const [question, names] of questions) {
    const answer = await engine.ask(question, engine.scopes.signal);
    if (answer === 'yes') continue;
    const askers = [...new Set(names)];
    const who = namesInWords(askers);
    if (answer === 'no')
      throw new RefusedError('declined', `${who} asked, and the answer was no${isFirst ? ': nothing has run' : ''}`, { facts: [question] });
    throw new RefusedError('no-answer', `${who} ${askers.length === 1 ? 'has' : 'have'} a question, and nobody is there to answer it`, {
      facts: [question],
      hint: 'Give `--yes` to answer it, or run it on a terminal.',
    });
  }
}

/** Unmet steps and all that needs them. */
function leftOut(steps: readonly Step[], unmet: ReadonlyMap<string, Finding>): ReadonlySet<string> {
  const left = new Set(unmet.keys());
  if (left.size === 0) return left;
  for (const step of steps) {
    const needs = Object.values(step.needs);
    if (needs.some((id) => id !== undefined && left.has(id))) left.add(step.id);
    if (step.postOf !== undefined && left.has(step.postOf)) left.add(step.id);
  }
  return left;
}

// ── Telling ──────────────────────────────────────────────────────────────────────────────────────

function* inOrderOf(steps: readonly Step[], findings: ReadonlyMap<string, readonly Finding[]>): Generator<[string, readonly Finding[]]> {
  for (const step of steps) {
    const list = findings.get(step.id);
    if (list) yield [step.id, list];
  }
}

function reportOf(steps: readonly Step[], findings: ReadonlyMap<string, readonly Finding[]>, isFirst: boolean): UserError {
  const byProblem = new Map<string, { readonly finding: Finding; readonly names: string[] }>();
  for (const [id, list] of inOrderOf(steps, findings)) {
    const name = steps.find((step) => step.id === id)?.name ?? id;
    for (const finding of list) {
      const known = byProblem.get(finding.problem);
      if (!known) byProblem.set(finding.problem, { finding, names: [name] });
      else if (!known.names.includes(name)) known.names.push(name);
    }
  }
  const all = [...byProblem.values()];
  const names = [...new Set(all.flatMap((entry) => entry.names))];
  const [only] = names;
  const facts = all.flatMap(({ finding, names: who }) => [
    names.length === 1 ? finding.problem : `${finding.problem} (for ${namesInWords(who)})`,
    ...(finding.remedy ? finding.remedy.split('\n').map((line) => `  → ${line}`) : []),
  ]);
  const message = names.length === 1 && only !== undefined ? `\`${only}\` cannot run here` : `${names.length} tasks cannot run here`;
  const nothing = isFirst ? 'Nothing has run.' : undefined;
  const hint = [...(nothing ? [nothing] : []), '`--skip-unmet` leaves out what cannot run, and runs the rest.'].join(' ');
  return all.some(({ finding }) => finding.isUsage)
    ? new UsageError('wrong-variable', message, { facts, hint: nothing })
    : new RefusedError('unmet', message, { facts, hint });
}
