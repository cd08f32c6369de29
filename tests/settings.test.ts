import type { ProgramOptions } from '../lib/index.ts';
import { defineConfig, runTargets, task } from '../lib/index.ts';
import { beforeEach, expect, test } from 'vitest';
import { tasks } from './support/command-line.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const broken = task({ summary: 'Break.', run: ({ $ }) => $\`exit 3\` });
const fine = task({ summary: 'Work.', run: ({ print }) => print('fine\\n') });
const slow = task({ summary: 'Wait.', run: ({ $ }) => $\`sleep 100\` });
const jobs = task({ summary: 'Show.', input: { jobs: z.int().default(1) }, run: ({ input, print }) => print(input.jobs + '\\n') });
export default defineConfig({ tasks: { broken, fine, slow, jobs }, SETTINGS });
`;

let project: TestProject;
const configure = (settings: string): void => project.write('tasks.config.ts', CONFIG.replace('SETTINGS', settings));
beforeEach(() => {
  project = projectWith();
  configure('');
});
const here = (env: Record<string, string> = {}) => ({ cwd: project.root, env });
const originsOf = async (argv: readonly string[], env: Record<string, string> = {}): Promise<Record<string, unknown>> => {
  const said = await tasks([...argv, '--show-config', '--json'], here(env));
  expect(said).toMatchObject({ code: 0, stderr: '' });
  const { settings } = JSON.parse(said.stdout) as { settings: { name: string; value: unknown; origin: string }[] };
  return Object.fromEntries(
    settings.filter(({ origin }) => origin !== 'built-in').map(({ name, value, origin }) => [name, [value, origin]]),
  );
};

test('the command line goes over variables, these over the config, this over what is built in (R10)', async () => {
  expect(await originsOf([])).toEqual({});

  configure("jobs: 3, keepGoing: true, commandTimeout: '90s', reporter: 'lines'");
  expect(await originsOf([])).toEqual({
    jobs: [3, 'config'],
    keepGoing: [true, 'config'],
    commandTimeout: ['90s', 'config'],
    reporter: ['lines', 'config'],
  });
  expect(await originsOf([], { TASKS_JOBS: '5', TASKS_KEEP_GOING: 'no' })).toMatchObject({
    jobs: [5, 'TASKS_JOBS'],
    keepGoing: [false, 'TASKS_KEEP_GOING'],
  });
  expect(await originsOf(['-j7', '--keep-going'], { TASKS_JOBS: '5', TASKS_KEEP_GOING: 'no' })).toMatchObject({
    jobs: [7, 'command line'],
    keepGoing: [true, 'command line'],
  });
});

test('each of them changes the run', async () => {
  const code = async (argv: readonly string[], env: Record<string, string> = {}) => (await tasks(argv, here(env))).stdout;

  expect(await code(['broken', 'fine'])).not.toContain('fine');
  expect(await code(['broken', 'fine'], { TASKS_KEEP_GOING: '1' })).toContain('fine');
  expect((await tasks(['broken'], here({ TASKS_WARN_ONLY: 'true' }))).code).toBe(0);
  configure("keepGoing: true, commandTimeout: '50ms'");
  expect(await code(['broken', 'fine'])).toContain('fine');
  expect(await code(['--no-keep-going', 'broken', 'fine'])).not.toContain('fine');
  expect((await tasks(['slow'], here())).code).toBe(124);
});

test('of two that exclude each other the one said nearer counts', async () => {
  configure("reporter: 'json', failFast: true");

  expect(await originsOf(['-k'], { TASKS_QUIET: 'yes' })).toEqual({ quiet: [true, 'TASKS_QUIET'], keepGoing: [true, 'command line'] });
  expect(await originsOf(['-r', 'lines'], { TASKS_QUIET: 'yes' })).toMatchObject({ reporter: ['lines', 'command line'] });
});

test('a variable that holds what its option does not take is told with all else that is wrong; an empty one counts as absent', async () => {
  expect(await tasks(['fine'], here({ TASKS_JOBS: '', TASKS_QUIET: 'false' }))).toMatchObject({ code: 0, stdout: 'fine\n' });
  expect(await tasks(['fien'], here({ TASKS_JOBS: 'many', TASKS_TIMEOUT: '5', TASKS_YES: 'perhaps' }))).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: 4 things are wrong with this command line\n/),
  });
  const { stderr } = await tasks(['fine'], here({ TASKS_JOBS: 'many', TASKS_TIMEOUT: '5', TASKS_YES: 'perhaps' }));
  expect(stderr).toMatchInlineSnapshot(`
    "error: 3 things are wrong with this command line
      TASKS_JOBS: expected a whole number, got "many"
      TASKS_YES: expected true, false, yes, no, 1 or 0, got "perhaps"
      TASKS_TIMEOUT: expected a length of time such as 30s or 10m, got "5"
    "
  `);
});

test('a variable that nearly is one of ours is told; others may be whatever they like', async () => {
  const said = await tasks(['fine'], here({ TASKS_JBOS: '3', TASKS_OF_THE_DAY: 'x', TASK_JOBS: '1' }));

  expect(said).toMatchObject({ code: 0, stdout: 'fine\n' });
  expect(said.stderr).toMatchInlineSnapshot(`
    "note: \`TASKS_JBOS\` is no variable of taskwright; did you mean \`TASKS_JOBS\`?
    note: \`TASK_JOBS\` is no variable of taskwright; did you mean \`TASKS_JOBS\`?
    "
  `);
});

test('inputs of tasks are none of our options, whatever they are called (R11)', async () => {
  configure('jobs: 3');

  expect((await tasks(['jobs'], here({ TASKS_JOBS: '5' }))).stdout).toBe('1\n');
  expect((await tasks(['jobs', '--jobs', '4'], here())).stdout).toBe('4\n');
});

test('a wrong key or kind in the config is told with where, what was expected, and the nearest', async () => {
  configure("jbos: 3, keepGoing: 'yes', commandTimeout: 30, defaults: { jobs: { jobs: 2 } }");

  expect((await tasks(['fine'], here())).stderr).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not right
      \`jbos\` is nothing that a config may say; did you mean \`jobs\`?
      \`keepGoing\`: expected true or false, got "yes"
      \`commandTimeout\`: expected a length of time such as "30s", got 30
    "
  `);
});

test('a secret among the defaults is not shown (R29)', async () => {
  project.write(
    'tasks.config.ts',
    `import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const login = task({ summary: 'Log in.', input: { token: z.string().meta({ secret: true }), user: z.string() }, run() {} });
export default defineConfig({ tasks: { login }, defaults: { login: { token: 'open-sesame', user: 'ada' } } });`,
  );

  expect((await originsOf([]))['defaults']).toEqual([{ login: { token: '***', user: 'ada' } }, 'config']);
});

test('a program has the settings of its config, and its own over them; variables are not for it (R41)', async () => {
  const broken = task({ summary: 'x', run: () => Promise.reject(new Error('no')) });
  const fine = task({ summary: 'x', run: () => {} });
  const config = defineConfig({ tasks: { broken, fine }, keepGoing: true, dotenv: [] });
  const done = async (options: ProgramOptions, words: readonly string[] = []) =>
    (await runTargets(config, [...words, 'broken', 'fine'], { root: project.root, env: { TASKS_KEEP_GOING: 'false' }, ...options })).counts
      .done;

  expect(await done({})).toBe(1);
  expect(await done({ keepGoing: false })).toBe(0);
  expect(await done({}, ['--no-keep-going'])).toBe(0);
  expect(await done({ keepGoing: false }, ['-k'])).toBe(1);
});

test('--show-config tells each setting and where it comes from', async () => {
  configure("jobs: 3, defaults: { jobs: { jobs: 2 } }, grace: '1s', reporter: () => ({})");

  expect((await tasks(['--show-config'], here({ TASKS_ECHO: '1' }))).stdout.replace(project.root, '<root>')).toMatchInlineSnapshot(`
    "<root>/tasks.config.ts
    jobs            3  from config
    parallel        false
    keepGoing       false
    failFast        false
    timeout         not set
    commandTimeout  not set
    warnOnly        false
    yes             false
    noInput         false
    skipUnmet       false
    reporter        one of its own  from config
    quiet           false
    echo            true  from TASKS_ECHO
    verbose         false
    dotenv          [".env",".env.local"]
    defaults        {"jobs":{"jobs":2}}  from config
    grace           1s  from config
    shortFlags      not set
    "
  `);
});
