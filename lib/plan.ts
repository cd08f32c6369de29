import { ConfigError, UsageError } from './errors.ts';
import type { JsonObject } from './event.ts';
import { isDefault } from './flags.ts';
import { guarded } from './guarded.ts';
import { jsonOfGiven, resolveInput } from './input.ts';
import { addTargetOrder, cycleError, inOrder } from './plan-order.ts';
import type { Target } from './request.ts';
import { fieldsOf } from './schema.ts';
import { SHOWN } from './secrets.ts';
import type { AnyFlags, AnyTask, Call, InputScope, Need, Needs } from './task.ts';
import { asCall, flagsOf, placeOf, specOf } from './task.ts';
import { cut, visible } from './util/display.ts';
import { stableText } from './util/stable-text.ts';
import { describeValue } from './util/describe.ts';

/**
 * From what was asked to what will happen (R13–R15), before anything runs.
 *
 * A {@link Step} is plain data; what cannot be data (the declaration, the parsed input) stands beside
 * it in a {@link Binding}. Planning is pure: `needs`, `after` and `post` are asked once for each step.
 */
export interface Step {
  /** Unique within the run; made of the task's name. */
  readonly id: string;
  readonly name: string;
  /** The name; where the plan has several of that name, with the input that differs from the defaults: `build (tag=a)`. */
  readonly title: string;
  /** As given, defaults filled in, before transforms. Holds secrets: show {@link stepView} instead. */
  readonly input: JsonObject;
  /** The global flags it sees, in the same form; empty where its task was made with none. */
  readonly flags: JsonObject;
  readonly passthrough: readonly string[];
  /** Step ids by the names in `needs`; `undefined` for what is not needed this time. */
  readonly needs: { readonly [name: string]: string | undefined };
  /** Must be over first, whatever came of it. */
  readonly after: readonly string[];
  /** Which repetition of the targets it belongs to, from 0 (R14). */
  readonly round: number;
  readonly calledBy: string | undefined;
  /** Runs only when this step succeeded. */
  readonly postOf: string | undefined;
  /** Position among the targets. */
  readonly target: number | undefined;
}

export interface Plan {
  /** What is waited for stands before what waits for it. */
  readonly steps: readonly Step[];
  /** Step ids in the order typed. */
  readonly targets: readonly string[];
}

/** The part of a step that is no data. @internal */
export interface Binding {
  readonly task: AnyTask;
  /** The input after defaults and transforms, as the body sees it. */
  readonly value: unknown;
  /** The global flags, as the body sees them. */
  readonly flags: {};
  /** For the fields of the declaration that are functions of it. */
  readonly scope: InputScope<unknown>;
  /** Whether `needs` arrives as an array. */
  readonly needsList: boolean;
}

/** What planning depends on besides the request. @internal */
export interface PlanScope {
  /** The registered name of a task, if it has one. */
  readonly nameOf: (task: AnyTask) => string | undefined;
  /** Variables that inputs may fall back to (R11). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `defaults` of the config, by task name. */
  readonly defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The global flags as given. */
  readonly flags?: GivenFlags | undefined;
  readonly root: string;
  readonly invocationDir: string;
  /** What the command line is called, for lines that run a step again. Default: `tasks`. */
  readonly program?: string | undefined;
}

/** Global flags: of a command line as JSON, of a program as values. */
export interface GivenFlags {
  readonly given: Readonly<Record<string, unknown>>;
  readonly from: 'command-line' | 'code';
}

/** @internal */
export interface Planner {
  /** What the command line is called. */
  readonly program: string;
  /** @throws {UsageError} with everything that is wrong with the targets; {ConfigError} for a cycle. */
  plan(targets: readonly Target[], options: { readonly parallel: boolean }): Plan;
  /**
   * The steps that a `call` adds to a plan under way. The first is the called one, or an older step
   * that is equal to it, in which case nothing is added.
   */
  planCall(call: Call, caller: Step): { readonly step: Step; readonly added: readonly Step[] };
  bindingOf(step: Step | string): Binding;
  /** A service that was stopped cannot be lent again: the next call that needs it gets a new step. */
  forget(step: Step): void;
}

/** What a task goes by (R6): registered name, own id, place of its declaration. @internal */
export function nameOfTask(task: AnyTask, nameOf: PlanScope['nameOf']): string {
  return nameOf(task) ?? specOf(task).id ?? placeInWords(task);
}

function placeInWords(task: AnyTask): string {
  const place = placeOf(task);
  return place ? `${place.file.split(/[\\/]/).at(-1)}:${place.line}` : 'a task';
}

/** A step while edges may still be added to it. */
interface Draft extends Step {
  title: string;
  readonly needs: { [name: string]: string | undefined };
  readonly after: string[];
  postOf: string | undefined;
  target: number | undefined;
}

interface SeenFlags {
  readonly json: JsonObject;
  readonly value: {};
}
const NO_FLAGS: SeenFlags = { json: {}, value: {} };

interface Problem {
  /** The name of a task; undefined: the global flags. */
  readonly of: string | undefined;
  readonly text: string;
}

/** @internal */
export function createPlanner(scope: PlanScope): Planner {
  const bindings = new Map<string, Binding>();
  const drafts = new Map<string, Draft>();
  /** Equal steps are one: by round, then by identity of task and text of input. */
  const known = new Map<string, Draft>();
  /** Followers of the plan being made: what a call brings in has followers of its own, since those of the plan may have run. */
  let posts = new Map<string, Draft>();
  const timesNamed = new Map<string, number>();
  const identities = new Map<AnyTask, number>();
  const names = new Map<AnyTask, string>();
  /** Of these names, those that a command line knows. */
  const registered = new Set<string>();
  let round = 0;

  const nameOf = (task: AnyTask): string => {
    const known = names.get(task);
    if (known !== undefined) return known;
    const name = nameOfTask(task, scope.nameOf);
    names.set(task, name);
    if (scope.nameOf(task) !== undefined) registered.add(name);
    return name;
  };

  const identityOf = (task: AnyTask): number => {
    const identity = identities.get(task) ?? identities.size;
    identities.set(task, identity);
    return identity;
  };

  const keyOf = (task: AnyTask, input: JsonObject, passthrough: readonly string[]): string =>
    `${round}\0${identityOf(task)}\0${stableText(input)}\0${passthrough.length === 0 ? '' : JSON.stringify(passthrough)}`;

  function idFor(name: string): string {
    const times = (timesNamed.get(name) ?? 0) + 1;
    timesNamed.set(name, times);
    return times === 1 ? name : `${name}#${times}`;
  }

  /** Steps of one name are told apart by their input, others are not burdened with it. */
  function addTitles(created: readonly Draft[]): void {
    for (const draft of created) {
      // What is called may be called again with another input, which is not known yet.
      const isAlone = timesNamed.get(draft.name) === 1 && draft.calledBy === undefined;
      draft.title = isAlone ? draft.name : titleOf(draft.name, bindingOf(draft).task, draft.input);
    }
  }

  interface Expansion {
    readonly created: Draft[];
    readonly problems: Problem[];
  }

  /** One call as a step, without looking at what it needs; `isNew` tells whether that is still to be done. */
  function enter(
    call: Call,
    into: Expansion,
    as: { readonly from: 'command-line' | 'code'; readonly asPost?: boolean; readonly calledBy?: string },
  ): { draft: Draft; isNew: boolean } | undefined {
    const spec = specOf(call.task);
    const name = nameOf(call.task);
    const flags = flagsFor(call.task, into);
    const resolved = resolveInput({
      fields: spec.input,
      given: as.from === 'code' ? jsonOfGiven(spec.input, call.input) : (call.input as JsonObject),
      env: scope.env,
      defaults: scope.defaults[name] && jsonOfGiven(spec.input, scope.defaults[name]),
      root: scope.root,
      from: as.from,
    });
    if (!resolved.ok) {
      into.problems.push(...resolved.problems.map((problem) => ({ of: name, text: problem.text })));
      return undefined;
    }
    if (!flags) return undefined;
    const passthrough = call.passthrough ?? [];
    const key = keyOf(call.task, resolved.json, passthrough);
    const memo = as.asPost ? posts : known;
    const same = memo.get(key);
    if (same) return { draft: same, isNew: false };

    const draft: Draft = {
      id: idFor(name),
      name,
      title: name,
      input: resolved.json,
      flags: flags.json,
      passthrough,
      needs: {},
      after: [],
      round,
      calledBy: as.calledBy,
      postOf: undefined,
      target: undefined,
    };
    memo.set(key, draft);
    drafts.set(draft.id, draft);
    const looksAt: InputScope<unknown> = {
      input: resolved.value,
      flags: flags.value,
      root: scope.root,
      invocationDir: scope.invocationDir,
    };
    const needs = needsOf(spec.needs, looksAt, name);
    bindings.set(draft.id, {
      task: call.task,
      value: resolved.value,
      flags: flags.value,
      scope: looksAt,
      needsList: Array.isArray(needs),
    });
    if (needs !== NO_NEEDS) pending.set(draft.id, Object.entries(needs).toReversed());
    return { draft, isNew: true };
  }

  const knownFlags = new Map<AnyFlags, SeenFlags | undefined>();

  /** Looked at once for all steps; what is wrong with them is told once. */
  function flagsFor(task: AnyTask, into: Expansion): SeenFlags | undefined {
    const flags = flagsOf(task);
    if (!flags) return NO_FLAGS;
    if (!knownFlags.has(flags)) {
      const { given, from } = scope.flags ?? { given: {}, from: 'code' };
      const resolved = resolveInput({
        fields: flags.fields,
        given: from === 'code' ? jsonOfGiven(flags.fields, given) : (given as JsonObject),
        env: scope.env,
        defaults: undefined,
        root: scope.root,
        from,
      });
      // The fields of an object give an object.
      knownFlags.set(flags, resolved.ok ? { json: resolved.json, value: resolved.value as {} } : undefined);
      if (!resolved.ok) into.problems.push(...resolved.problems.map(({ text }) => ({ of: undefined, text })));
    }
    return knownFlags.get(flags);
  }

  /** Needs that were asked for and are not edges yet, the first one last. */
  const pending = new Map<string, [string, Need][]>();

  /** Enter a call and, in depth, all that it needs: what is needed is created first. Iterative: chains may be long. */
  function expand(call: Call, into: Expansion, as: Parameters<typeof enter>[2]): Draft | undefined {
    const root = enter(call, into, as);
    if (!root?.isNew) return root?.draft;
    const path: Draft[] = [root.draft];
    const onPath = new Set([root.draft.id]);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = pending.get(top.id)?.pop();
      if (!next) {
        pending.delete(top.id);
        path.pop();
        onPath.delete(top.id);
        into.created.push(top);
        continue;
      }
      const [key, need] = next;
      if (!need) {
        top.needs[key] = undefined;
        continue;
      }
      const entered = enter(asCall(need), into, { from: 'code' });
      if (!entered) continue;
      top.needs[key] = entered.draft.id;
      if (onPath.has(entered.draft.id)) {
        const from = path.findIndex((draft) => draft.id === entered.draft.id);
        throw cycleError([...path.slice(from), entered.draft].map((draft) => draft.title));
      }
      if (entered.isNew) {
        path.push(entered.draft);
        onPath.add(entered.draft.id);
        if (path.length > 100_000) throw endlessError(path.at(-1)?.name ?? '');
      }
    }
    return root.draft;
  }

  /** `post` of the steps created since `begin`, and of the steps that these bring in, until there are no more. */
  function addPosts(begin: number, into: Expansion): void {
    for (let at = begin; at < into.created.length; at++) {
      const asker = into.created[at];
      if (!asker) continue;
      const { post } = specOf(bindingOf(asker).task);
      if (!post) continue;
      const calls = typeof post === 'function' ? guarded('post', asker.name, () => post(bindingOf(asker).scope)) : post;
      for (const need of Object.values(calls)) {
        if (!need) continue;
        const follower = expand(asCall(need), into, { from: 'code', asPost: true });
        if (!follower) continue;
        if (!follower.after.includes(asker.id)) follower.after.push(asker.id);
        follower.postOf = asker.id;
      }
    }
  }

  /** `after` of the given steps, towards steps of the same round that are in the plan anyway. */
  function addAfter(created: readonly Draft[]): void {
    const wanting = created.filter((draft) => specOf(bindingOf(draft).task).after);
    if (wanting.length === 0) return;
    const byTask = new Map<AnyTask, Draft[]>();
    for (const draft of drafts.values()) {
      const { task } = bindingOf(draft);
      const same = byTask.get(task);
      if (same) same.push(draft);
      else byTask.set(task, [draft]);
    }
    for (const draft of wanting) {
      const { after } = specOf(bindingOf(draft).task);
      const items = typeof after === 'function' ? guarded('after', draft.name, () => after(bindingOf(draft).scope)) : after;
      for (const item of items ?? []) {
        const others = typeof item === 'function' ? (byTask.get(item) ?? []) : equalsOf(asCall(item));
        for (const other of others) {
          if (other.round === draft.round && other.id !== draft.id && !draft.after.includes(other.id)) draft.after.push(other.id);
        }
      }
    }
  }

  function equalsOf(call: Call): readonly Draft[] {
    const spec = specOf(call.task);
    const resolved = resolveInput({
      fields: spec.input,
      given: jsonOfGiven(spec.input, call.input),
      env: scope.env,
      defaults: scope.defaults[nameOf(call.task)] && jsonOfGiven(spec.input, scope.defaults[nameOf(call.task)] ?? {}),
      root: scope.root,
      from: 'code',
    });
    if (!resolved.ok) return [];
    const key = keyOf(call.task, resolved.json, call.passthrough ?? []);
    return [known.get(key), posts.get(key)].filter((draft) => draft !== undefined);
  }

  function plan(targets: readonly Target[], options: { readonly parallel: boolean }): Plan {
    const into: Expansion = { created: [], problems: [] };
    const targetIds: string[] = [];
    const segments: { readonly drafts: readonly Draft[]; readonly ends: readonly Draft[] }[] = [];
    for (const [position, target] of targets.entries()) {
      const begin = into.created.length;
      const from = target.isFromCode ? 'code' : 'command-line';
      const call: Call = { ...asCall(target.task), input: target.given, passthrough: target.passthrough };
      let draft = expand(call, into, { from });
      if (draft && draft.target !== undefined) {
        round++;
        draft = expand(call, into, { from });
      }
      if (!draft) continue;
      draft.target = position;
      targetIds.push(draft.id);
      const beforePosts = into.created.length;
      addPosts(begin, into);
      const followers = into.created.slice(beforePosts).filter((created) => created.postOf !== undefined);
      segments.push({ drafts: into.created.slice(begin), ends: [draft, ...followers] });
    }
    if (into.problems.length > 0) throw wrongInputError(into.problems, (name) => registered.has(name));
    addTitles(into.created);
    addAfter(into.created);
    // Only now is it known what `after` and `post` want, which win over the order typed.
    const unordered = inOrder(into.created, drafts);
    if (!options.parallel) addTargetOrder(segments, drafts);
    const steps = options.parallel || segments.length < 2 ? unordered : inOrder(into.created, drafts);
    return { steps, targets: targetIds };
  }

  function planCall(call: Call, caller: Step): { step: Step; added: readonly Step[] } {
    const before = { round, posts };
    round = caller.round;
    posts = new Map();
    try {
      const into: Expansion = { created: [], problems: [] };
      const step = expand(call, into, { from: 'code', calledBy: caller.id });
      if (into.problems.length > 0 || !step) throw wrongInputError(into.problems, (name) => registered.has(name));
      addPosts(0, into);
      addTitles(into.created);
      addAfter(into.created);
      return { step, added: inOrder(into.created, drafts) };
    } finally {
      ({ round, posts } = before);
    }
  }

  function bindingOf(step: Step | string): Binding {
    const binding = bindings.get(typeof step === 'string' ? step : step.id);
    if (!binding) throw new Error(`no step ${typeof step === 'string' ? step : step.id}`);
    return binding;
  }

  function forget(step: Step): void {
    for (const [key, draft] of known) if (draft.id === step.id) known.delete(key);
  }

  return { program: scope.program ?? 'tasks', plan, planCall, bindingOf, forget };
}

/** Whether anything of a plan can be left alone. @internal */
export function hasIncremental(plan: Plan, planner: Planner): boolean {
  return plan.steps.some((step) => {
    const { sources, cache, upToDate } = specOf(planner.bindingOf(step).task);
    return sources !== undefined || cache !== undefined || upToDate !== undefined;
  });
}

// ── What people see ──────────────────────────────────────────────────────────────────────────────

/** Name with the inputs that differ from their defaults: `build (tag=a)`. */
function titleOf(name: string, task: AnyTask, input: JsonObject): string {
  const parts: string[] = [];
  for (const field of fieldsOf(specOf(task).input)) {
    const value = input[field.key];
    if (value === undefined || isDefault(field, value)) continue;
    const text = field.secret ? SHOWN : typeof value === 'string' ? visible(value) : JSON.stringify(value);
    parts.push(value === true ? field.key : `${field.key}=${cut(text, 40)}`);
  }
  return parts.length === 0 ? name : `${name} (${parts.join(', ')})`;
}

// ── What can be wrong ────────────────────────────────────────────────────────────────────────────

const NO_NEEDS: Needs = {};

function needsOf(needs: Needs | ((scope: InputScope<unknown>) => Needs) | undefined, scope: InputScope<unknown>, name: string): Needs {
  if (needs === undefined) return NO_NEEDS;
  const asked: unknown = typeof needs === 'function' ? guarded('needs', name, () => needs(scope)) : needs;
  if (asked instanceof Promise) {
    asked.catch(() => {});
    throw new ConfigError('async-needs', `the \`needs\` of \`${name}\` is asynchronous`, {
      hint: 'The plan is made before anything runs: `needs` answers at once, from the input alone.',
    });
  }
  if (typeof asked !== 'object' || asked === null) {
    throw new ConfigError(
      'bad-needs',
      `the \`needs\` of \`${name}\`: expected a record or an array of tasks and calls, got ${describeValue(asked)}`,
    );
  }
  for (const [key, need] of Object.entries(asked)) {
    if (need === undefined || typeof need === 'function' || (typeof need === 'object' && need !== null && 'task' in need)) continue;
    throw new ConfigError('bad-needs', `\`needs.${key}\` of \`${name}\`: expected a task or a call, got ${describeValue(need)}`);
  }
  return asked as Needs;
}

function endlessError(name: string): ConfigError {
  return new ConfigError('endless-needs', `the needs of \`${name}\` never end`, { facts: ['more than 100000 steps deep'] });
}

function wrongInputError(problems: readonly Problem[], isRegistered: (name: string) => boolean): UsageError {
  const names = [...new Set(problems.map((problem) => problem.of))];
  const [only] = names;
  if (names.length === 1) {
    const what = only === undefined ? 'the global flags were given values they do' : `\`${only}\` was given input it does`;
    return new UsageError('wrong-input', `${what} not accept`, {
      facts: problems.map((problem) => problem.text),
      hint: only === undefined ? 'Run `tasks --help`.' : isRegistered(only) ? `Run \`tasks ${only} --help\`.` : undefined,
    });
  }
  const tasks = names.filter((name) => name !== undefined).length;
  const who = `${tasks === 1 ? 'a task' : `${tasks} tasks`}${tasks < names.length ? ' and the global flags' : ''}`;
  return new UsageError('wrong-input', `${who} were given input they do not accept`, {
    facts: names.flatMap((name) => [
      name === undefined ? 'global flags' : `\`${name}\``,
      ...problems.filter((problem) => problem.of === name).map((problem) => `  ${problem.text}`),
    ]),
    hint: names.some((name) => name !== undefined && isRegistered(name)) ? 'Run `tasks <task> --help`.' : undefined,
  });
}
