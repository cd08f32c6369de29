import { resolve } from 'node:path';
import { CommandFailedError, EXIT, UserError } from './errors.ts';
import { shellLine } from './flags.ts';
import { createResponder } from './responder.ts';
import type { Command, CommandEnd, CommandOptions, CommandResult, Response, Runner, RunningCommand, Started } from './runners/runner.ts';
import { resultWith } from './runners/runner.ts';
import type { Masking } from './secrets.ts';
import type { Exec, Shell } from './task.ts';
import { assembleTemplate } from './template.ts';
import { describeValue, namesInWords } from './util/describe.ts';
import { cut, visible } from './util/display.ts';
import { durationMs } from './util/duration.ts';

/** `$` and `exec`, bound to one step (R27, R28). */
export interface ShellBinding {
  /** The same object for all shells of one run. */
  readonly run: object;
  readonly runner: Runner;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly graceMs: number;
  /** For commands that set none of their own. */
  readonly timeoutMs: number | undefined;
  /** Every command as with `nothrow`. */
  readonly warnOnly: boolean;
  readonly foreground: boolean;
  /** Its commands have the terminal, unless they say otherwise. */
  readonly interactive: boolean;
  /** Of the pseudo-terminals that its commands get; undefined: they get none. */
  readonly pty: Command['pty'];
  readonly onNotice: (text: string) => void;
  /** Without one `interactive` asks for nothing. */
  readonly hasTerminal: boolean;
  /** Around each command that has the terminal. */
  readonly onTerminal: (change: 'taken' | 'given-back') => void;
  /** Whether what is shown ends on a terminal with colours. */
  readonly colour: boolean;
  readonly columns: number | undefined;
  readonly dryRun: boolean;
  readonly masking: Masking;
  /** Commands are numbered from 1 in the order started. */
  readonly onStart: (command: number, line: string, cwd: string, quiet: boolean, dry: boolean) => void;
  /** All that is said, also by quiet commands. */
  readonly onSaid?: (text: string) => void;
  readonly onOutput: (command: number, stream: 'stdout' | 'stderr', text: string) => void;
  readonly onEnd: (command: number, exitCode: number, signal: string | undefined, ms: number) => void;
}

export interface BoundShell {
  readonly $: Shell;
  readonly exec: Exec;
  /** Begin the ladder for all that run; what is started later is refused. Again: kill. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL'): void;
  /** Commands started and not over. */
  commandsRunning(): readonly { readonly line: string; readonly ended: Promise<CommandEnd> }[];
  /** Wait for the commands still running, then end what they left behind. Never rejects. */
  close(): Promise<{ readonly unawaited: readonly CommandFailedError[]; readonly swept: number }>;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const UNIT_BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** One command of this shell. */
interface Tracked {
  readonly line: string;
  readonly started: Promise<Started | undefined>;
  readonly ended: Promise<CommandEnd>;
  /** Settles as the author's promise does. */
  readonly outcome: Promise<CommandResult>;
  isOver: boolean;
  isAwaited: boolean;
}

export function bindShell(binding: ShellBinding): BoundShell {
  const all: Tracked[] = [];
  let numbered = 0;
  let endedBy: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL' | undefined;

  const shellWith = (options: CommandOptions): Shell => {
    const shell = (first: TemplateStringsArray | CommandOptions, ...values: readonly unknown[]): RunningCommand | Shell => {
      if (!isTemplate(first)) return shellWith({ ...options, ...first });
      return launch(
        async () => {
          const { quote } = await import('zx/core');
          const text = assembleTemplate(first, values, quote);
          return { what: { shell: text }, line: text };
        },
        options,
        shell,
      );
    };
    // One function serves both forms of the overloaded type.
    return shell as Shell;
  };

  const exec: Exec = (argv, options = {}) =>
    launch(
      () => {
        const words = argv.map((word, index) => argumentOf(word, index));
        if (words.length === 0 || words[0] === '') throw new UserError('no-program', '`exec` was given no program', EXIT.failed);
        return { what: { argv: words }, line: shellLine(words) };
      },
      options,
      exec,
    );

  type Assembled = { readonly what: Command['what']; readonly line: string };

  function launch(assemble: () => Assembled | Promise<Assembled>, options: CommandOptions, calledBy: Function): RunningCommand {
    const number = ++numbered;
    // Read only if it fails: who wrote the command is off the stack by then.
    const place = new Error('started here');
    Error.captureStackTrace(place, calledBy);
    let pid: number | undefined;
    let killedBy: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL' | undefined;
    let tell: (started: Started | undefined) => void = () => {};
    const started = new Promise<Started | undefined>((done) => {
      tell = done;
    });
    const tracked: { -readonly [K in keyof Tracked]: Tracked[K] } = {
      line: '',
      started,
      ended: Promise.resolve(notStarted({ kind: 'stopped' })),
      outcome: Promise.resolve(resultOf('', notStarted({ kind: 'stopped' }))),
      isOver: false,
      isAwaited: false,
    };
    const work = async (): Promise<{ end: CommandEnd; command: Command; line: string }> => {
      const { what, line } = await assemble();
      const masking = binding.masking.with(secretAnswersOf(options));
      const shown = masking.mask(line);
      tracked.line = shown;
      const command = commandOf(binding, what, options);
      const responder = options.respond && createResponder(options.respond);
      const isDry = binding.dryRun && !command.readOnly;
      if (endedBy || killedBy) return { end: notStarted({ kind: 'stopped' }), command, line: shown };
      binding.onStart(number, shown, command.cwd, options.quiet === true, isDry);
      if (isDry) return { end: DRY_END, command, line: shown };
      const streams = { stdout: masking.stream(), stderr: masking.stream() };
      const show = (stream: 'stdout' | 'stderr', text: string): void => {
        if (text !== '') binding.onSaid?.(text);
        if (text !== '' && options.quiet !== true) binding.onOutput(number, stream, text);
      };
      let refused: Response | undefined;
      if (command.interactive) binding.onTerminal('taken');
      const process = binding.runner.start(command, {
        onOutput: (stream, text) => {
          show(stream, streams[stream].push(text));
          if (!responder || refused) return;
          const said = responder.push(stream, text);
          for (const answer of said.answers) void started.then((one) => one?.write?.(answer));
          if (!said.refused) return;
          refused = said.refused;
          void started.then((one) => one?.end('SIGTERM'));
        },
        onNotice: binding.onNotice,
        onStart: (id) => {
          pid = id;
        },
      });
      pid = process.pid;
      tell(process);
      const ended = await process.ended;
      if (command.interactive) binding.onTerminal('given-back');
      const end = {
        ...ended,
        tail: masking.mask(ended.tail),
        ...(refused && { trouble: { kind: 'answer-refused' as const, prompt: String(refused.when) } }),
      };
      for (const stream of ['stdout', 'stderr'] as const) show(stream, streams[stream].flush());
      binding.onEnd(number, exitCodeOf(end), end.signal, end.ms);
      return { end, command, line: shown };
    };
    const working = work();
    tracked.ended = working.then(
      ({ end }) => end,
      () => notStarted({ kind: 'stopped' }),
    );
    tracked.outcome = working
      .finally(() => {
        tracked.isOver = true;
        tell(undefined);
      })
      .then(({ end, command, line }) => {
        const result = resultOf(line, end);
        if (result.ok || options.nothrow || binding.warnOnly) return result;
        throw failureOf(result, end, command, place);
      });
    // A failure that nobody awaits is the step's, found in `close`; it is no unhandled rejection.
    tracked.outcome.catch(() => {});
    all.push(tracked);
    return runningCommand(
      tracked,
      () => pid,
      (signal) => {
        killedBy = signal;
        void started.then((process) => process?.end(signal));
      },
    );
  }

  function end(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL'): void {
    endedBy = signal;
    for (const tracked of all) if (!tracked.isOver) void tracked.started.then((process) => process?.end(signal));
  }

  async function close(): ReturnType<BoundShell['close']> {
    const unawaited: CommandFailedError[] = [];
    // One that is started while others are waited for is waited for as well.
    for (const tracked of all) {
      const failure = await tracked.outcome.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure instanceof CommandFailedError && !tracked.isAwaited && failure.trouble?.kind !== 'stopped') unawaited.push(failure);
    }
    const left = await Promise.all(all.map(async (tracked) => (await tracked.started)?.sweep() ?? 0));
    return { unawaited, swept: left.reduce((sum, count) => sum + count, 0) };
  }

  runs.set(exec, binding.run);
  return { $: shellWith({}), exec, end, close, commandsRunning: () => all.filter((tracked) => !tracked.isOver) };
}

const runs = new WeakMap<Exec, object>();

/** What stands for the run that an `exec` belongs to: the same object for all its steps. */
export const runOf = (exec: Exec): object => runs.get(exec) ?? exec;

const isTemplate = (value: TemplateStringsArray | CommandOptions): value is TemplateStringsArray => Array.isArray(value) && 'raw' in value;

function argumentOf(word: unknown, index: number): string {
  if (typeof word === 'number' || typeof word === 'bigint') return String(word);
  const where = index === 0 ? 'the program' : `argument ${index}`;
  if (typeof word !== 'string') {
    throw new UserError('bad-argument', `${where} of \`exec\` is ${describeValue(word)}, which cannot be an argument`, EXIT.failed, {
      hint: 'Give strings and numbers.',
    });
  }
  if (word.includes('\0'))
    throw new UserError('bad-argument', `${where} of \`exec\` contains a null character, which no argument of a program can`, EXIT.failed);
  return word;
}

// ── From options to a command ────────────────────────────────────────────────────────────────────

function commandOf(binding: ShellBinding, what: Command['what'], options: CommandOptions): Command {
  refuseContradictions(options);
  const interactive = binding.hasTerminal && (options.interactive ?? (binding.interactive && !isForBody(options)));
  const isPlain = interactive || options.detached === true || options.quiet === true || options.input !== undefined;
  return {
    what,
    cwd: options.cwd === undefined ? binding.cwd : resolve(binding.cwd, options.cwd),
    env: environmentOf(binding, options),
    input: options.input,
    isAnswered: options.respond !== undefined,
    interactive,
    pty: isPlain ? undefined : binding.pty,
    foreground: binding.foreground,
    detached: options.detached ?? false,
    readOnly: options.readOnly ?? false,
    timeoutMs: options.timeout === undefined ? binding.timeoutMs : msOf(options.timeout),
    graceMs: binding.graceMs,
    maxOutputBytes: bytesOf(options.maxOutput),
    capture: options.capture ?? 'whole',
  };
}

/** What is captured for the body, or fed by it, has no use for the terminal. */
const isForBody = ({ quiet, input, respond }: CommandOptions): boolean => quiet === true || input !== undefined || respond !== undefined;

/** Of options that exclude each other one would go unheard. */
function refuseContradictions({ input, respond, interactive, detached }: CommandOptions): void {
  const given = [
    ...(input === undefined ? [] : ['input']),
    ...(respond === undefined ? [] : ['respond']),
    ...(interactive === true ? ['interactive'] : []),
    ...(detached === true ? ['detached'] : []),
  ];
  if (given.length < 2) return;
  throw new UserError('bad-options', `a command cannot have ${namesInWords(given)}`, EXIT.failed, {
    hint: 'Each says where its stdin comes from: give one.',
  });
}

/** What it is told in secret, without the Enter key. */
const secretAnswersOf = ({ respond = [] }: CommandOptions): string[] =>
  respond.flatMap(({ secret, answer }) => (secret && answer.trim() !== '' ? [answer.trim()] : []));

/** Children write to a pipe and would drop their colours; where ours end on a terminal they are told not to (R28). */
function environmentOf(binding: ShellBinding, options: CommandOptions): Command['env'] {
  const isShown = binding.colour && options.quiet !== true && !binding.env['NO_COLOR'];
  return {
    ...binding.env,
    ...(isShown && binding.env['FORCE_COLOR'] === undefined && { FORCE_COLOR: '1' }),
    ...(binding.columns !== undefined && options.quiet !== true && { COLUMNS: String(binding.columns) }),
    ...options.env,
  };
}

function msOf(timeout: string): number {
  const ms = durationMs(timeout);
  if (ms === undefined)
    throw new UserError('bad-timeout', `\`timeout\` is \`${timeout}\`: write a length of time, such as \`30s\` or \`10m\``, EXIT.failed);
  return ms;
}

function bytesOf(limit: CommandOptions['maxOutput']): number {
  if (limit === undefined) return MAX_OUTPUT_BYTES;
  if (typeof limit === 'number') return limit;
  const match = limit.match(/^(\d+(?:\.\d+)?)(KiB|MiB|GiB)$/);
  if (!match?.[1] || !match[2])
    throw new UserError('bad-size', `\`maxOutput\` is \`${limit}\`: write a number of bytes, or a size such as \`64MiB\``, EXIT.failed);
  return Number(match[1]) * UNIT_BYTES[match[2] as keyof typeof UNIT_BYTES];
}

// ── From an end to a result ──────────────────────────────────────────────────────────────────────

const notStarted = (trouble: CommandEnd['trouble']): CommandEnd => ({
  code: undefined,
  signal: undefined,
  trouble,
  stdout: '',
  stderr: '',
  tail: '',
  ms: 0,
});
const DRY_END: CommandEnd = { ...notStarted(undefined), code: 0 };

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** Its own code; 124, 126 and 127 as `timeout` and shells have them; 128+n when signal n ended it. */
function exitCodeOf(end: CommandEnd): number {
  switch (end.trouble?.kind) {
    case 'timeout':
      return EXIT.timeout;
    case 'not-found':
    case 'no-bash':
      return 127;
    case 'not-startable':
    case 'no-folder':
      return 126;
    case 'too-much-output':
    case 'answer-refused':
      return EXIT.failed;
    default:
  }
  if (end.signal) return 128 + (SIGNAL_NUMBERS[end.signal] ?? 0);
  return end.code ?? (end.trouble ? EXIT.interrupted : -1);
}

function resultOf(line: string, end: CommandEnd): CommandResult {
  const exitCode = exitCodeOf(end);
  const { signal, stdout, stderr, ms } = end;
  return resultWith({ command: line, exitCode, signal, stdout, stderr, ms, ok: exitCode === 0 && !end.trouble });
}

function failureOf(result: CommandResult, end: CommandEnd, command: Command, place: Error): CommandFailedError {
  const [how, hint] = howItFailed(result, end, command);
  return new CommandFailedError({
    message: how,
    place,
    command: result.command,
    exitCode: result.exitCode,
    signal: end.signal,
    trouble: end.trouble,
    cwd: command.cwd,
    ms: end.ms,
    tail: end.tail,
    hint,
    result,
  });
}

const LOOKS_LIKE_NO_TERMINAL =
  /not a (tty|terminal)|no tty present|is not a terminal|must be run (from|in) a terminal|a terminal is required|inappropriate ioctl for device|cannot enable tty mode|the input device is not a tty|\/dev\/tty\b|could not read (username|password)/i;

function howItFailed(result: CommandResult, end: CommandEnd, command: Command): [message: string, hint: string | undefined] {
  const line = `\`${shortened(result.command)}\``;
  switch (end.trouble?.kind) {
    case 'not-found':
      return [`\`${end.trouble.program}\` was not found on PATH`, 'Install it, or say in `requires` that the task needs it: `tool(…)`.'];
    case 'not-startable':
      return [`${line} could not be started: ${end.trouble.message}`, undefined];
    case 'no-folder':
      return [`${line} could not be started: there is no folder ${end.trouble.cwd}`, undefined];
    case 'no-bash':
      return [`${line} needs bash, which was not found on PATH`, 'Install bash, or use `exec([…])`, which needs no shell.'];
    case 'timeout':
      return [`${line} ran longer than ${seconds(end.trouble.timeoutMs)}`, undefined];
    case 'too-much-output':
      return [`${line} wrote more than ${end.trouble.maxOutputBytes} bytes`, "Raise `maxOutput`, or keep the end only: `capture: 'tail'`."];
    case 'answer-refused':
      return [`${line} did not accept the answer to \`${end.trouble.prompt.trim()}\``, undefined];
    case 'stopped':
      return [`${line} was stopped`, undefined];
    default:
  }
  const hint =
    !command.interactive && LOOKS_LIKE_NO_TERMINAL.test(end.stderr)
      ? 'It asks for a terminal: `interactive: true` gives it the real one.'
      : undefined;
  if (end.signal) return [`${line} was ended by ${end.signal}`, hint];
  return [`${line} exited with code ${result.exitCode}`, hint];
}

const shortened = (line: string): string => {
  const [first = '', ...more] = line.trim().split('\n');
  const shown = visible(first);
  const short = cut(shown, 120);
  return more.length > 0 && short === shown ? `${shown} …` : short;
};

const seconds = (ms: number): string => (ms < 1000 ? `${ms}ms` : `${Number((ms / 1000).toFixed(1))}s`);

// ── The author's handle ──────────────────────────────────────────────────────────────────────────

/**
 * A promise that notices whether somebody waits for it. Not a native one: `await` would go past its
 * `then`.
 */
function runningCommand(
  tracked: Tracked,
  pid: () => number | undefined,
  kill: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL') => void,
): RunningCommand {
  const awaited = (): Promise<CommandResult> => {
    tracked.isAwaited = true;
    return tracked.outcome;
  };
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- it stands for a promise
    then: (onDone, onFail) => awaited().then(onDone, onFail),
    catch: (onFail) => awaited().catch(onFail),
    finally: (onEnd) => awaited().finally(onEnd),
    [Symbol.toStringTag]: 'RunningCommand',
    get pid() {
      return pid();
    },
    text: () => awaited().then((result) => result.text()),
    lines: () => awaited().then((result) => result.lines()),
    json: () => awaited().then((result) => result.json()),
    kill: (signal = 'SIGTERM') => {
      // Who ends it knows that it fails.
      tracked.isAwaited = true;
      kill(signal);
    },
    [Symbol.asyncDispose]: async () => {
      tracked.isAwaited = true;
      if (!tracked.isOver) kill('SIGTERM');
      await tracked.ended;
    },
  };
}
