import { expect, test } from 'vitest';
import { tasks } from './support/command-line.ts';
import { projectWith } from './support/project.ts';

/**
 * What people are told, all in one view, to be read aloud: what is wrong, where, the nearest right thing, what to do.
 * Each feature has tests of its own; this one is for the words.
 */
const CONFIG = `
import { count, defineConfig, file, keyValue, task, tool } from 'taskwright';
import { z } from 'zod';
const build = task({ summary: 'Build.', input: { tag: z.string().default('x').meta({ short: 't' }), level: z.int().min(0).max(9).default(1), set: keyValue().default({}), verbose: count() }, run() {} });
const deploy = task({ summary: 'Deploy.', input: { target: z.enum(['staging', 'production']), since: z.date().optional(), site: z.url().optional(), token: z.string().min(8).optional().meta({ secret: true, env: 'DEPLOY_TOKEN' }) }, confirm: 'Really?', run() {} });
const needy = task({ summary: 'Need.', env: { REGION: z.enum(['eu', 'us']) }, requires: [tool('no-such-tool', { remedy: 'apt install it' }), file('manifest.json')], run() {} });
const demo = { start: task({ summary: 'Start.', input: { fast: z.boolean().default(false) }, run() {} }), stop: task({ summary: 'Stop.', run() {} }) };
export default defineConfig({ tasks: { build, deploy, needy, demo } });
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
];

test('what is wrong is said in one voice', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });
  let all = '';
  for (const [line, env] of LINES) {
    const { code, stderr } = await tasks(line.split(' '), { cwd: project.root, ...(env && { env }) });
    const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value} `);
    all += `$ ${variables.join('')}tasks ${line}\n${stderr.replaceAll(project.root, '<root>')}= ${code}\n\n`;
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
      --level: too big: expected number to be <=9, got 12
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
      --token: too small: expected string to have >=8 characters
    hint: Run \`tasks deploy --help\`.
    = 2

    $ DEPLOY_TOKEN=short tasks deploy staging
    error: \`deploy\` was given input it does not accept
      --token (from DEPLOY_TOKEN): too small: expected string to have >=8 characters
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

    "
  `);
});
