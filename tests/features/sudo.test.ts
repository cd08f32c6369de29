import { expect, test } from 'vitest';
import { z } from 'zod';
import { sudo } from '../../lib/sudo.ts';
import { task } from '../../lib/task.ts';
import type { Script } from '../../lib/testing.ts';
import { testTask } from '../../lib/testing.ts';

const PROMPT = '[taskwright] password for sudo: ';
const restart = task({
  summary: 'Restart.',
  input: { user: z.string().optional() },
  env: { PASSWORD: z.string().optional().meta({ secret: true }) },
  async run(context) {
    const { user } = context.input;
    const options = { ...(context.env.PASSWORD !== undefined && { password: context.env.PASSWORD }), ...(user !== undefined && { user }) };
    await sudo(context, ['restart', 'a b'], options);
    return (await sudo(context, ['status'], options)).text();
  },
});
const lines = (commands: Script, given: { env?: Record<string, string>; user?: string } = {}) =>
  testTask(restart, { commands, env: given.env ?? {}, input: given.user === undefined ? {} : { user: given.user } });

test('who is root needs no sudo; that is looked up once in a run (R25)', async () => {
  const { commands, output } = await lines({ 'id -u': '0\n', "restart 'a b'": '', status: 'up\n' });

  expect(commands.map(({ line }) => line)).toEqual(['id -u', "restart 'a b'", 'status']);
  expect(output).toBe('up');
});

test('who may use sudo freely is asked nothing', async () => {
  const { commands } = await lines([
    ['id -u', '1000\n'],
    [/^sudo/, ''],
  ]);

  expect(commands.map(({ line }) => line)).toEqual(['id -u', 'sudo -n true', "sudo -n -- restart 'a b'", 'sudo -n -- status']);
});

test('a password is typed at the prompt, and is on no command line, in no event and no log (R29)', async () => {
  const { commands, events } = await lines(
    [
      ['id -u', '1000\n'],
      [/^sudo -S/, `${PROMPT}welcome, geheimes wort\n`],
    ],
    { env: { PASSWORD: 'geheimes wort' } },
  );

  expect(commands.map(({ line, answers }) => [line, answers])).toEqual([
    ['id -u', []],
    [`sudo -S -p '${PROMPT}' -- restart 'a b'`, ['geheimes wort\n']],
    [`sudo -S -p '${PROMPT}' -- status`, ['geheimes wort\n']],
  ]);
  expect(JSON.stringify(events)).not.toContain('geheimes wort');
});

test('a refused password fails the command', async () => {
  const { failure } = await lines(
    [
      ['id -u', '1000\n'],
      [/^sudo -S/, { stdout: `${PROMPT}Sorry, try again.\n${PROMPT}`, exitCode: 1 }],
    ],
    { env: { PASSWORD: 'wrong' } },
  );

  expect(failure).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('did not accept the answer to `[taskwright] password for sudo:`'),
  });
});

test('another user goes through sudo, for root as well', async () => {
  const { commands } = await lines(
    [
      ['id -u', '0\n'],
      [/^sudo/, ''],
    ],
    { user: 'postgres' },
  );

  expect(commands.map(({ line }) => line).slice(0, 2)).toEqual(['sudo -n -u postgres true', "sudo -n -u postgres -- restart 'a b'"]);
});

test('a password that nobody can be asked for is one clear error', async () => {
  const { failure } = await lines([
    ['id -u', '1000\n'],
    [/^sudo -n/, { exitCode: 1, stderr: 'sudo: a password is required\n' }],
    [/^sudo/, { exitCode: 1, stderr: 'sudo: a terminal is required to read the password\n' }],
  ]);

  expect(failure).toMatchObject({
    message: 'sudo needs a password here, and there is no terminal to ask for it',
    hint: 'Give `password` from a secret variable, or set `SUDO_ASKPASS`.',
  });
});
