/**
 * Trees of processes that are hard to end, as lines of bash. Each makes the file `$UP` when all of it is
 * there, and then lives for as long as it is let.
 */
export const SHAPES = {
  plain: 'touch "$UP"; exec sleep 1000',
  grandchildren: 'sleep 1000 & (sleep 1000; true) & touch "$UP"; wait',
  // It leaves the group, the session and its parent.
  'double fork': 'setsid bash -c \'setsid sleep 1000 & touch "$UP"; exec sleep 1000\' <&- >&- 2>&- & disown; sleep 1000; true',
  'double fork that ignores signals':
    'setsid bash -c \'trap "" TERM INT HUP; sleep 1000 & touch "$UP"; while true; do sleep 1000; done\' >/dev/null 2>&1 & sleep 1000; true',
  'ignores signals': 'trap "" TERM INT HUP; touch "$UP"; while true; do sleep 1000; done',
  stopped: 'sleep 1000 & kill -STOP $!; touch "$UP"; kill -STOP $$; sleep 1000',
  // The leader is over at once, and what it started has our pipe.
  'holds our pipe': 'sleep 1000 & disown; touch "$UP"',
  'without variables': 'env -i sleep 1000 & touch "$UP"; exec env -i sleep 1000',
} as const;

export type Shape = keyof typeof SHAPES;
export const shapeNames = Object.keys(SHAPES) as Shape[];

/**
 * A config with the task `end`: it starts the shapes of `SHAPES`, waits until they are there, and comes to
 * the end that it was asked for.
 *
 * @param library  where `taskwright` is imported from
 */
export const configFor = (library: string): string => `
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineConfig, task } from '${library}';
import { z } from 'zod';

const SHAPES = ${JSON.stringify(SHAPES)};
const up = async () => { while (!existsSync(process.env.UP)) await pause(10); };
const input = { shape: z.enum(Object.keys(SHAPES)), how: z.enum(['wait', 'throw', 'exit', 'timeout', 'command-timeout']).default('wait') };
const grace = '500ms';

export const end = task({
  summary: 'Start processes, and come to an end.',
  input,
  grace,
  timeout: ({ input }) => (input.how === 'timeout' ? '1s' : undefined),
  async run({ input, exec }) {
    const limit = input.how === 'command-timeout' ? { timeout: '1s' } : {};
    const started = exec(['bash', '-c', SHAPES[input.shape]], limit);
    started.catch(() => {});
    if (input.how !== 'timeout' && input.how !== 'command-timeout') await up();
    if (input.how === 'throw') throw new Error('broke');
    if (input.how === 'exit') process.exit(7);
    await started;
    await exec(['sleep', '1000'], limit);
  },
});
const breaks = task({ summary: 'Fail as soon as the others are up.', async run() { await up(); throw new Error('broke'); } });
const both = task({ summary: 'Both.', input: { shape: input.shape }, needs: ({ input }) => [end(input), breaks()] });

export default defineConfig({ tasks: { end, both } });
`;
