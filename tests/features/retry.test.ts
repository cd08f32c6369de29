import { expect, test } from 'vitest';
import { Exit } from '../../lib/errors.ts';
import { delayAfter } from '../../lib/retry.ts';
import { reporters } from '../../lib/reporters/index.ts';
import type { AnyTask, RetrySpec } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';
import { terminalOf } from '../support/terminal.ts';

/** Fails so many times before it works. */
function shaky(failures: number, retry: RetrySpec, extra: object = {}) {
  const told: string[] = [];
  const shaky = task({
    summary: 'shaky',
    retry,
    ...extra,
    run({ defer }) {
      const number = told.filter((text) => text.startsWith('attempt')).length + 1;
      told.push(`attempt ${number}`);
      defer(() => void told.push(`clean-up ${number}`));
      if (number <= failures) throw new Error(`broke ${number}`);
      return number;
    },
  });
  return { told, shaky };
}

test('a body is tried again until it succeeds, each attempt cleaned up before the next (R22, R23)', async () => {
  const { told, shaky: task } = shaky(2, { times: 3 });

  const run = await carry([task], { names: { task } });

  expect(told).toEqual(['attempt 1', 'clean-up 1', 'attempt 2', 'clean-up 2', 'attempt 3', 'clean-up 3']);
  expect(run.outcome('task')).toMatchObject({ status: 'done', attempts: 3 });
  expect(run.result.outputs).toEqual([3]);
  expect(run.events.filter((event) => event.type === 'attempt-failed')).toMatchObject([
    { attempt: 1, attempts: 4, failure: { message: 'broke 1' }, nextInMs: 0 },
    { attempt: 2, attempts: 4, failure: { message: 'broke 2' } },
  ]);
});

test('when no attempt is left the last failure counts (R22)', async () => {
  const { shaky: task } = shaky(9, { times: 1, delay: '1ms' });

  const run = await carry([task], { names: { task } });

  expect(run.outcome('task')).toMatchObject({ status: 'failed', failure: { message: 'broke 2' }, attempts: 2 });
});

test('the delay grows by its factor, and never beyond what a timer can wait', () => {
  expect([1, 2, 3].map((number) => delayAfter(number, { delayMs: 100, factor: 2 }))).toEqual([100, 200, 400]);
  expect(delayAfter(50, { delayMs: 1000, factor: 10 })).toBe(2 ** 31 - 1);
});

test('`when` says which errors are worth it, by the error that was thrown (R22)', async () => {
  const seen: unknown[] = [];
  const { told, shaky: task } = shaky(9, { times: 5, when: (error) => (seen.push(error), (error as Error).message !== 'broke 2') });

  await carry([task], { names: { task } });

  expect(told.at(-1)).toBe('clean-up 2');
  expect(seen).toMatchObject([{ message: 'broke 1' }, { message: 'broke 2' }]);
});

test('a time limit bounds each attempt, and can be tried again (R22)', async () => {
  let attempts = 0;
  const slow = task({
    summary: 'slow',
    timeout: '20ms',
    retry: { times: 1 },
    run({ signal }) {
      if (++attempts === 2) return 'in time';
      return new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });

  const run = await carry([slow], { names: { slow } });

  expect(run.events).toContainEqual(
    expect.objectContaining({ type: 'attempt-failed', failure: expect.objectContaining({ kind: 'timeout' }) }),
  );
  expect(run.result.outputs).toEqual(['in time']);
});

test.each<[string, (context: { skip: (reason: string) => never }) => void, string]>([
  [
    'Exit',
    () => {
      throw new Exit(4);
    },
    'failed',
  ],
  ['skip', ({ skip }) => skip('not today'), 'skipped'],
])('%s is never tried again (R22)', async (_, body, status) => {
  let attempts = 0;
  const once = task({
    summary: 'once',
    retry: { times: 5 },
    run(context) {
      attempts++;
      body(context);
    },
  });

  expect((await carry([once], { names: { once } })).ended).toEqual({ once: status });
  expect(attempts).toBe(1);
});

test('needs are never repeated, and a stop ends the wait for the next attempt (R22)', async () => {
  let needs = 0;
  const stop = new AbortController();
  const need = task({ summary: 'need', run: () => ++needs });
  const stubborn = task({
    summary: 'stubborn',
    needs: { need },
    retry: { times: 5, delay: '24h' },
    run: (): void => {
      throw new Error('broke');
    },
  });

  const run = await carry([stubborn], {
    names: { need, stubborn },
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'attempt-failed') stop.abort();
    },
  });

  expect([run.ended, needs]).toEqual([{ need: 'done', stubborn: 'stopped' }, 1]);
});

test.each(['lines', 'tree', 'json', 'quiet'] as const)('the %s reporter shows the attempts (R22)', async (name) => {
  const { shaky: first } = shaky(9, { times: 1 });
  const second = task({ summary: 'second', run() {} });
  const terminal = terminalOf(100, 30);
  const screen = { stdout: terminal, stderr: terminal, env: {} };

  await carry([first, second] as AnyTask[], {
    names: { first, second },
    reporter: reporters[name](screen, { echo: false, verbose: false, why: false }),
  });

  const said = terminal.lines().join('\n');
  if (name === 'json') expect(said).toContain('"type":"attempt-failed"');
  else if (name !== 'quiet') expect(said).toContain('↻ first attempt 1 of 2 failed: broke 1; again now');
  expect(said).toContain(name === 'json' ? '"attempts":2' : 'first broke 2 (2 attempts)');
});
