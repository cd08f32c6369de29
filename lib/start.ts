import type { ProgramOptions } from './api.ts';
import { run } from './api.ts';
import { RunFailedError, UsageError } from './errors.ts';
import type { BareTask, InputArguments, Task } from './task.ts';
import { specOf, task as declare } from './task.ts';

/** A service that runs, for a script or a test suite. `await using` stops it with the block. */
export interface StartedService<O> extends AsyncDisposable {
  readonly output: O;
  /** Settles as `stop` does, also when it ends by itself. */
  readonly ended: Promise<void>;
  /** Resolves when it is over; rejects when it, or stopping it, failed. */
  stop(): Promise<void>;
}

/**
 * Start a service from a program, and what it needs: typed in, typed out (R41).
 *
 * @throws {RunFailedError} when it does not become ready
 * @throws {UserError} when its input is wrong, or it may not run here: nothing has run then
 */
export async function start<I, O>(
  task: Task<I, O>,
  ...rest: {} extends I ? [input?: NoInfer<I>, options?: ProgramOptions] : [input: NoInfer<I>, options?: ProgramOptions]
): Promise<StartedService<O>> {
  const [input, options = {}] = rest;
  if (!specOf(task).service)
    throw new UsageError('no-service', 'a task that is no service cannot be started', { hint: 'Use `run(task)`.' });
  let letGo = (): void => {};
  const untilStopped = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let tellReady: (output: O) => void = () => {};
  const ready = new Promise<O>((resolve) => {
    tellReady = resolve;
  });
  // The types of a task are those of its call; here the input is only handed on.
  const call = task(...([input ?? {}] as unknown as InputArguments<I>));
  const user = declare({
    summary: 'Use a service from a program.',
    needs: { service: call },
    async run({ needs, signal }) {
      tellReady(needs.service);
      await Promise.race([untilStopped, aborted(signal)]);
    },
  });
  const ended = run(user as unknown as Task<{}, void> & BareTask<void>, {}, options);
  // Whoever stops it hears of it; until then it is no rejection that nobody handles.
  ended.catch(() => {});
  const output = await Promise.race([
    ready,
    ended.then(() => Promise.reject(new RunFailedError([], 1, 'it was over before it was ready'))),
  ]);
  const stop = (): Promise<void> => {
    letGo();
    return ended;
  };
  return { output, ended, stop, [Symbol.asyncDispose]: stop };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
