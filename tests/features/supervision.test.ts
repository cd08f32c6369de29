import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { localRunner } from '../../lib/runners/local.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';
import { projectWith } from '../support/project.ts';
import { SHAPES, shapeNames } from '../supervision/shapes.ts';
import { MARK, survivorsOf } from '../supervision/survivors.ts';

// A part of the matrix in tests/supervision/, in this process: the shapes of trees, each ended in one way.

test.each(shapeNames)('%s: nothing of it outlives a run that is told to stop (R24)', async (shape) => {
  const project = projectWith();
  const mark = randomUUID();
  const up = project.path('up');
  const stop = new AbortController();
  const lives = task({
    summary: 'lives',
    grace: '200ms',
    async run({ exec }) {
      await exec(['bash', '-c', SHAPES[shape]]);
      await exec(['sleep', '1000']);
    },
  });

  const running = carry([lives], {
    names: { lives },
    root: project.root,
    runner: localRunner(),
    env: { PATH: process.env['PATH'], UP: up, [MARK]: mark },
    signal: stop.signal,
  });
  while (!existsSync(up)) await pause(5);
  expect(survivorsOf(mark, project.root)).not.toEqual([]);
  stop.abort();

  expect((await running).ended).toEqual({ lives: 'stopped' });
  expect(survivorsOf(mark, project.root)).toEqual([]);
});

test('what moved away from its command is ended with the run, by name, whatever came of the run (R24)', async () => {
  const project = projectWith();
  const mark = randomUUID();
  const leaves = task({
    summary: 'leaves',
    run: ({ $ }) => $`setsid bash -c 'echo $$ > pid; exec sleep 1000' > /dev/null 2>&1 & until [ -s pid ]; do sleep 0.01; done`,
  });

  const run = await carry([leaves], {
    names: { leaves },
    root: project.root,
    runner: localRunner(),
    env: { PATH: process.env['PATH'], [MARK]: mark },
  });

  expect(run.ended).toEqual({ leaves: 'done' });
  expect(survivorsOf(mark, project.root)).toEqual([]);
  expect(run.events).toContainEqual(
    expect.objectContaining({
      type: 'notice',
      text: expect.stringMatching(/left behind by a command, and ended with the run: (sleep|bash)/),
    }),
  );
});

test('what is asked to stay, stays (R24)', async () => {
  const project = projectWith();
  const stays = task({ summary: 'stays', run: ({ exec }) => exec(['bash', '-c', 'echo $$ > pid; exec sleep 1000'], { detached: true }) });

  await carry([stays], { names: { stays }, root: project.root, runner: localRunner(), env: { PATH: process.env['PATH'] } });
  while (!existsSync(project.path('pid')) || readFileSync(project.path('pid'), 'utf8') === '') await pause(5);

  expect(process.kill(Number(readFileSync(project.path('pid'), 'utf8')), 'SIGKILL')).toBe(true);
});
