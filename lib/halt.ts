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
  /** Aborts at the first call of `halt`. */
  readonly signal: AbortSignal;
  /** Aborts when nothing may be waited for any more: a second Ctrl-C. */
  readonly killSignal: AbortSignal;
  readonly reason: HaltReason | undefined;
  halt(reason: HaltReason): void;
  kill(): void;
  child(): Halt;
  /** Let go of the parent, so that a long run does not gather its finished steps. */
  release(): void;
}

export function createHalt(parent?: Halt): Halt {
  const asked = new AbortController();
  const killed = new AbortController();
  // A run of a thousand steps has a thousand children, and no leak.
  setMaxListeners(0, asked.signal, killed.signal);
  let reason: HaltReason | undefined;

  const self: Halt = {
    signal: asked.signal,
    killSignal: killed.signal,
    get reason() {
      return reason;
    },
    halt(why) {
      if (reason) return;
      reason = why;
      asked.abort(new DOMException(describeHalt(why), 'AbortError'));
    },
    kill: () => killed.abort(),
    child: () => createHalt(self),
    release() {
      parent?.signal.removeEventListener('abort', onHalt);
      parent?.killSignal.removeEventListener('abort', self.kill);
    },
  };
  const onHalt = (): void => {
    if (parent?.reason) self.halt(parent.reason);
  };
  parent?.signal.addEventListener('abort', onHalt, { once: true });
  parent?.killSignal.addEventListener('abort', self.kill, { once: true });
  if (parent?.reason) onHalt();
  if (parent?.killSignal.aborted) self.kill();
  return self;
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
