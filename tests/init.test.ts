import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tasks } from './support/command-line.ts';
import { typesOf } from './support/compile.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

const SCRIPTS = {
  build: 'echo built',
  'build:prod': 'echo built for production',
  prebuild: 'echo before',
  postbuild: 'echo behind',
  'lint_all:js fix': 'echo lint',
  'docs:api:make': "echo `echo inner` \\\\ 'quo\"ted' ${HOME:+home}",
  'docs:make': "echo 'docs'",
  delete: 'echo deleted',
  all: 'npm run build && npm run lint',
  prepare: 'husky',
  task: 'npx tasks build',
  'lint-all:jsFix': 'echo the same name',
  odd: 3,
  '!': 'echo no name',
};

test('--init turns package.json scripts into a config and task files, and says what it left (R5)', async () => {
  const project = projectWith({ 'package.json': JSON.stringify({ name: 'x', scripts: SCRIPTS, devDependencies: { zod: '4' } }) });

  const said = await tasks(['--init'], { cwd: project.root });

  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(said.stdout).toMatchInlineSnapshot(`
    "wrote tasks.config.ts
    wrote tasks/build.ts
    wrote tasks/lint-all.ts
    wrote tasks/docs-api.ts
    wrote tasks/docs.ts
    wrote tasks/main.ts
    10 tasks taken over
      note: \`lint_all:js fix\` is called \`lint-all.js-fix\` now
      note: \`docs.api.make\` uses variables of the shell: here one that is not set is an error (\`\${NAME:-}\` allows it)
      note: \`all\` calls npm for other scripts: \`needs\`, or \`call\` in a body, would know of them
      note: \`prepare\` stays where it is: npm runs it by itself
      note: \`task\` stays where it is: it calls taskwright
      note: \`lint-all:jsFix\` is called \`lint-all.js-fix\` now
      note: \`odd\` is no text
      note: \`!\` has no name that a task could have
      note: \`lint-all:jsFix\` is left out: \`lint_all:js fix\` has the name \`lint-all.js-fix\` already
    next:
      npm install --save-dev taskwright
      npx tasks --list
      in tsconfig.json, \`"allowImportingTsExtensions": true\` with \`"noEmit": true\` lets \`tsc\` check these files
    "
  `);
  expect(project.read('tasks.config.ts')).toMatchInlineSnapshot(`
    "import { defineConfig } from 'taskwright';
    import * as build from './tasks/build.ts';
    import * as lintAll from './tasks/lint-all.ts';
    import * as docsApi from './tasks/docs-api.ts';
    import * as docs from './tasks/docs.ts';
    import * as main from './tasks/main.ts';

    export default defineConfig({
      tasks: {
        ...main,
        build,
        lintAll,
        docs: {
          ...docs,
          api: docsApi,
        },
      },
    });
    "
  `);
  expect(project.read('tasks/build.ts')).toMatchInlineSnapshot(`
    "import { task } from 'taskwright';

    export const preBuild = task({
      summary: 'echo before',
      hidden: true,
      passthrough: true,
      run: ({ $, passthrough }) => $\`echo before \${passthrough}\`,
    });

    export const postBuild = task({
      summary: 'echo behind',
      hidden: true,
      passthrough: true,
      run: ({ $, passthrough }) => $\`echo behind \${passthrough}\`,
    });

    const theDefault = task({
      summary: 'echo built',
      passthrough: true,
      needs: [preBuild],
      post: [postBuild],
      run: ({ $, passthrough }) => $\`echo built \${passthrough}\`,
    });
    export default theDefault;

    export const prod = task({
      summary: 'echo built for production',
      passthrough: true,
      run: ({ $, passthrough }) => $\`echo built for production \${passthrough}\`,
    });
    "
  `);
  const listed = (await tasks(['--list', '--all', '--flat'], { cwd: project.root })).stdout.trim().split('\n');
  expect(listed.toSorted((a, b) => a.localeCompare(b))).toMatchInlineSnapshot(`
    [
      "all               npm run build && npm run lint",
      "build (default)   echo built",
      "build.post-build  echo behind",
      "build.pre-build   echo before",
      "build.prod        echo built for production",
      "delete            echo deleted",
      "docs.api.make     echo \`echo inner\` \\\\ 'quo"ted' \${HOME:+home}",
      "docs.make         echo 'docs'",
      "lint-all.js-fix   echo lint",
    ]
  `);
  expect(typesOf(project)).toBe('');
});

test('what a script did, its task does, with the words after -- behind it', async () => {
  const project = projectWith({ 'package.json': JSON.stringify({ scripts: SCRIPTS }) });
  await tasks(['--init'], { cwd: project.root });
  const run = async (...argv: string[]): Promise<string> => (await tasks(argv, { cwd: project.root })).stdout;

  expect(await run('docs.api.make', '--', 'a b')).toBe('inner \\ quo"ted home a b\n');
  expect(await run('delete')).toBe('deleted\n');
  expect(await run('build')).toMatch(/before[^]*built[^]*behind/);
});

const AWKWARD = {
  build: 'echo built',
  'build:prod': 'echo prod',
  'build:prod:fast': 'echo fast',
  'build:default': 'echo its own default',
  'prebuild:prod': 'echo before prod',
  pretest: 'echo before',
  test: 'echo tested',
  posttest: 'echo behind',
  'test:*': 'echo all',
  '1st': 'echo first',
  'step-2': 'echo second',
  constructor: 'echo constructed',
  ['__proto__']: 'echo proto',
  toString: 'echo text',
  // oxlint-disable-next-line unicorn/no-thenable -- what is awkward is what is tried
  then: 'echo then',
  await: 'echo awaited',
  default: 'echo default',
  theDefault: 'echo the default',
  class: 'echo class',
  classTask: 'echo class task',
  list: 'echo list',
  main: 'echo main',
  'main:x': 'echo x',
  task: 'echo task',
  count: 'echo count',
  z: 'echo z',
  "it's": "echo 'it'\\''s'",
  'q"uote': 'echo "quote"',
  'new\nline': 'echo one\necho two',
  'défi é': 'echo é',
  escape: 'echo \\`x\\` \\${y} \\\\u0041 "*/"',
};

test('scripts with awkward names become tasks that type-check, list and run', async () => {
  const project = projectWith({ 'package.json': JSON.stringify({ scripts: AWKWARD }) });

  const said = await tasks(['--init'], { cwd: project.root });

  expect(said.stderr).toBe('');
  expect(said.stdout.match(/^ {2}note: .*$/gm)).toMatchInlineSnapshot(`
    [
      "  note: \`build:default\` is called \`build.default-task\` now",
      "  note: \`test:*\` has no name that a task could have",
      "  note: \`__proto__\` is called \`proto\` now",
      "  note: \`toString\` is called \`to-string\` now",
      "  note: \`default\` is called \`default-task\` now",
      "  note: \`theDefault\` is called \`the-default\` now",
      "  note: \`classTask\` is called \`class-task\` now",
      "  note: \`it's\` is called \`it-s\` now",
      "  note: \`q"uote\` is called \`q-uote\` now",
      "  note: \`new\\nline\` is called \`new-line\` now",
      "  note: \`défi é\` is called \`défi-é\` now",
      "  note: \`escape\` uses variables of the shell: here one that is not set is an error (\`\${NAME:-}\` allows it)",
    ]
  `);
  expect(typesOf(project)).toBe('');
  const listed = await tasks(['--list', '--all', '--flat'], { cwd: project.root });
  expect(listed.stderr).toBe('');
  expect(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/ {2,}.*/, '')),
  ).toMatchInlineSnapshot(`
    [
      "1st",
      "step-2",
      "constructor",
      "proto",
      "to-string",
      "then",
      "await",
      "default-task",
      "the-default",
      "class",
      "class-task",
      "list",
      "task",
      "count",
      "z",
      "it-s",
      "q-uote",
      "new-line",
      "défi-é",
      "escape",
      "build (default)",
      "build.default-task",
      "build.prod (default)",
      "build.prod.fast",
      "build.prod.pre-prod",
      "test (default)",
      "test.post-test",
      "test.pre-test",
      "main (default)",
      "main.x",
    ]
  `);
  const run = async (name: string): Promise<string> => (await tasks([name], { cwd: project.root })).stdout;
  expect([await run('1st'), await run('then'), await run('new-line'), await run('it-s'), await run('escape'), await run('class')]).toEqual([
    'first\n',
    'then\n',
    'one\ntwo\n',
    "it's\n",
    '`x` ${y} \\u0041 */\n',
    'class\n',
  ]);
});

const PYTHON = JSON.stringify([
  {
    name: 'deploy',
    aliases: ['d'],
    isDefault: true,
    help: "Deploy it.\n\nTakes a while, and says 'done'.",
    arguments: [
      { names: ['target', 't'], kind: 'str', help: 'where to', positional: true, optional: false, counts: false, default: null },
      { names: ['dry-run', 'd'], kind: 'bool', help: null, positional: false, optional: false, counts: false, default: false },
      { names: ['cache'], kind: 'bool', help: null, positional: false, optional: false, counts: false, default: true },
      { names: ['label', 'l'], kind: 'list', help: null, positional: false, optional: false, counts: false, default: [] },
      { names: ['color'], kind: 'str', help: null, positional: false, optional: true, counts: false, default: null },
      { names: ['verbose', 'v'], kind: 'int', help: null, positional: false, optional: false, counts: true, default: 0 },
      { names: ['n'], kind: 'int', help: null, positional: true, optional: false, counts: false, default: 4 },
      { names: ['ratio'], kind: 'float', help: null, positional: false, optional: false, counts: false, default: 0.5 },
      { names: ['note'], kind: 'str', help: null, positional: false, optional: false, counts: false, default: null },
      { names: ['point'], kind: 'tuple', help: null, positional: false, optional: false, counts: false, default: null },
      { names: ['help'], kind: 'str', help: null, positional: false, optional: false, counts: false, default: null },
    ],
    before: ['docs.make-all'],
    after: [],
  },
  { name: 'docs.make-all', aliases: [], isDefault: false, help: null, arguments: [], before: [], after: [] },
]);
const LIST = JSON.stringify({
  name: 'tasks',
  help: null,
  default: 'deploy',
  tasks: [{ name: 'deploy', help: 'Deploy it.', aliases: ['d'] }],
  collections: [{ name: 'docs', help: null, default: null, tasks: [{ name: 'make-all', help: null, aliases: [] }], collections: [] }],
});

/** A program that answers `--list` as Invoke does, and shows other words; its Python says `python`. */
function projectWithInvoke(python: string): TestProject {
  const project = projectWith({
    'tasks.py': '',
    'package.json': '{"scripts":{"check":"echo checked"}}',
    'list.json': LIST,
    'told.json': python,
  });
  project.write('bin/python', `#!/bin/sh\n[ "$1" = -c ] && exec cat '${project.path('told.json')}'\nshift\nprintf '[%s]' "$@"\necho\n`, {
    mode: 0o755,
  });
  project.write('bin/invoke', `#!${project.path('bin/python')}\n# a stand-in\n`, { mode: 0o755 });
  return project;
}

test('--init gives each task of Invoke its typed inputs, and a body that calls it', async () => {
  const project = projectWithInvoke(PYTHON);
  project.write(
    'bin/python',
    readFileSync(project.path('bin/python'), 'utf8').replace(
      'shift\n',
      `shift\n[ "$1" = --list ] && exec cat '${project.path('list.json')}'\n`,
    ),
  );
  const place = { cwd: project.root, env: { PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}` } };

  const said = await tasks(['--init'], place);

  expect(said.stderr).toBe('');
  expect(said.stdout).toMatchInlineSnapshot(`
    "wrote tasks.config.ts
    wrote tasks/main.ts
    wrote tasks/docs.ts
    wrote tasks/npm.ts
    3 tasks taken over
      note: \`deploy\`: \`--point\` is of the kind \`tuple\` in Python; here it is a text
      note: \`deploy\`: the argument \`help\` has no name that an input could have
      note: the bodies of Invoke tasks stay in Python: each task calls \`invoke\`, until its body is written anew
    next:
      npm install --save-dev taskwright zod
      npx tasks --list
      in tsconfig.json, \`"allowImportingTsExtensions": true\` with \`"noEmit": true\` lets \`tsc\` check these files
    "
  `);
  expect(project.read('tasks/main.ts')).toMatchInlineSnapshot(`
    "import { count, task } from 'taskwright';
    import { z } from 'zod';

    export const deploy = task({
      summary: 'Deploy it.',
      description: 'Takes a while, and says \\'done\\'.',
      aliases: ['d'],
      input: {
        target: z.string().meta({ short: 't' }).describe('where to'),
        dryRun: z.boolean().default(false).meta({ short: 'd' }),
        cache: z.boolean().default(true),
        label: z.array(z.string()).default([]).meta({ short: 'l' }),
        color: z.union([z.boolean(), z.string()]).optional(),
        verbose: count().meta({ short: 'v' }),
        n: z.int().default(4).meta({ positional: true }),
        ratio: z.number().default(0.5),
        note: z.string().optional(),
        point: z.string().optional(),
      },
      // Invoke runs docs.make-all before it: with a body of its own this task says so in \`needs\` and \`post\`.
      run: ({ input, exec }) => exec(['invoke', 'deploy', \`--target=\${input.target}\`, ...(input.dryRun ? ['--dry-run'] : []), ...(input.cache ? [] : ['--no-cache']), ...input.label.map((one) => \`--label=\${one}\`), ...(input.color === undefined || input.color === false ? [] : input.color === true ? ['--color'] : [\`--color=\${input.color}\`]), ...Array.from({ length: input.verbose }, () => '--verbose'), \`-n\${input.n}\`, \`--ratio=\${input.ratio}\`, ...(input.note === undefined ? [] : [\`--note=\${input.note}\`]), ...(input.point === undefined ? [] : [\`--point=\${input.point}\`])]),
    });
    export default deploy;
    "
  `);
  expect(typesOf(project)).toBe('');
  expect((await tasks(['--list'], place)).stdout).toMatchInlineSnapshot(`
    "deploy (default, d)  Deploy it.
    docs
      make-all           docs.make-all
    npm
      check              echo checked
    "
  `);
  const line = ['deploy', 'here', '--dry-run', '--no-cache', '-l', 'a b', '-lc', '--color', '-vv', '--note=--x'];
  expect((await tasks(line, place)).stdout).toMatchInlineSnapshot(`
    "[deploy][--target=here][--dry-run][--no-cache][--label=a b][--label=c][--color][--verbose][--verbose][-n4][--ratio=0.5][--note=--x]
    "
  `);
});

test('where the Python of Invoke does not answer, its list is what there is', async () => {
  const project = projectWithInvoke('');
  project.write('bin/invoke', `#!/bin/sh\ncat '${project.path('list.json')}'\n`);
  const place = { cwd: project.root, env: { PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}` } };

  expect((await tasks(['--init'], place)).stdout).toContain('note: the arguments of Invoke tasks could not be found out');
  expect(project.read('tasks/docs.ts')).toContain("exec(['invoke', 'docs.make-all', ...passthrough])");
  expect(typesOf(project)).toBe('');
});

test('where Invoke itself is missing, its tasks are left out, and that is said', async () => {
  const project = projectWith({ 'tasks.py': '' });

  const said = await tasks(['--init'], { cwd: project.root, env: { PATH: '/nowhere' } });

  expect(said.stdout).toContain('note: there are tasks of Invoke, and `invoke --list` did not answer: they are left out');
  expect(said.stdout).toContain('a first task was written');
  expect((await tasks(['hello', 'Ada'], { cwd: project.root })).stdout).toBe('hello, Ada\n');
});

test.each([
  ['tasks.config.mjs', '`tasks.config.mjs` is there already'],
  ['tasks/build.ts', '`tasks/build.ts` is there already'],
])('--init overwrites nothing: with %s it writes no file at all', async (file, message) => {
  const project = projectWith({ 'package.json': JSON.stringify({ scripts: SCRIPTS }), [file]: 'mine' });
  const before = filesIn(project);

  const said = await tasks(['--init'], { cwd: project.root });

  expect(said).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`error: ${message}\n  nothing was written\n`) });
  expect(filesIn(project)).toEqual(before);
  expect(project.read(file)).toBe('mine');
});

test('--init stands alone, takes -C, and reads a package.json that is JSON', async () => {
  const project = projectWith({ 'package.json': '{', 'inner/package.json': '{}' });

  expect((await tasks(['--init', 'build'], { cwd: project.root })).stderr).toContain('`--init` stands alone, and `build` stands beside it');
  expect((await tasks(['--init'], { cwd: project.root })).stderr).toMatch(/package.json` is no JSON: /);
  expect((await tasks(['-C', 'inner', '--init'], { cwd: project.root })).code).toBe(0);
  expect(project.read('inner/tasks.config.ts')).toContain('hello');
});

const filesIn = (project: TestProject): string[] =>
  readdirSync(project.root, { recursive: true, encoding: 'utf8' }).toSorted((a, b) => a.localeCompare(b));
