import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createResponder } from '../../lib/responder.ts';
import { task } from '../../lib/task.ts';
import { testTask } from '../../lib/testing.ts';
import { failure, shellIn } from '../support/shell.ts';

/** Asks for a password until it is `opensesame`, at most three times. */
const LOCK = `
  for try in 1 2 3; do
    printf 'Pass'; printf 'word: ' >&1
    read -r answer; echo "read $try"
    [ "$answer" = opensesame ] && { echo "welcome, $answer"; exit 0; }
    echo 'Sorry, try again.'
  done
  exit 9
`;

test('respond answers each prompt once, also when it comes in pieces and on either stream (R27)', async () => {
  const { $ } = shellIn(tmpdir()).shell;

  const result = await $({
    respond: [
      { when: 'Name? ', answer: 'ada\n' },
      { when: /go on\? \[y\/n\]/i, answer: 'y\n' },
    ],
  })`
    printf 'Na'; sleep 0.05; printf 'me? '; read name
    for turn in 1 2; do printf '\\033[1mGo on?\\033[0m [y/N] ' >&2; read answer; echo "$turn $name $answer"; done
  `;

  expect(result.stdout).toBe('Name? 1 ada y\n2 ada y\n');
});

test('an accepted password opens, and a refused one fails the command at once (R27)', async () => {
  const { shell, lines } = shellIn(tmpdir());
  const opened = (answer: string) =>
    shell.$({ respond: [{ when: /Password: $/, answer: `${answer}\n`, refused: 'try again', secret: true }] })`eval ${LOCK}`;

  expect((await opened('opensesame')).exitCode).toBe(0);
  const error = await failure(opened('wrong'));

  expect([error.message, error.exitCode, error.trouble]).toEqual([
    expect.stringMatching(/did not accept the answer to `\/Password: \$\/`$/),
    1,
    { kind: 'answer-refused', prompt: '/Password: $/' },
  ]);
  // Told once, and not a second time.
  expect(error.result.stdout).toContain('read 1');
  expect(error.result.stdout).not.toContain('read 2');
  expect(lines.join()).not.toContain('wrong');
});

test('a prompt that is its own refusal: asked again means refused (R27)', () => {
  const responder = createResponder([{ when: '[sudo] ', answer: 'x\n', refused: '[sudo] ' }]);

  expect(responder.push('stderr', '[sudo] ').answers).toEqual(['x\n']);
  expect(responder.push('stdout', '[sudo] ')).toMatchObject({ answers: [], refused: { answer: 'x\n' } });
});

test('a prompt is found across escape codes that are cut in two, and only in what was said after the last one', () => {
  const responder = createResponder([{ when: /^go\?$/m, answer: 'y', refused: 'no' }]);

  expect(responder.push('stdout', 'no no\n\u001B[3').answers).toEqual([]);
  expect(responder.push('stdout', '1mgo?')).toEqual({ answers: ['y'], refused: undefined });
  expect(responder.push('stdout', ' fine').refused).toBeUndefined();
});

test('a secret answer is *** in all that is shown, however short (R29)', async () => {
  const { shell, output } = shellIn(tmpdir());

  const error = await failure(
    shell.$({ respond: [{ when: 'PIN: ', answer: '4711\n', secret: true }] })`printf 'PIN: '; read pin; echo "you typed $pin"; exit 3`,
  );

  expect(output.join('')).toBe('stdout: PIN: stdout: you typed ***\n');
  expect([error.tail, error.exitCode]).toEqual(['PIN: you typed ***', 3]);
});

test('what would leave an option unheard is refused before anything starts (R27)', async () => {
  const { shell, lines } = shellIn(tmpdir());
  const respond = [{ when: 'x', answer: 'y' }];

  expect((await failure(shell.$({ respond, input: 'x' })`cat`)).message).toBe('a command cannot have `input` and `respond`');
  expect((await failure(shell.exec(['cat'], { respond, interactive: true, detached: true }))).message).toBe(
    'a command cannot have `respond`, `interactive` and `detached`',
  );
  expect((await failure(shell.$({ respond: [{ when: /x*/, answer: 'y' }] })`cat`)).message).toBe(
    '`respond`: /x*/ also fits where nothing is said',
  );
  expect(lines).toEqual([]);
});

test('a program that listens no more is no error, and one that reads on sees no end of its stdin (R27)', async () => {
  const { $ } = shellIn(tmpdir()).shell;

  const result = await $({ respond: [{ when: 'x', answer: 'a'.repeat(100_000) }] })`exec 0<&-; echo x; sleep 0.05; echo done`;

  expect(result.stdout).toBe('x\ndone\n');
});

test('scripted commands are answered and refused as real ones are (R27, R41)', async () => {
  const login = task({
    summary: 'Log in.',
    env: { PASSWORD: z.string().meta({ secret: true }) },
    run: ({ exec, env }) => exec(['login'], { respond: [{ when: 'Password: ', answer: `${env.PASSWORD}\n`, refused: 'denied' }] }),
  });
  const env = { PASSWORD: 'a long password' };

  const fine = await testTask(login, { env, commands: { login: 'Password: welcome\n' } });
  const denied = await testTask(login, { env, commands: { login: 'Password: denied: a long password\n' } });

  expect([fine.outcome.status, fine.commands[0]?.answers]).toEqual(['done', ['a long password\n']]);
  expect(denied.failure?.message).toBe('`login` did not accept the answer to `Password:`');
  expect(JSON.stringify(denied.events)).not.toContain('a long password');
});
