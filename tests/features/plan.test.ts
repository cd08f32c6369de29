import { expect, test } from 'vitest';
import { z } from 'zod';
import { createPlanner } from '../../lib/plan.ts';
import { waitsFor } from '../../lib/plan-order.ts';
import type { Plan } from '../../lib/plan.ts';
import type { JsonObject } from '../../lib/event.ts';
import type { AnyTask, Call, Task } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';

interface PlanOptions {
  readonly names?: Readonly<Record<string, AnyTask>>;
  readonly parallel?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function planOf(targets: readonly (AnyTask | readonly [AnyTask, JsonObject])[], options: PlanOptions = {}): Plan {
  const names = new Map(Object.entries(options.names ?? {}).map(([name, named]) => [named, name]));
  const planner = createPlanner({
    nameOf: (named) => names.get(named),
    env: options.env ?? {},
    defaults: options.defaults ?? {},
    root: '/root-folder',
    invocationDir: '/root-folder',
  });
  const asTargets = targets.map((target) =>
    Array.isArray(target) ? { task: target[0], given: target[1] } : { task: target as AnyTask, given: {} },
  );
  return planner.plan(asTargets, { parallel: options.parallel ?? false });
}

/** `id ← what it waits for`, in plan order. */
const edges = (plan: Plan): string[] => plan.steps.map((step) => [step.id, ...waitsFor(step)].join(' ← '));

const effect = (summary: string, extra: object = {}) => task({ summary, run() {}, ...extra });

test('what is needed stands before what needs it, and equal calls are one step (R13)', () => {
  const base = task({ summary: 'base', input: { tag: z.string().default('a') }, run() {} });
  const left = effect('left', { needs: { base } });
  const right = effect('right', { needs: { base: base({ tag: 'a' }), other: base({ tag: 'b' }) } });
  const top = effect('top', { needs: [left, right] });

  const plan = planOf([top], { names: { base, left, right, top } });

  expect(edges(plan)).toMatchInlineSnapshot(`
    [
      "base",
      "left ← base",
      "base#2",
      "right ← base ← base#2",
      "top ← left ← right",
    ]
  `);
  expect(plan.steps.map((step) => step.title)).toEqual(['base', 'left', 'base (tag=b)', 'right', 'top']);
});

test('a step holds its input as JSON with defaults filled in, before transforms (R13)', () => {
  const shout = task({
    summary: 'shout',
    input: {
      text: z
        .string()
        .default('hi')
        .transform((text) => text.toUpperCase()),
      since: z.date().optional(),
      times: z.int().default(2),
    },
    run() {},
  });
  const top = effect('top', { needs: { shout: shout({ since: new Date('2026-11-24T00:00:00Z') }) } });

  const [step] = planOf([top], { names: { shout, top } }).steps;

  expect(step?.input).toEqual({ text: 'hi', since: '2026-11-24T00:00:00.000Z', times: 2 });
});

test('targets run in the order typed, through the steps that have no predecessor of their own (R14)', () => {
  const build = effect('build');
  const lint = effect('lint');
  const pack = effect('pack', { needs: { build } });

  const plan = planOf([lint, pack], { names: { build, lint, pack } });

  expect(edges(plan)).toEqual(['lint', 'build ← lint', 'pack ← build']);
  expect(plan.targets).toEqual(['lint', 'pack']);
});

test('--parallel drops the order of the targets (R14)', () => {
  const build = effect('build');
  const lint = effect('lint');

  expect(edges(planOf([lint, build], { names: { build, lint }, parallel: true }))).toEqual(['lint', 'build']);
});

test('a target that an earlier target needs is not run again, and what contradicts the order wins (R14)', () => {
  const build = effect('build');
  const pack = effect('pack', { needs: { build } });
  const late = effect('late');
  const first = effect('first', { after: [late] });

  expect(edges(planOf([pack, build], { names: { build, pack } }))).toEqual(['build', 'pack ← build']);
  expect(edges(planOf([first, late], { names: { first, late } }))).toEqual(['late', 'first ← late']);
});

test('a target typed again begins a new round, which later targets use (R14)', () => {
  const base = effect('base');
  const again = effect('again', { needs: { base } });
  const user = effect('user', { needs: { base } });

  const plan = planOf([again, again, user], { names: { base, again, user } });

  expect(edges(plan)).toEqual(['base', 'again ← base', 'base#2 ← again', 'again#2 ← base#2', 'user ← base#2 ← again#2']);
});

test('`after` orders what is in the plan anyway and brings nothing in (R15)', () => {
  const stop = effect('stop');
  const never = effect('never');
  const start = effect('start', { after: [stop, never] });
  const both = effect('both', { needs: [start, stop] });

  expect(edges(planOf([both], { names: { stop, never, start, both } }))).toEqual(['stop', 'start ← stop', 'both ← start ← stop']);
});

test('`after` a call means the step with that input only (R15)', () => {
  const part = task({ summary: 'part', input: { name: z.string() }, run() {} });
  const last = effect('last', { after: [part({ name: 'a' })] });
  const all = effect('all', { needs: [part({ name: 'a' }), part({ name: 'b' }), last] });

  expect(edges(planOf([all], { names: { part, last, all } }))).toEqual(['part', 'part#2', 'last ← part', 'all ← part ← part#2 ← last']);
});

test('`post` steps follow their askers, are one where equal, and never merge with a need (R15)', () => {
  const notify = effect('notify');
  const one = effect('one', { post: { notify } });
  const two = effect('two', { needs: { notify }, post: [notify] });
  const all = effect('all', { needs: [one, two] });

  const plan = planOf([all], { names: { notify, one, two, all } });

  expect(edges(plan)).toEqual(['one', 'notify', 'two ← notify', 'all ← one ← two', 'notify#2 ← one ← two']);
  expect(plan.steps.at(-1)?.postOf).toBe('two');
});

test('the next target waits for the post steps of the one before (R14, R15)', () => {
  const notify = effect('notify');
  const start = effect('start', { post: [notify] });
  const use = effect('use');

  expect(edges(planOf([start, use], { names: { notify, start, use } }))).toEqual(['start', 'notify ← start', 'use ← start ← notify']);
});

test('a cycle is an error that prints its path (R15)', () => {
  const a: AnyTask = effect('a', { needs: () => ({ b }) });
  const b: AnyTask = effect('b', { needs: () => ({ a }) });
  const c: AnyTask = effect('c', { after: () => [d] });
  const d: AnyTask = effect('d', { needs: () => ({ c }) });

  expect(() => planOf([a], { names: { a, b } })).toThrow(expect.objectContaining({ code: 'cycle', facts: ['a → b → a'] }));
  expect(() => planOf([d], { names: { c, d } })).toThrow(expect.objectContaining({ code: 'cycle', facts: ['c → d → c'] }));
});

test('needs that never end are an error, not a hang', () => {
  const deeper: Task<{ n: number }, void> = task({
    summary: 'deeper',
    input: { n: z.int() },
    needs: ({ input }): { next: Call<void> } => ({ next: deeper({ n: input.n + 1 }) }),
    run() {},
  });

  expect(() => planOf([[deeper, { n: 0 }]])).toThrow(expect.objectContaining({ code: 'endless-needs' }));
});

test('a chain of 20,000 tasks is planned without running out of stack', () => {
  const link: Task<{ n: number }, void> = task({
    summary: 'link',
    input: { n: z.int() },
    needs: ({ input }): { before: Call<void> | undefined } => ({ before: input.n > 0 ? link({ n: input.n - 1 }) : undefined }),
    run() {},
  });

  expect(planOf([[link, { n: 20_000 }]]).steps).toHaveLength(20_001);
});

test('everything wrong with every target is told together (R11)', () => {
  const a = task({ summary: 'a', input: { port: z.int() }, run() {} });
  const b = task({ summary: 'b', input: { mode: z.enum(['fast', 'slow']), name: z.string() }, run() {} });

  expect(() =>
    planOf(
      [
        [a, { port: 'x' }],
        [b, { mode: 'slwo' }],
      ],
      { names: { a, b } },
    ),
  ).toThrow(
    expect.objectContaining({
      code: 'wrong-input',
      exitCode: 2,
      facts: [
        expect.stringMatching('a'),
        expect.stringContaining('--port'),
        expect.stringMatching('b'),
        expect.stringContaining('--mode'),
        expect.stringContaining('--name'),
      ],
    }),
  );
});

test('an input falls back to its variable, then to the defaults of the config (R11)', () => {
  const serve = task({
    summary: 'serve',
    input: { port: z.int().default(1).meta({ env: 'SERVE_PORT' }), host: z.string().default('a') },
    run() {},
  });
  const options = { names: { serve }, defaults: { serve: { host: 'b', port: 2 } } };

  expect(planOf([serve], options).steps[0]?.input).toEqual({ port: 2, host: 'b' });
  expect(planOf([serve], { ...options, env: { SERVE_PORT: '3' } }).steps[0]?.input).toEqual({ port: 3, host: 'b' });
  expect(planOf([[serve, { port: 4 }]], { ...options, env: { SERVE_PORT: '3' } }).steps[0]?.input).toEqual({ port: 4, host: 'b' });
});

test('a secret input is *** in titles (R29)', () => {
  const login = task({ summary: 'login', input: { token: z.string().meta({ secret: true }), user: z.string() }, run() {} });

  expect(
    planOf(
      [
        [login, { token: 'abcdefghijkl', user: 'ada' }],
        [login, { token: 'x', user: 'b' }],
      ],
      { names: { login } },
    ).steps[0]?.title,
  ).toBe('login (token=***, user=ada)');
});

test('a title is one line that does nothing to the terminal, whatever the input holds', () => {
  const greet = effect('greet', { input: { name: z.string() } });

  const plan = planOf(
    [
      [greet, { name: 'a\nb\u001B[31m' }],
      [greet, { name: 'c' }],
    ],
    { names: { greet } },
  );

  expect(plan.steps.map((step) => step.title)).toEqual(['greet (name=a\\nb\\x1b[31m)', 'greet (name=c)']);
});

test('needs that throw or answer later are told with their task (R13)', () => {
  const throws = effect('throws', {
    needs: () => {
      throw new Error('no such thing');
    },
  });
  const later = effect('later', { needs: async () => ({}) });

  expect(() => planOf([throws], { names: { throws } })).toThrow('the `needs` of `throws` threw: no such thing');
  expect(() => planOf([later], { names: { later } })).toThrow('the `needs` of `later` is asynchronous');
});
