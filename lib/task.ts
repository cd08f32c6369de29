import type { z } from 'zod';
import type { CommandOptions, CommandResult, RunningCommand } from './runners/runner.ts';
import type { Duration } from './util/duration.ts';

/**
 * A task as declared, and all that it may say.
 *
 * A task is a function: calling it runs nothing, it makes a {@link Call}, the pair of a task and the
 * input it is to get. Calls are what `needs`, `after`, `post` and `call()` take.
 *
 * Brands are registered symbols rather than classes, so that two copies of this library understand
 * each other's tasks.
 */
export const TASK: unique symbol = Symbol.for('taskwright.task') as never;
export const CALL: unique symbol = Symbol.for('taskwright.call') as never;

// ── Schemas in, types out ────────────────────────────────────────────────────────────────────────

/** Fields by name, each a zod schema. */
export type Shape = z.ZodRawShape;
/** What `input` and `env` take: plain fields, or a `z.object` where a rule spans several of them. */
export type Fields = Shape | z.ZodObject;

type ObjectOf<F extends Fields> = F extends z.ZodObject ? F : F extends Shape ? z.ZodObject<F> : never;
type Flat<T> = { [K in keyof T]: T[K] } & {};
/** What a caller may write: before defaults and transforms. */
export type Given<F extends Fields> = keyof F extends never ? NoInput : Flat<z.input<ObjectOf<F>>>;
/** The input of a task that declares none. */
export type NoInput = Readonly<Record<string, never>>;
/** What a body sees: after defaults and transforms. */
export type Parsed<F extends Fields> = keyof F extends never ? {} : Flat<z.output<ObjectOf<F>>>;

/** The arguments of a call: none needed when every field may be left out. */
export type InputArguments<I> = {} extends I ? [input?: NoInfer<I>] : [input: NoInfer<I>];

declare const OUTPUT: unique symbol;

/** A task together with the input it is to run with. Made by calling a task; plain data. */
export interface Call<out O = unknown> {
  readonly [CALL]: true;
  readonly task: AnyTask;
  /** As given: before defaults, transforms and checks. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly passthrough: readonly string[] | undefined;
  readonly [OUTPUT]?: O;
}

/** What all tasks have in common, whatever their types. */
export interface AnyTask {
  readonly [TASK]: Declaration;
}

/** A task that takes `I` and gives `O`. */
export interface Task<I, O> extends AnyTask {
  (...input: InputArguments<I>): Call<O>;
}

/** A task that may stand in `needs` without being called. */
export interface BareTask<out O = unknown> extends AnyTask {
  (): Call<O>;
}

/** What may stand in `needs`, `after` and `post`. `undefined`: not this time. */
export type Need = Call | BareTask | undefined;
export type Needs = Readonly<Record<string, Need>> | readonly Need[];

type OutputOfNeed<N> = N extends BareTask<infer O> | Call<infer O> ? O : N extends undefined ? undefined : never;
/** The outputs of `needs`, under the same names. */
export type OutputsOf<N extends Needs> = Flat<{ readonly [K in keyof N]: OutputOfNeed<N[K]> }>;

/** The value that a task gives. */
export type TaskOutput<T extends AnyTask> = T extends Task<never, infer O> ? O : never;

// ── The context of a body ────────────────────────────────────────────────────────────────────────

/** A `$` of one step: its folder, variables, log and stop. Values are quoted, arrays spread. */
export interface Shell {
  (pieces: TemplateStringsArray, ...values: readonly ShellValue[]): RunningCommand;
  /** The same shell with these options for the commands it starts. */
  (options: CommandOptions): Shell;
}
export type ShellScalar = string | number | bigint | boolean | URL | CommandResult;
export type ShellValue = ShellScalar | readonly ShellScalar[];

/** Start a program with exactly these arguments; no shell stands between. */
export type Exec = (argv: readonly [string, ...(string | number)[]] | readonly string[], options?: CommandOptions) => RunningCommand;

/** What a computed field may look at. The plan is made from it: no effects, nothing that changes between two calls. */
export interface InputScope<P, G = {}> {
  readonly input: P;
  /** The global flags, where the task was made with some (`withFlags`). */
  readonly flags: G;
  /** The folder of the config. */
  readonly root: string;
  /** The folder the user stood in. */
  readonly invocationDir: string;
}

export interface LogFunction {
  (...values: readonly unknown[]): void;
  warn(...values: readonly unknown[]): void;
}

/** Given to clean-up: its own `$`, which a first stop does not end. */
export interface DeferContext {
  readonly $: Shell;
  readonly exec: Exec;
  readonly signal: AbortSignal;
  readonly log: LogFunction;
}

/** Start another task within the same run, and wait for its output. */
export interface CallFunction {
  <I, O>(task: Task<I, O>, ...input: InputArguments<I>): Promise<O>;
  <O>(call: Call<O>): Promise<O>;
}

export interface TaskContext<P = unknown, E = unknown, N = unknown, G = unknown> {
  readonly input: P;
  /** The global flags, where the task was made with some (`withFlags`). */
  readonly flags: G;
  readonly env: E;
  /** Where a variable of the step came from: `environment`, or the file; undefined when it is not set. */
  readonly originOf: (variable: string) => string | undefined;
  readonly needs: N;
  /** The words after `--`; empty unless the task declares `passthrough: true`. */
  readonly passthrough: readonly string[];
  readonly $: Shell;
  readonly exec: Exec;
  readonly call: CallFunction;
  /** End the step as `skipped`, which fails nothing. */
  readonly skip: (reason: string) => never;
  /** Register clean-up: always run, last registered first. */
  readonly defer: (cleanUp: (context: DeferContext) => unknown) => void;
  readonly log: LogFunction;
  /** Put a result on stdout, whole. */
  readonly print: (text: string) => void;
  /** Aborts when the step is to end: a stop, a time-out, another's failure under `--fail-fast`. */
  readonly signal: AbortSignal;
  /** The folder of the config. */
  readonly root: string;
  /** The folder the user stood in. */
  readonly invocationDir: string;
  /** The folder this step's commands run in. */
  readonly cwd: string;
  readonly dryRun: boolean;
  /** The name of the task, as people know it. */
  readonly name: string;
}

// ── What a task may say ──────────────────────────────────────────────────────────────────────────

type Awaitable<T> = T | Promise<T>;

/** What a requirement may look at. */
export interface RequirementScope {
  readonly root: string;
  readonly invocationDir: string;
  /** The step's folder. It may not exist yet. */
  readonly cwd: string;
  /** The step's variables, dotenv files included. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Run a command that only looks; never throws for a failing command. */
  readonly look: (argv: readonly string[], options?: { cwd?: string; timeoutMs?: number }) => Promise<CommandResult>;
}

/** Something that must hold before a step may start. */
export interface Requirement {
  /** What it is, the same text for the same thing: `file:pyproject.toml`, `port:6379`, `tool:docker`. Matches `provides`. */
  readonly id: string;
  /** In words, for reports: "`poetry` 1.5 or newer". */
  readonly title: string;
  /** Resolves to what is wrong, or to `undefined` when it holds. */
  readonly check: (scope: RequirementScope) => Awaitable<Unmet | undefined>;
}
export interface Unmet {
  /** One line, lower case: "`poetry` was not found on PATH". */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What a step makes true for the steps after it. Matched by `id` against requirements and variables. */
export interface Provision {
  readonly id: string;
}

/** When a service counts as ready. All that is given must hold. */
export interface Ready {
  /** A TCP port that accepts connections. */
  readonly port?: number | { readonly host?: string; readonly port: number };
  /** A URL that answers with a status below 500, or with exactly `status`. */
  readonly http?: string | { readonly url: string; readonly status?: number };
  /** Said by one of its commands, on either stream, quiet or not. */
  readonly log?: string | RegExp;
  /** A program that exits with 0 once it is ready: `['pg_isready']`. Silent. */
  readonly command?: readonly string[];
  /** Own look; polled. One that throws is not ready yet. */
  readonly check?: (signal: AbortSignal) => Awaitable<boolean>;
  /** Longest wait in all. Default `60s`. */
  readonly within?: Duration;
}
/** A service that ends by itself, or does not become ready, is started again. */
export interface RestartSpec {
  /** `on-failure`: not when it ended with code 0. Default `always`. */
  readonly when?: 'on-failure' | 'always';
  /** How often in all. Default 3. */
  readonly times?: number;
  /** Before the first one. Default `1s`. */
  readonly delay?: Duration;
  /** By which the delay grows each time. Default 2. */
  readonly factor?: number;
}
export interface ServiceSpec<P, O, G = {}> {
  readonly ready: Ready | ((scope: { readonly input: P; readonly flags: G; readonly output: O }) => Ready);
  /** The output of what runs already: it is used, and left alone. `undefined` starts it. */
  readonly adopt?: (scope: InputScope<P, G> & RequirementScope) => Awaitable<O | undefined>;
  /** Whether it is started again when it ends by itself. Default: never; its users fail. */
  readonly restart?: 'on-failure' | 'always' | RestartSpec;
  /** For what has no process of its own, such as containers. */
  readonly stop?: (context: DeferContext & { readonly input: P; readonly flags: G; readonly output: O }) => unknown;
}

/** An up-to-date task is left alone. One that gives a value must give it here too. */
export type UpToDate<O> = [O] extends [void | undefined]
  ? string | { readonly reason: string }
  : { readonly reason: string; readonly output: O };

/** Trying a body again. The step keeps its slot and its locks; each attempt is cleaned up before the next. */
export interface RetrySpec {
  /** How often more: 2 makes three attempts at most. */
  readonly times: number;
  /** Before the first retry. Default: none. */
  readonly delay?: Duration;
  /** By which the delay grows each time, from 1. Default 1. */
  readonly factor?: number;
  /** Which errors are worth it. Default: all. `Exit`, `skip` and a stop never are. */
  readonly when?: (error: unknown) => boolean;
}
export interface LockSpec {
  readonly name: string;
  readonly machine?: boolean;
}

type Computed<T, P, G> = T | ((scope: InputScope<P, G>) => T);

/** All that a task may say but its needs, output and body, whose types depend on one another. */
export interface TaskFields<F extends Fields, E extends Fields, P = Parsed<F>, G = {}> {
  /** One line, for lists. */
  readonly summary: string;
  /** The long text, for `--help`. */
  readonly description?: string;
  /** Command lines without the leading `tasks`, for `--help`. */
  readonly examples?: readonly string[];
  /** A heading in `--list`. */
  readonly group?: string;
  /** Left out of `--list` unless `--all`. */
  readonly hidden?: boolean;
  readonly aliases?: readonly string[];
  /** A stable name for a task that is not registered. */
  readonly id?: string;

  readonly input?: F;
  /** Variables, by their own names; checked before anything runs, typed in the body. */
  readonly env?: E;
  /** Files of variables, relative to `cwd`; laid over the config's. */
  readonly dotenv?: readonly string[];
  /** Variables that commands get besides the declared ones, where `sources` or `cache` restrict them; `*` stands for any text. Not in the fingerprint. */
  readonly passEnv?: readonly string[];
  /** Takes the words after `--`. */
  readonly passthrough?: boolean;

  readonly requires?: Computed<readonly Requirement[], P, G>;
  readonly provides?: Computed<readonly Provision[], P, G>;
  /** A question to be answered with yes before anything runs; `undefined` asks nothing. */
  readonly confirm?: string | ((scope: InputScope<P, G> & RequirementScope) => Awaitable<string | undefined>);

  readonly after?: Computed<readonly (AnyTask | Call)[], P, G>;
  readonly post?: Computed<Needs, P, G>;
  readonly lock?: Computed<string | LockSpec | readonly (string | LockSpec)[] | undefined, P, G>;

  /** Patterns of the files it reads; with them it is left alone while nothing it depends on has changed. A function may give `undefined`: not this time. */
  readonly sources?: Computed<readonly string[] | undefined, P, G>;
  /** Patterns of the files it leaves behind; `[]` when it leaves none. */
  readonly generates?: Computed<readonly string[] | undefined, P, G>;
  /** Keep outcomes of earlier fingerprints too; `false` keeps no copies of generated files. */
  readonly cache?: Computed<boolean, P, G>;

  /** Where commands run; relative to the root. Default: the root. */
  readonly cwd?: Computed<string | undefined, P, G>;
  /** Bounds each attempt of the body. */
  readonly timeout?: Computed<Duration | undefined, P, G>;
  /** From the first signal to SIGKILL. Default `5s`. */
  readonly grace?: Computed<Duration | undefined, P, G>;
  readonly retry?: Computed<RetrySpec | undefined, P, G>;
  /** Gets the real terminal; nothing but services runs beside it. */
  readonly interactive?: Computed<boolean, P, G>;
  /** Its commands get pseudo-terminals, where `@lydell/node-pty` is installed; but those with `quiet` or `input`. */
  readonly pty?: Computed<boolean, P, G>;
  /** A failure is shown, and does not fail the run. */
  readonly mayFail?: Computed<boolean, P, G>;
}

/** What a body returns, and its users get: the schema's two sides where there is one. */
type Returned<Out, R> = Out extends z.ZodType ? z.input<Out> : R;
type OutputOf<Out, R> = Out extends z.ZodType ? z.output<Out> : R;

/**
 * @typeParam R  what the body returns, and its users get
 * @typeParam S  the same for `service`, apart from it: TypeScript settles a type as soon as it reads a function that takes it, so
 *               a `service` above the body, which only looks at the input, would make the body's type `void`
 */
export interface TaskSpec<
  F extends Fields,
  E extends Fields,
  N extends Needs,
  Out extends z.ZodType | undefined,
  R,
  G = {},
  S = R,
> extends TaskFields<F, E, Parsed<F>, G> {
  /** What must succeed first. Its outputs arrive in the body as `needs`, under the same names. */
  readonly needs?: N | ((scope: InputScope<Parsed<F>, G>) => N);
  readonly output?: Out;
  /** A reason to leave the step alone, and the value it hands over then; `undefined` to run it. */
  readonly upToDate?: (
    scope: InputScope<Parsed<F>, G> & RequirementScope,
  ) => Awaitable<UpToDate<NoInfer<Returned<Out, R>>> | undefined | false>;
  readonly service?: ServiceSpec<Parsed<F>, NoInfer<OutputOf<Out, S>>, G>;
  readonly run?: (context: TaskContext<Parsed<F>, Parsed<E>, OutputsOf<N>, G>) => Awaitable<Returned<Out, R | S>>;
}

/**
 * Declare a task.
 *
 * TypeScript reads the literal from top to bottom: `input` and `needs` stand above `run`, or the body
 * does not see their types; a `service` that looks at an output without a schema stands below it.
 *
 * A task without `run` is a group of its `needs`.
 */
export function task<
  const F extends Fields = {},
  const E extends Fields = {},
  const N extends Needs = {},
  const Out extends z.ZodType | undefined = undefined,
  R = void,
  S = unknown,
>(spec: TaskSpec<F, E, N, Out, R, {}, S>): Task<Given<F>, OutputOf<Out, R>> {
  // The generic types end here: inside, a declaration is plain data and functions of unknowns.
  return declare(spec as unknown as ErasedSpec, task, undefined) as Task<Given<F>, OutputOf<Out, R>>;
}

/** Flags of a whole command line: given once, and seen by every task that was made with them. */
export interface Flags<G extends Fields = Fields> {
  readonly fields: G;
  /** As `task` does, with these flags in the context, and in what computed fields may look at. */
  readonly task: <
    const F extends Fields = {},
    const E extends Fields = {},
    const N extends Needs = {},
    const Out extends z.ZodType | undefined = undefined,
    R = void,
    S = unknown,
  >(
    spec: TaskSpec<F, E, N, Out, R, Parsed<G>, S>,
  ) => Task<Given<F>, OutputOf<Out, R>>;
}

/**
 * Declare global flags, for a binary of one's own.
 *
 * They are fields as those of `input` are, and are fixed for the whole run: a need that was made with them sees the same.
 *
 * @example
 * export const acme = withFlags({ region: z.enum(['eu', 'us']).default('eu') });
 * export const deploy = acme.task({ summary: 'Deploy.', run: ({ flags, $ }) => $`deploy --to ${flags.region}` });
 * createCli({ name: 'acme', version: '1.0.0', flags: acme, config: { tasks: { deploy } } });
 */
export function withFlags<const G extends Fields>(fields: G): Flags<G> {
  const flags: Flags<G> = {
    fields,
    task: (spec) => declare(spec as unknown as ErasedSpec, flags.task, flags) as never,
  };
  return flags;
}

function declare(spec: ErasedSpec, below: Function, flags: AnyFlags | undefined): unknown {
  const declaration: Declaration = { spec, place: declaredHere(below), flags };
  const self = (input?: Readonly<Record<string, unknown>>): Call => makeCall(self as unknown as AnyTask, input ?? {});
  return Object.defineProperty(self, TASK, { value: declaration });
}

/** How far back the stack of a declaration reaches. @internal */
const STACK_DEPTH = 50;

function declaredHere(below: Function): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const place = new Error('declared here');
  Error.stackTraceLimit = STACK_DEPTH;
  Error.captureStackTrace(place, below);
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

// ── The same, erased: what the engine works with ─────────────────────────────────────────────────

export interface ErasedSpec extends TaskFields<Fields, Fields, unknown> {
  readonly needs?: Needs | ((scope: InputScope<unknown>) => Needs);
  readonly output?: z.ZodType;
  readonly upToDate?: (
    scope: InputScope<unknown> & RequirementScope,
  ) => Awaitable<string | { readonly reason: string; readonly output?: unknown } | undefined | false>;
  readonly service?: ServiceSpec<unknown, unknown>;
  /** The context is typed by the declaration; here it is only carried. */
  readonly run?: (context: never) => unknown;
}

/** Global flags as the engine sees them: which, and what they are. */
export type AnyFlags = Pick<Flags, 'fields'>;

export interface Declaration {
  readonly spec: ErasedSpec;
  /** Those it was made with. */
  readonly flags: AnyFlags | undefined;
  /** Its stack begins at the call of `task()`; formatted only when it is looked at. */
  readonly place: Error;
}

/** @internal */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'function' && TASK in value;
}

/** @internal */
export function isCall(value: unknown): value is Call {
  return typeof value === 'object' && value !== null && CALL in value;
}

/** @internal */
export function specOf(task: AnyTask): ErasedSpec {
  return task[TASK].spec;
}

/** The global flags that it was made with. @internal */
export function flagsOf(task: AnyTask): AnyFlags | undefined {
  return task[TASK].flags;
}

/** A field that may be a function of the input. @internal */
export function fieldOf<T>(field: T | ((scope: InputScope<unknown>) => T) | undefined, scope: InputScope<unknown>): T | undefined {
  // A field's plain values are never functions, which the generic cannot say.
  return typeof field === 'function' ? (field as (scope: InputScope<unknown>) => T)(scope) : field;
}

/** @internal */
export function makeCall(task: AnyTask, input: Readonly<Record<string, unknown>>, passthrough?: readonly string[]): Call {
  return { [CALL]: true, task, input, passthrough };
}

/** A task or a call, as a call. @internal */
export function asCall(need: AnyTask | Call): Call {
  return isCall(need) ? need : makeCall(need, {});
}

/** `file.ts:line` of the declaration, as an absolute path, with its column. @internal */
export function placeOf(task: AnyTask): { readonly file: string; readonly line: number; readonly column: number } | undefined {
  const frame = task[TASK].place.stack?.split('\n').find((line) => /^\s+at /.test(line));
  const match = frame?.match(/^\s+at (?:.*? \()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/);
  if (!match?.[1]) return undefined;
  const file = match[1].startsWith('file://') ? decodeURIComponent(new URL(match[1]).pathname) : match[1];
  return { file, line: Number(match[2]), column: Number(match[3]) };
}

declare module 'zod' {
  interface GlobalMeta {
    /** One letter: `-t`. */
    short?: string;
    /** An optional input that a bare word may fill. */
    positional?: boolean;
    /** An array that takes every following bare word. */
    variadic?: boolean;
    /** A variable that stands in when the flag is absent. */
    env?: string;
    /** Shown as `***` everywhere. */
    secret?: boolean;
    /** Left out of help. */
    hidden?: boolean;
    /** Candidates for completion. */
    complete?: (typed: string) => readonly string[] | Promise<readonly string[]>;
    /** Set by `path()`, `json()`, `keyValue()` and `count()`. */
    taskwright?: 'path' | 'json' | 'key-value' | 'count';
  }
}
