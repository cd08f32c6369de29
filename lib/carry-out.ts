import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import type { Earlier } from './earlier.ts';
import type { Ask, Engine, Terminal } from './engine.ts';
import { ConfigError, EXIT, Exit, UserError } from './errors.ts';
import { loadEnvironment } from './environment.ts';
import type { Emit, Event } from './event.ts';
import { failureOf } from './failure.ts';
import type { Incremental } from './incremental.ts';
import type { Keeping, KeptScope } from './kept.ts';
import { createProcessLocks } from './locks.ts';
import type { LogFiles } from './log-files.ts';
import { noLogFiles, openLogFiles } from './log-files.ts';
import type { GivenFlags, Plan, Planner } from './plan.ts';
import { createPlanner, hasIncremental } from './plan.ts';
import type { Preflight } from './preflight.ts';
import { preflight } from './preflight.ts';
import type { Registry } from './registry.ts';
import type { Reporter } from './reporters/reporter.ts';
import { tell } from './reporters/reporter.ts';
import type { RunOptions, Target } from './request.ts';
import type { RunHandle, RunResult } from './run.ts';
import { startRun } from './run.ts';
import type { Runner } from './runners/runner.ts';
import type { Masking } from './secrets.ts';
import { createMasker } from './secrets.ts';
import { createStepScopes, look } from './step-scope.ts';
import type { Standing } from './standing.ts';
import { parseDurationMs } from './util/duration.ts';

/**
 * Config, engine and members, brought together for the command line and for other programs (R41).
 *
 * Nothing here ends the process.
 *
 * @internal
 */
export interface Order {
  readonly targets: readonly Target[];
  readonly options: RunOptions;
  /** Undefined where a task is run without a config: it then has no registered name. */
  readonly registry: Registry | undefined;
  readonly config: Config;
  readonly root: string;
  readonly invocationDir: string;
  /** Global flags as given. */
  readonly flags?: GivenFlags;
  /** What the command line is called. Default: `tasks`. */
  readonly program?: string;
  /** The real environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly reporters: readonly Reporter[];
  readonly runner: Runner;
  readonly ask: Ask;
  readonly terminal: Terminal;
  /** Logs are kept below it; undefined keeps none. */
  readonly stateDir: string | undefined;
  /** Where outcomes are kept; undefined: nothing is, and every step runs. */
  readonly keeping: Keeping | undefined;
  /** While watching: what earlier rounds gave, and who wants to know of the run. */
  readonly earlier?: Earlier;
  readonly standing?: Standing;
  readonly onRun?: (run: RunHandle) => void;
  /** Is told how many steps there are, before the first begins. */
  readonly onPlan?: (steps: number) => void;
  /** Calls back for each signal that asks to stop; returns how to let go. */
  readonly onSignal: (stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void) => () => void;
  /** Calls back for what is thrown where nobody can catch it; returns how to let go. */
  readonly onStray: (tell: (error: unknown) => void) => () => void;
  /** Calls back when nothing is left to do in the process though the run is not over; returns how to let go. */
  readonly onIdle: (tell: () => void) => () => void;
  readonly signal: AbortSignal | undefined;
  /** Words for stderr that are no event. */
  readonly complain: (text: string) => void;
}

/** @internal */
export const defaultRunOptions = (): RunOptions => ({
  jobs: availableParallelism(),
  parallel: false,
  keepGoing: false,
  failFast: false,
  dryRun: false,
  skipUnmet: false,
  failIfLocked: false,
  warnOnly: false,
  force: undefined,
  noCache: false,
  replayLogs: false,
  timeoutMs: undefined,
  commandTimeoutMs: undefined,
});

/** @internal */
export interface PlannedOrder {
  readonly plan: Plan;
  readonly planner: Planner;
  readonly nameOf: Engine['nameOf'];
}

/** Make the plan, and no more: for `--plan`, and as the first half of {@link carryOut}. @internal */
export async function planOrder(
  order: Pick<
    Order,
    'targets' | 'options' | 'registry' | 'config' | 'root' | 'invocationDir' | 'env' | 'runner' | 'signal' | 'program' | 'flags'
  >,
): Promise<PlannedOrder> {
  const { registry, config, root, invocationDir } = order;
  const nameOf: Engine['nameOf'] = (task) => registry?.nameOf(task);
  const environment = await loadEnvironment({
    base: order.env,
    files: dotenvFilesOf(config, root).map((path) => ({ path, required: false })),
    look: (argv, where) => look(order.runner, argv, { cwd: where?.cwd ?? root, env: order.env, signal: order.signal }),
  });
  const planner = createPlanner({
    nameOf,
    env: environment.variables,
    defaults: config.defaults ?? {},
    flags: order.flags,
    root,
    invocationDir,
    program: order.program,
  });
  return { planner, plan: planner.plan(order.targets, { parallel: order.options.parallel }), nameOf };
}

/** @internal */
export function dotenvFilesOf(config: Config, root: string): readonly string[] {
  return (config.dotenv ?? ['.env', '.env.local']).map((file) => resolve(root, file));
}

/**
 * Plan, check, ask, run.
 *
 * @throws {UserError} before anything has run; what fails later is in the result
 *
 * @internal
 */
export async function carryOut(order: Order): Promise<RunResult> {
  try {
    return await carryOutPlan(order);
  } catch (error) {
    if (error instanceof UserError) tellAll(order, (reporter) => reporter.refused?.(error));
    throw error;
  }
}

async function carryOutPlan(order: Order): Promise<RunResult> {
  // Heard from the beginning: looking around before the first step may take a while.
  const halted = new AbortController();
  const hurried = new AbortController();
  let run: RunHandle | undefined;
  let early: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
    if (run && !run.stop(signal)) return;
    if (!run && early) hurried.abort();
    early ??= signal;
    halted.abort();
  };
  const onAbort = (): void => {
    halted.abort();
    run?.stop('abort');
  };
  const letGo = [order.onSignal(onSignal), () => order.signal?.removeEventListener('abort', onAbort)];
  order.signal?.addEventListener('abort', onAbort, { once: true });
  if (order.signal?.aborted) halted.abort();
  try {
    const { plan, planner, nameOf } = await planOrder({ ...order, signal: halted.signal });
    order.onPlan?.(plan.steps.length);
    const masker = createMasker(namesIn(plan), (secret) => {
      order.standing?.hide(secret);
      tellAll(order, (reporter) => reporter.hide?.(secret));
    });
    const logs: LogFiles =
      order.stateDir === undefined || order.options.dryRun
        ? noLogFiles
        : openLogFiles(order.stateDir, new Date(), (text) => emit({ type: 'notice', text }));
    const emit = createEmit(order, logs, masker);
    const strays = { count: 0 };
    letGo.push(
      order.onStray((error) => {
        // `process.exit` was called in a callback of a body, which has heard of it.
        if (error instanceof Exit && error.message.startsWith('`process.exit(')) return;
        strays.count++;
        emit({ type: 'notice', text: strayText(error, order.root), isError: true });
      }),
    );
    const scopes = createStepScopes({
      planner,
      runner: order.runner,
      root: order.root,
      invocationDir: order.invocationDir,
      // As it is now, and as a plain object: it is read for each step, and `process.env` is slow.
      base: { ...order.env },
      dotenvFiles: dotenvFilesOf(order.config, order.root),
      signal: halted.signal,
    });
    const incremental =
      order.keeping && !order.options.dryRun && hasIncremental(plan, planner)
        ? await openKeptOf(order.keeping, {
            planner,
            scopes,
            root: order.root,
            options: order.options,
            nameOf,
            onTrouble: (text) => emit({ type: 'notice', text }),
          })
        : undefined;
    const engine: Engine = {
      planner,
      nameOf,
      runner: order.runner,
      scopes,
      options: order.options,
      incremental,
      earlier: order.earlier,
      isUpAlready: (step) => order.standing?.has(step) === true,
      passEnv: order.config.passEnv ?? [],
      emit,
      masker,
      logs,
      locks: createProcessLocks(order.root, order.env),
      capacities: order.config.locks ?? {},
      root: order.root,
      invocationDir: order.invocationDir,
      terminal: order.terminal,
      lending: { commands: 0 },
      graceMs: parseDurationMs(order.config.grace ?? '5s'),
      solo: plan.steps.length === 1,
      ask: order.ask,
      strays,
      now: Date.now,
    };
    const checked = preflight(engine, plan.steps);
    const found = await unlessEndless(order, untilStopped(checked, halted.signal, hurried.signal));
    if (!found || halted.signal.aborted) return notBegun(plan, early);
    const handle = startRun(engine, plan, found, order.standing?.start);
    run = handle;
    order.onRun?.(handle);
    letGo.push(order.onIdle(() => handle.giveUp()));
    const result = await handle.ended;
    await incremental?.close();
    await closeAll(order);
    return result;
  } finally {
    await order.runner.close?.();
    for (const one of letGo) one();
  }
}

/** What was thrown where nobody can catch it, in words. @internal */
export function strayText(error: unknown, root: string): string {
  const { message, stack } = failureOf(error, root);
  return `thrown where nobody waits for it: ${message}${stack === undefined ? '' : `\n${stack.replace(/^/gm, '  ')}`}`;
}

async function closeAll({ reporters, complain }: Order): Promise<void> {
  for (const reporter of reporters) {
    try {
      await reporter.close?.();
    } catch (error) {
      complain(`a reporter failed at its end: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Nothing of it is loaded for plans whose steps always run. */
async function openKeptOf(keeping: Keeping, scope: KeptScope): Promise<Incremental> {
  const { openKept } = await import('./kept.ts');
  return openKept(keeping, scope);
}

/** What a run is told in anyway: names of tasks, whole and in parts, and of their inputs. */
function namesIn(plan: Plan): Set<string> {
  const names = new Set<string>();
  let last = '';
  for (const { name, input, flags } of plan.steps) {
    // Steps of one task often follow each other.
    if (name !== last) for (const part of [name, ...name.split('.')]) names.add(part);
    last = name;
    for (const key in input) names.add(key);
    for (const key in flags) names.add(key);
  }
  return names;
}

/** A command that looks has a second from the signal to SIGKILL; a check of the author's own may hear nothing. */
const CHECKS_END_WITHIN_MS = 2000;

/** What the checks started is told to end, and waited for: nothing of it outlives us (R24). */
async function untilStopped(checking: Promise<Preflight>, stopped: AbortSignal, hurried: AbortSignal): Promise<Preflight | undefined> {
  const first = await Promise.race([checking, aborted(stopped)]);
  if (first) return first;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((done) => {
    timer = setTimeout(done, CHECKS_END_WITHIN_MS);
  });
  await Promise.race([checking.catch(() => {}), patience, aborted(hurried)]);
  clearTimeout(timer);
  return undefined;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => {
    if (signal.aborted) done(undefined);
    else signal.addEventListener('abort', () => done(undefined), { once: true });
  });
}

/** A check that awaits what never comes would end the process without a word. */
async function unlessEndless<T>({ onIdle }: Order, checking: Promise<T>): Promise<T> {
  let letGo = (): void => {};
  const idle = new Promise<never>((_, reject) => {
    letGo = onIdle(() =>
      reject(
        new ConfigError('endless', 'a check before the run waits for something that nothing is left to give', {
          hint: 'Look at what `requires` and `confirm` await. Nothing has run.',
        }),
      ),
    );
  });
  return Promise.race([checking, idle]).finally(letGo);
}

/** Stopped before the first step: nothing has run. */
function notBegun(plan: Plan, signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined): RunResult {
  const [exitCode, reason] =
    signal === 'SIGTERM'
      ? ([EXIT.terminated, 'terminated'] as const)
      : signal === 'SIGHUP'
        ? ([EXIT.hungUp, 'hung-up'] as const)
        : ([EXIT.interrupted, signal ? 'interrupted' : 'aborted'] as const);
  return {
    exitCode,
    reason,
    exitMessage: 'stopped before anything ran',
    steps: plan.steps,
    outcomes: new Map(plan.steps.map((step) => [step.id, { status: 'stopped', ms: 0, reason: 'stopped before anything ran' }])),
    outputs: plan.targets.map(() => undefined),
    counts: { total: plan.steps.length, done: 0, upToDate: 0, cached: 0, failed: 0, skipped: 0, stopped: plan.steps.length },
  };
}

/** Outside of the events; here as there a reporter that throws costs a line, and no more. */
function tellAll(order: Order, tellOne: (reporter: Reporter) => void): void {
  for (const reporter of order.reporters) {
    try {
      tellOne(reporter);
    } catch (error) {
      order.complain(`a reporter failed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Events go, masked, to the logs and to every reporter; one that throws is dropped with one line (R38). */
function createEmit(order: Order, logs: LogFiles, { maskDeep }: Masking): Emit {
  const reporters = new Set(order.reporters);
  return (told) => {
    // Output is masked as a stream where it comes in; all else is masked here, whole.
    const masked = told.type === 'output' ? told : maskDeep(told);
    const event: Event = { time: Date.now(), ...masked };
    if (event.type === 'output') logs.write(event.step, event.text);
    else if (event.type === 'log') logs.write(event.step, `${event.text}\n`);
    else if (event.type === 'command-started') logs.write(event.step, `$ ${event.line}\n`);
    for (const reporter of reporters) {
      try {
        tell(reporter, event);
      } catch (error) {
        reporters.delete(reporter);
        order.complain(`a reporter failed and is left out from here: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  };
}
