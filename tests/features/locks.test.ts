import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { AnyTask, LockSpec } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import { tryFileLock } from '../../lib/util/file-lock.ts';
import type { Holder } from '../../lib/util/file-lock.ts';
import { carry } from '../support/carry.ts';
import { projectWith } from '../support/project.ts';

type LockField = string | LockSpec | readonly (string | LockSpec)[];

/** Bodies that take a few turns, and tell who was inside together. */
function rooms() {
  const inside = new Set<string>();
  const together: string[] = [];
  const member = (name: string, lock: LockField, extra: object = {}) =>
    task({
      summary: name,
      id: name,
      lock,
      ...extra,
      async run() {
        inside.add(name);
        together.push([...inside].toSorted().join('+'));
        for (let turn = 0; turn < 5; turn++) await tick();
        inside.delete(name);
      },
    });
  return { together, member };
}

const group = (...needs: readonly AnyTask[]) => task({ summary: 'group', needs: needs as never });
const place = (project: { readonly root: string }) => ({ root: project.root, env: { XDG_RUNTIME_DIR: project.root } });
const locksIn = (root: string): string[] => (existsSync(`${root}/taskwright/locks`) ? readdirSync(`${root}/taskwright/locks`) : []);

test('steps with the same lock are kept apart, others are not (R19)', async () => {
  const project = projectWith();
  const { member, together } = rooms();
  const all = group(member('a', 'db'), member('b', 'db'), member('c', 'other'), member('d', ['db', 'other']));

  const run = await carry([all], { ...place(project), jobs: 9 });

  expect(run.exitCode).toBe(0);
  expect(together.filter((one) => /a.*b|a.*d|b.*d|c.*d/.test(one))).toEqual([]);
  expect(together).toContain('a+c');
  expect(locksIn(project.root)).toEqual([]);
});

test('`locks` of the config gives a lock more places within a run (R19)', async () => {
  const project = projectWith();
  const { member, together } = rooms();
  const all = group(member('a', 'gpu'), member('b', 'gpu'), member('c', 'gpu'));

  await carry([all], { ...place(project), jobs: 9, config: { tasks: {}, dotenv: [], locks: { gpu: 2 } } });

  expect(Math.max(...together.map((one) => one.split('+').length))).toBe(2);
});

test('a lock can follow from the input (R3)', async () => {
  const project = projectWith();
  const inside: number[] = [];
  let count = 0;
  const build = task({
    summary: 'build',
    input: { target: z.string(), n: z.int() },
    lock: ({ input }) => `target-${input.target}`,
    async run() {
      inside.push(++count);
      for (let turn = 0; turn < 5; turn++) await tick();
      count--;
    },
  });

  await carry([group(build({ target: 'a', n: 1 }) as never, build({ target: 'b', n: 2 }) as never)], { ...place(project), jobs: 9 });

  expect(inside).toEqual([1, 2]);
});

test('while it waits for a callee the caller keeps its locks, and the callee may enter them (R26)', async () => {
  const project = projectWith();
  const { member, together } = rooms();
  const inner = member('inner', 'db');
  const second = member('second', 'db');
  const caller = task({
    summary: 'caller',
    lock: 'db',
    async run({ call }) {
      await Promise.all([call(inner as never), call(second as never)]);
    },
  });

  const run = await carry([group(caller, member('stranger', 'db'))], { ...place(project), jobs: 9 });

  expect(run.exitCode).toBe(0);
  // The two callees are kept apart from each other, and the stranger from all.
  expect(together.toSorted()).toEqual(['inner', 'second', 'stranger']);
});

test('who needs a service may enter its locks', async () => {
  const project = projectWith();
  const device = task({ summary: 'device', lock: 'device', service: { ready: {} }, run: () => 'ready' });
  const user = task({ summary: 'user', lock: 'device', needs: { device }, run: ({ needs }) => needs.device });

  expect((await carry([user], place(project))).result.outputs).toEqual(['ready']);
});

test('steps that would wait for each other for ever are told apart by an error (R19)', async () => {
  const project = projectWith();
  const crossing = (first: string, then: string): AnyTask => {
    const inner = task({ summary: 'inner', id: `inner-${then}`, lock: then, run() {} });
    return task({
      summary: first,
      id: `outer-${first}`,
      lock: first,
      async run({ call }) {
        for (let turn = 0; turn < 20; turn++) await tick();
        await call(inner);
      },
    });
  };

  const run = await carry([group(crossing('a', 'b'), crossing('b', 'a'))], { ...place(project), jobs: 9, keepGoing: true });

  const failures = [...run.result.outcomes.values()].flatMap((outcome) => (outcome.status === 'failed' ? [outcome.failure.message] : []));
  expect(failures).toContainEqual(expect.stringMatching(/it would wait for lock `[ab]` for ever: `outer-[ab]` cannot go on/));
  expect(run.exitCode).toBe(1);
});

// ── Across processes ─────────────────────────────────────────────────────────────────────────────

/** Another process that lives, and has the lock. */
function holderIn(root: string, name: string, over: Partial<Holder> = {}): { readonly file: string; release(): void } {
  mkdirSync(`${root}/taskwright/locks`, { recursive: true });
  const probe = tryFileLock(`${root}/probe`, { what: 'other', where: '/elsewhere' });
  const mine = JSON.parse(readFileSync(`${root}/probe`, 'utf8')) as Holder;
  if (probe.kind === 'taken') probe.release();
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const start = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? '';
  const file = `${root}/taskwright/locks/${name}`;
  writeFileSync(file, JSON.stringify({ ...mine, id: 'other', pid: child.pid, start, ...over }));
  return { file, release: () => void child.kill('SIGKILL') };
}

/** The file of lock `db` of this root: seen while a step has it. */
async function fileNameOf(root: string): Promise<string> {
  let name = '';
  await carry([task({ summary: 'look', lock: 'db', run: () => void ([name = ''] = locksIn(root)) })], place({ root }));
  return name;
}

test('a step waits for another process, says who has the lock and since when, and takes it from the dead (R19)', async () => {
  const project = projectWith();
  const other = holderIn(project.root, await fileNameOf(project.root));
  const waits = task({ summary: 'waits', lock: 'db', run() {} });

  const run = await carry([waits], {
    ...place(project),
    names: { waits },
    onEvent: (event) => {
      if (event.type === 'lock-waiting') other.release();
    },
  });

  expect(run.events).toContainEqual(
    expect.objectContaining({
      type: 'lock-waiting',
      lock: 'db',
      holder: expect.objectContaining({ step: 'other', root: '/elsewhere' }),
      text: expect.stringMatching(/^`other` \(process \d+ in \/elsewhere\) has it since \d\d:\d\d:\d\d$/),
    }),
  );
  expect(run.ended).toEqual({ waits: 'done' });
  expect(locksIn(project.root)).toEqual([]);
});

test.each<[string, Partial<Holder>]>([
  ['whose process id was given to another', { start: '1' }],
  ['from before the machine was started', { boot: 'another time' }],
])('a lock of a holder %s is nobody’s (R19)', async (_, over) => {
  const project = projectWith();
  const other = holderIn(project.root, await fileNameOf(project.root), over);
  const takes = task({ summary: 'takes', lock: 'db', run() {} });

  const run = await carry([takes], { ...place(project), names: { takes } });
  other.release();

  expect(run.events.filter((event) => event.type === 'lock-waiting')).toEqual([]);
  expect(run.ended).toEqual({ takes: 'done' });
});

test('--fail-if-locked refuses before anything runs, with who has it (R19)', async () => {
  const project = projectWith();
  const other = holderIn(project.root, await fileNameOf(project.root), { space: 'pid:[1]', host: 'container' });
  const first = task({ summary: 'first', run() {} });
  const takes = task({ summary: 'takes', lock: 'db', run() {} });

  const error: unknown = await carry([first, takes], { ...place(project), names: { first, takes }, failIfLocked: true }).catch(
    (caught: unknown) => caught,
  );
  other.release();

  expect(error).toMatchObject({
    exitCode: 3,
    message: '`takes` cannot run here',
    facts: [
      expect.stringMatching(
        /^lock `db`: `other` \(process \d+ of container, which cannot be looked at from here; remove .* if it is gone\)/,
      ),
    ],
  });
});

test('a stop ends the wait for a lock', async () => {
  const project = projectWith();
  const stop = new AbortController();
  const other = holderIn(project.root, await fileNameOf(project.root));
  const waits = task({ summary: 'waits', lock: 'db', run() {} });

  const run = await carry([waits], {
    ...place(project),
    names: { waits },
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'lock-waiting') stop.abort();
    },
  });
  other.release();

  expect(run.ended).toEqual({ waits: 'skipped' });
  expect(run.exitCode).toBe(130);
});

test('of many who find a dead one’s lock exactly one takes it, and none takes it from the living', () => {
  const project = projectWith();
  const file = project.path('lock');
  const attempt = () => tryFileLock(file, { what: 'x', where: '/' });
  const first = attempt();
  const living = JSON.parse(readFileSync(file, 'utf8')) as Holder;
  if (first.kind === 'taken') first.release();
  for (let round = 0; round < 50; round++) {
    // What one who died while clearing a dead one's lock away leaves behind.
    writeFileSync(file, JSON.stringify({ ...living, id: `dead-${round}`, start: 'never' }));
    linkSync(file, `${file}.dead-dead-${round}`);
    const taken = [attempt(), attempt(), attempt()].filter((one) => one.kind === 'taken');
    expect(taken).toHaveLength(1);
    for (const one of taken) if (one.kind === 'taken') one.release();
  }
  expect(readdirSync(project.root)).toEqual([]);
});
