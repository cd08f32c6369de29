import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import { tasks } from '../support/command-line.ts';

const CONFIG = `
import { defineConfig, task, Exit } from 'taskwright';
import { z } from 'zod';
const image = task({
  summary: 'Build the image.',
  input: { tag: z.string().default('local').meta({ short: 't' }).describe('image tag') },
  output: z.object({ reference: z.string() }),
  run: ({ input, log }) => { log('building', input.tag); return { reference: 'app:' + input.tag }; },
});
const deploy = task({
  summary: 'Deploy the server.',
  description: 'Takes the image to where it is seen.',
  examples: ['deploy staging'],
  input: { target: z.enum(['staging', 'production']).describe('where to'), token: z.string().optional().meta({ secret: true, env: 'DEPLOY_TOKEN' }) },
  needs: ({ input }) => ({ built: image({ tag: input.target }) }),
  confirm: ({ input }) => (input.target === 'production' ? 'Deploy to production?' : undefined),
  run: ({ input, needs, print }) => print(needs.built.reference + ' to ' + input.target + '\\n'),
});
const speak = task({ summary: 'Speak.', run: ({ $ }) => $\`echo out; echo err >&2\` });
const broken = task({ summary: 'Break.', run: ({ $ }) => $\`echo last words; exit 7\` });
const thrower = task({ summary: 'Throw.', run() { throw new Error('that was it'); } });
const all = task({ summary: 'All of it.', needs: [speak, broken, thrower] });
const leak = task({ summary: 'Leak.', env: { SECRET: z.string().meta({ secret: true, examples: ['correct-example'] }) }, run: ({ env, $ }) => $\`echo the secret is \${env.SECRET}; printf %s "\\\${SECRET:0:9}"; sleep 0.05; echo "\\\${SECRET:9}"\` });
const nested = { inner: task({ summary: 'Inside.', aliases: ['in'], run() {} }), hidden: task({ summary: 'Unseen.', hidden: true, run() {} }) };
const slow = task({ summary: 'Wait for ever.', grace: '1s', run: ({ $ }) => $\`echo waiting; sleep 1000\` });
const site = task({
  summary: 'Serve.',
  input: { port: z.int() },
  service: { ready: ({ input }) => ({ http: 'http://127.0.0.1:' + input.port + '/' }) },
  run({ input, exec }) {
    void exec([process.execPath, '-e', "require('http').createServer((q, r) => r.end('hello')).listen(" + input.port + ", '127.0.0.1')"]);
    return { url: 'http://127.0.0.1:' + input.port + '/' };
  },
});
const smoke = task({ summary: 'Ask the site.', input: { port: z.int() }, needs: ({ input }) => ({ site: site({ port: input.port }) }), run: async ({ needs, print }) => print(await (await fetch(needs.site.url)).text()) });
export default defineConfig({ tasks: { image, deploy, speak, broken, thrower, all, leak, nested, slow, site, smoke } });
`;

let project: TestProject;
beforeEach(() => {
  project = projectWith({ 'tasks.config.ts': CONFIG });
});
const here = (env: Record<string, string> = {}) => ({ cwd: project.root, env });

test('a task with its need: results on stdout, the story on stderr (R25, R38)', async () => {
  const said = await tasks(['deploy', 'staging'], here());

  expect(said.code).toBe(0);
  expect(said.stdout).toBe('app:staging to staging\n');
  expect(said.stderr.replaceAll(/\d+ms/g, '<time>')).toMatchInlineSnapshot(`
    "▶ image
    image | building staging
    ✔ image <time>
    ▶ deploy
    ✔ deploy <time>
    2 done in <time>
    "
  `);
});

test('a plan of one step behaves like the command itself (R40)', async () => {
  expect(await tasks(['speak'], here())).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('a failure is told once, with its code, its log and the line to run it again (R20, R21)', async () => {
  const said = await tasks(['broken'], here());

  expect(said.code).toBe(7);
  expect(said.stdout).toBe('last words\n');
  expect(said.stderr.replace(/log: .*/, 'log: <file>')).toMatchInlineSnapshot(`
    "
    ✖ broken \`echo last words; exit 7\` exited with code 7
      log: <file>
      again: tasks broken
    "
  `);
});

test('several failures are all told, quiet shows their last lines (R20, R38)', async () => {
  const said = await tasks(['-q', '-k', 'all'], here());

  expect(said.code).toBe(7);
  expect(said.stdout).toBe('');
  expect(said.stderr.replaceAll(/log: .*/g, 'log: <file>')).toMatchInlineSnapshot(`
    "
    ✖ broken \`echo last words; exit 7\` exited with code 7
      │ last words
      log: <file>
      again: tasks broken

    ✖ thrower that was it
      at run (tasks.config.ts:21:57)
      again: tasks thrower
    "
  `);
});

test('-r json is the stream of events, each a line that a program reads (R38, R42)', async () => {
  const said = await tasks(['-r', 'json', 'deploy', 'staging'], here());

  const events = said.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; step?: string });
  expect(events.map((event) => [event.type, event.step].filter(Boolean).join(' '))).toEqual([
    'run-started',
    'step-started image',
    'log image',
    'step-ended image',
    'step-started deploy',
    'print deploy',
    'step-ended deploy',
    'run-ended',
  ]);
});

test('--json gives the values of the targets as one document (R40)', async () => {
  const said = await tasks(['--json', 'image', '-t', 'x', 'speak'], here());

  expect(JSON.parse(said.stdout)).toEqual({
    version: 1,
    exitCode: 0,
    reason: 'ok',
    targets: [
      { name: 'image', status: 'done', output: { reference: 'app:x' } },
      { name: 'speak', status: 'done', output: expect.anything() },
    ],
  });
});

test('secrets are *** in output, also split across chunks, and in kept logs (R29)', async () => {
  const said = await tasks(['leak'], here({ SECRET: 'correct-horse-battery' }));

  expect(said.stdout).toBe('the secret is ***\n***\n');
  expect(said.stdout + said.stderr).not.toContain('correct-horse');
  const files = readdirSync(join(project.root, '.tasks/logs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const kept = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('');
  expect(kept).toContain('\nthe secret is ***\n***\n');
  expect(kept).not.toContain('horse');
});

test('what the schema itself tells is no secret in other texts, and still none to show as a value (R29)', async () => {
  const place = here({ SECRET: 'correct-example' });

  expect((await tasks(['leak'], place)).stdout).toBe('the secret is correct-example\ncorrect-example\n');
  expect((await tasks(['--env'], place)).stdout).not.toContain('correct-example');
});

test.each([
  [['depoly'], 2, 'error: no task is named `depoly`\nhint: Did you mean `deploy`?\n'],
  [
    ['deploy'],
    2,
    'error: `deploy` was given input it does not accept\n  --target is required: "staging" or "production"\nhint: Run `tasks deploy --help`.\n',
  ],
  [
    ['deploy', 'stagng'],
    2,
    'error: `stagng` is no target of `deploy`: expected "staging" or "production", got "stagng"; did you mean "staging"?\n',
  ],
  [
    ['deploy', '--trget', 'x'],
    2,
    'error: 2 things are wrong with this command line\n  `deploy` has no flag `--trget`\n    → Did you mean `--target`?\n  `x` is no target of `deploy`: expected "staging" or "production", got "x"\n',
  ],
  [
    ['deploy', 'production'],
    3,
    'error: `deploy` has a question, and nobody is there to answer it\n  Deploy to production?\nhint: Give `--yes` to answer it, or run it on a terminal.\n',
  ],
  [
    ['leak'],
    3,
    'error: `leak` cannot run here\n  `SECRET` is not set\nhint: Nothing has run. `--skip-unmet` leaves out what cannot run, and runs the rest.\n',
  ],
  [['image', '--tag'], 2, 'error: `--tag` of `image` needs a value\nhint: Write `--tag VALUE` or `--tag=VALUE`.\n'],
  [['nested', 'image'], 2, 'error: `nested` is a namespace without a default task\nhint: Run `tasks --list nested` to see its tasks.\n'],
  [['-r', 'tre', 'image'], 2, 'error: no reporter is named `tre`\nhint: Did you mean `tree`?\n'],
])('%j: one clear message and its exit code (R9, R11, R21)', async (argv, code, stderr) => {
  expect(await tasks(argv, here())).toEqual({ code, stdout: '', stderr });
});

test('everything wrong with every target is told at once (R11)', async () => {
  expect((await tasks(['image', '--tga', 'x', 'deploy', 'staging', '--tokn=1', 'smoke'], here())).stderr).toMatchInlineSnapshot(`
    "error: 3 things are wrong with this command line
      \`image\` has no flag \`--tga\`
        → Did you mean \`--tag\`?
      \`deploy\` has no flag \`--tokn\`
        → Did you mean \`--token\`?
      \`smoke\`: --port is required: a whole number
    "
  `);
});

test('codes for a terminal among the words are shown, not sent (R9)', async () => {
  expect((await tasks(['\x1b[31mred'], here())).stderr).toContain('no task is named `\\x1b[31mred`');
});

test('--version is heard wherever it stands (R10)', async () => {
  expect((await tasks(['image', '--version'], here())).stdout).toMatch(/^\d+\.\d+\.\d+/);
});

test('--yes answers (R17)', async () => {
  expect(await tasks(['--yes', 'deploy', 'production'], here())).toMatchObject({ code: 0, stdout: 'app:production to production\n' });
});

test('a person at the terminal answers: yes runs it, no is a refusal, Ctrl-C a stop (R17, R21)', async () => {
  const asked = { cwd: project.root, env: { CI: '' }, terminal: { columns: 80, rows: 24 } };
  const answering = (press: string) =>
    tasks(['-r', 'quiet', 'deploy', 'production'], { ...asked, keys: [{ at: 'Deploy to production?', press }] });

  expect(await answering('y')).toMatchObject({ code: 0, stdout: 'app:production to production\n' });
  expect(await answering('n')).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringContaining('the answer was no: nothing has run'),
  });
  expect(await answering('\x03')).toMatchObject({
    code: 130,
    stdout: '',
    stderr: expect.stringContaining('error: stopped at a question: nothing has run'),
  });
});

test('what is required and missing is asked for at a terminal, with the choices there are (R11)', async () => {
  const asked = { cwd: project.root, env: { CI: '' }, terminal: { columns: 80, rows: 24 } };
  const answering = (press: string) => tasks(['-r', 'quiet', 'deploy'], { ...asked, keys: [{ at: 'where to', press }] });

  expect(await answering('\r')).toMatchObject({ code: 0, stdout: 'app:staging to staging\n' });
  expect(await answering('\x03')).toMatchObject({ code: 130, stdout: '' });
});

test('a bare `tasks` at a terminal: a task is picked by typing, asked for what it must have, and told as a line (R11)', async () => {
  const terminal = { cwd: project.root, env: { CI: '' }, terminal: { columns: 80, rows: 24 } };
  const said = await tasks(['-r', 'quiet'], {
    ...terminal,
    keys: [
      { at: 'Which task?', press: 'serv' },
      { at: 'serv', press: '\r' },
      { at: 'where to', press: '\x1b[B\r' },
      { at: 'Deploy to production?', press: 'y' },
    ],
  });

  expect(said).toMatchObject({ code: 0, stdout: 'app:production to production\n' });
  expect(said.stderr).toContain('$ tasks deploy --target production\n');
  expect(said.stderr).not.toContain('nested.hidden');

  const left = await tasks([], { ...terminal, keys: [{ at: 'Which task?', press: '\x03' }] });
  expect(left).toMatchObject({ code: 130, stdout: '' });
});

test.each([
  ['in CI', [], { CI: 'true' }],
  ['with --no-input', ['--no-input'], { CI: '' }],
  ['where a list was asked for', ['--flat'], { CI: '' }],
])('nobody is asked to pick %s: it lists (R11)', async (_, argv, env) => {
  const said = await tasks(argv, {
    cwd: project.root,
    env,
    terminal: { columns: 80, rows: 24 },
    keys: [{ at: 'Which task?', press: '\x03' }],
  });

  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(said.stdout).toContain('Deploy the server.');
});

test('an answer that the schema refuses is asked for again; a secret is not shown (R11, R29)', async () => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, keyValue, task } from 'taskwright';
import { z } from 'zod';
const sign = task({
  summary: 'Sign.',
  input: { port: z.int().max(99), parts: z.array(z.enum(['a', 'b'])), set: keyValue(), token: z.string().min(5).meta({ secret: true }) },
  run: ({ input, print }) => print(JSON.stringify({ ...input, token: input.token.length }) + '\\n'),
});
export default defineConfig({ tasks: { sign } });
`,
  );
  const said = await tasks(['-r', 'quiet', 'sign'], {
    cwd: project.root,
    env: { CI: '' },
    terminal: { columns: 80, rows: 24 },
    keys: [
      { at: '--port', press: '100\r' },
      { at: 'expected at most 99', press: '\x7f\x7f\r' },
      { at: '--parts', press: ' \x1b[B \r' },
      { at: '--set', press: 'A=1,B=2\r' },
      { at: '--token', press: 'open-sesame\r' },
    ],
  });

  expect(said.stdout).toBe('{"port":1,"parts":["a","b"],"set":{"A":"1","B":"2"},"token":11}\n');
  expect(said.stderr).toContain("$ tasks sign --port 1 --parts a --parts b --set A=1 --set B=2 --token '***'");
  expect(said.stderr).not.toContain('open-sesame');
});

test('no config is one clear message (R4)', async () => {
  const said = await tasks(['deploy'], { cwd: projectWith().root });

  expect(said.code).toBe(2);
  expect(said.stderr).toContain('tasks.config.ts');
});

test('--list is a tree, --flat has full names, hidden ones need --all, and a bare call in a pipe is no success', async () => {
  expect((await tasks(['--list'], here())).stdout).toMatchInlineSnapshot(`
    "image         Build the image.
    deploy        Deploy the server.
    speak         Speak.
    broken        Break.
    thrower       Throw.
    all           All of it.
    leak          Leak.
    nested
      inner (in)  Inside.
    slow          Wait for ever.
    site          Serve.
    smoke         Ask the site.
    "
  `);
  expect((await tasks(['-l', 'nested', '--flat', '--all'], here())).stdout).toMatchInlineSnapshot(`
    "nested.inner (nested.in)  Inside.
    nested.hidden             Unseen.
    "
  `);
  expect((await tasks([], here())).code).toBe(2);
  expect((await tasks([], { ...here(), terminal: { columns: 80, rows: 24 } })).code).toBe(0);
  expect(JSON.parse((await tasks(['--list', '--json'], here())).stdout)).toMatchObject({
    version: 1,
    tasks: expect.arrayContaining([expect.objectContaining({ name: 'deploy', inputs: expect.anything() })]),
  });
});

test('--help of a task tells what it takes and where it stands', async () => {
  expect((await tasks(['deploy', '--help'], here())).stdout).toMatchInlineSnapshot(`
    "tasks deploy <target> [flags]

    Deploy the server.

    Takes the image to where it is seen.

    Input
          --target staging|production  where to (required)
          --token TEXT                 (variable DEPLOY_TOKEN; secret)

    Needs
      depends on the input: \`--plan\` shows it

    Examples
      $ tasks deploy staging

    declared in tasks.config.ts:10
    "
  `);
  expect((await tasks(['--help'], { cwd: projectWith().root })).stdout).toContain('-k, --keep-going');
});

test('--plan, --graph and --dry-run run nothing (R16)', async () => {
  expect((await tasks(['--plan', 'deploy', 'staging'], here())).stdout).toBe('1. image\n2. deploy [target]  needs 1\n');
  expect((await tasks(['--graph', 'deploy', 'staging'], here())).stdout).toBe('flowchart TD\n  s1["image"]\n  s2["deploy"]\n  s1 --> s2\n');
  expect((await tasks(['--graph=dot', 'deploy', 'staging'], here())).stdout).toContain('"image" -> "deploy";');
  expect(JSON.parse((await tasks(['--plan', '--json', 'deploy', 'staging'], here())).stdout)).toMatchObject({
    version: 1,
    targets: ['deploy'],
  });
  expect((await tasks(['--dry-run', 'speak', 'broken'], here())).stdout).toBe(
    '# speak\necho out; echo err >&2\n# broken\necho last words; exit 7\n',
  );
});

test('--schema is JSON Schema of all inputs and outputs (R42)', async () => {
  const schema = JSON.parse((await tasks(['--schema'], here())).stdout) as { tasks: Record<string, { input: object; output?: object }> };

  expect(schema.tasks['image']?.input).toMatchObject({
    type: 'object',
    properties: { tag: { type: 'string', default: 'local', description: 'image tag' } },
  });
  expect(schema.tasks['image']?.output).toMatchObject({ properties: { reference: { type: 'string' } } });
});

test('--env shows variables and where they come from, secrets masked (R30)', async () => {
  project.write('.env', 'SECRET=from-the-file\nOTHER=2\n');

  expect((await tasks(['--env'], here({ DEPLOY_TOKEN: 'abc' }))).stdout.replaceAll(project.root, '<root>')).toMatchInlineSnapshot(`
    "DEPLOY_TOKEN  ***  from environment  for deploy
    OTHER         2  from <root>/.env
    SECRET        ***  from <root>/.env  for leak
    "
  `);
});

test('Ctrl-C asks, the run ends with 130, nothing is left (R21, R24)', async () => {
  const said = await tasks(['slow', 'speak'], { ...here(), onStdout: (text, signal) => text.includes('waiting') && signal('SIGINT') });

  expect(said.code).toBe(130);
  expect(said.stderr).toContain('stopping: interrupted (Ctrl-C)');
  expect(said.stderr).toContain('speak skipped: not started: interrupted (Ctrl-C)');
});

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends it with %i (R21)', async (name, code) => {
  const said = await tasks(['slow'], { ...here(), onStdout: (text, signal) => text.includes('waiting') && signal(name) });

  expect(said.code).toBe(code);
});

test('--timeout bounds the whole run with 124 (R22)', async () => {
  expect((await tasks(['--timeout', '300ms', 'slow'], here())).code).toBe(124);
});

test('--command-timeout bounds each command, --warn-only fails nothing', async () => {
  const said = await tasks(['--command-timeout', '100ms', 'slow'], here());
  expect([said.code, said.stderr]).toEqual([124, expect.stringContaining('ran longer than 100ms')]);
  expect((await tasks(['--warn-only', 'broken'], here())).code).toBe(0);
});

test('a service starts when it is needed, hands over its value when ready, and stops after its last user (R37)', async () => {
  const { createServer } = await import('node:net');
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

  const said = await tasks(['smoke', '--port', String(port)], here());

  expect([said.code, said.stdout]).toEqual([0, 'hello']);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test('a service that is the last target stays until it is told to stop (R37)', async () => {
  const { createServer } = await import('node:net');
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  const events: string[] = [];

  const said = await tasks(['-r', 'json', 'site', '--port', String(port)], {
    ...here(),
    onStdout: (text, signal) => {
      events.push((JSON.parse(text) as { type: string }).type);
      if (text.includes('service-ready')) signal('SIGINT');
    },
  });

  expect(said.code).toBe(130);
  expect(events).toContain('service-ready');
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test('a service that dies before it is ready fails its users with its last lines (R37)', async () => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, task } from 'taskwright';
const dead = task({ summary: 'Die.', service: { ready: { port: 1, within: '20s' } }, run({ $ }) { void $\`echo famous last words; exit 4\`; } });
const user = task({ summary: 'Use.', needs: { dead }, run() {} });
export default defineConfig({ tasks: { dead, user } });
`,
  );

  const said = await tasks(['-q', 'user'], here());

  expect(said.code).toBe(4);
  expect(said.stderr).toContain('exited with code 4 before it was ready');
  expect(said.stderr).toContain('famous last words');
});

test('commands run at the root, a typed path is resolved where the user stands (R4)', async () => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, path, task } from 'taskwright';
const where = task({ summary: 'Where.', input: { file: path() }, run: async ({ input, $, print }) => print(await $({ quiet: true })\`pwd\`.text() + ' ' + input.file + '\\n') });
export default defineConfig({ tasks: { where } });
`,
  );
  project.write('sub folder/x', '');

  const said = await tasks(['where', 'x'], { cwd: project.path('sub folder') });

  expect(said.stderr).toBe('');
  expect(said.stdout).toBe(`${project.root} ${project.path('sub folder', 'x')}\n`);
});

test('in an interactive task, what is captured for the body does not go to the terminal (R22)', async () => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, task } from 'taskwright';
const shell = task({ summary: 'Shell.', interactive: true, async run({ exec, print }) {
  const found = await exec(['echo', 'found'], { quiet: true });
  const fed = await exec(['cat'], { input: 'fed' });
  print(found.text() + ' ' + fed.text() + '\\n');
} });
export default defineConfig({ tasks: { shell } });
`,
  );

  const said = await tasks(['shell'], { ...here(), terminal: { columns: 80, rows: 24 }, keys: [] });

  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('found fed\n')]);
});

test('an interactive task that waits for two calls is alone again when both are over (R22, R26)', async () => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, task } from 'taskwright';
import { setImmediate as tick } from 'node:timers/promises';
let isAlone = false;
const seen = [];
const quick = task({ summary: 'Quick.', run: () => {} });
const slow = task({ summary: 'Slow.', run: async () => { for (let n = 0; n < 20; n++) await tick(); } });
const editor = task({ summary: 'Editor.', interactive: true, async run({ call }) {
  await Promise.all([call(quick), call(slow)]);
  isAlone = true;
  for (let n = 0; n < 50; n++) await tick();
  isAlone = false;
} });
const other = task({ summary: 'Other.', needs: { quick, slow }, run: async () => { await tick(); seen.push(isAlone); } });
const all = task({ summary: 'All.', needs: { editor, other }, run: ({ print }) => print(seen.join() + '\\n') });
export default defineConfig({ tasks: { quick, slow, editor, other, all } });
`,
  );

  const said = await tasks(['all', '--jobs=4'], { ...here(), terminal: { columns: 80, rows: 24 }, keys: [] });

  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('false\n')]);
});

test.each([
  ['does not await its call', `void call(quick, { turns: 200 }); await turns(10);`],
  [
    'calls again before it has its slot',
    `const a = call(quick, { turns: 5 }); await turns(40); const b = call(quick, { turns: 20 }); await a; await b;`,
  ],
])('an interactive task that %s keeps nothing from running (R22, R26)', async (_, body) => {
  project.write(
    'tasks.config.ts',
    `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
import { setImmediate as tick } from 'node:timers/promises';
const turns = async (count) => { for (let n = 0; n < count; n++) await tick(); };
const quick = task({ summary: 'Quick.', input: { turns: z.int() }, run: ({ input }) => turns(input.turns) });
const editor = task({ summary: 'Editor.', interactive: true, async run({ call }) { ${body} } });
const bystander = task({ summary: 'Bystander.', run: () => turns(300) });
const last = task({ summary: 'Last.', after: [bystander], run: () => {} });
const all = task({ summary: 'All.', needs: { editor, bystander, last }, run: ({ print }) => print('all is done\\n') });
export default defineConfig({ tasks: { quick, editor, bystander, last, all } });
`,
  );

  const said = await tasks(['all', '--jobs=4', '--reporter=lines'], { ...here(), terminal: { columns: 80, rows: 24 }, keys: [] });

  expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('all is done')]);
});
