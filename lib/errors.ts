import type { Failure } from './event.ts';
import type { CommandResult, CommandTrouble } from './runners/runner.ts';

/**
 * What can go wrong, and with which exit code (R21).
 *
 * Two kinds: a {@link UserError} is for the reader to put right and shows no stack; anything else that
 * is thrown is our bug and keeps its stack.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** What was given (words, flags, variables, the config) is wrong. */
  usage: 2,
  /** Nothing is wrong with what was given, but it may not run here: requirements, env, questions. */
  refused: 3,
  timeout: 124,
  interrupted: 130,
  hungUp: 129,
  terminated: 143,
} as const;

export interface UserErrorOptions {
  /** Lines that stand indented under the message. */
  readonly facts?: readonly string[] | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** Something for the reader to put right. Message: lower case, names in backticks, no full stop. */
export class UserError extends Error {
  /** A stable word for programs: `unknown-task`, `unknown-flag`, … */
  readonly code: string;
  readonly exitCode: number;
  readonly facts: readonly string[];
  readonly hint: string | undefined;

  constructor(code: string, message: string, exitCode: number, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.code = code;
    this.exitCode = exitCode;
    this.facts = options.facts ?? [];
    this.hint = options.hint;
  }
}

/** What was asked for is wrong: exit 2. */
export class UsageError extends UserError {
  constructor(code: string, message: string, options: UserErrorOptions = {}) {
    super(code, message, EXIT.usage, options);
    this.name = 'UsageError';
  }
}

/** A config, or a task as declared, is wrong: exit 2. */
export class ConfigError extends UserError {
  constructor(code: string, message: string, options: UserErrorOptions = {}) {
    super(code, message, EXIT.usage, options);
    this.name = 'ConfigError';
  }
}

/** It may not run here and now (requirements, variables, a question answered with no): exit 3. */
export class RefusedError extends UserError {
  constructor(code: string, message: string, options: UserErrorOptions = {}) {
    super(code, message, EXIT.refused, options);
    this.name = 'RefusedError';
  }
}

/** Thrown by a body to end the run with a code of its own; code 0 ends it as a success. */
export class Exit extends Error {
  readonly exitCode: number;

  /** @param exitCode 0–255 */
  constructor(exitCode: number, message = '') {
    super(message);
    this.name = 'Exit';
    this.exitCode = exitCode;
  }
}

/** A command that did not succeed. `result` has all it said, up to its limit. */
export class CommandFailedError extends Error {
  /** The command line, secrets masked. */
  readonly command: string;
  /** Its own code; 128+n when signal n ended it; 124 out of time; 127 not found; 126 not startable. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly trouble: CommandTrouble | undefined;
  readonly cwd: string;
  readonly ms: number;
  /** Its last output, both streams, about 200 lines. */
  readonly tail: string;
  readonly hint: string | undefined;
  readonly result: CommandResult;

  constructor(
    facts: Pick<CommandFailedError, 'command' | 'exitCode' | 'signal' | 'trouble' | 'cwd' | 'ms' | 'tail' | 'hint' | 'result'> & {
      message: string;
      /** Made where the command was written: its stack is this error's. */
      place: Error;
    },
  ) {
    super(facts.message);
    this.name = 'CommandFailedError';
    this.stack = `${this.name}: ${facts.message}${facts.place.stack?.match(/\n\s+at [^]*/)?.[0] ?? ''}`;
    this.command = facts.command;
    this.exitCode = facts.exitCode;
    this.signal = facts.signal;
    this.trouble = facts.trouble;
    this.cwd = facts.cwd;
    this.ms = facts.ms;
    this.tail = facts.tail;
    this.hint = facts.hint;
    this.result = facts.result;
  }
}

/** A run that did not end well; `failures` are all of them, in plan order. */
export class RunFailedError extends Error {
  readonly failures: readonly { readonly step: string; readonly failure: Failure }[];
  readonly exitCode: number;

  constructor(failures: RunFailedError['failures'], exitCode: number, reason: string) {
    const [first] = failures;
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
    super(first ? `\`${first.step}\` failed: ${first.failure.message}${more}` : `the run did not end well: ${reason}`);
    this.name = 'RunFailedError';
    this.failures = failures;
    this.exitCode = exitCode;
  }
}

/** `error:` line, facts indented, `hint:` line. Ends with a line break. @internal */
export function renderUserError(error: UserError, program = 'tasks'): string {
  const facts = error.facts.map((fact) => fact.replace(/^/gm, '  '));
  // Hints name command lines of ours, which an own binary calls by its own name.
  const hint = error.hint ? [`hint: ${error.hint.replaceAll('`tasks ', `\`${program} `)}`] : [];
  return harmless(`${[`error: ${error.message}`, ...facts, ...hint].join('\n')}\n`);
}

/** Words of a command line may hold codes that a terminal acts on; told, they are shown. */
function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  return text.replaceAll(/[\0-\x08\x0B-\x1F\x7F-\x9F]/g, (code) => `\\x${code.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
