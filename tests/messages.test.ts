import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createCli } from '../lib/cli/create-cli.ts';
import { UserError, renderUserError } from '../lib/errors.ts';
import { noConfigError } from '../lib/find-config.ts';
import { defineConfig, run, runTargets, start, sudo, task, withFlags } from '../lib/index.ts';
import { testTask } from '../lib/testing.ts';
import { hostAt, tasks } from './support/command-line.ts';
import { projectWith } from './support/project.ts';

/**
 * What people are told, all in one view, to be read aloud: what is wrong, where, the nearest right thing, what to do.
 * Each feature has tests of its own; this one is for the words.
 */
const CONFIG = `
import { count, defineConfig, file, json, keyValue, path, task, tool } from 'taskwright';
import { z } from 'zod';
const build = task({ summary: 'Build.', input: { tag: z.string().default('x').meta({ short: 't' }), level: z.int().min(0).max(9).default(1), set: keyValue().default({}), verbose: count() }, run() {} });
const deploy = task({ summary: 'Deploy.', input: { target: z.enum(['staging', 'production']), since: z.date().optional(), site: z.url().optional(), token: z.string().min(8).optional().meta({ secret: true, env: 'DEPLOY_TOKEN' }) }, confirm: 'Really?', run() {} });
const needy = task({ summary: 'Need.', env: { REGION: z.enum(['eu', 'us']) }, requires: [tool('no-such-tool', { remedy: 'apt install it' }), file('manifest.json')], run() {} });
const demo = { start: task({ summary: 'Start.', input: { fast: z.boolean().default(false) }, run() {} }), stop: task({ summary: 'Stop.', run() {} }) };
const same = { text: task({ summary: 'Text.', input: { of: z.string().optional() }, run() {} }), number: task({ summary: 'Number.', input: { of: z.int().optional() }, run() {} }) };
const all = task({
  summary: 'One of each kind, all required.',
  input: { name: z.string(), level: z.int(), ratio: z.number().meta({ env: 'RATIO' }), flag: z.boolean().meta({ env: 'FLAG' }), on: z.date(), site: z.url(), path: path(), json: json(z.unknown()), sets: keyValue().meta({ env: 'SETS' }), many: z.array(z.int()).meta({ env: 'MANY' }), levelOf: z.literal([1, 2, 3]) },
  run() {},
});
export default defineConfig({ tasks: { build, deploy, needy, demo, same, all } });
`;

const LINES: readonly (readonly [line: string, env?: Record<string, string>])[] = [
  ['biuld'],
  ['demo:start'],
  ['start'],
  ['demo build'],
  ['nothing-like-it'],
  ['build --tga x'],
  ['build --frobnicate'],
  ['build -x'],
  ['build --tag'],
  ['build --tag --level 3'],
  ['build --level many'],
  ['build --level 12'],
  ['build --set novalue'],
  ['build -- a b'],
  ['--fats demo.start'],
  ['--fast build'],
  ['deploy'],
  ['deploy stagng'],
  ['deploy build'],
  ['deploy staging --target production'],
  ['deploy staging --since yesterday'],
  ['deploy staging --site here'],
  ['deploy staging --token short'],
  ['deploy staging', { DEPLOY_TOKEN: 'short' }],
  ['deploy staging'],
  ['needy'],
  ['needy', { REGION: 'mars' }],
  ['--plan --dry-run build'],
  ['-j none build'],
  ['-r tre build'],
  ['--timeout 5 build'],
  ['build -C elsewhere'],
  ['-C elsewhere build'],
  ['-f missing.ts build'],
  ['build', { TASKS_JOBS: 'many' }],
  ['--init'],
  ['--init build'],
  ['build --no-tag=x'],
  ['build --verbose=often'],
  ['demo.start --no-fast=x'],
  ['--plan --dry-run --explain build'],
  ['build -tx -zq'],
  ['build --level 99999999999999999999'],
  ['build frob --tga x'],
  ['deploy production --fast demo.start', { DEPLOY_TOKEN: '' }],
  ['same.text same.number --of 3'],
  ['--of 3 same.text same.number'],
  ['-w build'],
  ['-j 0 build'],
  ['build --command-timeout soon'],
  ['--graph=svg build'],
  ['--completion tcsh'],
  ['--list nothing'],
  ['--help nothing'],
  ['-f . build'],
  ['-f notes.txt build'],
  ['all'],
  ['all --ratio x --flag=maybe --json { --path= --many a,b --level-of=5'],
  ['all', { RATIO: 'x', FLAG: 'maybe', MANY: '[1', SETS: '[]' }],
];

/** Without what is another from run to run. */
const steady = (text: string): string =>
  text
    .replaceAll(/\b\d+(\.\d+)?m?s$/gm, '<time>')
    .replaceAll(/^ +(log|again): .*\n/gm, '')
    .replaceAll(/(messages\.test\.ts):\d+/g, '$1')
    .replaceAll(/logs\/[\w.-]+/g, 'logs/<run>')
    .replaceAll(/\d\d:\d\d:\d\d$/gm, '<time>');

test('what is wrong is said in one voice', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'notes.txt': '' });
  let all = '';
  for (const [line, env] of LINES) {
    const { code, stderr } = await tasks(line.split(' '), { cwd: project.root, ...(env && { env }) });
    const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value} `);
    all += `$ ${variables.join('')}tasks ${line}\n${steady(stderr).replaceAll(project.root, '<root>')}= ${code}\n\n`;
  }

  expect(all).toMatchInlineSnapshot(`
    "$ tasks biuld
    error: no task is named \`biuld\`
    hint: Did you mean \`build\`?
    = 2

    $ tasks demo:start
    error: no task is named \`demo:start\`
    hint: Did you mean \`demo.start\`?
    = 2

    $ tasks start
    error: no task is named \`start\`
    hint: Did you mean \`demo.start\`?
    = 2

    $ tasks demo build
    error: \`demo\` is a namespace without a default task
    hint: Run \`tasks --list demo\` to see its tasks.
    = 2

    $ tasks nothing-like-it
    error: no task is named \`nothing-like-it\`
    hint: Run \`tasks --list\` to see them all.
    = 2

    $ tasks build --tga x
    error: \`build\` has no flag \`--tga\`
    hint: Did you mean \`--tag\`?
    = 2

    $ tasks build --frobnicate
    error: \`build\` has no flag \`--frobnicate\`
    hint: Run \`tasks build --help\`.
    = 2

    $ tasks build -x
    error: \`build\` has no flag \`-x\`
    hint: Run \`tasks build --help\`.
    = 2

    $ tasks build --tag
    error: \`--tag\` of \`build\` needs a value
    hint: Write \`--tag VALUE\` or \`--tag=VALUE\`.
    = 2

    $ tasks build --tag --level 3
    error: \`--tag\` of \`build\` needs a value
    hint: Write \`--tag VALUE\` or \`--tag=VALUE\`.
    = 2

    $ tasks build --level many
    error: \`--level\` of \`build\`: expected a whole number, got "many"
    = 2

    $ tasks build --level 12
    error: \`build\` was given input it does not accept
      --level: expected at most 9, got 12
    hint: Run \`tasks build --help\`.
    = 2

    $ tasks build --set novalue
    error: \`--set\` of \`build\`: expected NAME=value, got "novalue"
    = 2

    $ tasks build -- a b
    error: no target takes the words after \`--\`
    hint: A task takes them when it declares \`passthrough: true\`.
    = 2

    $ tasks --fats demo.start
    error: there is no option \`--fats\`
    hint: Did you mean \`--fast\`?
    = 2

    $ tasks --fast build
    error: no target takes \`--fast\`
    hint: A flag before the first task is for every target that declares it; write others after their task.
    = 2

    $ tasks deploy
    error: \`deploy\` was given input it does not accept
      --target is required: "staging" or "production"
    hint: Run \`tasks deploy --help\`.
    = 2

    $ tasks deploy stagng
    error: \`stagng\` is no target of \`deploy\`: expected "staging" or "production", got "stagng"; did you mean "staging"?
    = 2

    $ tasks deploy build
    error: \`build\` is no target of \`deploy\`: expected "staging" or "production", got "build" (\`build\` is also a task)
    = 2

    $ tasks deploy staging --target production
    error: \`--target\` of \`deploy\` was given already, by the word \`staging\`
    = 2

    $ tasks deploy staging --since yesterday
    error: \`--since\` of \`deploy\`: expected a date such as 2026-11-24 or 2026-11-24T08:00:00Z, got "yesterday"
    = 2

    $ tasks deploy staging --site here
    error: \`--site\` of \`deploy\`: expected a URL such as https://example.org/, got "here"
    = 2

    $ tasks deploy staging --token short
    error: \`deploy\` was given input it does not accept
      --token: expected at least 8 characters
    hint: Run \`tasks deploy --help\`.
    = 2

    $ DEPLOY_TOKEN=short tasks deploy staging
    error: \`deploy\` was given input it does not accept
      --token (from DEPLOY_TOKEN): expected at least 8 characters
    hint: Run \`tasks deploy --help\`.
    = 2

    $ tasks deploy staging
    error: \`deploy\` has a question, and nobody is there to answer it
      Really?
    hint: Give \`--yes\` to answer it, or run it on a terminal.
    = 3

    $ tasks needy
    error: \`needy\` cannot run here
      \`REGION\` is not set
      \`no-such-tool\` was not found on PATH
        → apt install it
      \`<root>/manifest.json\` does not exist
    hint: Nothing has run. \`--skip-unmet\` leaves out what cannot run, and runs the rest.
    = 3

    $ REGION=mars tasks needy
    error: \`needy\` cannot run here
      \`REGION\`: expected "eu" or "us", got "mars"
      \`no-such-tool\` was not found on PATH
        → apt install it
      \`<root>/manifest.json\` does not exist
    hint: Nothing has run.
    = 2

    $ tasks --plan --dry-run build
    error: only one of \`--plan\` and \`--dry-run\` can be asked for at a time
    = 2

    $ tasks -j none build
    error: \`-j\`: expected a whole number, got "none"
    = 2

    $ tasks -r tre build
    error: no reporter is named \`tre\`
    hint: Did you mean \`tree\`?
    = 2

    $ tasks --timeout 5 build
    error: \`--timeout\`: expected a length of time such as 30s or 10m, got "5"
    = 2

    $ tasks build -C elsewhere
    error: \`-C\` stands too late: it says which config is read
    hint: Write it before everything else.
    = 2

    $ tasks -C elsewhere build
    error: there is no folder \`elsewhere\` (\`--directory\`)
    = 2

    $ tasks -f missing.ts build
    error: \`missing.ts\` does not exist
      looked for \`<root>/missing.ts\`
    = 2

    $ TASKS_JOBS=many tasks build
    error: TASKS_JOBS: expected a whole number, got "many"
    = 2

    $ tasks --init
    error: \`tasks.config.ts\` is there already
      nothing was written
    hint: \`--init\` begins a project; what is there is yours to change. Elsewhere: \`tasks -C FOLDER --init\`.
    = 2

    $ tasks --init build
    error: \`--init\` stands alone, and \`build\` stands beside it
    = 2

    $ tasks build --no-tag=x
    error: \`build\` has no flag \`--no-tag\`
    hint: Run \`tasks build --help\`.
    = 2

    $ tasks build --verbose=often
    error: \`--verbose\` of \`build\`: expected a whole number, got "often"
    = 2

    $ tasks demo.start --no-fast=x
    error: \`--no-fast\` of \`demo.start\`: it takes no value
    = 2

    $ tasks --plan --dry-run --explain build
    error: only one of \`--plan\`, \`--explain\` and \`--dry-run\` can be asked for at a time
    = 2

    $ tasks build -tx -zq
    error: \`build\` has no flag \`-z\` (in \`-zq\`)
    hint: Run \`tasks build --help\`.
    = 2

    $ tasks build --level 99999999999999999999
    error: \`--level\` of \`build\`: expected a whole number below 2^53, got 99999999999999999999
    = 2

    $ tasks build frob --tga x
    error: 2 things are wrong with this command line
      no task is named \`frob\`
        → Run \`tasks --list\` to see them all.
      \`build\` has no flag \`--tga\`
        → Did you mean \`--tag\`?
    = 2

    $ DEPLOY_TOKEN= tasks deploy production --fast demo.start
    error: \`deploy\` has no flag \`--fast\`
    hint: \`demo.start\` has it: write it behind that name.
    = 2

    $ tasks same.text same.number --of 3
    note: \`--of\` was given to \`same.number\` and not to \`same.text\`, which gets none; before the first task it is for both
    ▶ same.text
    ✔ same.text <time>
    ▶ same.number
    ✔ same.number <time>
    2 done in <time>
    = 0

    $ tasks --of 3 same.text same.number
    error: \`--of\` means different things to different tasks
    hint: Write it after the task it is for.
    = 2

    $ tasks -w build
    error: nothing in this plan declares \`sources\`: there is nothing to watch
    hint: Say in \`sources\` what a task reads.
    = 2

    $ tasks -j 0 build
    error: \`--jobs\`: expected a whole number from 1, got 0
    = 2

    $ tasks build --command-timeout soon
    error: \`--command-timeout\`: expected a length of time such as 30s or 10m, got "soon"
    = 2

    $ tasks --graph=svg build
    error: \`--graph\`: expected mermaid, dot or json, got "svg"
    = 2

    $ tasks --completion tcsh
    error: \`--completion\`: expected "bash", "zsh", "fish" or "powershell", got "tcsh"
    = 2

    $ tasks --list nothing
    error: no task is named \`nothing\`
    hint: Run \`tasks --list\` to see them all.
    = 2

    $ tasks --help nothing
    error: no task is named \`nothing\`
    hint: Run \`tasks --list\` to see them all.
    = 2

    $ tasks -f . build
    error: \`.\` is a folder; expected a config file
    hint: To work in that folder, write \`-C .\`.
    = 2

    $ tasks -f notes.txt build
    error: \`notes.txt\`: expected a file that ends in .ts, .mts, .js or .mjs
    = 2

    $ tasks all
    error: \`all\` was given input it does not accept
      --name is required
      --level is required: a whole number
      --ratio is required: a number
      --on is required: a date
      --site is required: a URL
      --path is required: a path
      --json is required: JSON
      --sets is required: NAME=value
      --many is required: one or more whole numbers
      --level-of is required: 1, 2 or 3
    hint: Run \`tasks all --help\`.
    = 2

    $ tasks all --ratio x --flag=maybe --json { --path= --many a,b --level-of=5
    error: 11 things are wrong with this command line
      \`--ratio\` of \`all\`: expected a number, got "x"
      \`--flag\` of \`all\`: expected true or false, got "maybe"
      \`--json\` of \`all\`: expected JSON, got "{"
      \`--path\` of \`all\`: expected a path, got an empty text
      \`--many\` of \`all\`: expected a whole number, got "a,b"
      \`--level-of\` of \`all\`: expected 1, 2 or 3, got "5"
      \`all\`: --name is required
      \`all\`: --level is required: a whole number
      \`all\`: --on is required: a date
      \`all\`: --site is required: a URL
      \`all\`: --sets is required: NAME=value
    = 2

    $ RATIO=x FLAG=maybe MANY=[1 SETS=[] tasks all
    error: \`all\` was given input it does not accept
      RATIO (for --ratio): expected a number, got "x"
      FLAG (for --flag): expected true, false, yes, no, 1 or 0, got "maybe"
      SETS (for --sets): expected NAME=value, got "[]"
      MANY (for --many): expected a JSON array, or values with commas between them
      --name is required
      --level is required: a whole number
      --on is required: a date
      --site is required: a URL
      --path is required: a path
      --json is required: JSON
      --level-of is required: 1, 2 or 3
    hint: Run \`tasks all --help\`.
    = 2

    "
  `);
});

/** What is said when a config, and files beside it, say this. */
async function saidOf(files: Readonly<Record<string, string>>, line: string, env?: Readonly<Record<string, string>>): Promise<string> {
  const project = projectWith(files);
  const { code, stderr } = await tasks(line.split(' '), { cwd: project.root, env: { HOME: project.root, ...env } });
  // Node words what is no JSON differently from version to version.
  const same = steady(stderr)
    .replaceAll(project.root, '<root>')
    .replaceAll(process.versions.node, '<version>')
    .replace(/ in JSON at position .*/, ' …');
  return `${same}= ${code}\n\n`;
}

const HEAD = `import { count, defineConfig, exec, Exit, file, json, keyValue, path, port, portFree, requirement, sudo, task, tool, writable } from 'taskwright';
import { z } from 'zod';
const fine = (more = {}) => task({ summary: 'Fine.', run() {}, ...more });
`;
const configOf = (tasks: string, more = ''): Record<string, string> => ({
  'tasks.config.ts': `${HEAD}export default defineConfig({ tasks: { ${tasks} }${more} });\n`,
});

const LOADING: readonly (readonly [what: string, files: Readonly<Record<string, string>>, line?: string])[] = [
  ['no config', {}],
  ['a syntax error', { 'tasks.config.ts': 'export default {\n  tasks: { build: },\n};\n' }],
  ['a package that is not there', { 'tasks.config.ts': "import chalk from 'chalk';\nexport default chalk;\n" }],
  [
    'a file that is not there',
    { 'tasks.config.ts': "import { build } from './taks/build.ts';\nexport default build;\n", 'tasks/build.ts': '' },
  ],
  ['a slip in a file name', { 'tasks.config.ts': "import { build } from './bild.ts';\nexport default build;\n", 'build.ts': '' }],
  [
    'a name that is not exported',
    { 'tasks.config.ts': "import { make } from './build.ts';\nexport default make();\n", 'build.ts': 'export const build = 1;\n' },
  ],
  ['a throw', { 'tasks.config.ts': "throw new Error('no such luck');\n" }],
  ['something thrown that is no error', { 'tasks.config.ts': "throw 'luck';\n" }],
  ['no default export', { 'tasks.config.ts': 'export const config = {};\n' }],
  ['an empty file', { 'tasks.config.ts': '' }],
  ['a function', { 'tasks.config.ts': 'export default () => ({});\n' }],
  ['something else', { 'tasks.config.ts': 'export default 7;\n' }],
  ['no tasks', { 'tasks.config.ts': 'export default {};\n' }],
  [
    'wrong keys and types',
    configOf(
      'fine: fine()',
      `, task: 1, jobs: 0, grace: 5, timeout: '5', reporter: 3, caches: [{}], dotenv: '.env', passEnv: 'X', locks: { a: 0 }, shortFlags: true, dynamic: 1, keepGoing: 'yes', defaults: { fine: 1 }`,
    ),
  ],
  [
    'wrong defaults',
    configOf(
      'fine: fine({ input: { tag: z.string().optional() }, aliases: ["f"] })',
      `, defaults: { fien: {}, f: {}, fine: { tga: 'x' } }`,
    ),
    'fine',
  ],
  ['package.json that is none, for --init', { 'package.json': '{' }, '--init'],
  ['a config of a reporter that is none', configOf('fine: fine()', `, reporter: 'tre'`), 'fine'],
];

test('what is wrong with a config is said with its place', async () => {
  let all = '';
  for (const [what, files, line = '--list'] of LOADING) all += `${what}\n${await saidOf(files, line)}`;

  expect(all).toMatchInlineSnapshot(`
    "no config
    error: no \`tasks.config.ts\` was found
      looked in \`<root>\` and not above it (the home folder)
      a first one:
        import { defineConfig, task } from 'taskwright';
        const hello = task({ summary: 'Say hello.', run: ({ $ }) => $\`echo hello\` });
        export default defineConfig({ tasks: { hello } });
    hint: Save this as \`tasks.config.ts\`, or name a config with \`--file\`.
    = 2

    a syntax error
    error: \`tasks.config.ts\` is not valid
      tasks.config.ts:2:19: unexpected token
      2 |   tasks: { build: },
        |                   ^
    = 2

    a package that is not there
    error: \`tasks.config.ts\` imports \`chalk\`, which was not found
      tasks.config.ts:1: import chalk from 'chalk';
    hint: Install it: \`npm install --save-dev chalk\`.
    = 2

    a file that is not there
    error: \`tasks.config.ts\` imports \`./taks/build.ts\`, which was not found
      tasks.config.ts:1: import { build } from './taks/build.ts';
    = 2

    a slip in a file name
    error: \`tasks.config.ts\` imports \`./bild.ts\`, which was not found
      tasks.config.ts:1: import { build } from './bild.ts';
    hint: Did you mean \`./build.ts\`?
    = 2

    a name that is not exported
    error: \`tasks.config.ts\` could not be loaded
      make is not a function
      at tasks.config.ts:2
    hint: Is \`make\` exported by what it is imported from?
    = 2

    a throw
    error: \`tasks.config.ts\` could not be loaded
      Error: no such luck
      at tasks.config.ts:1
    = 2

    something thrown that is no error
    error: \`tasks.config.ts\` could not be loaded
      thrown: "luck"
    = 2

    no default export
    error: \`tasks.config.ts\` has no default export
      it exports \`config\`
    hint: Write \`export default defineConfig({ tasks: { … } })\`.
    = 2

    an empty file
    error: \`tasks.config.ts\` has no default export
      it exports nothing
    hint: Write \`export default defineConfig({ tasks: { … } })\`.
    = 2

    a function
    error: \`tasks.config.ts\`: expected the default export to be a config, got a function
    hint: Export the config itself, not a function.
    = 2

    something else
    error: \`tasks.config.ts\`: expected the default export to be a config, got 7
    hint: Write \`export default defineConfig({ tasks: { … } })\`.
    = 2

    no tasks
    error: \`tasks.config.ts\` is not right
      \`tasks\` is missing: an object of tasks
    = 2

    wrong keys and types
    error: \`tasks.config.ts\` is not right
      \`task\` is nothing that a config may say; did you mean \`tasks\`?
      \`jobs\`: expected a whole number from 1, got 0
      \`grace\`: expected a length of time such as "5s", got 5
      \`timeout\`: expected a length of time such as "10m", got "5"
      \`reporter\`: expected a name or a reporter, got 3
      \`caches\`: expected a list of caches, each with a \`name\`, \`read\` and \`write\`, got an array
      \`dotenv\`: expected a list of file names, got ".env"
      \`passEnv\`: expected a list of names of variables, got "X"
      \`locks\`: expected places by the name of a lock: \`{ database: 2 }\`, got an object
      \`shortFlags\`: expected "auto", got true
      \`dynamic\`: expected true or false, got 1
      \`keepGoing\`: expected true or false, got "yes"
      \`defaults\`: expected inputs by task: \`{ 'demo.start': { database: 'neo4j' } }\`, got an object
    = 2

    wrong defaults
    error: \`tasks.config.ts\` is not right
      \`defaults\`: no task is named \`fien\`; did you mean \`fine\`?
      \`defaults\`: \`f\` is another word for \`fine\`; write the name
      \`defaults\`: \`fine\` takes no \`tga\`; did you mean \`tag\`?
    = 2

    package.json that is none, for --init
    error: \`<root>/package.json\` is no JSON: Expected property name or '}' …
    = 2

    a config of a reporter that is none
    error: no reporter is named \`tre\`
    hint: Did you mean \`tree\`?
    = 2

    "
  `);
});

test('what is said of a config that a stranger may have put there', () => {
  const found = { found: [], foreign: '/shared/tasks.config.ts', last: '/shared', stoppedBy: 'it belongs to somebody else' };

  expect(renderUserError(noConfigError(found, '/shared/mine'))).toMatchInlineSnapshot(`
    "error: \`/shared/tasks.config.ts\` belongs to somebody else and was not run
    hint: If you trust it, name it: \`--file /shared/tasks.config.ts\`.
    "
  `);
});

const DECLARED: readonly (readonly [what: string, tasks: string])[] = [
  [
    'keys that are no tasks',
    `a: 1, b: 'echo', c: null, d: [fine()], e: class {}, f: () => fine(), g: fine, h: { default: 1 }, 'i.j': fine(), '-k': fine(), 'l m': { n: fine() }, o: fine()(), p: async () => 3`,
  ],
  [
    'names that clash',
    `devStart: fine(), 'dev-start': fine(), demo: fine(), Demo: { x: fine() }, other: fine({ aliases: ['dev-start'] }), third: fine({ aliases: ['two words'] })`,
  ],
  ['namespaces that clash', `aB: { x: fine() }, 'a-b': { y: fine() }`],
  ['no task at all', 'a: task("build")'],
  ['functions that give no module', 'f: () => fine(), g: fine, p: async () => 3'],
  ['a namespace that holds itself', '...(() => { const loop = { x: fine() }; loop.again = loop; return { loop }; })()'],
  ['no summary, and a slip', 'a: task({ sumary: "x", run() {} })'],
  [
    'parts of the wrong kind',
    `a: task({ summary: 3, description: '', examples: 'x', group: 1, hidden: 'yes', aliases: 'x', id: 1, input: 'x', env: 1, output: 1, dotenv: '.env', passEnv: 'X', passthrough: 1, requires: 'x', provides: 'x', confirm: 1, needs: 'x', after: 'x', post: 'x', lock: 1, sources: 'x', generates: 'x', cache: 1, upToDate: true, cwd: 1, timeout: 30, grace: '5', retry: 3, interactive: 1, pty: 1, mayFail: 1, service: true, run: 'echo' })`,
  ],
  [
    'parts that cannot go together',
    `a: task({ summary: 'A.', service: { ready: {} } }), b: fine({ service: { ready: {} }, retry: { times: 1 } }), c: fine({ cache: true }), d: fine({ cache: true, output: z.void(), input: { token: z.string().optional().meta({ secret: true }) } }), e: fine({ cache: true, output: z.object({ token: z.string().meta({ secret: true }) }) })`,
  ],
  [
    'inputs without a flag',
    `a: fine({ input: { object: z.object({}), record: z.record(z.string(), z.string()), nothing: z.null(), nullable: z.string().nullable(), nested: z.array(z.array(z.string())), tuple: z.tuple([z.string()]), set: z.set(z.string()), bigint: z.bigint(), any: z.any(), union: z.union([z.string(), z.number()]), literal: z.literal([true, 'x']), coerced: z.coerce.boolean() } })`,
  ],
  [
    'flags that clash',
    `a: fine({ input: { dryRun: z.string(), 'dry-run': z.string(), color: z.boolean(), noColor: z.string(), tag: z.string().meta({ short: 't' }), tip: z.string().meta({ short: 't' }), long: z.string().meta({ short: 'lo' }), help: z.string(), h: z.string(), one: z.array(z.string()).meta({ variadic: true }), two: z.array(z.string()).meta({ variadic: true }), three: z.string().meta({ variadic: true }) } })`,
  ],
  ['variables without a reading', `a: fine({ env: { A: z.object({}) } })`],
];

test('what is wrong with a declaration is said with the name of its task', async () => {
  let all = '';
  for (const [what, declared] of DECLARED) all += `${what}\n${await saidOf(configOf(declared), '--list')}`;

  expect(all).toMatchInlineSnapshot(`
    "keys that are no tasks
    error: 9 things are wrong with the tasks of the config
      \`a\`: expected a task, a namespace or \`() => import('…')\`, got 1
      \`b\`: expected a task, a namespace or \`() => import('…')\`, got "echo"
      \`c\`: expected a task, a namespace or \`() => import('…')\`, got null
      \`d\`: expected a task, a namespace or \`() => import('…')\`, got an array
      \`e\`: expected a task, a namespace or \`() => import('…')\`, got a class
      \`h.default\`: expected a task, got 1
      \`i.j\`: a key with a dot in it; nest it: \`i: { j: …\`
      \`-k\`: a name may not be empty, begin with \`-\`, or hold blanks, commas or \`=\`
      \`o\`: expected a task, a namespace or \`() => import('…')\`, got a call (put the task itself, without calling it)
    = 2

    names that clash
    error: 4 things are wrong with the tasks of the config
      \`devStart\` and \`dev-start\` both come to \`dev-start\`
      \`devStart\` and the alias \`dev-start\` of \`other\` both come to \`dev-start\`
      \`third\`: the alias "two words" may not be empty, begin with \`-\`, or hold blanks, dots, commas or \`=\`
      \`demo\` and the namespace \`Demo\` both come to \`demo\`
    = 2

    namespaces that clash
    error: \`aB\` and \`a-b\` both come to the namespace \`a-b\`
    = 2

    no task at all
    error: \`a\`: expected \`task({ summary, … })\`, got \`task("build")\`
    = 2

    functions that give no module
    error: 3 things are wrong with the tasks of the config
      \`f\` is a function that gives a task; expected a task, or \`() => import('…')\`
      \`g\` is a function that gives a task; expected a task, or \`() => import('…')\`
      \`p\` is a function whose promise gives 3; expected that of a module
    = 2

    a namespace that holds itself
    error: \`loop.again\` holds itself
    = 2

    no summary, and a slip
    error: 2 things are wrong with the tasks of the config
      \`a\`: \`summary\` is missing: a line of text for lists
      \`a\`: \`sumary\` is nothing that a task may say; did you mean \`summary\`?
    = 2

    parts of the wrong kind
    error: 33 things are wrong with the tasks of the config
      \`a\`: \`summary\`: expected a line of text, got 3
      \`a\`: \`description\`: expected a text, got ""
      \`a\`: \`examples\`: expected a list of command lines, got "x"
      \`a\`: \`group\`: expected a text, got 1
      \`a\`: \`hidden\`: expected true or false, got "yes"
      \`a\`: \`aliases\`: expected a list of names, got "x"
      \`a\`: \`id\`: expected a text, got 1
      \`a\`: \`input\`: expected fields, or a \`z.object\`, got "x"
      \`a\`: \`env\`: expected fields, or a \`z.object\`, got 1
      \`a\`: \`output\`: expected a schema, got 1
      \`a\`: \`dotenv\`: expected a list of file names, got ".env"
      \`a\`: \`passEnv\`: expected a list of names of variables, got "X"
      \`a\`: \`passthrough\`: expected true or false, got 1
      \`a\`: \`requires\`: expected a list of requirements, or a function that gives one, got "x"
      \`a\`: \`provides\`: expected a list of provisions, or a function that gives one, got "x"
      \`a\`: \`confirm\`: expected a question, or a function that gives one, got 1
      \`a\`: \`needs\`: expected a record or a list of calls, or a function that gives one, got "x"
      \`a\`: \`after\`: expected a list of tasks or calls, or a function that gives one, got "x"
      \`a\`: \`post\`: expected a record or a list of calls, or a function that gives one, got "x"
      \`a\`: \`lock\`: expected a name, { name, machine }, a list of these, or a function that gives one, got 1
      \`a\`: \`sources\`: expected a list of patterns, or a function that gives one, got "x"
      \`a\`: \`generates\`: expected a list of patterns, or a function that gives one, got "x"
      \`a\`: \`cache\`: expected true or false, or a function that gives it, got 1
      \`a\`: \`upToDate\`: expected a function, got true
      \`a\`: \`cwd\`: expected a folder, or a function that gives one, got 1
      \`a\`: \`timeout\`: expected a length of time such as "30s", or a function that gives one, got 30
      \`a\`: \`grace\`: expected a length of time such as "30s", or a function that gives one, got "5"
      \`a\`: \`retry\`: expected { times, delay?, factor?, when? }, or a function that gives it, got 3
      \`a\`: \`interactive\`: expected true or false, or a function that gives it, got 1
      \`a\`: \`pty\`: expected true or false, or a function that gives it, got 1
      \`a\`: \`mayFail\`: expected true or false, or a function that gives it, got 1
      \`a\`: \`service\`: expected { ready, adopt?, restart?, stop? }, got true
      \`a\`: \`run\`: expected a function, got "echo"
    = 2

    parts that cannot go together
    error: 5 things are wrong with the tasks of the config
      \`a\`: \`service\` needs a \`run\` that starts it
      \`b\`: \`retry\` cannot go with \`service\`: say \`service: { restart }\`
      \`c\`: \`cache\` needs an \`output\` schema to read kept values with (\`z.void()\` where there is none)
      \`d\`: \`cache\` cannot go with the secret input \`token\`: secrets are never kept
      \`e\`: \`cache\` cannot go with a secret in \`output\`: secrets are never kept
    = 2

    inputs without a flag
    error: 12 things are wrong with the tasks of the config
      \`a\`: \`object\`: an object has no flag; use flat fields, \`keyValue()\`, or \`json(schema)\`
      \`a\`: \`record\`: an object has no flag; use flat fields, \`keyValue()\`, or \`json(schema)\`
      \`a\`: \`nothing\`: \`null\` has no flag; use a string with a transform, or \`json(schema)\`
      \`a\`: \`nullable\`: null cannot be typed on a command line; use \`.optional()\`
      \`a\`: \`nested\`: a list in a list, a tuple and a set have no flag; use \`z.array(…)\` of single values, or \`json(schema)\`
      \`a\`: \`tuple\`: a list in a list, a tuple and a set have no flag; use \`z.array(…)\` of single values, or \`json(schema)\`
      \`a\`: \`set\`: a list in a list, a tuple and a set have no flag; use \`z.array(…)\` of single values, or \`json(schema)\`
      \`a\`: \`bigint\`: a bigint is no JSON; use \`z.int()\`, or \`z.string()\` with a transform
      \`a\`: \`any\`: \`any\` has no flag; use a string with a transform, or \`json(schema)\`
      \`a\`: \`union\`: a union has no flag, unless of a boolean and a string, or of literals; use \`z.enum([…])\` or \`json(schema)\`
      \`a\`: \`literal\`: a literal must be a string or a number; use \`z.enum([…])\`
      \`a\`: \`coerced\`: \`z.coerce.boolean()\` takes every text for true, "false" included; use \`z.boolean()\`
    = 2

    flags that clash
    error: 7 things are wrong with the tasks of the config
      \`a\`: \`long\`: \`short\` is one letter or digit, not "lo"
      \`a\`: \`three\`: \`variadic\` is for arrays
      \`a\`: \`dryRun\` and \`dry-run\` both come to \`--dry-run\`
      \`a\`: \`color\` and \`noColor\` both come to \`--no-color\`
      \`a\`: \`tag\` and \`tip\` both come to \`-t\`
      \`a\`: \`help\` comes to \`--help\`, which is help's everywhere
      \`a\`: \`one\`, \`two\` and \`three\` are variadic: only one can take every following word
    = 2

    variables without a reading
    error: \`a\`: in \`env\`, \`A\`: an object has no flag; use flat fields, \`keyValue()\`, or \`json(schema)\`
    = 2

    "
  `);
});

const PLANNED: readonly (readonly [what: string, tasks: string, line: string, env?: Record<string, string>])[] = [
  ['needs that are none', 'a: fine({ needs: () => 7 })', 'a'],
  ['a need that is none', 'a: fine({ needs: () => ({ x: 7 }) })', 'a'],
  ['needs that wait', 'a: fine({ needs: async () => ({}) })', 'a'],
  ['a field that throws', 'a: fine({ cwd: () => { throw new Error("no such thing"); } })', 'a'],
  [
    'a circle',
    '...(() => { const a = fine({ needs: () => ({ b }) }); const b = fine({ needs: () => ({ a }) }); return { a, b }; })()',
    'a',
  ],
  [
    'needs that get deeper',
    '...(() => { const a = task({ summary: "A.", input: { n: z.int().default(0) }, needs: ({ input }) => ({ a: a({ n: input.n + 1 }) }) }); return { a }; })()',
    'a',
  ],
  [
    'a need with wrong input',
    '...(() => { const b = fine({ input: { n: z.int().max(3) } }); return { b, a: fine({ needs: { b: b({ n: 9, m: 1 }) } }) }; })()',
    'a',
  ],
  ['two with wrong input', 'a: fine({ input: { n: z.int().optional() } }), b: fine({ input: { word: z.string() } })', 'a --n x b'],
  ['a check that waits', 'a: fine({ input: { n: z.string().refine(async () => true) } })', 'a --n x'],
  ['a check that throws', 'a: fine({ input: { n: z.string().refine(() => { throw new Error("oh"); }) } })', 'a --n x'],
  ['two that a schema refuses', 'a: fine({ input: { n: z.int().max(9) } }), b: fine({ input: { n: z.int().min(99) } })', 'a 10 b 10'],
  [
    'checks of zod',
    `a: fine({ input: { n: z.int().max(9), more: z.number().gt(3), times: z.number().multipleOf(5), word: z.string().min(3), one: z.string().min(1), exact: z.string().length(2), fits: z.string().regex(/^x/), begins: z.string().startsWith('x'), email: z.email(), id: z.uuid(), many: z.array(z.string()).min(2), own: z.string().min(9, 'say more'), since: z.date().max(new Date(0)) } })`,
    'a --n 10 --more 3 --times 3 --word x --one= --exact x --fits y --begins y --email y --id y --many x --own x --since 2026-11-24',
  ],
  [
    'a check over several',
    'a: fine({ input: z.object({ from: z.int(), to: z.int() }).refine((v) => v.from < v.to, "from is before to") })',
    'a 3 2',
  ],
  [
    'requirements',
    `a: fine({ requires: [tool('node', { version: '>=99' }), tool('node', { version: 'newest' }), tool('false', { args: ['--x'] }), tool('true', { version: '>=1' }), file('a/b'), writable('/dev/null/x'), port(1), port(1, { host: '127.0.0.1', remedy: 'start it' }), requirement('own', 'Own', () => ({ problem: 'the moon is not full', remedy: 'wait' })), requirement('threw', 'Its own', () => { throw new Error('oh'); })] })`,
    'a',
  ],
  ['the same for two', `a: fine({ requires: [tool('no-such')] }), b: fine({ requires: [tool('no-such'), file('x')] })`, 'a b'],
  ['skipped', `a: fine({ requires: [tool('no-such', { remedy: 'install it' })] }), b: fine()`, '--skip-unmet a b'],
  [
    'variables',
    `a: fine({ env: { ONE: z.string().describe('the first'), TWO: z.int(), THREE: z.string().min(9).meta({ secret: true }), FOUR: z.string() } })`,
    'a',
    { TWO: 'x', THREE: 'short', FOUR: '' },
  ],
  ['a question answered by nobody', `a: fine({ confirm: 'Really?' }), b: fine({ confirm: 'Really?' })`, 'a b'],
  ['nothing to watch', 'a: fine()', '--watch a'],
];

test('what is wrong with a plan is said before anything runs', async () => {
  let all = '';
  for (const [what, declared, line, env] of PLANNED) all += `${what}\n${await saidOf(configOf(declared), line, env)}`;

  expect(all).toMatchInlineSnapshot(`
    "needs that are none
    error: the \`needs\` of \`a\`: expected a record or an array of tasks and calls, got 7
    = 2

    a need that is none
    error: \`needs.x\` of \`a\`: expected a task or a call, got 7
    = 2

    needs that wait
    error: the \`needs\` of \`a\` is asynchronous
    hint: The plan is made before anything runs: \`needs\` answers at once, from the input alone.
    = 2

    a field that throws
    error: the \`cwd\` of \`a\` threw: no such thing
      at cwd (tasks.config.ts:4:69)
    = 2

    a circle
    error: these tasks wait for each other
      a → b → a
    hint: Take one of the edges (\`needs\`, \`after\` or \`post\`) away.
    = 2

    needs that get deeper
    error: the needs of \`a\` never end
      more than 100000 steps deep
    = 2

    a need with wrong input
    error: \`b\` was given input it does not accept
      there is no input \`m\`; did you mean \`n\`?
      --n: expected at most 3, got 9
    hint: Run \`tasks b --help\`.
    = 2

    two with wrong input
    error: 2 things are wrong with this command line
      \`--n\` of \`a\`: expected a whole number, got "x"
      \`b\`: --word is required
    = 2

    a check that waits
    error: \`a\` was given input it does not accept
      its schema has an asynchronous check: input is parsed synchronously; use \`requires\` or \`confirm\` for what has to look first
    hint: Run \`tasks a --help\`.
    = 2

    a check that throws
    error: \`a\` was given input it does not accept
      its schema threw: oh
    hint: Run \`tasks a --help\`.
    = 2

    two that a schema refuses
    error: 2 tasks were given input they do not accept
      \`a\`
        --n: expected at most 9, got 10
      \`b\`
        --n: expected at least 99, got 10
    hint: Run \`tasks <task> --help\`.
    = 2

    checks of zod
    error: \`a\` was given input it does not accept
      --n: expected at most 9, got 10
      --more: expected more than 3, got 3
      --times: expected a multiple of 5, got 3
      --word: expected at least 3 characters, got "x"
      --one: expected at least 1 character, got ""
      --exact: expected exactly 2 characters, got "x"
      --fits: expected a text that fits /^x/, got "y"
      --begins: expected a text that begins with "x", got "y"
      --email: expected an email address, got "y"
      --id: expected a UUID, got "y"
      --many: expected at least 2 values, got ["x"]
      --own: say more, got "x"
      --since: expected a date not after 1970-01-01T00:00:00.000Z, got "2026-11-24T00:00:00.000Z"
    hint: Run \`tasks a --help\`.
    = 2

    a check over several
    error: \`a\` was given input it does not accept
      from is before to
    hint: Run \`tasks a --help\`.
    = 2

    requirements
    error: \`a\` cannot run here
      \`node\`: found <version>, wanted >=99
      \`node\` newest: it could not be checked: \`newest\` is no range of versions, such as ">=1.5"
      \`false --x\` failed with code 1
      \`<root>/a/b\` does not exist
      \`/dev/null\` is not a folder
      nothing answers on port 1
      nothing answers on 127.0.0.1:1
        → start it
      the moon is not full
        → wait
      Its own: it could not be checked: oh
    hint: Nothing has run. \`--skip-unmet\` leaves out what cannot run, and runs the rest.
    = 3

    the same for two
    error: 2 tasks cannot run here
      \`no-such\` was not found on PATH (for \`a\` and \`b\`)
      \`<root>/x\` does not exist (for \`b\`)
    hint: Nothing has run. \`--skip-unmet\` leaves out what cannot run, and runs the rest.
    = 3

    skipped
    ▶ b
    ✔ b <time>

    ↓ a  skipped: \`no-such\` was not found on PATH
    ✔ b  <time>

    \`no-such\` was not found on PATH: for a
      → install it

    1 done, 1 skipped in <time>
    = 0

    variables
    error: \`a\` cannot run here
      \`ONE\` is not set (the first)
      \`TWO\`: expected a whole number, got "x"
      \`FOUR\` is empty
      \`THREE\`: expected at least 9 characters
    hint: Nothing has run.
    = 2

    a question answered by nobody
    error: \`a\` and \`b\` have a question, and nobody is there to answer it
      Really?
    hint: Give \`--yes\` to answer it, or run it on a terminal.
    = 3

    nothing to watch
    error: nothing in this plan declares \`sources\`: there is nothing to watch
    hint: Say in \`sources\` what a task reads.
    = 2

    "
  `);
});

const VARIABLES: readonly (readonly [what: string, files: Readonly<Record<string, string>>])[] = [
  ['a line that is none', { '.env': 'A=1\nthis is none\n' }],
  ['several', { '.env': 'none\n', '.env.local': 'neither\n' }],
  ['an .envrc that has to be run', { '.envrc': 'layout python\n' }],
];

test('what is wrong with a file of variables is said with its line', async () => {
  let all = '';
  for (const [what, files] of VARIABLES) {
    const names = Object.keys(files).map((name) => `'${name}'`);
    all += `${what}\n${await saidOf({ ...files, ...configOf('a: fine()', `, dotenv: [${names.join(', ')}]`) }, 'a', { PATH: '/nowhere' })}`;
  }
  const locked = projectWith({ ...configOf('a: fine()'), '.env/x': '' });
  all += (await tasks(['a'], { cwd: locked.root })).stderr.replaceAll(locked.root, '<root>');

  expect(all).toMatchInlineSnapshot(`
    "a line that is none
    error: \`<root>/.env:2\`: expected \`NAME=value\`
    = 2

    several
    error: files of variables could not be read
      \`<root>/.env:1\`: expected \`NAME=value\`
      \`<root>/.env.local:1\`: expected \`NAME=value\`
    = 2

    an .envrc that has to be run
    error: \`<root>/.envrc\` holds shell code, and direnv, which could load it, was not found on PATH
    hint: Install direnv and run \`direnv allow\`, or keep it to lines of \`export NAME=value\`.
    = 3

    error: \`<root>/.env\` is a folder; expected a file of variables
    "
  `);
});

const BODIES: readonly (readonly [what: string, body: string, more?: string])[] = [
  ['a value in quotes', `({ $ }) => $\`echo "\${1}"\``],
  ['a value in single quotes', `({ $ }) => $\`echo '\${1}'\``],
  ['a value in a comment', `({ $ }) => $\`echo # \${1}\``],
  ['a value in a here-document', `({ $ }) => $\`cat <<END\n\${1}\nEND\``],
  ['undefined', `({ $ }) => $\`echo \${undefined}\``],
  ['an object', `({ $ }) => $\`echo \${{}}\``],
  ['a promise', `({ $ }) => $\`echo \${Promise.resolve()}\``],
  ['a list in a list', `({ $ }) => $\`echo \${[[1]]}\``],
  ['a null character', `({ $ }) => $\`echo \${'\\0'}\``],
  ['a wrong escape', `({ $ }) => $\`echo \\033\``],
  ['no program', `({ exec }) => exec([])`],
  ['no word', `({ exec }) => exec(['echo', undefined])`],
  ['a null character in a word', `({ exec }) => exec(['echo', '\\0'])`],
  ['two stdins', `({ exec }) => exec(['cat'], { input: 'x', interactive: true })`],
  ['a size that is none', `({ exec }) => exec(['cat'], { maxOutput: '3 pounds' })`],
  ['an answer to everything', `({ exec }) => exec(['cat'], { respond: [{ when: /x*/, answer: 'y' }] })`],
  ['a failing command', `({ $ }) => $\`echo oh no >&2; exit 3\``],
  ['a program that is not there', `({ exec }) => exec(['no-such-program'])`],
  ['a folder that is not there', `({ exec }) => exec(['pwd'], { cwd: '/nowhere' })`],
  ['a signal', `({ $ }) => $\`kill -KILL $$\``],
  ['too slow', `({ exec }) => exec(['sleep', '60'], { timeout: '50ms' })`],
  ['too much', `({ exec }) => exec(['yes'], { maxOutput: 1000, quiet: true })`],
  ['a length of time that is none', `({ exec }) => exec(['true'], { timeout: '5' })`],
  [
    'a refused answer',
    `({ $ }) => $({ respond: [{ when: 'Password: ', answer: 'x\\n', refused: 'Sorry' }] })\`printf 'Password: '; read x; echo Sorry; sleep 60\``,
  ],
  ['no terminal', `({ $ }) => $\`echo the input device is not a TTY >&2; exit 1\``],
  ['a command that nobody awaits', `({ exec }) => void exec(['false'])`],
  ['a throw', `() => { throw new TypeError('no such thing'); }`],
  ['a throw of no error', `() => { throw { code: 7 }; }`],
  ['Exit', `() => { throw new Exit(4, 'that is enough'); }`],
  ['Exit without a word', `() => { throw new Exit(4); }`],
  ['an output that is none', `() => ({ port: 'x' })`, `output: z.object({ port: z.int() })`],
  ['out of time', `({ exec }) => exec(['sleep', '60'])`, `timeout: '30ms'`],
  ['a call of a refused task', `({ call }) => call(fine({ requires: [tool('no-such', { remedy: 'install it' })] }))`],
  ['a call of a failing task', `({ call }) => call(fine({ run() { throw new Error('inner'); } }))`],
  ['a call with wrong input', `({ call }) => call(fine({ input: { n: z.int() } }), { n: 'x' })`],
  ['a task that does not run, called', `({ call }) => call(fine({ confirm: 'Really?' }))`],
  ['a call that leads back', `({ call }) => call(deploy)`],
  ['a call that comes too late', `({ call, defer }) => defer(() => call(fine()))`],
  ['clean-up that fails', `({ defer }) => defer(() => { throw new Error('cannot clean up'); })`],
];

test('what goes wrong in a body is told by its step', async () => {
  let all = '';
  for (const [what, body, more = ''] of BODIES) {
    const files = {
      'tasks.config.ts': `${HEAD}const deploy = task({ summary: 'Deploy.', ${more ? `${more}, ` : ''}run: ${body} });\nexport default defineConfig({ tasks: { deploy } });\n`,
    };
    all += `${what}\n${await saidOf(files, '--no-cache -r quiet deploy')}`;
  }

  expect(all).toMatchInlineSnapshot(`
    "a value in quotes

    ✖ deploy value 1 of \`$\`, after \`echo "\`, stands inside double quotes
      hint: Drop the quotes around \`\${…}\`: values are quoted already.
    = 1

    a value in single quotes

    ✖ deploy value 1 of \`$\`, after \`echo '\`, stands inside single quotes
      hint: Drop the quotes around \`\${…}\`: values are quoted already.
    = 1

    a value in a comment

    ✖ deploy value 1 of \`$\`, after \`echo # \`, stands inside a comment
      hint: Take it out of the comment, or drop the comment.
    = 1

    a value in a here-document

    ✖ deploy value 1 of \`$\`, after \`cat <<END\`, stands inside a here-document
      hint: Hand the text over by \`$({ input: text })\`.
    = 1

    undefined

    ✖ deploy value 1 of \`$\`, after \`echo \`, is undefined, which cannot stand in a command
      hint: Give a string, a number, a boolean, a URL, the result of a command, or a flat array of these.
    = 1

    an object

    ✖ deploy value 1 of \`$\`, after \`echo \`, is an object, which cannot stand in a command
      hint: Give a string, a number, a boolean, a URL, the result of a command, or a flat array of these.
    = 1

    a promise

    ✖ deploy value 1 of \`$\`, after \`echo \`, is a promise, which cannot stand in a command
      hint: Await it first.
    = 1

    a list in a list

    ✖ deploy value 1 of \`$\`, after \`echo \`, is a list in a list, which cannot stand in a command
      hint: Give a string, a number, a boolean, a URL, the result of a command, or a flat array of these.
    = 1

    a null character

    ✖ deploy value 1 of \`$\`, after \`echo \`, contains a null character, which no argument of a program can
      hint: Hand it over by \`input\`, or in a file.
    = 1

    a wrong escape

    ✖ deploy the text of \`$\` has an escape that JavaScript does not know, such as \`\\033\`
      hint: Write the backslash twice: \`\\\\033\`.
    = 1

    no program

    ✖ deploy \`exec\` was given no program
    = 1

    no word

    ✖ deploy argument 1 of \`exec\` is undefined, which cannot be an argument
      hint: Give strings and numbers.
    = 1

    a null character in a word

    ✖ deploy argument 1 of \`exec\` contains a null character, which no argument of a program can
    = 1

    two stdins

    ✖ deploy a command cannot have \`input\` and \`interactive\`
      hint: Each says where its stdin comes from: give one.
    = 1

    a size that is none

    ✖ deploy \`maxOutput\` is \`3 pounds\`: write a number of bytes, or a size such as \`64MiB\`
    = 1

    an answer to everything

    ✖ deploy \`respond\`: /x*/ also fits where nothing is said
      hint: Write the text of the prompt.
    = 1

    a failing command

    ✖ deploy \`echo oh no >&2; exit 3\` exited with code 3
      │ oh no
    = 3

    a program that is not there

    ✖ deploy \`no-such-program\` was not found on PATH
      hint: Install it, or say in \`requires\` that the task needs it: \`tool(…)\`.
    = 127

    a folder that is not there

    ✖ deploy \`pwd\` could not be started: there is no folder /nowhere
    = 126

    a signal

    ✖ deploy \`kill -KILL $$\` was ended by SIGKILL
    = 137

    too slow

    ✖ deploy \`sleep 60\` ran longer than <time>
    = 124

    too much

    ✖ deploy \`yes\` wrote more than 1000 bytes
      hint: Raise \`maxOutput\`, or keep the end only: \`capture: 'tail'\`.
    = 1

    a length of time that is none

    ✖ deploy \`timeout\` is \`5\`: write a length of time, such as \`30s\` or \`10m\`
    = 1

    a refused answer

    ✖ deploy \`printf 'Password: '; read x; echo Sorry; sleep 60\` did not accept the answer to \`Password:\`
      │ Password: Sorry
    = 1

    no terminal

    ✖ deploy \`echo the input device is not a TTY >&2; exit 1\` exited with code 1
      │ the input device is not a TTY
      hint: It asks for a terminal: \`interactive: true\` gives it the real one.
    = 1

    a command that nobody awaits

    ✖ deploy \`false\` exited with code 1
      Its body did not await this command.
    = 1

    a throw

    ✖ deploy TypeError: no such thing
      at run (tasks.config.ts:4:62)
    = 1

    a throw of no error

    ✖ deploy threw {"code":7}
    = 1

    Exit

    ✖ deploy that is enough
    = 4

    Exit without a word

    ✖ deploy ended the run with code 4
    = 4

    an output that is none

    ✖ deploy what it returned is not what its \`output\` accepts
      \`port\`: expected a number, got a text
    = 1

    out of time

    ✖ deploy it ran longer than <time>
    = 124

    a call of a refused task

    ✖ deploy \`tasks.config.ts:3\` cannot run here
      \`no-such\` was not found on PATH
        → install it
      hint: \`--skip-unmet\` leaves out what cannot run, and runs the rest.
    = 3

    a call of a failing task

    ✖ deploy \`tasks.config.ts:3\`, which it called, failed

    ✖ tasks.config.ts:3 inner
      at run (tasks.config.ts:4:88)
    = 1

    a call with wrong input

    ✖ deploy \`tasks.config.ts:3\` was given input it does not accept
      --n: expected a number, got "x"
    = 1

    a task that does not run, called

    ✖ deploy \`tasks.config.ts:3\` has a question, and nobody is there to answer it
      Really?
      hint: Give \`--yes\` to answer it, or run it on a terminal.
    = 3

    a call that leads back

    ✖ deploy this call leads back to its caller: deploy → deploy
    = 1

    a call that comes too late

    ✖ deploy nothing can be called in clean-up: say in \`post\` what runs after the task
      at tasks.config.ts:4:81
    = 1

    clean-up that fails

    ✖ deploy cannot clean up
      at tasks.config.ts:4:83
    = 1

    "
  `);
});

const SERVICES: readonly (readonly [what: string, service: string, body: string])[] = [
  ['not ready in time', `{ ready: { log: 'ready', within: '100ms' } }`, `({ $ }) => void $\`sleep 60\``],
  ['dead before it is ready', `{ ready: { log: 'ready' } }`, `({ $ }) => void $\`echo no luck; exit 4\``],
  ['badly stopped', `{ ready: {}, stop() { throw new Error('it hangs'); } }`, `() => {}`],
];

test('what goes wrong with a service is told by its step', async () => {
  let all = '';
  for (const [what, service, body] of SERVICES) {
    const declared = `...(() => { const server = task({ summary: 'Serve.', service: ${service}, run: ${body} }); return { server, test: fine({ needs: { server } }) }; })()`;
    all += `${what}\n${await saidOf(configOf(declared), '-r quiet test')}`;
  }

  expect(all).toMatchInlineSnapshot(`
    "not ready in time

    ✖ server the service was not ready within <time>
      it has not said "ready"
    = 124

    dead before it is ready

    ✖ server the service \`echo no luck; exit 4\` exited with code 4 before it was ready
      │ no luck
    = 4

    badly stopped

    ✖ server it did not stop well: it hangs
      at stop (tasks.config.ts:4:130)
    = 1

    "
  `);
});

test('what a person at the terminal is told of questions', async () => {
  const project = projectWith(configOf(`deploy: fine({ confirm: 'Deploy to production?' })`));
  const place = { cwd: project.root, env: { CI: '' }, terminal: { columns: 80, rows: 24 } };
  const answering = async (press: string): Promise<string> => {
    const { stderr } = await tasks(['-r', 'quiet', 'deploy'], { ...place, keys: [{ at: 'Deploy to production?', press }] });
    return stderr.slice(stderr.lastIndexOf('error:'));
  };

  expect([await answering('n'), await answering('\u0003')]).toMatchInlineSnapshot(`
    [
      "error: \`deploy\` asked, and the answer was no: nothing has run
      Deploy to production?
    ",
      "error: stopped at a question: nothing has run
    ",
    ]
  `);
});

test('what waits for ever is told', async () => {
  const process = new EventEmitter();
  Object.assign(globalThis, { tellIdle: () => process.emit('idle') });
  const waits = 'setImmediate(() => globalThis.tellIdle()); return new Promise(() => {});';
  const idleOf = async (tasksOf: string): Promise<string> =>
    steady((await tasks(['-r', 'quiet', 'a'], { cwd: projectWith(configOf(tasksOf)).root, process })).stderr);

  expect([
    await idleOf(`a: fine({ requires: [requirement('own', 'own', () => { ${waits} })] })`),
    await idleOf(`a: task({ summary: 'A.', run() { ${waits} } })`),
    await idleOf(`a: (() => { ${waits} })`),
  ]).toMatchInlineSnapshot(`
    [
      "error: a check before the run waits for something that nothing is left to give
    hint: Look at what \`requires\` and \`confirm\` await. Nothing has run.
    ",
      "
    ✖ a it waits for something that nothing is left to give
    ",
      "error: the config was not loaded: it awaits something that nothing is left to give
    hint: Look for an \`await\` outside of functions, in \`tasks.config.ts\` and in what it imports.
    ",
    ]
  `);
});

test('what is said of a lock that another run has', async () => {
  const project = projectWith(
    configOf(`a: task({ summary: 'A.', lock: 'database', run: () => new Promise((resolve) => { globalThis.letGoOfLock = resolve; }) })`),
  );
  // Put there by the body.
  const held = globalThis as typeof globalThis & { letGoOfLock?: () => void };
  const first = tasks(['-r', 'quiet', 'a'], { cwd: project.root });
  while (!held.letGoOfLock) await new Promise((done) => setImmediate(done));

  const { stderr } = await tasks(['--fail-if-locked', 'a'], { cwd: project.root });
  held.letGoOfLock();
  await first;

  expect(steady(stderr).replaceAll(project.root, '<root>').replaceAll(String(process.pid), '<pid>')).toMatchInlineSnapshot(`
    "error: \`a\` cannot run here
      lock \`database\`: \`a\` (process <pid> in <root>) has it since <time>
    hint: Nothing has run. \`--skip-unmet\` leaves out what cannot run, and runs the rest.
    "
  `);
});

test('what is told by the way', async () => {
  const pty = `a: task({ summary: 'A.', requires: [tool('no-such')], run: ({ exec, $ }) => exec(['true']) })`;
  const pieces = [
    ['two configs', { ...configOf('a: fine()'), 'tasks.config.js': '' }, '-r lines a'],
    ['a slip in a variable', configOf('a: fine()'), '-r lines a', { TASKS_JBOS: '3' }],
    ['unmet in a dry run', configOf(pty), '-r lines --dry-run a'],
    [
      'a file where logs are kept',
      { ...configOf(`a: task({ summary: 'A.', run: ({ $ }) => $\`echo said\` })`), '.tasks': '' },
      '-r lines a',
    ],
    ['a process left behind', configOf(`a: task({ summary: 'A.', run: ({ $ }) => $\`sleep 60 >/dev/null 2>&1 & true\` })`), '-r lines a'],
  ] as const;
  let all = '';
  for (const [what, files, line, env] of pieces) all += `${what}\n${await saidOf(files, line, env)}`;

  expect(all).toMatchInlineSnapshot(`
    "two configs
    note: \`<root>/tasks.config.ts\` is used, and \`tasks.config.js\` beside it is not
    = 0

    a slip in a variable
    note: \`TASKS_JBOS\` is no variable of taskwright; did you mean \`TASKS_JOBS\`?
    = 0

    unmet in a dry run
    note: not met here: \`no-such\` was not found on PATH
    = 0

    a file where logs are kept
    note: logs are not kept: ENOTDIR: not a directory, mkdir '<root>/.tasks/logs/<run>'
    = 0

    a process left behind
    note: \`a\` left 1 process behind, ended with it
    = 0

    "
  `);
});

test('sudo that nobody can be asked for', async () => {
  const restart = task({ summary: 'Restart.', run: (context) => sudo(context, ['restart']) });
  const refusing = (stderr: string) => ({ exitCode: 1, stderr });
  const { failure } = await testTask(restart, {
    commands: [
      ['id -u', '1000\n'],
      [/^sudo -n/, refusing('sudo: a password is required\n')],
      [/^sudo/, refusing('sudo: a terminal is required to read the password\n')],
    ],
  });

  expect([failure?.message, failure?.hint]).toMatchInlineSnapshot(`
    [
      "sudo needs a password here, and there is no terminal to ask for it",
      "Give \`password\` from a secret variable, or set \`SUDO_ASKPASS\`.",
    ]
  `);
});

test('what is wrong with a program that uses us', async () => {
  const project = projectWith();
  const fine = task({ summary: 'Fine.', input: { n: z.int() }, run: () => {} });
  const wrongFlags = withFlags({ jobs: z.int().optional(), x: z.object({}) });
  const others = withFlags({ region: z.string().max(2).optional() });
  const stranger = others.task({ summary: 'Other.', run: () => {} });
  const config = defineConfig({ tasks: { fine, stranger } });
  const asking: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['run, with wrong input', () => run(fine, { n: 1.5 })],
    ['start, of no service', () => start(fine, { n: 1 })],
    ['runTargets, of nothing', () => runTargets(config, [])],
    ['runTargets, of what is not there', () => runTargets(config, ['fien'])],
    ['testTask, with wrong input', () => testTask(fine, { input: { n: 1.5 } })],
  ];
  let all = '';
  for (const [what, ask] of asking) {
    const thrown = await ask().then(
      () => undefined,
      (error: unknown) => error,
    );
    all += `${what}\n${thrown instanceof UserError ? renderUserError(thrown) : String(thrown)}\n\n`;
  }

  const { host, said } = hostAt({ cwd: project.root });
  const acme = createCli({ name: 'acme', version: '1', config, flags: wrongFlags });
  for (const words of [
    ['fine', '1'],
    ['-f', 'x', 'fine', '1'],
  ])
    all += `acme ${words.join(' ')}\n= ${await acme.main(words, host)}\n`;
  const good = createCli({ name: 'good', version: '1', config: { tasks: { stranger } }, flags: others });
  all += `good --region\n= ${await good.main(['--region', 'nowhere', 'stranger'], host)}\n`;

  expect(steady(all + said.stderr)).toMatchInlineSnapshot(`
    "run, with wrong input
    error: \`messages.test.ts\` was given input it does not accept
      --n: expected a whole number, got 1.5


    start, of no service
    error: a task that is no service cannot be started
    hint: Use \`run(task)\`.


    runTargets, of nothing
    error: no task was named


    runTargets, of what is not there
    error: no task is named \`fien\`
    hint: Did you mean \`fine\`?


    testTask, with wrong input
    error: \`messages.test.ts\` was given input it does not accept
      --n: expected a whole number, got 1.5


    acme fine 1
    = 2
    acme -f x fine 1
    = 2
    good --region
    = 2
    error: the global flags of \`acme\` are not right
      \`x\`: an object has no flag; use flat fields, \`keyValue()\`, or \`json(schema)\`
      \`jobs\` comes to \`--jobs\`, which is an option of every command line
      \`stranger\` was made with other flags: give those to \`createCli\` as \`flags\`
    error: \`acme\` has its own tasks, and takes no \`--file\`
    error: the global flags were given values they do not accept
      --region: expected at most 2 characters, got "nowhere"
    hint: Run \`good --help\`.
    "
  `);
});
