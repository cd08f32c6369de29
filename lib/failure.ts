import { CommandFailedError, Exit, UserError } from './errors.ts';
import type { Failure, Place } from './event.ts';
import { ownFrames, userFrames } from './util/frames.ts';

/** What was thrown in a body, as a failure that can be told. */
export function failureOf(error: unknown, root: string, kind: Failure['kind'] = 'thrown'): Failure {
  if (error instanceof CommandFailedError) {
    return {
      kind: error.trouble?.kind === 'timeout' ? 'timeout' : 'command',
      message: error.message,
      exitCode: error.exitCode > 0 && error.exitCode < 256 ? error.exitCode : 1,
      command: error.command,
      cwd: error.cwd,
      ...(error.signal && { signal: error.signal }),
      ...(error.hint && { hint: error.hint }),
      ...placeIn(error),
    };
  }
  if (error instanceof Exit) {
    const message = error.message || `ended the run with code ${error.exitCode}`;
    return { kind: 'exit', message, exitCode: error.exitCode, ...placeIn(error) };
  }
  if (error instanceof StepFailure) return error.failure;
  if (error instanceof UserError) {
    return {
      kind,
      message: error.message,
      exitCode: 1,
      ...(error.facts.length > 0 && { facts: error.facts }),
      ...(error.hint && { hint: error.hint }),
    };
  }
  if (!(error instanceof Error)) return { kind, message: `threw ${describe(error)}`, exitCode: 1 };
  const frames = userFrames(error.stack ?? '', root);
  const name = error.name === 'Error' ? '' : `${error.name}: `;
  return {
    kind,
    message: `${name}${error.message || 'an error without a message'}`,
    exitCode: 1,
    ...(frames.length > 0 && { stack: frames.join('\n') }),
    ...(error.stack?.includes('\n') && { fullStack: error.stack.slice(error.stack.search(/^\s+at /m)).replaceAll(/^\s+/gm, '') }),
    ...placeIn(error),
  };
}

/** The user's line that an error comes from. */
function placeIn(error: Error): { readonly place?: Place } {
  const [frame] = ownFrames(error.stack ?? '');
  return frame ? { place: { file: frame.file, line: frame.line } } : {};
}

/** A failure that is known in full already, on its way through code that throws. */
export class StepFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'StepFailure';
    this.failure = failure;
  }
}

/**
 * What was thrown first, and what clean-up threw after it: `await using` wraps the two, and people want to
 * know of the first.
 */
export function firstThrown(error: unknown): { readonly first: unknown; readonly later: readonly unknown[] } {
  const later: unknown[] = [];
  let first = error;
  while (isSuppressed(first)) {
    later.unshift(first.error);
    first = first.suppressed;
  }
  return { first, later };
}

/** By name: Node 20 has no such class, and compilers bring their own. */
function isSuppressed(error: unknown): error is { readonly error: unknown; readonly suppressed: unknown } {
  return error instanceof Error && error.name === 'SuppressedError' && 'error' in error && 'suppressed' in error;
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
