import { expect, test } from 'vitest';
import type { Command, CommandEnd, Runner } from '../../lib/runners/runner.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';

const end = (code: number): CommandEnd => ({ code, signal: undefined, trouble: undefined, stdout: '', stderr: '', tail: '', ms: 0 });

/** Commands that end when they are let go. */
function heldCommands() {
  const started: { readonly command: Command; readonly letGo: (code: number) => void }[] = [];
  let tell = (): void => {};
  const runner: Runner = {
    start(command) {
      let letGo: (code: number) => void = () => {};
      const ended = new Promise<CommandEnd>((resolve) => {
        letGo = (code) => resolve(end(code));
      });
      started.push({ command, letGo });
      tell();
      return { pid: undefined, ended, end: () => letGo(130), sweep: async () => 0 };
    },
  };
  const next = async (): Promise<(typeof started)[number]> => {
    while (started.length === 0)
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    const [one] = started.splice(0, 1);
    if (!one) throw new Error('no command');
    return one;
  };
  return { runner, next };
}

test('a step is not over before the commands it started are, awaited or not (R25)', async () => {
  const { runner, next } = heldCommands();
  const first = task({
    summary: 'first',
    id: 'first',
    run({ exec }) {
      void exec(['slow']);
      return 'value';
    },
  });
  const second = task({ summary: 'second', id: 'second', needs: { first }, run: ({ needs }) => needs.first });

  const running = carry([second], { runner });
  const slow = await next();
  slow.letGo(0);
  const { events, result } = await running;

  const order = events.flatMap((event) =>
    event.type === 'command-ended' || event.type === 'step-started' || event.type === 'step-ended' ? [`${event.type} ${event.step}`] : [],
  );
  expect(order).toEqual(['step-started first', 'command-ended first', 'step-ended first', 'step-started second', 'step-ended second']);
  expect(result.outputs).toEqual(['value']);
});

test('a failure that may be is shown with its command, and what needs it is left out (R20)', async () => {
  const { runner, next } = heldCommands();
  const audit = task({ summary: 'audit', mayFail: true, run: ({ exec }) => exec(['audit']) });
  const user = task({ summary: 'user', needs: { audit }, run() {} });
  const other = task({ summary: 'other', run() {} });

  const running = carry([user, other], { runner, names: { audit, user, other } });
  (await next()).letGo(4);
  const run = await running;

  expect(run.outcome('audit')).toMatchObject({ status: 'failed', mayFail: true, failure: { command: 'audit', exitCode: 4 } });
  expect([run.ended['user'], run.ended['other'], run.exitCode]).toEqual(['skipped', 'done', 0]);
});
