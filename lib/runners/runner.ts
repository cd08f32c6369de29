import type { Duration } from '../util/duration.ts';

/**
 * Where commands are run. The engine knows only this contract; members stand beside this file.
 *
 * A {@link Command} is plain data: what crosses this boundary could cross to another machine.
 */
export interface Runner {
  /**
   * Start a command. Never throws and never rejects: what went wrong is in the {@link CommandEnd}.
   * Output is handed to `watch` as it comes.
   */
  start(command: Command, watch: CommandWatch): Started;
  /**
   * The run is over: end what commands started and no sweep found, since it had moved away. Resolves, when
   * they are gone, to the names of their programs. `kill`: they get no time.
   */
  close?(kill?: AbortSignal): Promise<readonly string[]>;
}

export interface Command {
  /** `shell`: a bash text, values already quoted. `argv`: a program and its arguments. */
  readonly what: { readonly shell: string } | { readonly argv: readonly string[] };
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text for stdin, which is then closed. Absent: stdin is closed from the start. */
  readonly input: string | Uint8Array | undefined;
  /** Prompts are answered: stdin stays open for {@link Started.write}. */
  readonly isAnswered: boolean;
  /** Gets our own stdin, stdout and stderr; nothing is captured. */
  readonly interactive: boolean;
  /** Gets a pseudo-terminal of this size, where one is to be had: all it says is then its stdout. */
  readonly pty: { readonly columns: number; readonly rows: number } | undefined;
  /** Stays in our process group and session, for a plan of one step on a terminal; else it leads a group of its own. */
  readonly foreground: boolean;
  /** Outlives the run; nothing is captured and nobody waits for its end. */
  readonly detached: boolean;
  /** Changes nothing: is run even in a dry run. */
  readonly readOnly: boolean;
  readonly timeoutMs: number | undefined;
  /** From the first signal to SIGKILL. */
  readonly graceMs: number;
  /** Largest captured size of each stream, in bytes. */
  readonly maxOutputBytes: number;
  /** `tail` keeps the last `maxOutputBytes`; `whole` fails beyond them. */
  readonly capture: 'whole' | 'tail';
}

export interface CommandWatch {
  /** Decoded text as it comes; chunks end anywhere but inside a character. */
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string) => void;
  /** Something to know that is no failure. */
  readonly onNotice?: (text: string) => void;
  /** Once, when the process is there. */
  readonly onStart?: (pid: number) => void;
}

export interface Started {
  readonly pid: number | undefined;
  /** Settles when the leader is gone and its pipes are read. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  /** Type an answer, as far as it still listens; for a command that `isAnswered`. Absent where nothing can be typed. */
  write?(text: string): void;
  /** Begin the ladder: `signal`, SIGTERM when only followers are left, SIGKILL after the grace time. Again: SIGKILL at once. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL'): void;
  /** End what is left of its process group after the leader; resolves to how many processes there were, when they are gone. */
  sweep(): Promise<number>;
}

/** How a command ended, and what it said. */
export interface CommandEnd {
  /** Exit code; `undefined` when a signal ended it or it never started. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Why it did not run to its own end: it could not be started, ran out of time, said too much, or was stopped. */
  readonly trouble: CommandTrouble | undefined;
  /** Whole up to the limit, escape codes removed. */
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order of arrival, the last part only (about 200 lines). */
  readonly tail: string;
  readonly ms: number;
}

export type CommandTrouble =
  | { readonly kind: 'not-found'; readonly program: string }
  | { readonly kind: 'not-startable'; readonly message: string }
  | { readonly kind: 'no-folder'; readonly cwd: string }
  | { readonly kind: 'no-bash' }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'too-much-output'; readonly maxOutputBytes: number }
  /** It did not accept what was typed at a prompt. */
  | { readonly kind: 'answer-refused'; readonly prompt: string }
  | { readonly kind: 'stopped' };

/** An answer to a prompt, for `respond`. */
export interface Response {
  /** What the program asks: looked for in what it says, without escape codes, also when that comes in pieces. */
  readonly when: string | RegExp;
  /** What is typed, with the `\n` of the Enter key. Each time that it asks. */
  readonly answer: string;
  /** What it says to a wrong answer, such as `/try again/`: it is then ended, and fails. May be the prompt itself, said again. */
  readonly refused?: string | RegExp;
  /** Its answer is `***` wherever the command says it, however short it is. Values that are secret anyway need no mark. */
  readonly secret?: boolean;
}

/** Options of `$({…})` and `exec(argv, {…})`. */
export interface CommandOptions {
  /** Relative to the step's. */
  readonly cwd?: string;
  /** Laid over the step's variables; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeout?: Duration;
  /** A failure resolves instead of throwing. */
  readonly nothrow?: boolean;
  /** Captured, and not shown; children get no `FORCE_COLOR`. */
  readonly quiet?: boolean;
  readonly input?: string | Uint8Array;
  readonly interactive?: boolean;
  readonly readOnly?: boolean;
  readonly detached?: boolean;
  /** Bytes, or with a unit: `'64MiB'`. */
  readonly maxOutput?: number | `${number}${'KiB' | 'MiB' | 'GiB'}`;
  readonly capture?: 'whole' | 'tail';
  /** Answer its prompts by what it says. Those that are written to the terminal itself are not seen. */
  readonly respond?: readonly Response[];
}

/** What a command gave: its text trimmed of the last line break when used as a value. */
export interface CommandResult {
  /** The command line, secrets masked. */
  readonly command: string;
  /** 0–255; 128+n when signal n ended it; -1 when it never ran (a dry run answers 0). */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  readonly ok: boolean;
  /** `stdout` without the line breaks at its end. */
  text(): string;
  /** `stdout` as lines, without a last empty one. */
  lines(): string[];
  /** @throws {SyntaxError} when stdout is not JSON */
  json(): unknown;
  toString(): string;
}

/** What of a result is data. */
export type CommandData = Omit<CommandResult, 'text' | 'lines' | 'json' | 'toString'>;

export function resultWith(data: CommandData): CommandResult {
  const { stdout } = data;
  const text = (): string => stdout.replace(/(\r?\n)+$/, '');
  return {
    ...data,
    text,
    lines: () => (stdout === '' ? [] : stdout.replace(/\r?\n$/, '').split(/\r?\n/)),
    json: () => JSON.parse(stdout) as unknown,
    toString: text,
  };
}

export function isCommandResult(value: unknown): value is CommandResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'command' in value &&
    'stdout' in value &&
    'lines' in value &&
    typeof value.lines === 'function'
  );
}

/**
 * A command under way: awaiting it gives its {@link CommandResult}, or throws `CommandFailedError`.
 * `await using server = $`…`` ends it with the block.
 */
export interface RunningCommand extends Promise<CommandResult>, AsyncDisposable {
  readonly pid: number | undefined;
  /** `stdout` without the line breaks at its end. */
  text(): Promise<string>;
  lines(): Promise<string[]>;
  json(): Promise<unknown>;
  /** End it by the ladder: the signal, then SIGKILL after the grace time. */
  kill(signal?: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL'): void;
}
