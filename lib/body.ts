import { format } from 'node:util';
import type { CommandFailedError } from './errors.ts';
import { Exit } from './errors.ts';
import type { CurrentStep } from './current-step.ts';
import { currentStep } from './current-step.ts';
import type { Engine } from './engine.ts';
import type { Halt } from './halt.ts';
import type { Step } from './plan.ts';
import type { BoundShell } from './shell.ts';
import { bindShell } from './shell.ts';
import type { StepScope } from './step-scope.ts';
import type { CallFunction, DeferContext, LogFunction, TaskContext } from './task.ts';
import { specOf } from './task.ts';
import { createTail } from './util/tail.ts';

/**
 * Run the body of a step: its context, its commands, its clean-up (R23, R25, R27).
 *
 * Opening starts it; what it returned or threw is its {@link BodyEnd}. A service's commands may go on
 * after that, so closing (waiting for commands, then clean-up) is a call of its own.
 */
export interface OpenBody {
  /** Never rejects. Settles when the body has, or when it was told to end and did not within the grace time. */
  readonly ended: Promise<BodyEnd>;
  /** Commands started and not over. */
  commandsRunning(): ReturnType<BoundShell['commandsRunning']>;
  /** Ask its commands to end. Asking twice is asking once: only a kill hurries. */
  endCommands(): void;
  /** Wait for the commands still running, then clean up. Never rejects. */
  close(): Promise<BodyClose>;
  /** Run a function with a shell of its own, as clean-up has: no ordinary stop ends it. Rejects with what it threw. */
  runApart(work: (context: DeferContext) => unknown): Promise<void>;
  /** The last lines of all it said. */
  tail(): string;
  /** All it said, where that is to be kept; of very much the end. */
  log(): string;
}

export type BodyEnd =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** It was told to end and has not settled within its grace time. */
  | { readonly kind: 'abandoned' };

export interface BodyClose {
  /** Failures of commands that nobody awaited. */
  readonly unawaited: readonly CommandFailedError[];
  readonly cleanUpErrors: readonly unknown[];
}

export interface BodyOptions {
  readonly step: Step;
  readonly scope: StepScope;
  /** What its commands see of the step's variables. */
  readonly variables: Readonly<Record<string, string>>;
  readonly env: unknown;
  readonly needs: unknown;
  readonly call: CallFunction;
  readonly halt: Halt;
  readonly graceMs: number;
  readonly interactive: boolean;
  /** What it says is kept for runs that leave it alone. */
  readonly keepsLog?: boolean;
  /** All that its commands say, quiet ones too, masked. */
  readonly onSaid?: (text: string) => void;
}

/** Thrown by `skip(reason)`. */
export class SkipRequest extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'SkipRequest';
  }
}

const NO_COMMANDS: Awaited<ReturnType<BoundShell['close']>> = { unawaited: [], swept: 0 };
const TAIL_LINES = 200;
const MOST_KEPT_CHARACTERS = 4 * 1024 * 1024;
/** How long clean-up may take in all, since no ordinary stop ends it. */
const CLEAN_UP_LIMIT_MS = 60_000;

export function openBody(engine: Engine, options: BodyOptions): OpenBody {
  const { step, scope, halt } = options;
  const { task, value, flags } = engine.planner.bindingOf(step);
  const { run, pty } = specOf(task);
  const wantsPty = typeof pty === 'function' ? pty(engine.scopes.inputScopeOf(step)) : pty === true;
  const tail = createTail(TAIL_LINES);
  const whole = options.keepsLog ? createTail(Infinity, MOST_KEPT_CHARACTERS) : undefined;
  const remember = (text: string): void => {
    tail.push(text);
    whole?.push(text);
  };
  engine.scopes.touch(1);
  const cleanUps: ((context: DeferContext) => unknown)[] = [];
  let isCleaningUp = false;
  let isClosed = false;

  const write = (level: 'info' | 'warn', text: string): void => {
    remember(`${text}\n`);
    engine.emit({ type: 'log', step: step.id, level, text });
  };
  const log: LogFunction = Object.assign((...values: readonly unknown[]) => write('info', format(...values)), {
    warn: (...values: readonly unknown[]) => write('warn', format(...values)),
  });

  // Body and clean-up have shells of their own, which may run side by side; each command has a number of its own.
  let commands = 0;
  let withTerminal = 0;
  /** A step that is interactive as a whole has said so already. */
  const onTerminal = (change: 'taken' | 'given-back'): void => {
    const isTaken = change === 'taken';
    engine.lending.commands += isTaken ? 1 : -1;
    withTerminal += isTaken ? 1 : -1;
    if (options.interactive || withTerminal !== (isTaken ? 1 : 0)) return;
    engine.emit({ type: isTaken ? 'interactive-started' : 'interactive-ended', step: step.id });
  };
  const bind = (interactive: boolean): BoundShell => {
    const numbers = new Map<number, number>();
    const numberOf = (command: number): number => {
      const number = numbers.get(command) ?? ++commands;
      numbers.set(command, number);
      return number;
    };
    return bindShell({
      run: engine,
      runner: engine.runner,
      cwd: scope.cwd,
      env: options.variables,
      graceMs: options.graceMs,
      timeoutMs: engine.options.commandTimeoutMs,
      warnOnly: engine.options.warnOnly,
      foreground: engine.solo && engine.terminal.isTerminal,
      pty: wantsPty ? { columns: engine.terminal.columns ?? 80, rows: engine.terminal.rows ?? 24 } : undefined,
      onNotice: (text) => engine.emit({ type: 'notice', step: step.id, text }),
      interactive,
      hasTerminal: engine.terminal.isTerminal,
      onTerminal,
      colour: engine.terminal.colour,
      columns: engine.terminal.columns,
      dryRun: engine.options.dryRun,
      masking: engine.masker,
      onStart: (command, line, cwd, quiet, dry) =>
        engine.emit({
          type: 'command-started',
          step: step.id,
          command: numberOf(command),
          line,
          cwd,
          quiet,
          ...(dry && { dry: true }),
        }),
      onSaid: options.onSaid ?? (() => {}),
      onOutput: (command, stream, text) => {
        remember(text);
        engine.emit({ type: 'output', step: step.id, command: numberOf(command), stream, text });
      },
      onEnd: (command, exitCode, signal, ms) =>
        engine.emit({
          type: 'command-ended',
          step: step.id,
          command: numberOf(command),
          exitCode,
          ms,
          ...(signal && { signal }),
        }),
    });
  };
  // Made for the first command: many bodies have none.
  let bound: BoundShell | undefined;
  const shell = (): BoundShell => {
    if (bound) return bound;
    bound = bind(options.interactive);
    if (wasKilled || wereAsked) bound.end(wasKilled ? 'SIGKILL' : commandSignalOf(halt));
    return bound;
  };

  // A Ctrl-C at the terminal has reached the commands that share it: a second SIGINT from us would be
  // taken by many (docker compose, say) as "at once". They get half the grace time to act on the first.
  const sharesTerminal = engine.terminal.isTerminal && ((engine.solo && !wantsPty) || options.interactive);
  let wereAsked = false;
  let wasKilled = false;
  let patience: NodeJS.Timeout | undefined;
  const endCommands = (): void => {
    if (wereAsked) return;
    wereAsked = true;
    const signal = commandSignalOf(halt);
    if (sharesTerminal && signal === 'SIGINT') patience = setTimeout(() => bound?.end('SIGTERM'), options.graceMs / 2);
    else bound?.end(signal);
  };
  const letGo = [
    halt.onHalt(endCommands),
    halt.onKill(() => {
      wasKilled = true;
      bound?.end('SIGKILL');
    }),
  ];

  // One function serves both forms of the overloaded type.
  const call = (async (...asked: Parameters<CallFunction>) => {
    if (isCleaningUp) throw new Error('nothing can be called in clean-up: say in `post` what runs after the task');
    return options.call(...asked);
  }) as CallFunction;
  const context: TaskContext = {
    input: value,
    flags,
    env: options.env,
    originOf: (variable) => scope.environment.originOf(variable),
    needs: options.needs,
    passthrough: step.passthrough,
    get $() {
      return shell().$;
    },
    get exec() {
      return shell().exec;
    },
    call,
    skip: (reason) => {
      throw new SkipRequest(reason);
    },
    defer: (cleanUp) => {
      if (isClosed) throw new Error('`defer` came too late: the clean-up of this step is over');
      cleanUps.push(cleanUp);
    },
    log,
    print: (text) => engine.emit({ type: 'print', step: step.id, text }),
    get signal() {
      return halt.signal;
    },
    root: engine.root,
    invocationDir: engine.invocationDir,
    cwd: scope.cwd,
    dryRun: engine.options.dryRun,
    name: step.name,
  };

  let tellEnd: (end: BodyEnd) => void = () => {};
  const ended = new Promise<BodyEnd>((resolve) => {
    tellEnd = firstEnd(halt, options.graceMs, resolve);
  });
  const atClose: (() => void)[] = [];
  const self: CurrentStep = {
    name: step.name,
    log,
    exit: (error) => tellEnd({ kind: 'threw', error }),
    onClose: (work) => void atClose.push(work),
  };
  const settled = currentStep.run(self, async () => {
    try {
      // The declaration types the context; here the two are only brought together.
      tellEnd({ kind: 'returned', value: await (run as ((context: TaskContext) => unknown) | undefined)?.(context) });
    } catch (error) {
      tellEnd({ kind: 'threw', error });
    }
  });

  async function close(): Promise<BodyClose> {
    const { unawaited, swept } = bound ? await bound.close() : NO_COMMANDS;
    for (const leave of letGo) leave();
    clearTimeout(patience);
    if (swept > 0) {
      engine.emit({
        type: 'notice',
        step: step.id,
        text: `\`${step.name}\` left ${swept} ${swept === 1 ? 'process' : 'processes'} behind, ended with it`,
      });
    }
    const cleanUpErrors = cleanUps.length === 0 ? [] : await cleanUp();
    isClosed = true;
    // One that was left behind may go on.
    void settled.then(() => engine.scopes.touch(-1));
    for (const work of atClose) work();
    return { unawaited, cleanUpErrors };
  }

  async function cleanUp(): Promise<readonly unknown[]> {
    isCleaningUp = true;
    return apart(async (context, attempt) => {
      // Last registered first; one that fails does not keep the others from running.
      for (let next = cleanUps.pop(); next; next = cleanUps.pop()) {
        const one = next;
        await attempt(() => one(context));
      }
    });
  }

  /** Work with a shell of its own, ended only by its time limit or a kill; resolves to all that went wrong. */
  async function apart(
    work: (context: DeferContext, attempt: (one: () => unknown) => Promise<void>) => Promise<void>,
  ): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    const own = bind(false);
    const limit = new AbortController();
    const giveUp = (): void => {
      limit.abort();
      own.end('SIGKILL');
    };
    const timer = setTimeout(giveUp, CLEAN_UP_LIMIT_MS);
    const leave = halt.onKill(giveUp);
    await work({ $: own.$, exec: own.exec, signal: limit.signal, log }, async (one) => {
      try {
        await Promise.race([currentStep.run(self, async () => one()), aborted(limit.signal)]);
      } catch (error) {
        errors.push(error);
      }
    });
    const { unawaited } = await own.close();
    clearTimeout(timer);
    leave();
    return [...errors, ...unawaited];
  }

  function allSaid(): string {
    if (!whole) return '';
    return whole.isCut() ? `… what it said before is not kept\n${whole.text()}` : whole.text();
  }

  async function runApart(work: (context: DeferContext) => unknown): Promise<void> {
    const [error] = await apart((context, attempt) => attempt(() => work(context)));
    if (error !== undefined) throw error;
  }

  return { ended, commandsRunning: () => bound?.commandsRunning() ?? [], endCommands, close, runApart, tail: tail.text, log: allSaid };
}

/** SIGINT passes on as what it is; every other reason asks with SIGTERM. */
function commandSignalOf(halt: Halt): 'SIGINT' | 'SIGTERM' {
  return halt.reason?.kind === 'stop' && halt.reason.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM';
}

/** A body has its grace time to settle after it was told to end; a kill waits for nothing. The first end counts. */
function firstEnd(halt: Halt, graceMs: number, tell: (end: BodyEnd) => void): (end: BodyEnd) => void {
  let timer: NodeJS.Timeout | undefined;
  const abandon = (): void => end({ kind: 'abandoned' });
  // Its commands have the grace time to end; it has as long again, so that it can speak of their end.
  const leaveHalt = halt.onHalt(() => void (timer ??= setTimeout(abandon, graceMs + 1000)));
  const leaveKill = halt.onKill(() => {
    clearTimeout(timer);
    timer = setTimeout(abandon, 1000);
  });
  function end(how: BodyEnd): void {
    clearTimeout(timer);
    leaveHalt();
    leaveKill();
    tell(how);
  }
  return end;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error('clean-up was ended before it was over'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

// ── console.* of a body belongs to its step (R25) ────────────────────────────────────────────────

let listeners = 0;
let restore = (): void => {};

/** From now until the returned function is called, what a body says to `console` goes to its step's log. */
export function captureConsole(): () => void {
  if (listeners++ === 0) {
    const original = { ...console };
    const through =
      (method: 'log' | 'info' | 'debug' | 'warn' | 'error') =>
      (...values: unknown[]): void => {
        const log = currentStep.getStore()?.log;
        if (!log) original[method](...values);
        else if (method === 'warn' || method === 'error') log.warn(...values);
        else log(...values);
      };
    for (const method of ['log', 'info', 'debug', 'warn', 'error'] as const) console[method] = through(method);
    restore = () => void Object.assign(console, original);
  }
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--listeners === 0) restore();
  };
}

/**
 * `process.exit(code)` in a body means what `throw new Exit(code)` does: the run ends in order, with its
 * children ended and clean-up done.
 *
 * @returns what is to be thrown instead; undefined where no body called it
 */
export function exitFromBody(code: number): Exit | undefined {
  const step = currentStep.getStore();
  if (!step) return undefined;
  const exit = new Exit(code, `\`process.exit(${code})\` was called`);
  step.exit(exit);
  return exit;
}
