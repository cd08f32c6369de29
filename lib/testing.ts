import { everyEvent, programOrder } from './api.ts';
import { carryOut } from './carry-out.ts';
import type { Event, Failure, Outcome } from './event.ts';
import { shellLine } from './flags.ts';
import { jsonOfGiven } from './input.ts';
import { localRunner } from './runners/local.ts';
import type { Command, CommandEnd, CommandTrouble, Runner } from './runners/runner.ts';
import type { Task } from './task.ts';
import { TASK, specOf, task as declare } from './task.ts';

/**
 * For tests of tasks: bodies run for real, their commands are answered from a script.
 */

/** A command as a body gave it. */
export interface GivenCommand {
  /** As a person would type it. */
  readonly line: string;
  /** The arguments of `exec`; undefined for `$`. */
  readonly argv: readonly string[] | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: string | Uint8Array | undefined;
  readonly interactive: boolean;
  /** What `respond` typed, in order. */
  readonly answers: readonly string[];
}

/** Instead of a reply: the command is really run. */
export const passThrough: unique symbol = Symbol('taskwright.pass-through');

/** What a scripted command says: its stdout, or all of it. */
export type Reply =
  | string
  | typeof passThrough
  | {
      readonly stdout?: string;
      readonly stderr?: string;
      /** Default 0. */
      readonly exitCode?: number;
      readonly signal?: NodeJS.Signals;
      /** As if the program were not there. */
      readonly notFound?: true;
      /** As if it had taken too long, and was ended for that. */
      readonly timedOut?: true;
    };

/** A reply, replies for one command after the other, or a function; one that gives `undefined` has no answer. */
export type Answer = Reply | readonly Reply[] | ((command: GivenCommand) => Reply | undefined);

/**
 * Answers by the whole line, by pattern (first match counts), or by function. A command that nothing
 * answers fails, and says what would have been answered.
 */
export type Script =
  | Readonly<Record<string, Answer>>
  | readonly (readonly [string | RegExp, Answer])[]
  | ((command: GivenCommand) => Reply | undefined);

export interface ScriptedRunner extends Runner {
  /** All commands so far, in the order started. */
  readonly commands: readonly GivenCommand[];
}

/**
 * A runner that starts nothing, but what is passed through.
 *
 * @param real  where that is run
 */
export function scriptedRunner(script: Script = {}, real: Runner = localRunner()): ScriptedRunner {
  const commands: GivenCommand[] = [];
  const replyTo = readerOf(script);
  return {
    commands,
    start(command, watch) {
      const given = givenOf(command);
      commands.push(given);
      const reply = replyTo(given);
      if (reply === passThrough) {
        const started = real.start(command, watch);
        const write = (text: string): void => {
          given.answers.push(text);
          started.write?.(text);
        };
        return {
          get pid() {
            return started.pid;
          },
          ended: started.ended,
          write,
          end: started.end,
          sweep: started.sweep,
        };
      }
      // As with a real process, the answer comes after the call is over.
      const ended = Promise.resolve().then(() => {
        watch.onStart?.(0);
        return endOf(reply, given, command.timeoutMs ?? 0, watch.onOutput);
      });
      return { pid: undefined, ended, write: (text) => given.answers.push(text), end: () => {}, sweep: async () => 0 };
    },
  };
}

function givenOf(command: Command): GivenCommand & { readonly answers: string[] } {
  const argv = 'argv' in command.what ? command.what.argv : undefined;
  const line = 'shell' in command.what ? command.what.shell : shellLine(command.what.argv);
  const { cwd, env, input, interactive } = command;
  return { line, argv, cwd, env, input, interactive, answers: [] };
}

/** The script, as one function that always has an answer. */
function readerOf(script: Script): (given: GivenCommand) => Reply {
  if (typeof script === 'function') return (given) => script(given) ?? unanswered(given, []);
  const rows = isRows(script) ? script : Object.entries(script);
  const used = new Map<Answer, number>();
  return (given) => {
    const answer = rows.find(([pattern]) => (typeof pattern === 'string' ? pattern === given.line : fits(pattern, given.line)))?.[1];
    if (typeof answer === 'function') return answer(given) ?? unanswered(given, rows);
    if (!isList(answer)) return answer ?? unanswered(given, rows);
    const turn = used.get(answer) ?? 0;
    used.set(answer, turn + 1);
    return answer[turn] ?? { exitCode: 127, stderr: `the script has ${answer.length} answers to this, which were given: ${given.line}\n` };
  };
}

function isRows(script: Exclude<Script, Function>): script is readonly (readonly [string | RegExp, Answer])[] {
  return Array.isArray(script);
}

const isList = (answer: Answer | undefined): answer is readonly Reply[] => Array.isArray(answer);
/** Without what a pattern with `g` or `y` remembers from the last time. */
const fits = (pattern: RegExp, line: string): boolean => line.search(pattern) !== -1;

function unanswered(given: GivenCommand, rows: readonly (readonly [string | RegExp, Answer])[]): Reply {
  const known = rows.map(([pattern]) => `  ${String(pattern)}\n`).join('');
  return { exitCode: 127, stderr: `the script has no answer to: ${given.line}\n${known && `known are:\n${known}`}` };
}

function endOf(
  reply: Exclude<Reply, typeof passThrough>,
  given: GivenCommand,
  timeoutMs: number,
  onOutput: (stream: 'stdout' | 'stderr', text: string) => void,
): CommandEnd {
  const full = typeof reply === 'string' ? { stdout: reply } : reply;
  const { stdout = '', stderr = '', exitCode = 0, signal } = full;
  if (stdout) onOutput('stdout', stdout);
  if (stderr) onOutput('stderr', stderr);
  const trouble = troubleOf(full, given, timeoutMs);
  return { code: signal || trouble ? undefined : exitCode, signal, trouble, stdout, stderr, tail: stdout + stderr, ms: 0 };
}

function troubleOf(reply: Exclude<Reply, string | typeof passThrough>, given: GivenCommand, timeoutMs: number): CommandTrouble | undefined {
  if (reply.notFound) return { kind: 'not-found', program: given.argv?.[0] ?? given.line.split(' ')[0] ?? '' };
  return reply.timedOut && { kind: 'timeout', timeoutMs };
}

export interface TestOptions<I> {
  readonly input?: NoInfer<I>;
  /** Values of the global flags that the task was made with. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Variables of the step, instead of the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly commands?: Script;
  /** The words after `--`. */
  readonly passthrough?: readonly string[];
  /** Values instead of what the needs would give: only this body runs then. */
  readonly needs?: unknown;
  /** Default: the working folder. */
  readonly root?: string;
  /** Look at `requires` and put `confirm` as in a real run. Default: neither. */
  readonly preflight?: boolean;
}

export interface TestResult<O> {
  /** What the task gave; undefined unless it is `done` or `up-to-date`. */
  readonly output: O | undefined;
  readonly outcome: Outcome;
  readonly failure: Failure | undefined;
  readonly exitCode: number;
  readonly commands: readonly GivenCommand[];
  /** What it put on stdout by `print`. */
  readonly printed: string;
  /** What it said by `log` and `console`, a line each. */
  readonly log: readonly string[];
  readonly events: readonly Event[];
}

/**
 * Run a task with scripted commands: its body, and the bodies of what it needs unless `needs` gives values. Of a service it is
 * the body alone: nothing is waited for to become ready.
 *
 * @throws {UserError} when the input is not what the task accepts
 */
export async function testTask<I, O>(task: Task<I, O>, options: TestOptions<I> = {}): Promise<TestResult<O>> {
  const runner = scriptedRunner(options.commands);
  const events: Event[] = [];
  const target = alone(task, options);
  const given = jsonOfGiven(specOf(task).input, options.input ?? {});
  const order = await programOrder(
    [{ task: target, given, isFromCode: true, ...(options.passthrough && { passthrough: options.passthrough }) }],
    {
      runner,
      signals: false,
      confirm: true,
      ...(options.root !== undefined && { root: options.root }),
      env: options.env ?? {},
      ...(options.flags && { flags: options.flags }),
    },
  );
  const result = await carryOut({ ...order, reporters: [everyEvent((event) => events.push(event))] });
  const outcome = [...result.outcomes.values()].find((_, index) => result.steps[index]?.target === 0);
  if (!outcome) throw new Error('the task was planned and has no outcome');
  return {
    output: result.outputs[0] as O | undefined,
    outcome,
    failure: outcome.status === 'failed' ? outcome.failure : undefined,
    exitCode: result.exitCode,
    commands: runner.commands,
    printed: events.flatMap((event) => (event.type === 'print' ? [event.text] : [])).join(''),
    log: events.flatMap((event) => (event.type === 'log' ? [event.text] : [])),
    events,
  };
}

/**
 * The same task without what a test of its body leaves out; it keeps its name and place. A service is over when its
 * scripted commands are: there is nothing that could become ready.
 */
function alone<I, O>(task: Task<I, O>, options: TestOptions<I>): Task<I, O> {
  const spec = specOf(task);
  const body = { ...spec, service: undefined };
  const kept = options.preflight ? body : { ...body, requires: [], confirm: undefined };
  const { run } = spec;
  const given =
    'needs' in options
      ? { ...kept, needs: {}, run: run && ((context: never) => run({ ...(context as object), needs: options.needs } as never)) }
      : kept;
  // The declaration is erased here and typed again by the task it was made from.
  const copy = declare(given as never) as unknown as Task<I, O>;
  Object.assign(copy[TASK], { place: task[TASK].place, flags: task[TASK].flags });
  return copy;
}
