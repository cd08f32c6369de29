import { setMaxListeners } from 'node:events';
import type { Failure, StopReason } from './event.ts';

/** Why a step has to end before it is done. */
export type HaltReason =
  | { readonly kind: 'stop'; readonly reason: StopReason }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'service'; readonly failure: Failure }
  /** Nothing is left in the process that could settle what it waits for. */
  | { readonly kind: 'endless' };

/**
 * How work is told to end: first asked, then killed.
 *
 * A child halts with its parent and may halt alone.
 */
export interface Halt {
  /** Aborts at the first call of `halt`. Made when somebody asks for it, since few bodies do. */
  readonly signal: AbortSignal;
  readonly reason: HaltReason | undefined;
  /** Calls back when it is told to end, or at once where it has been. @returns how to let go */
  onHalt(listener: () => void): () => void;
  /** The same for the moment when nothing may be waited for any more: a second Ctrl-C. */
  onKill(listener: () => void): () => void;
  halt(reason: HaltReason): void;
  kill(): void;
  child(): Halt;
  /** Let go of the parent, so that a long run does not gather its finished steps. */
  release(): void;
}

export const createHalt = (): Halt => new Own();

/** A class, since a run has one for each step: an `AbortSignal` costs more than all the rest of a small step. */
class Own implements Halt {
  reason: HaltReason | undefined;
  #isKilled = false;
  #signal: AbortSignal | undefined;
  /** Of those who wait: made for the first. */
  #asked: Set<() => void> | undefined;
  #killed: Set<() => void> | undefined;
  #children: Set<Own> | undefined;
  readonly #parent: Own | undefined;

  constructor(parent?: Own) {
    this.#parent = parent;
    if (!parent) return;
    this.reason = parent.reason;
    this.#isKilled = parent.#isKilled;
    (parent.#children ??= new Set()).add(this);
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.reason ? AbortSignal.abort(errorOf(this.reason)) : signalOf(this));
  }

  onHalt(listener: () => void): () => void {
    if (this.reason) return toldAtOnce(listener);
    const listeners = (this.#asked ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  onKill(listener: () => void): () => void {
    if (this.#isKilled) return toldAtOnce(listener);
    const listeners = (this.#killed ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  halt(why: HaltReason): void {
    if (this.reason) return;
    this.reason = why;
    for (const listener of this.#asked ?? []) listener();
    this.#asked = undefined;
    for (const child of this.#children ?? []) child.halt(why);
  }

  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    for (const listener of this.#killed ?? []) listener();
    this.#killed = undefined;
    for (const child of this.#children ?? []) child.kill();
  }

  child(): Halt {
    return new Own(this);
  }

  release(): void {
    const parent = this.#parent;
    if (parent) parent.#children?.delete(this);
  }
}

function toldAtOnce(listener: () => void): () => void {
  listener();
  return () => {};
}

function signalOf(halt: Halt): AbortSignal {
  const controller = new AbortController();
  // A run of a thousand steps has a thousand listeners, and no leak.
  setMaxListeners(0, controller.signal);
  halt.onHalt(() => controller.abort(halt.reason && errorOf(halt.reason)));
  return controller.signal;
}

const errorOf = (why: HaltReason): DOMException => new DOMException(describeHalt(why), 'AbortError');

/** In words, lower case: "Ctrl-C", "it ran longer than 30s". */
export function describeHalt(why: HaltReason): string {
  if (why.kind === 'timeout') return `it ran longer than ${describeMs(why.timeoutMs)}`;
  if (why.kind === 'service') return why.failure.message;
  if (why.kind === 'endless') return 'it waits for something that nothing is left to give';
  return describeStop(why.reason);
}

export function describeStop(reason: StopReason): string {
  switch (reason) {
    case 'SIGINT':
      return 'interrupted (Ctrl-C)';
    case 'SIGTERM':
      return 'told to terminate (SIGTERM)';
    case 'SIGHUP':
      return 'the terminal hung up (SIGHUP)';
    case 'timeout':
      return 'the run is out of time';
    case 'fail-fast':
      return 'another step failed (--fail-fast)';
    case 'abort':
      return 'aborted by the caller';
    case 'exit':
      return 'a task ended the run';
    case 'outdated':
      return 'what it works on has changed';
    default:
      return reason satisfies never;
  }
}

export function describeMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))}s`;
  return `${Math.floor(ms / 60_000)}m${Math.round((ms % 60_000) / 1000)}s`;
}
