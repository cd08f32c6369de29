import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AnyTask, Call } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import { scriptedRunner } from '../../lib/testing.ts';
import type { Carried } from '../support/carry.ts';
import { carry } from '../support/carry.ts';
import { projectWith } from '../support/project.ts';

// The scheduler on random graphs (R14, R19–R21, R26): failures, stops, calls and locks, bodies and commands.

const LOCKS = ['a', 'b', 'c'] as const;

/** One task: what it waits for and calls are earlier ones, by distance back. */
const node = fc.record({
  needs: fc.array(fc.nat(5), { maxLength: 3 }),
  after: fc.array(fc.nat(5), { maxLength: 2 }),
  post: fc.option(fc.nat(5), { freq: 5 }),
  calls: fc.array(fc.nat(5), { maxLength: 2 }),
  areCallsParallel: fc.boolean(),
  locks: fc.subarray([...LOCKS]),
  turns: fc.nat(4),
  command: fc.constantFrom('none', 'good', 'bad'),
  end: fc.oneof({ weight: 6, arbitrary: fc.constant('fine') }, fc.constantFrom('throw', 'skip', 'mayFail')),
  retries: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(2)),
});
type NodeShape = typeof node extends fc.Arbitrary<infer T> ? T : never;

const story = fc.record({
  nodes: fc.array(node, { minLength: 1, maxLength: 12 }),
  targets: fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
  jobs: fc.integer({ min: 1, max: 4 }),
  keepGoing: fc.boolean(),
  failFast: fc.boolean(),
  parallel: fc.boolean(),
  /** After so many events the caller aborts. */
  stopAfter: fc.option(fc.nat(60), { freq: 4 }),
  places: fc.record({ a: fc.integer({ min: 1, max: 2 }), b: fc.constant(1), c: fc.constant(1) }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

interface Watched {
  readonly run: Carried;
  readonly mistakes: readonly string[];
}

async function play(told: Story, root: string): Promise<Watched> {
  const mistakes: string[] = [];
  const inside = new Set<string>();
  const locked = new Map<string, number>();
  const count = (shape: NodeShape, by: 1 | -1, name: string): void => {
    if (by === 1) inside.add(name);
    else inside.delete(name);
    if (inside.size > told.jobs) mistakes.push(`${inside.size} steps at once with --jobs ${told.jobs}`);
    for (const lock of shape.locks) {
      const now = (locked.get(lock) ?? 0) + by;
      locked.set(lock, now);
      if (now > told.places[lock]) mistakes.push(`${now} steps inside lock ${lock}`);
    }
  };

  const tasks: AnyTask[] = [];
  for (const [index, shape] of told.nodes.entries()) {
    const back = (distance: number): AnyTask | undefined => tasks[index - 1 - distance];
    const earlier = (distances: readonly number[]): AnyTask[] => [...new Set(distances.map(back))].filter((one) => one !== undefined);
    const name = `t${index}`;
    const post = shape.post === null ? undefined : back(shape.post);
    tasks.push(
      task({
        summary: name,
        id: name,
        needs: earlier(shape.needs) as unknown as readonly Call[],
        after: earlier(shape.after),
        post: (post ? [post] : []) as unknown as readonly Call[],
        lock: shape.locks,
        mayFail: shape.end === 'mayFail',
        ...(shape.retries > 0 && { retry: { times: shape.retries } }),
        async run({ call, $, skip }) {
          // While it waits for a callee it takes no slot, and lets the callee into its locks.
          const away = async (other: AnyTask): Promise<unknown> => call(other as never).catch(() => {});
          count(shape, 1, name);
          try {
            for (let turn = 0; turn < shape.turns; turn++) await tick();
            if (shape.command !== 'none') await $`${shape.command}`;
            const callees = earlier(shape.calls);
            if (callees.length > 0) {
              count(shape, -1, name);
              if (shape.areCallsParallel) await Promise.all(callees.map(away));
              else for (const callee of callees) await away(callee);
              count(shape, 1, name);
            }
            if (shape.end === 'skip') skip('not today');
            if (shape.end !== 'fine') throw new Error('broke');
          } finally {
            count(shape, -1, name);
          }
        },
      }),
    );
  }

  const stop = new AbortController();
  let events = 0;
  const targets = told.targets.map((at) => tasks[at % tasks.length]).filter((one) => one !== undefined);
  const run = await carry(targets, {
    root,
    env: { XDG_RUNTIME_DIR: root },
    config: { tasks: {}, dotenv: [], locks: told.places },
    runner: scriptedRunner([
      ['good', ''],
      ['bad', { exitCode: 3 }],
    ]),
    jobs: told.jobs,
    keepGoing: told.keepGoing,
    failFast: told.failFast,
    parallel: told.parallel,
    signal: stop.signal,
    onEvent: () => {
      if (events++ === told.stopAfter) stop.abort();
    },
  }).catch((error: unknown) => {
    // `after` and `post` may make a circle, which the plan refuses.
    if ((error as { code?: string }).code === 'cycle') return undefined;
    throw error;
  });
  return run ? { run, mistakes: [...mistakes, ...mistakesOf(run)] } : { run: NOTHING, mistakes: [] };
}

const NOTHING = { events: [] } as unknown as Carried;

/** What the events of a run must never say. */
function mistakesOf({ events, result }: Carried): string[] {
  const mistakes: string[] = [];
  const started = new Set<string>();
  const ended = new Set<string>();
  const steps = new Map(result.steps.map((step) => [step.id, step]));
  for (const event of events) {
    if (event.type === 'step-started') {
      if (started.has(event.step)) mistakes.push(`${event.step} started twice`);
      started.add(event.step);
      const step = steps.get(event.step);
      for (const id of [...Object.values(step?.needs ?? {}), ...(step?.after ?? [])]) {
        if (id !== undefined && !ended.has(id)) mistakes.push(`${event.step} started before ${id} was over`);
      }
      for (const id of Object.values(step?.needs ?? {})) {
        const status = id === undefined ? undefined : result.outcomes.get(id)?.status;
        if (status !== undefined && status !== 'done') mistakes.push(`${event.step} started although ${id} is ${status}`);
      }
    } else if (event.type === 'step-ended') {
      if (ended.has(event.step)) mistakes.push(`${event.step} ended twice`);
      ended.add(event.step);
    }
  }
  for (const id of steps.keys()) if (!ended.has(id)) mistakes.push(`${id} has no outcome`);
  if (events.filter((event) => event.type === 'run-ended').length !== 1) mistakes.push('the run did not end once');
  return mistakes;
}

/** All that is told, without times, and without the frames of Node that tell in which turn something was thrown. */
const storyOf = (run: Carried): string[] =>
  run.events.map((event) =>
    JSON.stringify(event, (key, value: unknown) => (key === 'time' || key === 'ms' ? 0 : key === 'fullStack' ? '' : value)),
  );

test('on random graphs: order, once, one outcome, --jobs, locks, no deadlock, and the same story twice', { timeout: 120_000 }, async () => {
  // Long rows of steps are cut by the clock, which a busy machine would let run on.
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { root } = projectWith();
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const first = await play(told, root);
      expect(first.mistakes).toEqual([]);
      const second = await play(told, root);
      expect(storyOf(second.run)).toEqual(storyOf(first.run));
    }),
    { numRuns: 200, seed: 20261125, endOnFailure: true },
  );
});

// ── Services that start only when somebody who runs needs them (R32, R37) ────────────────────────

const served = fc.record({
  nodes: fc.array(
    fc.record({
      kind: fc.constantFrom('service', 'service', 'plain', 'fresh', 'stale'),
      needs: fc.array(fc.nat(4), { maxLength: 3 }),
      calls: fc.array(fc.nat(4), { maxLength: 1 }),
      locks: fc.subarray([...LOCKS]),
      turns: fc.nat(3),
      /** How long it takes to see whether it may run. */
      looks: fc.nat(6),
      isBroken: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
    { minLength: 2, maxLength: 10 },
  ),
  targets: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
  jobs: fc.integer({ min: 1, max: 3 }),
  keepGoing: fc.boolean(),
  parallel: fc.boolean(),
  stopAfter: fc.option(fc.nat(60), { freq: 5 }),
});

async function serve(told: typeof served extends fc.Arbitrary<infer T> ? T : never, root: string): Promise<readonly string[]> {
  const mistakes: string[] = [];
  const up = new Map<string, number>();
  const everUp = new Set<string>();
  /** Of services: that a body which ran needs, or called. */
  const wanted = new Set<string>();
  const tasks: AnyTask[] = [];
  const nameOf = new Map<AnyTask, string>();
  for (const [index, shape] of told.nodes.entries()) {
    const name = `t${index}`;
    const earlier = (distances: readonly number[]): AnyTask[] =>
      [...new Set(distances.map((distance) => tasks[index - 1 - distance]))].filter((one) => one !== undefined);
    const isService = shape.kind === 'service';
    const services = earlier(shape.needs).flatMap((other) => (isServiceAt(told.nodes, nameOf.get(other)) ? [nameOf.get(other) ?? ''] : []));
    const one = task({
      summary: name,
      id: name,
      needs: earlier(shape.needs) as unknown as readonly Call[],
      lock: shape.locks,
      requires: [
        {
          id: name,
          title: name,
          async check() {
            for (let turn = 0; turn < shape.looks; turn++) await tick();
            return undefined;
          },
        },
      ],
      ...(isService && { service: { ready: {}, stop: () => void up.set(name, (up.get(name) ?? 0) - 1) } }),
      ...(shape.kind === 'fresh' && { upToDate: () => 'as it was' }),
      ...(shape.kind === 'stale' && { upToDate: () => undefined }),
      async run({ call, signal }) {
        for (const service of services) {
          wanted.add(service);
          if ((up.get(service) ?? 0) < 1) mistakes.push(`${name} runs, and its service ${service} is not up`);
        }
        for (let turn = 0; turn < shape.turns; turn++) await tick();
        for (const callee of shape.kind === 'plain' ? earlier(shape.calls) : []) {
          const calledName = nameOf.get(callee) ?? '';
          wanted.add(calledName);
          const isGiven = await call(callee as never).then(
            () => true,
            () => false,
          );
          if (isGiven && isServiceAt(told.nodes, calledName) && (up.get(calledName) ?? 0) < 1)
            mistakes.push(`${name} called ${calledName}, which is not up`);
        }
        if (shape.isBroken) throw new Error('broke');
        for (const service of services) {
          if ((up.get(service) ?? 0) < 1 && !signal.aborted) mistakes.push(`${service} went while ${name} ran`);
        }
        if (!isService) return;
        up.set(name, (up.get(name) ?? 0) + 1);
        everUp.add(name);
      },
    });
    tasks.push(one);
    nameOf.set(one, name);
  }
  const stop = new AbortController();
  let events = 0;
  const targets = told.targets.map((at) => tasks[at % tasks.length]).filter((one) => one !== undefined);
  for (const target of targets) wanted.add(nameOf.get(target) ?? '');
  const { events: all, result } = await carry(targets, {
    root,
    env: { XDG_RUNTIME_DIR: root },
    config: { tasks: {}, dotenv: [] },
    jobs: told.jobs,
    keepGoing: told.keepGoing,
    parallel: told.parallel,
    signal: stop.signal,
    onEvent: (event) => {
      // The last target is a service: nobody ends it but the user.
      if (events++ === told.stopAfter || event.type === 'service-ready') void endSoon(stop);
    },
  });
  const started = all.flatMap((event) => (event.type === 'step-started' ? [event.step] : []));
  if (new Set(started).size < started.length) mistakes.push('a step started twice');
  for (const { id } of result.steps) if (!result.outcomes.get(id)) mistakes.push(`${id} has no outcome`);
  for (const [id, outcome] of result.outcomes)
    if (outcome.status === 'skipped' && outcome.because === 'need' && outcome.reason.includes('nothing that runs'))
      mistakes.push(`${id} needs what was let go`);
  for (const name of everUp) if (result.exitCode === 0 && !wanted.has(name)) mistakes.push(`nobody wanted ${name}`);
  for (const [name, count] of up) if (count > 0 && !isBrokenAt(told.nodes, name)) mistakes.push(`${name} was left up`);
  return mistakes;
}

const indexOf = (name: string | undefined): number => Number(name?.slice(1) ?? -1);
const isServiceAt = (nodes: readonly { readonly kind: string }[], name: string | undefined): boolean =>
  nodes[indexOf(name)]?.kind === 'service';
const isBrokenAt = (nodes: readonly { readonly isBroken: boolean }[], name: string): boolean => nodes[indexOf(name)]?.isBroken === true;

/** Late enough for most of what the services are for. */
async function endSoon(stop: AbortController): Promise<void> {
  for (let turn = 0; turn < 400; turn++) await tick();
  stop.abort();
}

test(
  'on random graphs with services: up while a body that needs them runs, started for nobody else, and none left',
  { timeout: 120_000 },
  async () => {
    const { root } = projectWith();
    await fc.assert(
      fc.asyncProperty(served, async (told) => {
        expect(await serve(told, root)).toEqual([]);
      }),
      { numRuns: 300, seed: 20261128, endOnFailure: true },
    );
  },
);

test('who waits for a lock is not given up while a service at rest is looked at (R19, R32)', async () => {
  const { root } = projectWith();
  const before = task({ summary: 'x', id: 'before', run: () => tick() });
  const rests = task({ summary: 'x', id: 'rests', needs: { before }, service: { ready: {} }, run() {} });
  const user = task({ summary: 'x', id: 'user', needs: { rests }, upToDate: () => 'as it was', run() {} });
  const holder = task({ summary: 'x', id: 'holder', lock: 'one', service: { ready: {} }, run() {} });
  const target = task({ summary: 'x', id: 'target', needs: { holder, user }, run() {} });
  const waits = task({ summary: 'x', id: 'waits', lock: 'one', run() {} });

  const { exitCode, ended } = await carry([target, waits], { root, env: { XDG_RUNTIME_DIR: root }, parallel: true });
  expect([exitCode, ended]).toEqual([
    0,
    { before: 'done', rests: 'skipped', user: 'up-to-date', holder: 'done', target: 'done', waits: 'done' },
  ]);
});

test('a service that a callee needs is not let go while the callee is looked at (R26, R32)', async () => {
  const { root } = projectWith();
  let isLookedAt = (): void => {};
  const looked = new Promise<void>((done) => {
    isLookedAt = done;
  });
  const service = task({ summary: 'x', id: 'service', service: { ready: {} }, run: () => 'served' });
  const callee = task({
    summary: 'x',
    id: 'callee',
    needs: { service },
    requires: [{ id: 'slow', title: 'slow', check: () => looked.then(() => undefined) }],
    run: ({ needs }) => needs.service,
  });
  const caller = task({ summary: 'x', id: 'caller', run: ({ call }) => call(callee) });
  const user = task({ summary: 'x', id: 'user', needs: { service }, upToDate: () => 'as it was', run() {} });

  const { exitCode, ended } = await carry([caller, user], {
    root,
    parallel: true,
    jobs: 2,
    onEvent: (event) => {
      if (event.type === 'step-ended' && event.step === 'user') setImmediate(isLookedAt);
    },
  });
  expect([exitCode, ended]).toEqual([0, { caller: 'done', service: 'done', user: 'up-to-date', callee: 'done' }]);
});
