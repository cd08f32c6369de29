import { setImmediate as tick } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { Exit, UserError } from '../../lib/errors.ts';
import type { AnyTask } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import { scriptedRunner } from '../../lib/testing.ts';
import { carry } from '../support/carry.ts';

const fails = (summary: string, extra: object = {}) =>
  task({
    summary,
    ...extra,
    run() {
      throw new Error(`${summary} broke`);
    },
  });
const works = (summary: string, extra: object = {}) => task({ summary, run() {}, ...extra });

/** Bodies that the test lets go one by one. */
function gate() {
  const open: (() => void)[] = [];
  let inside = 0;
  let most = 0;
  return {
    body: async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise<void>((resolve) => open.push(resolve));
      inside--;
    },
    async drain(times: number) {
      for (let left = times; left > 0;) {
        const next = open.shift();
        if (next) left--;
        next?.();
        await tick();
      }
    },
    most: () => most,
  };
}

test('values go along the edges, typed and parsed by the output schema (R13)', async () => {
  const one = task({
    summary: 'one',
    output: z.object({ at: z.string().transform((text) => new Date(text)) }),
    run: () => ({ at: '2026-11-24' }),
  });
  const two = task({ summary: 'two', needs: { one, none: undefined }, run: ({ needs }) => [needs.one.at.getFullYear(), needs.none] });
  const three = task({ summary: 'three', needs: [two, one], run: ({ needs }) => needs[0][0] });

  const { result } = await carry([three]);

  expect(result.outputs).toEqual([2026]);
});

test('steps run side by side up to --jobs (R19)', async () => {
  const steps = gate();
  const part = task({ summary: 'part', input: { n: z.int() }, run: steps.body });
  const all = task({ summary: 'all', needs: [1, 2, 3, 4, 5].map((n) => part({ n })) });

  const running = carry([all], { jobs: 2, names: { part, all } });
  await steps.drain(5);

  expect((await running).exitCode).toBe(0);
  expect(steps.most()).toBe(2);
});

test('a body that ends before its call is under way gives its slot back once (R19, R26)', async () => {
  let [inside, most] = [0, 0];
  const counts = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    for (let turns = 0; turns < 10; turns++) await tick();
    inside--;
  };
  const part = task({ summary: 'part', input: { n: z.int() }, run: counts });
  const leaves = task({ summary: 'leaves', run: ({ call }) => void call(part, { n: 0 }) });
  const all = works('all', { needs: [leaves, part({ n: 1 }), part({ n: 2 })] });

  const run = await carry([all], { jobs: 1, names: { part, leaves, all } });

  expect([run.exitCode, most]).toEqual([0, 1]);
});

test.each([
  ['at once', (): void => {}],
  ['without waiting for anything from outside', async (): Promise<void> => {}],
])('a stop is heard between steps whose bodies end %s (R24)', async (_, end) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const stop = new AbortController();
  // As somebody does who reads one file after the other.
  const afterSomeTurns = async (): Promise<void> => {
    for (let turns = 0; turns < 10; turns++) await tick();
  };
  const computes = task({
    summary: 'computes',
    input: { n: z.int() },
    run({ input }) {
      if (input.n === 0) void afterSomeTurns().then(() => stop.abort());
      vi.setSystemTime(Date.now() + 1000);
      return end();
    },
  });
  const all = works('all', { needs: Array.from({ length: 20 }, (_, n) => computes({ n })) });

  const run = await carry([all], { names: { computes, all }, jobs: 1, signal: stop.signal });

  expect(run.result.reason).toBe('aborted');
  expect(run.outcome('computes (n=0)')).toMatchObject({ status: 'done' });
  expect(run.outcome('computes (n=1)')).toMatchObject({ status: 'skipped', because: 'run-ended' });
});

test('after a failure running steps finish and nothing new starts (R20)', async () => {
  const broken = fails('broken');
  const other = works('other');
  const user = works('user', { needs: { broken } });
  const late = works('late', { needs: { other } });
  const all = works('all', { needs: [user, other, late] });

  const run = await carry([all], { names: { broken, other, user, late, all }, jobs: 2 });

  expect(run.ended).toEqual({ broken: 'failed', user: 'skipped', other: 'done', late: 'skipped', all: 'skipped' });
  expect(run.outcome('user')).toMatchObject({ because: 'need', reason: 'needs `broken`, which failed' });
  expect(run.outcome('late')).toMatchObject({ because: 'run-ended', reason: 'not started, since `broken` failed' });
  expect(run.exitCode).toBe(1);
});

test('--keep-going runs everything that does not need the failure, the following targets included (R20)', async () => {
  const broken = fails('broken');
  const user = works('user', { needs: { broken } });
  const next = works('next');

  const run = await carry([user, next], { names: { broken, user, next }, keepGoing: true });

  expect(run.ended).toEqual({ broken: 'failed', user: 'skipped', next: 'done' });
  expect(run.exitCode).toBe(1);
});

test('without --keep-going a failed target ends the chain (R14, R20)', async () => {
  const broken = fails('broken');
  const next = works('next');

  const run = await carry([broken, next], { names: { broken, next } });

  expect(run.ended).toEqual({ broken: 'failed', next: 'skipped' });
});

test('--fail-fast stops the running steps (R20)', async () => {
  const waiting = task({
    summary: 'waiting',
    run: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const broken = fails('broken');
  const all = works('all', { needs: [waiting, broken] });

  const run = await carry([all], { names: { waiting, broken, all }, failFast: true });

  expect(run.ended).toEqual({ waiting: 'stopped', broken: 'failed', all: 'skipped' });
  expect(run.exitCode).toBe(1);
});

test('mayFail: the failure is shown and does not fail the run (R20)', async () => {
  const shaky = fails('shaky', { mayFail: true });
  const next = works('next');

  const run = await carry([shaky, next], { names: { shaky, next } });

  expect(run.ended).toEqual({ shaky: 'failed', next: 'done' });
  expect(run.exitCode).toBe(0);
});

test('the exit code is that of the first failed step in plan order (R21)', async () => {
  const seven = task({ summary: 'seven', run: ({ exec }) => exec(['seven']) });
  const nine = task({ summary: 'nine', run: ({ exec }) => exec(['nine']) });
  const runner = scriptedRunner({ seven: { exitCode: 7 }, nine: { exitCode: 9 } });

  expect((await carry([seven, nine], { names: { seven, nine }, keepGoing: true, runner })).exitCode).toBe(7);
  expect((await carry([nine, seven], { names: { seven, nine }, keepGoing: true, runner })).exitCode).toBe(9);
});

test('Exit ends the run with its code, and code 0 as a success (R21)', async () => {
  const quit = task({
    summary: 'quit',
    input: { code: z.int() },
    run({ input }) {
      throw new Exit(input.code, 'that is all');
    },
  });
  const next = works('next');

  const four = await carry([[quit, { code: 4 }], next], { names: { quit, next }, keepGoing: true });
  expect([four.exitCode, four.ended, four.result.exitMessage]).toEqual([4, { quit: 'failed', next: 'skipped' }, 'that is all']);
  const zero = await carry([[quit, { code: 0 }], next], { names: { quit, next } });
  expect([zero.exitCode, zero.ended]).toEqual([0, { quit: 'done', next: 'skipped' }]);
});

test('skip ends the step without failing the run, and what needs its value is skipped too (R25)', async () => {
  const maybe = task({ summary: 'maybe', run: ({ skip }) => skip('nothing to do') });
  const user = works('user', { needs: { maybe } });
  const next = works('next');

  const run = await carry([user, next], { names: { maybe, user, next } });

  expect(run.outcome('maybe')).toEqual({ status: 'skipped', because: 'body', reason: 'nothing to do' });
  expect(run.outcome('user')).toMatchObject({ reason: 'needs `maybe`, which was skipped: nothing to do' });
  expect([run.exitCode, run.ended['next']]).toEqual([0, 'done']);
});

test('upToDate leaves the step alone and hands over its value (R32)', async () => {
  const build = task({
    summary: 'build',
    upToDate: () => ({ reason: 'it is there', output: 'a.out' }),
    run: (): string => {
      throw new Error('never');
    },
  });
  const user = task({ summary: 'user', needs: { build }, run: ({ needs }) => needs.build.length });

  const run = await carry([user], { names: { build, user } });

  expect(run.outcome('build')).toEqual({ status: 'up-to-date', reason: 'it is there', output: 'a.out' });
  expect(run.result.outputs).toEqual([5]);
});

test('an output that its schema refuses fails the step and says where', async () => {
  const wrong = task({ summary: 'wrong', output: z.object({ list: z.array(z.int()) }), run: () => ({ list: [1, 1.5] }) });

  const run = await carry([wrong], { names: { wrong } });

  expect(run.outcome('wrong')).toMatchObject({ failure: { kind: 'output', facts: [expect.stringContaining('list.1')] } });
});

test('post runs after a success only (R15)', async () => {
  const told = works('told');
  const good = works('good', { post: [told] });
  const bad = fails('bad', { post: [told] });

  expect((await carry([good], { names: { told, good } })).ended).toEqual({ good: 'done', told: 'done' });
  expect((await carry([bad], { names: { told, bad } })).ended).toEqual({ bad: 'failed', told: 'skipped' });
});

test('after waits until it is over, whatever came of it (R15)', async () => {
  const first = fails('first');
  const second = works('second', { after: [first] });
  const both = works('both', { needs: [second, first] });

  const run = await carry([both], { names: { first, second, both }, keepGoing: true });

  expect(run.started).toEqual(['first', 'second']);
  expect(run.ended).toEqual({ first: 'failed', second: 'done', both: 'skipped' });
});

// ── Bodies ───────────────────────────────────────────────────────────────────────────────────────

test('clean-up runs last first after success, failure and stop (R23)', async () => {
  const told: string[] = [];
  const messy = (summary: string, end: () => unknown) =>
    task({
      summary,
      run({ defer }) {
        defer(() => void told.push(`${summary} 1`));
        defer(async ({ $ }) => {
          await $`echo ${summary}`;
          told.push(`${summary} 2`);
        });
        return end();
      },
    });
  const broken = messy('broken', () => {
    throw new Error('x');
  });

  await carry([messy('fine', () => {})]);
  await carry([broken]);

  expect(told).toEqual(['fine 2', 'fine 1', 'broken 2', 'broken 1']);
});

test('an error in clean-up is told and does not hide the first one (R23)', async () => {
  const broken = task({
    summary: 'broken',
    run({ defer }) {
      defer(() => {
        throw new Error('clean-up broke');
      });
      throw new Error('body broke');
    },
  });
  const untidy = task({
    summary: 'untidy',
    run: ({ defer }) =>
      defer(() => {
        throw new Error('clean-up broke');
      }),
  });

  expect((await carry([broken], { names: { broken } })).outcome('broken')).toMatchObject({
    failure: { message: 'body broke' },
    alsoFailed: [{ kind: 'clean-up', message: 'clean-up broke' }],
  });
  expect((await carry([untidy], { names: { untidy } })).outcome('untidy')).toMatchObject({
    status: 'failed',
    failure: { message: 'clean-up broke' },
  });
});

test('`await using` tidies up, ends a command, and its error does not hide the first one (R23)', async () => {
  const told: string[] = [];
  const folder = (name: string) => ({
    async [Symbol.asyncDispose]() {
      told.push(name);
      throw new Error(`${name} is stuck`);
    },
  });
  const broken = task({
    summary: 'broken',
    async run({ $, log }) {
      await using one = folder('one');
      await using two = folder('two');
      await using server = $`cat`;
      log(one, two, server.pid);
      throw new Error('body broke');
    },
  });

  const run = await carry([broken], { names: { broken } });

  expect(told).toEqual(['two', 'one']);
  expect(run.outcome('broken')).toMatchObject({
    failure: { message: 'body broke' },
    alsoFailed: [
      { kind: 'clean-up', message: 'two is stuck' },
      { kind: 'clean-up', message: 'one is stuck' },
    ],
  });
});

test('a time limit ends the body with 124 and cleans up (R21, R22)', async () => {
  const told: string[] = [];
  const slow = task({
    summary: 'slow',
    timeout: '20ms',
    run({ signal, defer }) {
      defer(() => void told.push('clean'));
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });

  const run = await carry([slow], { names: { slow } });

  expect(run.outcome('slow')).toMatchObject({
    status: 'failed',
    failure: { kind: 'timeout', message: 'it ran longer than 20ms', exitCode: 124 },
  });
  expect([run.exitCode, told]).toEqual([124, ['clean']]);
});

test('a body that does not settle after its time is left behind, and said (R24)', async () => {
  const deaf = task({ summary: 'deaf', timeout: '10ms', grace: '1ms', run: () => new Promise(() => {}) });

  const run = await carry([deaf], { names: { deaf } });

  expect(run.exitCode).toBe(124);
  expect(run.events).toContainEqual(expect.objectContaining({ type: 'notice', text: expect.stringContaining('left behind') }));
});

test('a command that nobody awaits and that fails, fails its step (R25)', async () => {
  const careless = task({
    summary: 'careless',
    run({ exec }) {
      void exec(['false']);
    },
  });

  const run = await carry([careless], { names: { careless }, runner: scriptedRunner({ false: { exitCode: 3 } }) });

  expect(run.outcome('careless')).toMatchObject({
    failure: { kind: 'command', exitCode: 3, facts: ['Its body did not await this command.'] },
  });
});

test('log and console of a body belong to its step, print is a result (R25)', async () => {
  const talker = (name: string) =>
    task({
      summary: name,
      id: name,
      async run({ log, print }) {
        log('a %s', 'b', { c: 1 });
        await tick();
        console.warn('from', name);
        print('result\n');
      },
    });
  const one = talker('one');
  const two = talker('two');
  const both = works('both', { needs: [one, two] });

  const { events } = await carry([both], { names: { one, two, both } });

  expect(events.flatMap((event) => (event.type === 'log' ? [[event.step, event.level, event.text]] : []))).toEqual(
    expect.arrayContaining([
      ['one', 'info', 'a b { c: 1 }'],
      ['one', 'warn', 'from one'],
      ['two', 'warn', 'from two'],
    ]),
  );
  expect(events.filter((event) => event.type === 'print')).toHaveLength(2);
});

test('a throw in a body shows the frames of the user only (R20)', async () => {
  const broken = fails('broken');

  const outcome = (await carry([broken], { names: { broken }, root: process.cwd() })).outcome('broken');

  expect(outcome).toMatchObject({
    failure: { message: 'broken broke', stack: expect.stringMatching(/^at .*tests\/features\/run\.test\.ts:\d+:\d+\)?$/) },
  });
});

// ── call ─────────────────────────────────────────────────────────────────────────────────────────

test('call runs another task once, typed, and gives back the slot meanwhile (R26)', async () => {
  let times = 0;
  const callee = task({ summary: 'callee', input: { n: z.int() }, run: ({ input }) => ++times * input.n });
  const caller = task({
    summary: 'caller',
    async run({ call }) {
      const [a, b] = await Promise.all([call(callee, { n: 10 }), call(callee({ n: 10 }))]);
      return a + b;
    },
  });

  const run = await carry([caller], { jobs: 1, names: { callee, caller } });

  expect([run.result.outputs, times, run.started]).toEqual([[20], 1, ['caller', 'callee (n=10)']]);
});

test('a call that leads back to a waiting caller fails with the path (R26)', async () => {
  const inner: AnyTask = task({
    summary: 'inner',
    run: async ({ call }) => {
      await call(outer as never);
    },
  });
  const outer: AnyTask = task({
    summary: 'outer',
    run: async ({ call }) => {
      await call(inner as never);
    },
  });

  const run = await carry([outer], { names: { inner, outer } });

  expect(run.outcome('inner')).toMatchObject({ failure: { message: 'this call leads back to its caller: inner → outer → inner' } });
  expect(run.exitCode).toBe(1);
});

test('nothing is called in clean-up (R26)', async () => {
  let isCalled = false;
  const callee = task({ summary: 'callee', run: () => void (isCalled = true) });
  const caller = task({ summary: 'caller', run: ({ call, defer }) => defer(() => call(callee)) });

  const run = await carry([caller], { names: { callee, caller } });

  expect(run.outcome('caller')).toMatchObject({
    failure: { message: 'nothing can be called in clean-up: say in `post` what runs after the task' },
  });
  expect(isCalled).toBe(false);
});

test('a failing callee fails its caller, which may catch it; the run fails with the code of the callee (R26)', async () => {
  const callee = task({ summary: 'callee', run: ({ exec }) => exec(['false']) });
  const caller = task({ summary: 'caller', run: ({ call }) => call(callee) });
  const runner = scriptedRunner({ false: { exitCode: 5 } });

  const run = await carry([caller], { names: { callee, caller }, runner });

  expect(run.outcome('caller')).toMatchObject({ failure: { message: '`callee`, which it called, failed' } });
  expect(run.exitCode).toBe(5);
});

test('requirements of a callee are looked at when it is called (R26)', async () => {
  const callee = works('callee', { requires: [{ id: 'x', title: 'x', check: () => ({ problem: 'x is not there' }) }] });
  const caller = task({ summary: 'caller', run: ({ call }) => call(callee as never) });

  const run = await carry([caller], { names: { callee, caller } });

  expect(run.outcome('caller')).toMatchObject({ failure: { kind: 'refused', exitCode: 3, facts: ['x is not there'] } });
});

// ── Preflight ────────────────────────────────────────────────────────────────────────────────────

const missing = (id: string, remedy?: string) => ({
  id,
  title: id,
  check: () => ({ problem: `${id} is not there`, ...(remedy && { remedy }) }),
});

test('all that is unmet in the whole plan is told in one report, and nothing has run (R17)', async () => {
  let ran = 0;
  const first = task({ summary: 'first', requires: [missing('docker', 'install it')], run: () => void ran++ });
  const second = task({
    summary: 'second',
    env: { TOKEN: z.string() },
    requires: [missing('docker'), missing('poetry')],
    run: () => void ran++,
  });

  const error = await carry([first, second], { names: { first, second } }).catch((caught: unknown) => caught);

  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({
    exitCode: 3,
    message: '2 tasks cannot run here',
    facts: [
      'docker is not there (for `first` and `second`)',
      '  → install it',
      expect.stringContaining('TOKEN'),
      'poetry is not there (for `second`)',
    ],
  });
  expect(ran).toBe(0);
});

test('a variable that is set and wrong is a usage error, exit 2 (R21)', async () => {
  const first = task({ summary: 'first', env: { PORT: z.int() }, run() {} });

  await expect(carry([first], { names: { first }, env: { PORT: 'many' } })).rejects.toMatchObject({
    exitCode: 2,
    facts: [expect.stringContaining('PORT')],
  });
});

test('what an earlier step provides is looked at when its user starts (R17)', async () => {
  let isThere = false;
  const check = () => (isThere ? undefined : { problem: 'x is not there' });
  const makes = task({ summary: 'makes', provides: [{ id: 'x' }], run: () => void (isThere = true) });
  const forgets = task({ summary: 'forgets', provides: [{ id: 'x' }], run() {} });
  const uses = works('uses', { requires: [{ id: 'x', title: 'x', check }] });

  const failed = await carry([forgets, uses], { names: { forgets, uses } });
  expect(failed.outcome('uses')).toMatchObject({ failure: { kind: 'refused', exitCode: 3, facts: ['x is not there'] } });
  expect(failed.exitCode).toBe(3);
  expect((await carry([makes, uses], { names: { makes, uses } })).ended).toEqual({ makes: 'done', uses: 'done' });
});

test('--skip-unmet skips what is unmet and what needs it; 0 when something ran, 3 when nothing did (R18)', async () => {
  const needy = works('needy', { requires: [missing('docker', 'install it')], confirm: 'Sure?' });
  const user = works('user', { needs: { needy } });
  const free = works('free');

  const some = await carry([user, free], { names: { needy, user, free }, skipUnmet: true });
  expect(some.outcome('needy')).toEqual({ status: 'skipped', because: 'unmet', reason: 'docker is not there', remedy: 'install it' });
  expect([some.ended, some.exitCode]).toEqual([{ needy: 'skipped', user: 'skipped', free: 'done' }, 0]);
  expect((await carry([user], { names: { needy, user }, skipUnmet: true })).exitCode).toBe(3);
});

test('questions are put once before the first step; no, and nobody there, refuse (R17)', async () => {
  const asked: string[] = [];
  let ran = 0;
  const risky = (summary: string) => task({ summary, id: summary, confirm: 'Delete it all?', run: () => void ran++ });
  const both = works('both', { needs: [risky('one'), risky('two')] });
  const answering = (answer: boolean) => ({
    confirm: (question: string) => {
      asked.push(question);
      return answer;
    },
  });

  expect((await carry([both], answering(true))).exitCode).toBe(0);
  expect([asked, ran]).toEqual([['Delete it all?'], 2]);
  await expect(carry([both], answering(false))).rejects.toMatchObject({ code: 'declined', exitCode: 3 });
  await expect(carry([both])).rejects.toMatchObject({ code: 'no-answer', exitCode: 3, hint: expect.stringContaining('--yes') });
  expect(ran).toBe(2);
});

// ── Dry run ──────────────────────────────────────────────────────────────────────────────────────

test('--dry-run prints each command and starts none, but those that only look (R16)', async () => {
  const chatty = task({
    summary: 'chatty',
    requires: [missing('docker')],
    confirm: 'Sure?',
    async run({ $, exec, dryRun }) {
      const name = await $({ readOnly: true })`hostname`.text();
      await exec(['docker', 'rm', name, String(dryRun)]);
    },
  });
  const runner = scriptedRunner({ hostname: 'my host\n' });

  const run = await carry([chatty], { names: { chatty }, dryRun: true, runner });

  expect(run.runner.commands).toEqual([]);
  expect(runner.commands.map((command) => command.line)).toEqual(['hostname']);
  expect(run.events).toContainEqual(expect.objectContaining({ type: 'command-started', line: "docker rm 'my host' true", dry: true }));
  expect([run.ended, run.exitCode]).toEqual([{ chatty: 'done' }, 0]);
});

test('what cannot be foreseen in a dry run is said, and what needs its value is listed (R16)', async () => {
  const asks = task({
    summary: 'asks',
    output: z.object({ id: z.string().min(1) }),
    run: async ({ $ }) => ({ id: await $`docker create x`.text() }),
  });
  const user = works('user', { needs: { asks } });

  const run = await carry([user], { names: { asks, user }, dryRun: true });

  expect(run.outcome('asks')).toMatchObject({ because: 'dry-run', reason: expect.stringContaining('not foreseen from here') });
  expect(run.outcome('user')).toMatchObject({ because: 'dry-run', reason: 'not foreseen from here: it needs the value of `asks`' });
});
