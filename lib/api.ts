import { join, resolve } from 'node:path';
import type { Order } from './carry-out.ts';
import { carryOut, defaultRunOptions } from './carry-out.ts';
import { runOptionsOf, targetsOf } from './cli/parse.ts';
import type { Config } from './config.ts';
import type { Answer, Ask } from './engine.ts';
import { EXIT, RunFailedError } from './errors.ts';
import type { Event, Failure, JsonObject } from './event.ts';
import { buildRegistry } from './registry.ts';
import type { Reporter } from './reporters/reporter.ts';
import type { RunOptions, Target } from './request.ts';
import type { RunResult } from './run.ts';
import { localRunner } from './runners/local.ts';
import type { Runner } from './runners/runner.ts';
import { jsonOfGiven } from './input.ts';
import type { Task } from './task.ts';
import { specOf } from './task.ts';

/** What a program says of a run (R41), as a command line would. */
export interface ProgramOptions {
  /** With it: its names, files of variables, defaults. Without: none of these. */
  readonly config?: Config;
  /** Values of the global flags that tasks were made with (`withFlags`). */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Where commands run and paths begin. Default: the working folder. */
  readonly root?: string;
  /** The real environment. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Answers questions. Default: refuses them. */
  readonly confirm?: true | ((question: string) => boolean | Promise<boolean>);
  readonly onEvent?: (event: Event) => void;
  readonly reporter?: Reporter;
  /** Ends the run. */
  readonly signal?: AbortSignal;
  /** `false` leaves SIGINT, SIGTERM and SIGHUP to the host while it runs. */
  readonly signals?: boolean;
  /** Lend the process's terminal, where it has one, to interactive commands. Default: they get none. */
  readonly terminal?: boolean;
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly failFast?: boolean;
  readonly parallel?: boolean;
  readonly dryRun?: boolean;
  readonly skipUnmet?: boolean;
  /** Fail instead of waiting for a lock that another process has. */
  readonly failIfLocked?: boolean;
  /** For tests: where commands are run. */
  readonly runner?: Runner;
}

/**
 * Run a task from a program: typed in, typed out.
 *
 * @throws {RunFailedError} with all failures
 * @throws {UserError} when its input is wrong, or it may not run here: nothing has run then
 */
export async function run<I, O>(
  task: Task<I, O>,
  ...rest: {} extends I ? [input?: NoInfer<I>, options?: ProgramOptions] : [input: NoInfer<I>, options?: ProgramOptions]
): Promise<O> {
  const [input, options = {}] = rest;
  const given = jsonOfGiven(specOf(task).input, input ?? {});
  const result = await carryOut(await programOrder([{ task, given, isFromCode: true }], options));
  if (result.exitCode !== EXIT.ok) throw failedRun(result);
  const [output] = result.outputs;
  // The engine carries unknowns; the task's own schema or body made this value.
  return output as O;
}

/**
 * Run the words of a command line, one an element, against a config: `['demo.dev-start', '--wait']`.
 *
 * @throws {UserError} when the words are wrong, or something may not run here: nothing has run then
 */
export async function runTargets(
  config: Config,
  argv: readonly string[],
  options: Omit<ProgramOptions, 'config'> = {},
): Promise<RunResult> {
  const order = await programOrder([], { ...options, config });
  const { targets, own } = targetsOf(argv, order);
  return carryOut({ ...order, targets, options: await runOptionsFor({ ...options, config }, own) });
}

/** The order of a program. It prints nothing but to the reporter that it names. @internal */
export async function programOrder(targets: readonly Target[], options: ProgramOptions): Promise<Order> {
  const root = resolve(options.root ?? process.cwd());
  const { config = { tasks: {}, dotenv: [] } } = options;
  const registry = options.config && (await buildRegistry(options.config.tasks, {}));
  return {
    targets,
    options: await runOptionsFor(options, {}),
    registry,
    config,
    ...(options.flags && { flags: { given: options.flags, from: 'code' as const } }),
    root,
    invocationDir: process.cwd(),
    env: options.env ?? process.env,
    reporters: [...(options.onEvent ? [everyEvent(options.onEvent)] : []), ...(options.reporter ? [options.reporter] : [])],
    runner: options.runner ?? localRunner(),
    ask: askBy(options.confirm),
    terminal: {
      isTerminal: options.terminal === true && process.stdin.isTTY && process.stdout.isTTY,
      colour: false,
      columns: undefined,
      rows: undefined,
    },
    stateDir: options.config ? join(root, '.tasks') : undefined,
    keeping: options.config ? { folder: join(root, '.tasks', 'cache'), beyond: config.caches } : undefined,
    onSignal: options.signals === false ? () => () => {} : onProcessSignal,
    // The process is the program's own.
    onStray: () => () => {},
    onIdle: () => () => {},
    signal: options.signal,
    complain: () => {},
  };
}

/**
 * Our own options of a program: what it sets goes over its config, and what its words say over both.
 *
 * @param own  what the words say
 * @internal
 */
export async function runOptionsFor(options: ProgramOptions, own: JsonObject): Promise<RunOptions> {
  const { jobs, keepGoing, failFast, parallel, dryRun, skipUnmet, failIfLocked } = options;
  const set = Object.entries({ jobs, keepGoing, failFast, parallel, dryRun, skipUnmet, failIfLocked });
  const said: JsonObject = Object.fromEntries(set.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  const { settle } = await import('./cli/settings.ts');
  return { ...defaultRunOptions(), ...runOptionsOf(settle({ ...said, ...own }, {}, options.config ?? { tasks: {} }).options) };
}

function failedRun(result: RunResult): RunFailedError {
  const failures: { readonly step: string; readonly failure: Failure }[] = [];
  for (const step of result.steps) {
    const outcome = result.outcomes.get(step.id);
    if (outcome?.status === 'failed' && !outcome.mayFail) failures.push({ step: step.title, failure: outcome.failure });
  }
  return new RunFailedError(failures, result.exitCode, result.exitMessage ?? result.reason);
}

/** A reporter whose handler is the same for every event. @internal */
export function everyEvent(handle: (event: Event) => void): Reporter {
  const others = new Set<string | symbol>(['close', 'refused', 'hide']);
  return new Proxy({}, { get: (_, key) => (others.has(key) || typeof key === 'symbol' ? undefined : handle) });
}

function askBy(confirm: ProgramOptions['confirm']): Ask {
  return async (question): Promise<Answer> => {
    if (confirm === undefined) return 'no-terminal';
    return confirm === true || (await confirm(question)) ? 'yes' : 'no';
  };
}

/** SIGINT, SIGTERM and SIGHUP of this process, for as long as a run lasts. @internal */
export function onProcessSignal(stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listener = (signal: NodeJS.Signals): void => stop(signal as (typeof signals)[number]);
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
