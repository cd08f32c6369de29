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

export function createHalt(parent?: Halt): Halt {
  const asked = createMoment();
  const killed = createMoment();
  let reason: HaltReason | undefined;
  let signal: AbortSignal | undefined;

  const self: Halt = {
    get signal() {
      signal ??= reason ? AbortSignal.abort(errorOf(reason)) : signalOf(self);
      return signal;
    },
    get reason() {
      return reason;
    },
    onHalt: asked.on,
    onKill: killed.on,
    halt(why) {
      if (reason) return;
      reason = why;
      asked.come();
    },
    kill: killed.come,
    child: () => createHalt(self),
    release() {
      leaveHalt?.();
      leaveKill?.();
    },
  };
  const leaveHalt = parent?.onHalt(() => {
    if (parent.reason) self.halt(parent.reason);
  });
  const leaveKill = parent?.onKill(self.kill);
  return self;
}

function signalOf(halt: Halt): AbortSignal {
  const controller = new AbortController();
  // A run of a thousand steps has a thousand listeners, and no leak.
  setMaxListeners(0, controller.signal);
  halt.onHalt(() => controller.abort(halt.reason && errorOf(halt.reason)));
  return controller.signal;
}

const errorOf = (why: HaltReason): DOMException => new DOMException(describeHalt(why), 'AbortError');

/**
 * Something that comes once, for those who wait by then.
 *
 * An `AbortSignal` does as much, and costs more than all the rest of a small step.
 */
function createMoment(): { readonly on: Halt['onHalt']; readonly come: () => void } {
  let hasCome = false;
  let listeners: Set<() => void> | undefined;
  return {
    on(listener) {
      if (hasCome) {
        listener();
        return () => {};
      }
      listeners ??= new Set();
      listeners.add(listener);
      return () => void listeners?.delete(listener);
    },
    come() {
      if (hasCome) return;
      hasCome = true;
      for (const listener of listeners ?? []) listener();
      listeners = undefined;
    },
  };
}

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
