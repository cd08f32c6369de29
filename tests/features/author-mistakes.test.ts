import { expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../lib/errors.ts';
import type { Call, Task } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';
import { tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

const told = async (running: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error(`no UserError, but ${String(error)}`);
  return error;
};

test.each(['requires', 'provides', 'confirm', 'cwd', 'timeout', 'grace', 'interactive', 'mayFail', 'lock', 'sources'] as const)(
  'a `%s` that throws is told with its task and field, and nothing has run (R3, R17)',
  async (field) => {
    let hasRun = false;
    const other = task({ summary: 'other', run: () => void (hasRun = true) });
    const wrong = task({
      summary: 'wrong',
      [field]: () => {
        throw new Error('no such thing');
      },
      run() {},
    });

    const error = await told(carry([other, wrong], { names: { other, wrong } }));

    expect(error).toMatchObject({ code: 'plan-threw', exitCode: 2, message: `the \`${field}\` of \`wrong\` threw: no such thing` });
    expect(hasRun).toBe(false);
  },
);

test('a function of a declaration that throws shows the frames of the author (R20)', async () => {
  const project = projectWith({
    'tasks.config.ts': `import { defineConfig, task } from 'taskwright';
const wrong = task({ summary: 'wrong', requires: () => { throw new Error('no such thing'); }, run() {} });
export default defineConfig({ tasks: { wrong } });
`,
  });

  const { code, stderr } = await tasks(['wrong'], { cwd: project.root });

  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: the `requires` of `wrong` threw: no such thing\n  at requires \(tasks\.config\.ts:2:\d+\)\n/);
});

test('the failure of the first of 12,000 in a chain is told by the last, and no stack runs out (R20)', async () => {
  const link: Task<{ n: number }, void> = task({
    summary: 'link',
    input: { n: z.int() },
    needs: ({ input }): { before: Call<void> | undefined } => ({ before: input.n > 0 ? link({ n: input.n - 1 }) : undefined }),
    run({ input }) {
      if (input.n === 0) throw new Error('broken');
    },
  });

  const { outcome } = await carry([[link, { n: 12_000 }]], { names: { link }, keepGoing: true });

  expect(outcome('link (n=12000)')).toEqual({ status: 'skipped', because: 'need', reason: 'needs `link (n=0)`, which failed' });
});
