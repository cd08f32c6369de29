// The projects that are measured, and the goals that were set for them.

const HEAD = "import { defineConfig, task } from 'taskwright';\nimport { z } from 'zod';\n";
const INPUT = `{
  name: z.string().default('x').describe('a name'),
  count: z.int().default(1).describe('how many'),
  kind: z.enum(['one', 'two', 'three']).default('one').describe('which kind'),
  force: z.boolean().default(false).describe('in any case'),
}`;
const typed = (name) => `export const ${name} = task({ summary: 'Task ${name}.', input: ${INPUT}, run: () => {} });\n`;
const names = (count, from = 0) => Array.from({ length: count }, (_, index) => `t${from + index}`);
const config = (tasks) => `export default defineConfig({ tasks: { ${tasks} } });\n`;

const oneFile = (count) => ({
  'tasks.config.ts': HEAD + names(count).map(typed).join('') + config(names(count).join(', ')),
});
const tenModules = (count) => ({
  ...Object.fromEntries(
    Array.from({ length: 10 }, (_, at) => [
      `tasks/m${at}.ts`,
      HEAD.replace('defineConfig, ', '') +
        names(count / 10, at * (count / 10))
          .map(typed)
          .join(''),
    ]),
  ),
  'tasks.config.ts':
    Array.from({ length: 10 }, (_, at) => `import * as m${at} from './tasks/m${at}.ts';\n`).join('') +
    "import { defineConfig } from 'taskwright';\n" +
    config(Array.from({ length: 10 }, (_, at) => `m${at}`).join(', ')),
});
const chain = (length) => ({
  'tasks.config.ts': `${HEAD}export const t0 = task({ summary: 'First.', input: ${INPUT}, run: () => 0 });\n${names(length - 1, 1)
    .map(
      (name, at) =>
        `export const ${name} = task({ summary: 'Next.', input: ${INPUT}, needs: { before: t${at}() }, run: ({ needs }) => Number(needs.before) + 1 });\n`,
    )
    .join('')}${config(names(length).join(', '))}`,
});
const steps = (count) => ({
  'tasks.config.ts': `${HEAD}export const one = task({ summary: 'One.', input: { number: z.int() }, run: () => {} });
export const join = task({ summary: 'All.', needs: () => Array.from({ length: ${count} }, (_, number) => one({ number })), run: () => {} });
${config('one, join')}`,
});
const bare = (count) => ({
  'tasks.config.ts': `${HEAD.split('\n')[0]}\nconst many = Object.fromEntries(Array.from({ length: ${count} }, (_, index) => ['t' + index, task({ summary: 'One.', run: () => {} })]));
export const join = task({ summary: 'All.', needs: many, run: () => {} });
${config('...many, join')}`,
});
const commands = (how) => ({
  'tasks.config.ts': `${HEAD.split('\n')[0]}\nconst many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => ['t' + index, task({ summary: 'One.', run: ({ ${how === 'exec' ? 'exec' : '$'} }) => ${how === 'exec' ? "exec(['true'])" : '$`true`'} })]));
export const join = task({ summary: 'All.', needs: many, run: () => {} });
${config('...many, join')}`,
});
/** Each reads a file and writes one. */
const kept = (count) => ({
  'tasks.config.ts': `${HEAD.split('\n')[0]}
import { copyFileSync } from 'node:fs';
const many = Object.fromEntries(Array.from({ length: ${count} }, (_, index) => ['t' + index, task({
  summary: 'One.', sources: ['in/' + index], generates: ['out/' + index], run: ({ root }) => copyFileSync(root + '/in/' + index, root + '/out/' + index),
})]));
export const join = task({ summary: 'All.', needs: many, run: () => {} });
${config('...many, join')}`,
  'out/.keep': '',
  ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`in/${index}`, `${index}\n`])),
});
const talk = {
  'tasks.config.ts': `${HEAD.split('\n')[0]}
const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => ['t' + index, task({ summary: 'One.', run: ({ log }) => { for (let line = 0; line < 20; line++) log('line ' + line); } })]));
export const join = task({ summary: 'All.', needs: many, run: () => {} });
${config('...many, join')}`,
};
/** What stands before the command when it is typed so; `link` makes it a project that has us installed. */
const started = {
  ...oneFile(12),
  'package.json': '{ "name": "project", "scripts": { "tasks": "tasks", "version": "tasks --version" } }',
};

/**
 * @typedef {{ id: string, title: string, files: Record<string, string>, argv: string[], goal?: number, mib?: number, code?: number, changes?: true, pairs?: number, settles?: true, terminal?: true, against?: string[], start?: string[] }} Row
 * @type {Row[]}
 */
export const rows = [
  { id: 'version', title: '`--version`', files: oneFile(12), argv: ['--version'], goal: 1.1 },
  { id: 'usage', title: 'a usage error', files: oneFile(12), argv: ['t1', '--kind=four'], goal: 1.1, code: 2 },
  { id: 'unknown', title: 'an unknown flag', files: oneFile(12), argv: ['t1', '--knd'], goal: 1.1, code: 2 },
  ...[12, 100, 1000].map((count) => ({
    id: `list-${count}`,
    title: `\`--list\` of ${count} typed tasks`,
    files: oneFile(count),
    argv: ['--list'],
    goal: count === 1000 ? 1.2 : 1.15,
    mib: 42,
  })),
  { id: 'list-modules', title: '`--list` of 100 in ten modules', files: tenModules(100), argv: ['--list'], goal: 1.15 },
  ...[100, 1000].map((count) => ({
    id: `complete-${count}`,
    title: `completion through Node, ${count}`,
    files: oneFile(count),
    argv: ['__complete', 't1'],
    goal: 1.15,
  })),
  ...[100, 1000].map((count) => ({
    id: `one-${count}`,
    title: `one no-op task with an input, of ${count}`,
    files: oneFile(count),
    argv: ['t1'],
    goal: count === 100 ? 1.9 : 2,
    mib: 52,
  })),
  { id: 'one-modules', title: 'one no-op task of 100 in ten modules', files: tenModules(100), argv: ['m0.t1'], goal: 1.9 },
  { id: 'chain', title: 'chain of 10 typed tasks', files: chain(10), argv: ['t9'], goal: 2 },
  { id: 'fan-steps', title: 'fan of 1,000 steps of one task, and a join', files: steps(1000), argv: ['join'], goal: 2.4, mib: 60 },
  { id: 'fan-tasks', title: 'fan of 1,000 tasks without input, and a join', files: bare(1000), argv: ['join'], goal: 3 },
  { id: 'exec', title: '100 commands by `exec`, `--jobs 2`', files: commands('exec'), argv: ['--jobs', '2', 'join'], goal: 11, pairs: 5 },
  { id: 'shell', title: '100 commands by `$`, `--jobs 2`', files: commands('shell'), argv: ['--jobs', '2', 'join'], goal: 18, pairs: 5 },
  ...[100, 1000, 5000].map((count) => ({
    id: `fresh-${count}`,
    title: `everything up to date: ${count.toLocaleString('en')} tasks`,
    files: kept(count),
    argv: ['join'],
    goal: count === 100 ? 1.7 : count === 1000 ? 3.5 : 8,
    ...(count === 5000 && { mib: 90, pairs: 7 }),
    settles: true,
  })),
  {
    id: 'tree',
    title: '500 steps of 20 lines: `tree` against `quiet`, both at a terminal',
    files: talk,
    argv: ['-r', 'tree', 'join'],
    against: ['-r', 'quiet', 'join'],
    terminal: true,
    goal: 3,
    pairs: 7,
  },
  ...[
    ['`node_modules/.bin/tasks --version`', ['node_modules/.bin/tasks', '--version']],
    ['`node --run version`', ['node', '--run', 'version']],
    ['`npm run --silent version`', ['npm', 'run', '--silent', 'version']],
    ['`npx tasks --version`', ['npx', 'tasks', '--version']],
  ].map(([title, start]) => ({ id: `start-${start[0]}`, title, files: started, argv: ['--version'], start, pairs: 7 })),
  { id: 'changed', title: 'first call after a change of the config', files: oneFile(100), argv: ['t1'], goal: 8, changes: true, pairs: 7 },
  ...[100, 1000, 10_000, 50_000].map((count) => ({
    id: `growth-${count}`,
    title: `${count.toLocaleString('en')} steps of one typed task`,
    files: steps(count),
    argv: ['join'],
    goal: count === 50_000 ? undefined : undefined,
    pairs: count > 5000 ? 3 : 7,
  })),
];

const js = (many) => names(many);
/** Others, for the shapes they have a word for. `argv[0]` is a program on PATH, or a bin of bench/peers. */
export const peers = [
  {
    name: 'hereby',
    files: (count) => ({
      'Herebyfile.mjs': `import { task } from 'hereby';\n${js(count)
        .map((name) => `export const ${name} = task({ name: '${name}', description: 'Task.', run: async () => {} });`)
        .join('\n')}`,
    }),
    list: ['hereby', '--tasks'],
    one: ['hereby', 't1'],
  },
  {
    name: 'jake',
    files: (count) => ({
      'Jakefile.js': js(count)
        .map((name) => `desc('Task.'); task('${name}', () => {});`)
        .join('\n'),
      'package.json': '{}',
    }),
    list: ['jake', '-T'],
    one: ['jake', 't1'],
  },
  {
    name: 'gulp',
    files: (count) => ({
      'gulpfile.js': js(count)
        .map((name) => `exports.${name} = (done) => done();`)
        .join('\n'),
      'package.json': '{}',
    }),
    list: ['gulp', '--tasks'],
    one: ['gulp', 't1'],
  },
  {
    name: 'npm',
    files: (count) => ({ 'package.json': JSON.stringify({ scripts: Object.fromEntries(js(count).map((name) => [name, 'true'])) }) }),
    list: ['npm', 'run'],
    one: ['npm', 'run', 't1'],
  },
  {
    name: 'wireit',
    files: (count) => ({
      'package.json': JSON.stringify({
        scripts: Object.fromEntries(js(count).map((name) => [name, 'wireit'])),
        wireit: Object.fromEntries(js(count).map((name) => [name, { command: 'true' }])),
      }),
    }),
    one: ['npm', 'run', 't1'],
  },
  {
    name: 'turbo',
    files: (count) => ({
      'package.json': JSON.stringify({
        name: 'project',
        packageManager: 'npm@10.8.2',
        scripts: Object.fromEntries(js(count).map((name) => [name, 'true'])),
      }),
      'turbo.json': JSON.stringify({ tasks: Object.fromEntries(js(count).map((name) => [name, {}])) }),
    }),
    one: ['turbo', 'run', 't1', '--no-daemon', '--cache-dir=.turbo'],
  },
  {
    name: 'ninja',
    files: (count) => ({
      'build.ninja': `rule run\n command = true\n${js(count)
        .map((name) => `build ${name}: run\n`)
        .join('')}`,
    }),
    list: ['ninja', '-t', 'targets'],
    one: ['ninja', 't1'],
  },
  {
    name: 'rake',
    files: (count) => ({
      Rakefile: js(count)
        .map((name) => `desc 'Task.'\ntask(:${name}) {}\n`)
        .join(''),
    }),
    list: ['rake', '-T'],
    one: ['rake', 't1'],
  },
  {
    name: 'doit',
    files: (count) => ({
      'dodo.py': js(count)
        .map((name) => `def task_${name}():\n    "Task."\n    return {'actions': [lambda: None]}\n`)
        .join('\n'),
    }),
    list: ['doit', 'list'],
    one: ['doit', 't1'],
  },
  {
    name: 'make',
    files: (count) => ({
      Makefile: js(count)
        .map((name) => `${name}:\n\t@true\n`)
        .join(''),
    }),
    one: ['make', 't1'],
  },
  {
    name: 'invoke',
    files: (count) => ({
      'tasks.py': `from invoke import task\n${js(count)
        .map((name) => `\n@task\ndef ${name}(c, name='x'):\n    "Task."\n`)
        .join('')}`,
    }),
    list: ['invoke', '--list'],
    one: ['invoke', 't1'],
  },
];
