import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run } from '../../lib/api.ts';
import { createCli } from '../../lib/cli/create-cli.ts';
import { CommandFailedError } from '../../lib/errors.ts';
import { task } from '../../lib/task.ts';
import { scriptedRunner, testTask } from '../../lib/testing.ts';
import { hostAt, tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

// Rows of docs/coming-from-invoke.md that no other test is about.

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const says = (summary, more) => task({ summary, run: ({ name, print }) => print('ran ' + name + '\\n'), ...more });
const dashed = says('Dashed.', { input: { noCache: z.boolean().default(false), loudLevel: z.int().default(0) } });
const refuses = says('False.', { run: () => false });
const where = says('Where.', { run: ({ root, invocationDir, cwd, print }) => print([root, invocationDir, cwd].join('\\n')) });
const quiet = says('Quiet.', { input: { quiet: z.boolean().default(true).meta({ env: 'QUIET' }) }, run: ({ input, print }) => print(String(input.quiet)) });
const slow = says('Slow.', { run: ({ $ }) => $\`sleep 60\` });
const inner = () => { throw new Error('deep') };
const throws = says('Throw.', { run: () => inner() });
const fails = says('Fail.', { run: ({ $ }) => $\`exit 3\` });
const page = says('Pages.', { aliases: ['pages'] });
export default defineConfig({ tasks: { dashed, refuses, where, quiet, slow, throws, fails, docs: { default: page, api: { default: says('API.') } } } });
`;

const inProject = () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'deep/down/here.txt': '' });
  return {
    ...project,
    say: (argv: readonly string[], env: Record<string, string> = {}, cwd = project.root) => tasks(argv, { cwd, env }),
  };
};

test('core help needs no config, is in groups, and ends with 0', async () => {
  const said = await tasks(['--help'], { cwd: projectWith().root });

  expect(said).toMatchObject({ code: 0, stderr: '' });
  for (const heading of ['Look', 'Where', 'Foresee', 'Run', 'Answer', 'Show']) expect(said.stdout).toMatch(new RegExp(`^${heading}$`, 'm'));
});

test('-C starts the search in another folder, relative to where one stands, and upwards from it', async () => {
  const project = inProject();

  const said = await tasks(['-C', join('..', 'project', 'deep', 'down'), 'where'], { cwd: project.root });

  expect(said.stdout).toBe([project.root, project.path('deep', 'down'), project.root].join('\n'));
});

test('every name that the list shows can be called', async () => {
  const { say } = inProject();
  const list = JSON.parse((await say(['--list', '--json'])).stdout) as { tasks: { name: string; aliases: string[] }[] };
  const names = list.tasks.flatMap(({ name, aliases }) => [name, ...aliases]);

  expect(names).toEqual(expect.arrayContaining(['docs', 'docs.pages', 'docs.api']));
  for (const name of names) expect(await say([name, '--plan'])).toMatchObject({ code: 0 });
});

test('a flag with underscores is refused, and its spelling told', async () => {
  const { say } = inProject();

  expect((await say(['dashed', '--no_cache'])).stderr).toContain('Did you mean `--no-cache`?');
  expect((await say(['dashed', '--loudLevel=3'])).stderr).toContain('Did you mean `--loud-level`?');
});

test('`false` in a variable means false, for an input as for an own option', async () => {
  const { say } = inProject();

  expect((await say(['quiet'], { QUIET: 'false' })).stdout).toBe('false');
  expect((await say(['quiet'], { QUIET: '0' })).stdout).toBe('false');
  expect((await say(['fails', 'dashed'], { TASKS_KEEP_GOING: 'false' })).stdout).toBe('');
  expect((await say(['fails', 'dashed'], { TASKS_KEEP_GOING: 'true' })).stdout).toContain('ran dashed');
});

test('TASKS_COMMAND_TIMEOUT is a length of time, read before anything runs', async () => {
  const { say } = inProject();

  expect((await say(['slow'], { TASKS_COMMAND_TIMEOUT: '20ms' })).code).toBe(124);
  expect((await say(['slow'], { TASKS_COMMAND_TIMEOUT: '20' })).stderr).toContain('expected a length of time such as 30s or 10m');
});

test('TASKS_VERBOSE=1 shows all frames of an error, which are left out else', async () => {
  const { say } = inProject();

  expect((await say(['throws'])).stderr).not.toMatch(/at .*lib\/body\.ts/);
  expect((await say(['throws'], { TASKS_VERBOSE: '1' })).stderr).toMatch(/at .*lib\/body\.ts/);
});

test('a task that returns false is done: a failure is thrown', async () => {
  const { say } = inProject();

  expect((await say(['refuses'])).code).toBe(0);
});

test('each call has a context of its own, and what one command was given is not there for the next', async () => {
  const contexts: object[] = [];
  const part = task({
    summary: 'A part.',
    input: { of: z.string() },
    async run(context) {
      contexts.push(context, context.$);
      await context.$({ cwd: '/', env: { GIVEN: 'x' }, nothrow: true })`exit 1`;
      return (await context.$`echo $PWD \${GIVEN-unset}`.text()).trim();
    },
  });
  const both = task({ summary: 'Both.', needs: [part({ of: 'a' }), part({ of: 'b' })], run: ({ needs }) => needs });
  const { root } = projectWith();

  expect(await run(both, {}, { root })).toEqual([`${root} unset`, `${root} unset`]);
  expect(new Set(contexts).size).toBe(4);
});

test('what a failed command said last has both streams in the order in which they came', async () => {
  const talks = task({
    summary: 'Talk.',
    async run({ $ }) {
      // It goes on when it was heard: of two pipes nobody could tell which came first.
      const heard = ['out 1', 'err 1', 'out 2', 'err 2'].map((when) => ({ when, answer: '\n' }));
      const error: unknown = await $({ respond: heard })`for i in 1 2; do echo out $i; read; echo err $i >&2; read; done; exit 1`.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      return error instanceof CommandFailedError ? error.tail : '';
    },
  });

  expect(await run(talks)).toBe('out 1\nerr 1\nout 2\nerr 2');
});

test('a scripted command is recorded with its folder and variables, and answered with a whole result', async () => {
  const builds = task({
    summary: 'Build.',
    async run({ $ }) {
      const { stdout, stderr, exitCode, ok } = await $({ cwd: '/tmp', env: { MODE: 'fast' }, nothrow: true })`make all`;
      return { stdout, stderr, exitCode, ok };
    },
  });

  const { output, commands } = await testTask(builds, { commands: { 'make all': { stdout: 'o', stderr: 'e', exitCode: 2 } } });

  expect(output).toEqual({ stdout: 'o', stderr: 'e', exitCode: 2, ok: false });
  expect(commands).toMatchObject([{ line: 'make all', cwd: '/tmp', env: { MODE: 'fast' } }]);
});

test('a program may run commands elsewhere: a runner is handed in', async () => {
  const runner = scriptedRunner({ uname: 'Elsewhere\n' });

  expect(await run(task({ summary: 'Where.', run: ({ exec }) => exec(['uname']).text() }), {}, { runner })).toBe('Elsewhere');
});

test('a group of tasks is a target: a task without a body, with what it needs', async () => {
  const part = task({ summary: 'A part.', input: { of: z.string() }, run: ({ input, print }) => print(`${input.of}\n`) });
  const all = task({ summary: 'All parts.', needs: [part({ of: 'a' }), part({ of: 'b' })] });
  const { host, said } = hostAt({ cwd: projectWith().root });

  expect(await createCli({ name: 'acme', version: '1', config: { tasks: { all, part } } }).main(['all', '-q'], host)).toBe(0);
  expect(said.stdout.split('\n').toSorted()).toEqual(['', 'a', 'b']);
});
