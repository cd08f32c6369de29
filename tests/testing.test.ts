import { expect, test } from 'vitest';
import { CommandFailedError } from '../lib/errors.ts';
import { task } from '../lib/task.ts';
import type { Script } from '../lib/testing.ts';
import { passThrough, testTask } from '../lib/testing.ts';

const release = task({
  summary: 'Release.',
  async run({ $, exec }) {
    await $`git fetch`;
    const tags = await exec(['git', 'tag', '--list', 'v 1']).lines();
    const { exitCode } = await $({ nothrow: true, cwd: '/tmp' })`git diff --quiet`;
    return { tags, exitCode };
  },
});
const with_ = async (commands: Script, name = release) => testTask(name, { commands });

test('commands are answered by text, by pattern and by function (R41)', async () => {
  const byText = await with_({ 'git fetch': '', "git tag --list 'v 1'": 'a\nb\n', 'git diff --quiet': { exitCode: 1 } });
  const byPattern = await with_([
    [/fetch$/g, ''],
    [/tag/, ({ argv }) => `${argv?.at(-1) ?? ''}\n`],
    [/^git/, ({ cwd }) => ({ exitCode: cwd === '/tmp' ? 7 : 0 })],
  ]);
  const byFunction = await with_(({ line }) => (line.startsWith('git') ? 'x\n' : undefined));

  expect(byText.output).toEqual({ tags: ['a', 'b'], exitCode: 1 });
  expect(byPattern.output).toEqual({ tags: ['v 1'], exitCode: 7 });
  expect(byFunction.output).toEqual({ tags: ['x'], exitCode: 0 });
  expect(byText.commands.map(({ line, cwd }) => [line, cwd])).toEqual([
    ['git fetch', process.cwd()],
    ["git tag --list 'v 1'", process.cwd()],
    ['git diff --quiet', '/tmp'],
  ]);
});

test('a scripted failure fails as the real thing does (R41)', async () => {
  const caught = task({
    summary: 'Catch.',
    run: ({ exec }) => exec(['tool']).catch((error: unknown) => (error instanceof CommandFailedError ? error.exitCode : error)),
  });

  expect(await with_({ 'git fetch': { exitCode: 128, stderr: 'no network\n' } })).toMatchObject({
    exitCode: 128,
    failure: { kind: 'command', message: '`git fetch` exited with code 128', command: 'git fetch' },
    outcome: { status: 'failed', tail: 'no network' },
  });
  expect((await with_({ 'git fetch': { signal: 'SIGKILL' } })).exitCode).toBe(137);
  expect((await with_({ 'git fetch': { notFound: true } })).failure?.message).toBe('`git` was not found on PATH');
  expect((await with_({ 'git fetch': { timedOut: true } })).failure).toMatchObject({ kind: 'timeout', exitCode: 124 });
  expect((await testTask(caught, { commands: { tool: { exitCode: 9 } } })).output).toBe(9);
});

test('a command without an answer fails, and says what is known (R41)', async () => {
  const tellOf = async (commands?: Script) => {
    const { outcome } = await testTask(release, commands === undefined ? {} : { commands });
    return outcome.status === 'failed' ? [outcome.failure.exitCode, outcome.tail] : outcome;
  };

  expect(await tellOf({ 'git pull': '' })).toEqual([127, 'the script has no answer to: git fetch\nknown are:\n  git pull']);
  expect(
    await tellOf([
      [/^docker/, ''],
      ['make', ''],
    ]),
  ).toEqual([127, 'the script has no answer to: git fetch\nknown are:\n  /^docker/\n  make']);
  expect(await tellOf(() => undefined)).toEqual([127, 'the script has no answer to: git fetch']);
  expect(await tellOf()).toEqual([127, 'the script has no answer to: git fetch']);
});

test('a list answers one time after the other, and says when it is used up (R41)', async () => {
  const poll = task({
    summary: 'Poll.',
    run: async ({ exec }) => [
      await exec(['state']).text(),
      await exec(['state']).text(),
      (await exec(['state'], { nothrow: true })).stderr,
    ],
  });

  const { output } = await testTask(poll, { commands: { state: ['waiting\n', 'ready\n'] } });

  expect(output).toEqual(['waiting', 'ready', 'the script has 2 answers to this, which were given: state\n']);
});

test('some commands can be run for real (R41)', async () => {
  const mixed = task({
    summary: 'Mixed.',
    run: async ({ $, exec }) => [await $`echo really $((1 + 1))`.text(), await exec(['deploy', 'x']).text()],
  });

  const { output, commands } = await testTask(mixed, {
    env: { PATH: process.env['PATH'] },
    commands: [
      [/^echo/, passThrough],
      ['deploy x', 'not really\n'],
    ],
  });

  expect(output).toEqual(['really 2', 'not really']);
  expect(commands).toHaveLength(2);
});

test('needs may be given as values; then only this body runs (R41)', async () => {
  const build = task({ summary: 'Build.', run: () => Promise.resolve('never') });
  const ship = task({
    summary: 'Ship.',
    needs: { build },
    passthrough: true,
    run: ({ needs, passthrough }) => [needs.build, ...passthrough],
  });

  const { output, events } = await testTask(ship, { needs: { build: 'a.out' }, passthrough: ['--fast'] });

  expect(output).toEqual(['a.out', '--fast']);
  expect(events.filter(({ type }) => type === 'step-started')).toHaveLength(1);
});

test('requirements and questions are left out, unless they are asked for (R17, R41)', async () => {
  const careful = task({
    summary: 'Careful.',
    requires: [{ id: 'moon', title: 'the moon', check: () => ({ problem: 'no moon' }) }],
    run: () => 1,
  });

  expect((await testTask(careful)).output).toBe(1);
  await expect(testTask(careful, { preflight: true })).rejects.toMatchObject({ exitCode: 3 });
});
