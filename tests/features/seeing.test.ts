import { beforeEach, expect, test } from 'vitest';
import { tasks } from '../support/command-line.ts';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';

const CONFIG = `
import { count, defineConfig, keyValue, path, task } from 'taskwright';
import { z } from 'zod';
const saying = (summary, more = {}) => task({ summary, run() {}, ...more });
const clean = saying('Remove what was built.', { group: 'Files' });
const full = task({
  summary: 'Take everything.',
  description: 'Two paragraphs,\\n\\nas they were written.',
  examples: ['full staging one.txt', 'full production --jobs 2'],
  aliases: ['f'],
  input: {
    target: z.enum(['staging', 'production']).describe('where to'),
    name: z.string().default('x').meta({ positional: true, env: 'FULL_NAME' }).describe('a name'),
    jobs: z.int().min(1).default(2).meta({ short: 'j' }),
    fast: z.boolean().default(true).describe('less careful'),
    tags: z.array(z.enum(['a', 'b'])).default([]),
    define: keyValue().default({}),
    level: count().meta({ short: 'v' }),
    color: z.union([z.boolean(), z.string()]).optional(),
    since: z.date().optional(),
    site: z.url().optional(),
    token: z.string().optional().meta({ secret: true }),
    internal: z.boolean().default(false).meta({ hidden: true }),
    files: z.array(path()).default([]).meta({ variadic: true }),
  },
  env: { DEPLOY_KEY: z.string().meta({ secret: true }), REGION: z.string().default('eu').describe('where it is') },
  passthrough: true,
  needs: { clean },
  post: [clean],
  run() {},
});
const deep = { api: { make: saying('Make the API pages.'), check: saying('Check them.') }, html: saying('Make the pages.') };
const echo = task({ summary: 'Echo.', input: { what: z.string().default('one') }, async run({ $, input }) { await $\`echo \${input.what}\`; } });
const inner = () => { throw new Error('from within'); };
const thrower = task({ summary: 'Throw.', run() { inner(); } });
const nothing = { hidden: saying('Unseen.', { hidden: true }) };
export default defineConfig({ tasks: { full, clean, lint: saying('Look for mistakes.', { group: 'Quality' }), docs: { default: deep.html, ...deep }, echo, thrower, nothing }, SETTINGS });
`;

let project: TestProject;
const configure = (settings: string): void => project.write('tasks.config.ts', CONFIG.replace('SETTINGS', settings));
beforeEach(() => {
  project = projectWith();
  configure('');
});
const shown = async (...argv: string[]): Promise<string> => (await tasks(argv, { cwd: project.root })).stdout;

test('help of a task tells all: usage, kinds, choices, defaults, variables, needs, what follows, names, examples, place', async () => {
  expect(await shown('full', '--help')).toMatchInlineSnapshot(`
    "tasks full <target> [name] [files...] [flags] [-- words...]

    Take everything.

    Two paragraphs,

    as they were written.

    Input
          --target staging|production  where to (required)
          --name TEXT                  a name (default x; variable FULL_NAME)
      -j, --jobs INT                   (default 2)
          --[no-]fast                  less careful (default true)
          --tags a|b …                 (each "a" or "b")
          --define NAME=VALUE
      -v, --level
          --color[=TEXT]
          --since DATE
          --site URL
          --token TEXT                 (secret)
          --files PATH …

    Variables
      DEPLOY_KEY  (required; secret)
      REGION      where it is (default eu)

    Needs
      clean

    Afterwards
      clean

    Other names
      f

    Examples
      $ tasks full staging one.txt
      $ tasks full production --jobs 2

    After \`full\`, \`--jobs\`, \`-j\` and \`-v\` are its own; taskwright's of that spelling stands before the first task.

    declared in tasks.config.ts:6
    "
  `);
  expect(await shown('full', '--help', '--all')).toContain('--internal');
});

test('help is as wide as the terminal, and plain in a pipe', async () => {
  const { stdout } = await tasks(['full', '--help'], { cwd: project.root, terminal: { columns: 44, rows: 20 } });

  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(44);
  expect(stdout).toMatchInlineSnapshot(`
    "tasks full <target> [name] [files...]
    [flags] [-- words...]

    Take everything.

    Two paragraphs,

    as they were written.

    Input
          --target staging|production
                           where to (required)
          --name TEXT      a name (default x;
                           variable FULL_NAME)
      -j, --jobs INT       (default 2)
          --[no-]fast      less careful (default
                           true)
          --tags a|b …     (each "a" or "b")
          --define NAME=VALUE
      -v, --level
          --color[=TEXT]
          --since DATE
          --site URL
          --token TEXT     (secret)
          --files PATH …

    Variables
      DEPLOY_KEY  (required; secret)
      REGION      where it is (default eu)

    Needs
      clean

    Afterwards
      clean

    Other names
      f

    Examples
      $ tasks full staging one.txt
      $ tasks full production --jobs 2

    After \`full\`, \`--jobs\`, \`-j\` and \`-v\` are
    its own; taskwright's of that spelling
    stands before the first task.

    declared in tasks.config.ts:6
    "
  `);
});

test("help shows the letters that shortFlags: 'auto' gives (R8)", async () => {
  configure("shortFlags: 'auto'");

  expect(await shown('echo', '--help')).toContain('-w, --what TEXT');
  expect(await shown('echo', '-wtwo')).toBe('two\n');
});

test('help of an alias and of a default is that of the task; of an unknown word the nearest', async () => {
  expect(await shown('f', '--help')).toBe(await shown('full', '--help'));
  expect(await shown('-h', 'docs')).toBe(await shown('docs.html', '-h'));
  expect(await tasks(['--help', 'ful'], { cwd: project.root })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean `full`?'),
  });
});

test('the list has groups under headings, defaults and aliases at their names', async () => {
  expect(await shown('--list')).toMatchInlineSnapshot(`
    "full (f)          Take everything.
    docs
      html (default)  Make the pages.
      api
        make          Make the API pages.
        check         Check them.
    echo              Echo.
    thrower           Throw.

    Files
      clean  Remove what was built.

    Quality
      lint  Look for mistakes.
    "
  `);
});

test('a namespace is listed with names that can be typed; help of one lists it', async () => {
  expect(await shown('-l', 'docs')).toMatchInlineSnapshot(`
    "docs.html (default)  Make the pages.
    api
      docs.api.make      Make the API pages.
      docs.api.check     Check them.
    "
  `);
  expect(await shown('docs.api', '--help')).toBe(await shown('-l', 'docs.api'));
  expect(await shown('docs.api')).toBe(await shown('-l', 'docs.api'));
});

test('--depth cuts, and counts what is below', async () => {
  expect(await shown('--list', '--depth', '1')).toMatchInlineSnapshot(`
    "full (f)  Take everything.
    docs      3 tasks
    echo      Echo.
    thrower   Throw.

    Files
      clean  Remove what was built.

    Quality
      lint  Look for mistakes.
    "
  `);
  expect((await tasks(['--list', '--depth', '0'], { cwd: project.root })).code).toBe(2);
});

test('where there are no tasks to show, that is said, and is no failure', async () => {
  expect(await tasks(['--list', 'nothing'], { cwd: project.root })).toEqual({ code: 0, stdout: 'no tasks in nothing\n', stderr: '' });
});

test('--list --json has every task with its inputs, as data (R42)', async () => {
  const list = JSON.parse(await shown('--list', '--json', 'docs')) as { tasks: { name: string }[] };

  expect(list.tasks.map(({ name }) => name)).toEqual(['docs.html', 'docs.api.make', 'docs.api.check']);
  expect(JSON.parse(await shown('echo', '--help', '--json'))).toMatchObject({
    name: 'echo',
    inputs: [{ name: 'what', flag: '--what', kind: { type: 'string' }, default: 'one' }],
  });
});

test('long names do not break the list: the column is capped', async () => {
  const name = 'a'.repeat(70);
  project.write(
    'tasks.config.ts',
    `import { defineConfig, task } from 'taskwright';\nexport default defineConfig({ tasks: { ${name}: task({ summary: 'Be long in name.' }), b: task({ summary: 'Be short.' }) } });\n`,
  );
  const { stdout } = await tasks(['--list'], { cwd: project.root, terminal: { columns: 60, rows: 20 } });

  expect(stdout.split('\n')).toEqual([name, `${' '.repeat(29)}Be long in name.`, `b${' '.repeat(28)}Be short.`, '']);
});

test('--echo shows each command before what it says; --verbose all frames of an error', async () => {
  const said = await tasks(['--echo', 'echo'], { cwd: project.root });
  expect(said.stdout).toBe('one\n');
  expect(said.stderr).toContain('$ echo one');

  const short = (await tasks(['thrower'], { cwd: project.root })).stderr;
  const long = (await tasks(['-v', 'thrower'], { cwd: project.root })).stderr;
  expect(short).not.toContain('node_modules');
  expect(long.split('\n').length).toBeGreaterThan(short.split('\n').length);
});

test('--list with the name of a task lists that task (R42)', async () => {
  expect(await shown('--list', 'full')).toMatch(/^full /);
});
