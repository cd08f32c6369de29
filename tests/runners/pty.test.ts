import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { localRunner } from '../../lib/runners/local.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';
import { failure, shellIn, until } from '../support/shell.ts';

const size = { columns: 91, rows: 17 };
const inPty = () => shellIn(tmpdir(), { pty: size });

test('a command sees a terminal of our size, and what it writes there is its stdout (R28)', async () => {
  const { shell, output } = inPty();

  const result = await shell.$`test -t 0 && test -t 1 && test -t 2 && stty size; echo err >&2; printf '\\033[31mred\\033[0m\n'`;

  expect(result.stdout).toBe('17 91\nerr\nred\n');
  expect(output.join('')).toContain('\u001B[31mred');
  expect(await shell.exec(['tty']).text()).toMatch(/^\/dev\/pts\//);
});

test('what is captured for the body, or fed by it, is a pipe as ever (R28)', async () => {
  const { $ } = inPty().shell;

  expect(await $({ quiet: true })`test -t 1 || echo pipe`.text()).toBe('pipe');
  expect(await $({ input: 'fed' })`cat; test -t 1 || echo ' pipe'`.text()).toBe('fed pipe');
});

test('its input is at its end, unless prompts are answered; then those on the terminal itself are heard too (R27, R28)', async () => {
  const { $ } = inPty().shell;

  expect(await $`cat; echo over`.text()).toBe('over');
  const asked = await $({
    respond: [{ when: 'Password: ', answer: 'geheim\n', secret: true }],
  })`stty -echo; printf 'Password: ' > /dev/tty; read -r answer < /dev/tty; echo "got $answer"`;
  expect(asked.text()).toBe('Password: got geheim');
});

test('a terminal echoes what is typed: a secret is *** there (R29)', async () => {
  const { shell, output } = inPty();

  await shell.$({ respond: [{ when: 'PIN: ', answer: '4711\n', secret: true }] })`printf 'PIN: '; read pin; echo ok`;

  expect(output.join('').replaceAll('stdout: ', '')).toBe('PIN: ***\nok\n');
});

test('failures tell the same as through a pipe (R27)', async () => {
  const { $, exec } = inPty().shell;

  expect((await failure($`echo last words; exit 3`)).exitCode).toBe(3);
  expect((await failure($`kill -KILL $$`)).signal).toBe('SIGKILL');
  expect(await failure(exec(['no-such-program-anywhere']))).toMatchObject({
    exitCode: 127,
    message: '`no-such-program-anywhere` was not found on PATH',
  });
  expect((await failure($({ timeout: '50ms' })`sleep 60`)).exitCode).toBe(124);
});

test('it is ended with all that it started (R24)', async () => {
  const { shell, output } = shellIn(tmpdir(), { pty: size, graceMs: 60_000 });
  const command = shell.$`(trap '' HUP; trap 'echo term; exit' TERM; echo ready; while :; do sleep 0.05; done) & wait`;
  await until(output, 'ready');

  shell.end('SIGTERM');
  await failure(command);
  expect((await shell.close()).swept).toBe(0);
});

test('100,000 lines arrive whole (R28)', async () => {
  expect((await inPty().shell.$`seq 100000`).lines()).toHaveLength(100_000);
});

test('pty: true of a task; where none is to be had a notice says so once, and commands get a pipe (R28)', async () => {
  const where = task({
    summary: 'Say where it writes.',
    pty: true,
    async run({ $ }) {
      return [await $`test -t 1 && echo terminal || echo pipe`.text(), await $`test -t 1 && echo terminal || echo pipe`.text()];
    },
  });
  const env = { PATH: process.env['PATH'] };

  const there = await carry([where], { runner: localRunner(), env });
  const missing = await carry([where], { runner: localRunner(async () => ({ problem: 'it is not installed' })), env });

  expect(there.result.outputs).toEqual([['terminal', 'terminal']]);
  expect(missing.result.outputs).toEqual([['pipe', 'pipe']]);
  expect(missing.events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))).toEqual([
    'no pseudo-terminal is to be had, so commands get a pipe: it is not installed (`npm install --save-dev @lydell/node-pty`)',
  ]);
});
