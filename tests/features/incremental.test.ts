import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { task } from '../../lib/index.ts';
import { testTask } from '../../lib/testing.ts';
import { tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';
import type { TestProject } from '../support/project.ts';

/** What ran, by the lines that bodies leave in a file of their own. */
const RAN = `
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
export const ran = (name: string) => appendFileSync(fileURLToPath(import.meta.url).replace('ran.ts', 'ran'), name + ' ');
`;

function projectOf(files: Readonly<Record<string, string>>) {
  const project = projectWith({ 'ran.ts': RAN, ran: '', ...files });
  return {
    ...project,
    /** Runs a line; resolves to what ran, and how it ended. */
    async run(line: string, env: Readonly<Record<string, string>> = {}) {
      writeFileSync(project.path('ran'), '');
      const said = await tasks(['-r', 'json', ...line.split(' ')], { cwd: project.root, env });
      const events = said.stdout
        .split('\n')
        .filter(Boolean)
        .map((text) => JSON.parse(text) as { type: string; why?: string[]; step?: string; outcome?: { status: string; output?: unknown } });
      return {
        ...said,
        ran: readFileSync(project.path('ran'), 'utf8').trim(),
        why: events.flatMap(({ type, why }) => (type === 'step-explained' ? (why ?? []) : [])),
        ended: Object.fromEntries(
          events.flatMap(({ type, step, outcome }) => (type === 'step-ended' && step ? [[step, outcome?.status]] : [])),
        ),
        outputs: Object.fromEntries(
          events.flatMap(({ type, step, outcome }) => (type === 'step-ended' && step ? [[step, outcome?.output]] : [])),
        ),
        notices: events.flatMap((event) => (event.type === 'notice' ? [event] : [])),
      };
    },
  };
}

const BOTH = `
import { defineConfig, task } from 'taskwright';
import { ran } from './ran.ts';
const both = task({ summary: 'x', sources: ['src/**'], upToDate: () => 'there already', run: () => ran('both') });
export default defineConfig({ tasks: { both } });
`;

const BUILD = `
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { task } from 'taskwright';
import { z } from 'zod';
import { ran } from './ran.ts';
import { upper } from './upper.ts';
export const build = task({
  summary: 'Build.',
  input: { tag: z.string().default('a') },
  env: { MODE: z.string().optional(), TOKEN: z.string().optional().meta({ secret: true }) },
  output: z.object({ size: z.number() }),
  sources: ['src/**', '!src/*.md'],
  generates: ['dist/**'],
  run({ root, input }) {
    ran('build');
    mkdirSync(root + '/dist', { recursive: true });
    const text = upper(readFileSync(root + '/src/a.txt', 'utf8') + input.tag);
    writeFileSync(root + '/dist/a.txt', text);
    return { size: text.length };
  },
});
export const deploy = task({ summary: 'Deploy.', needs: { build }, sources: [], generates: [], run({ needs }) { ran('deploy' + needs.build.size); } });
`;
const FILES = {
  'tasks.config.ts':
    "import { defineConfig } from 'taskwright'; import * as all from './all.ts'; export default defineConfig({ tasks: { ...all } });",
  'all.ts': BUILD,
  'upper.ts': 'export const upper = (text: string) => text.toUpperCase();',
  'src/a.txt': 'hello',
  'src/note.md': '',
};

test('a second run leaves alone what has not changed, and hands over the same value (R32, R33)', async () => {
  const project = projectOf(FILES);

  const first = await project.run('deploy');
  expect([first.ran, first.ended, first.why]).toEqual(['build deploy6', { build: 'done', deploy: 'done' }, ['first run', 'first run']]);
  const second = await project.run('deploy');
  expect([second.ran, second.ended, second.outputs['build']]).toEqual(['', { build: 'up-to-date', deploy: 'up-to-date' }, { size: 6 }]);
});

test.each([
  ['a source', (project: TestProject) => project.write('src/a.txt', 'hallo'), 'changed: src/a.txt'],
  ['a new source', (project: TestProject) => project.write('src/b.txt', ''), 'new: src/b.txt'],
  [
    'the code',
    (project: TestProject) => project.write('upper.ts', 'export const upper = (text: string) => text.toLowerCase();'),
    'code: upper.ts',
  ],
])('a step runs again when %s changed, and says why (R32, R34)', async (_, change, why) => {
  const project = projectOf(FILES);
  await project.run('build');

  change(project);
  const next = await project.run('build');

  expect([next.ran, next.why]).toEqual(['build', [why]]);
  expect((await project.run('build')).ran).toBe('');
});

test.each([
  ['gone', (file: string) => rmSync(file)],
  ['damaged', (file: string) => writeFileSync(file, 'x')],
  ['not to be read or written', (file: string) => (rmSync(file), mkdirSync(file))],
])('what steps depended on being %s changes what is said, and not what runs (R34, R35)', async (_, harm) => {
  const project = projectOf(FILES);
  await project.run('build');
  const file = project.path('.tasks/cache/ingredients.json');
  harm(file);

  expect((await project.run('build')).ran).toBe('');
  project.write('src/a.txt', 'hallo');
  const next = await project.run('build');

  expect([next.ran, next.why]).toEqual(['build', ['what it depended on before cannot be told']]);
  expect((await project.run('build')).ran).toBe('');
  project.write('src/a.txt', 'hello');
  expect((await project.run('build')).why).toEqual([isWritable(file) ? 'changed: src/a.txt' : 'what it depended on before cannot be told']);
  expect((await tasks(['--cache-clear'], { cwd: project.root })).code).toBe(0);
});
const isWritable = (file: string): boolean => !statSync(file).isDirectory();

test.each([
  ['an input', 'build --tag b', {}, ['input tag: "a" → "b"']],
  ['a declared variable', 'build', { MODE: 'x' }, ['variable MODE']],
])('a step runs again for %s (R32)', async (_, line, env, why) => {
  const project = projectOf(FILES);
  await project.run('build');

  const next = await project.run(line, env);
  expect([next.ran, next.why]).toEqual(['build', why]);
});

test.each([
  ['a file taken out by `!`', (project: TestProject) => project.write('src/note.md', 'x')],
  ['a file that is touched', (project: TestProject) => project.write('src/a.txt', 'hello')],
  ['a task file that it does not import', (project: TestProject) => project.write('other.ts', 'x')],
  ['a comment of the config', (project: TestProject) => project.write('tasks.config.ts', `${FILES['tasks.config.ts']} // more`)],
])('%s re-runs nothing (R32)', async (_, change) => {
  const project = projectOf(FILES);
  await project.run('build');

  change(project);
  expect((await project.run('build')).ran).toBe('');
});

test('a secret and an undeclared variable re-run nothing (R29, R31)', async () => {
  const project = projectOf(FILES);
  await project.run('build', { TOKEN: 'one-secret-value', OTHER: '1' });

  expect((await project.run('build', { TOKEN: 'another-secret', OTHER: '2' })).ran).toBe('');
  for (const file of ['state.json', 'ingredients.json'])
    expect(readFileSync(project.path(`.tasks/cache/${file}`), 'utf8')).not.toContain('secret');
});

test('what it generated and is missing is put back; what the user changed is left to the body (R33)', async () => {
  const project = projectOf(FILES);
  await project.run('build');

  rmSync(project.path('dist'), { recursive: true });
  expect([(await project.run('build')).ran, readFileSync(project.path('dist/a.txt'), 'utf8')]).toEqual(['', 'HELLOA']);

  project.write('dist/a.txt', 'mine');
  const next = await project.run('build');
  expect([next.ran, next.why]).toEqual(['build', ['dist/a.txt is not as it was left']]);
});

test('a step that failed runs again, also when what it depends on is as it was when it last succeeded (R32)', async () => {
  const failing = "export const upper = (text: string) => { if (text.startsWith('bad')) throw new Error('bad'); return text; };";
  const project = projectOf({ ...FILES, 'upper.ts': failing });
  await project.run('build');
  project.write('src/a.txt', 'bad');
  expect((await project.run('build')).code).toBe(1);
  expect((await project.run('build')).why).toEqual(['its last run did not succeed']);

  project.write('src/a.txt', 'hello');
  expect((await project.run('build')).ran).toBe('build');
});

const TRACES = `
import { task } from 'taskwright';
import { z } from 'zod';
import { ran } from './ran.ts';
export const mark = task({ summary: 'Mark.', input: { tag: z.string().default('a') }, sources: ['src/**'], run: ({ input }) => ran(input.tag) });
`;

test('a task that does not say what it generates is up to date only until another input of it ran (R32)', async () => {
  const project = projectOf({ ...FILES, 'all.ts': TRACES });
  await project.run('mark');
  await project.run('mark --tag b');

  const back = await project.run('mark');
  expect([back.ran, back.why]).toEqual(['a', ['input tag: "b" → "a"']]);
});

test('an older outcome comes back only for a task that says `cache`, with its files and without later ones (R33)', async () => {
  const cached = BUILD.replace("sources: ['src/**', '!src/*.md'],", "sources: ['src/**', '!src/*.md'], cache: true,").replace(
    "writeFileSync(root + '/dist/a.txt', text);",
    "writeFileSync(root + '/dist/' + text.trim() + '.txt', text, { mode: 0o755 });",
  );
  const project = projectOf({ ...FILES, 'all.ts': cached });
  await project.run('build');
  project.write('src/a.txt', 'other');
  await project.run('build');
  expect([existsSync(project.path('dist/OTHERA.txt')), existsSync(project.path('dist/HELLOA.txt'))]).toEqual([true, false]);

  project.write('src/a.txt', 'hello');
  const back = await project.run('deploy');
  expect([back.ran, back.ended]).toEqual(['deploy6', { build: 'cached', deploy: 'done' }]);
  expect([existsSync(project.path('dist/OTHERA.txt')), statSync(project.path('dist/HELLOA.txt')).mode & 0o777]).toEqual([false, 0o755]);

  project.write('src/a.txt', 'other');
  project.write('dist/OTHERA.txt', 'mine');
  const users = await project.run('build');
  expect([users.ran, users.ended['build']]).toEqual(['build', 'done']);
});

test('--force runs the targets, --force=all what they need too; --no-cache keeps nothing, and nothing is known of it (R34)', async () => {
  const project = projectOf(FILES);
  await project.run('deploy');

  expect((await project.run('--force deploy')).ran).toBe('deploy6');
  expect((await project.run('--force=all deploy')).ran).toBe('build deploy6');
  expect((await project.run('deploy')).ran).toBe('');
  expect((await project.run('--no-cache deploy')).ran).toBe('build deploy6');
  expect((await project.run('build')).why).toEqual(['nothing is known of its last run']);
});

const NEEDS = `
import { task } from 'taskwright';
import { ran } from './ran.ts';
import { readFileSync } from 'node:fs';
export const silent = task({ summary: 'Silent.', run: () => ran('silent') });
export const value = task({ summary: 'Value.', run: ({ root }) => { ran('value'); return readFileSync(root + '/src/a.txt', 'utf8'); } });
export const afterSilent = task({ summary: 'x', needs: { silent }, sources: [], generates: [], run: () => ran('after-silent') });
export const afterValue = task({ summary: 'x', needs: { value }, sources: [], generates: [], run: () => ran('after-value') });
export const group = task({ summary: 'x', needs: [value] });
export const afterGroup = task({ summary: 'x', needs: { group }, sources: [], generates: [], run: () => ran('after-group') });
export const own = task({ summary: 'x', upToDate: ({ root }) => readFileSync(root + '/src/a.txt', 'utf8') === 'hello' && 'as it should be', run: () => ran('own') });
export const afterOwn = task({ summary: 'x', needs: { own }, sources: [], generates: [], run: () => ran('after-own') });
`;

test('a need that ran counts as unchanged only if it gave the same; one that gives nothing re-runs its users (R32)', async () => {
  const project = projectOf({ ...FILES, 'all.ts': NEEDS });
  for (const name of ['after-silent', 'after-value', 'after-group', 'after-own']) await project.run(name);

  const silent = await project.run('after-silent');
  expect([silent.ran, silent.why]).toEqual(['silent after-silent', ['need silent re-ran without a value']]);
  expect((await project.run('after-value')).ran).toBe('value');
  expect((await project.run('after-group')).ran).toBe('value');
  expect((await project.run('after-own')).ran).toBe('');
  project.write('src/a.txt', 'other');
  const value = await project.run('after-value');
  expect([value.ran, value.why]).toEqual(['value after-value', ['need value gave something else']]);
  expect((await project.run('after-own')).ran).toBe('own after-own');
});

test('a helper that makes tasks counts for each task it made, and so does the module that called it (R32)', async () => {
  const project = projectOf({
    'tasks.config.ts':
      "import { defineConfig } from 'taskwright'; import * as one from './one.ts'; import * as two from './two.ts'; export default defineConfig({ tasks: { one, two } });",
    'make.ts':
      "import { task } from 'taskwright'; import { ran } from './ran.ts'; export const make = (name: string) => task({ summary: name, sources: [], generates: [], run: () => ran(name) });",
    'one.ts': "import { make } from './make.ts'; export const task = make('one');",
    'two.ts': "import { make } from './make.ts'; export const task = make('two');",
  });
  await project.run('one.task two.task');
  expect((await project.run('one.task two.task')).ran).toBe('');

  project.write('two.ts', "import { make } from './make.ts'; export const task = make('zwei');");
  const caller = await project.run('one.task two.task');
  expect([caller.ran, caller.why]).toEqual(['zwei', ['code: two.ts']]);

  project.write('make.ts', `${readFileSync(project.path('make.ts'), 'utf8')} // edited`);
  const helper = await project.run('one.task two.task');
  expect([helper.ran, helper.why]).toEqual(['one zwei', ['code: make.ts', 'code: make.ts']]);
});

test('a task that a timer or the registry declares has the code of all task files, as what led there is not to be seen (R32)', async () => {
  const project = projectOf({
    'tasks.config.ts': `
      import { defineConfig } from 'taskwright';
      import * as one from './one.ts';
      import { later } from './make.ts';
      import { ran } from './ran.ts';
      export default defineConfig({ tasks: { one, lazy: later('lazy', ran) } });`,
    'make.ts': `
      import { type BareTask, task } from 'taskwright';
      type Say = (name: string) => void;
      const make = (name: string, say: Say) => task({ summary: name, sources: [], generates: [], run: () => say(name) });
      export const timed = (name: string, say: Say) => new Promise<BareTask>((done) => setTimeout(() => done(make(name, say)), 1));
      export const all = (names: readonly string[], say: Say) => Promise.all(names.map(async (name) => (await 0, make(name, say))));
      export const later = (name: string, say: Say) => async () => ({ task: make(name, say) });`,
    'one.ts': `
      import { all, timed } from './make.ts';
      import { ran } from './ran.ts';
      export const t = await timed('timed', (name) => ran(name));
      export const [a] = await all(['all'], (name) => ran(name));`,
  });
  await project.run('one.t one.a lazy.task');
  expect((await project.run('one.t one.a lazy.task')).ran).toBe('');

  project.write('one.ts', project.read('one.ts').replaceAll('ran(name)', "ran(name + '2')"));
  expect((await project.run('one.t one.a lazy.task')).ran).toBe('timed2 all2 lazy');
  project.write('tasks.config.ts', project.read('tasks.config.ts').replace("later('lazy'", "later('lazy2'"));
  expect((await project.run('one.t one.a lazy.task')).ran).toContain('lazy2');
});

test('where an import cannot be told from the text, all task files count (R32)', async () => {
  const project = projectOf({
    'tasks.config.ts':
      "import { defineConfig } from 'taskwright'; import * as one from './one.ts'; import './far.ts'; export default defineConfig({ tasks: { one } });",
    'one.ts':
      "import { task } from 'taskwright'; import { ran } from './ran.ts'; export const a = task({ summary: 'a', sources: [], generates: [], run: async () => { const name = './far.ts'; await import(name); ran('a'); } });",
    'far.ts': 'export const far = 1;',
  });
  await project.run('one.a');
  expect((await project.run('one.a')).ran).toBe('');

  project.write('far.ts', 'export const far = 2;');
  expect((await project.run('one.a')).why).toEqual(['code: far.ts']);
});

test('commands of such a task see what it declares, and its failure names what was held back (R31)', async () => {
  const project = projectOf({
    'tasks.config.ts': `
      import { defineConfig, task } from 'taskwright';
      import { z } from 'zod';
      const show = task({ summary: 'x', env: { MODE: z.string() }, passEnv: ['OWN_*'], sources: [], run: ({ exec }) => exec(['sh', '-c', 'echo "$MODE $OWN_A $ALL_B [$NOT_C]"; exit 3']) });
      export default defineConfig({ tasks: { show }, passEnv: ['ALL_B'] });`,
  });

  const said = await tasks(['show'], { cwd: project.root, env: { MODE: 'm', OWN_A: 'a', ALL_B: 'b', NOT_C: 'c' } });

  expect([said.code, said.stdout]).toEqual([3, 'm a b []\n']);
  expect(said.stderr).toContain('did not see these variables, which it does not declare (`env`, `passEnv`): NOT_C');
});

test('--explain says what would run, and why, and changes nothing (R34)', async () => {
  const project = projectOf(FILES);
  const explain = async (...options: string[]) => (await tasks(['--explain', ...options, 'deploy'], { cwd: project.root })).stdout;

  expect(await explain()).toBe('▶ build   first run\n▶ deploy  first run\n');
  await project.run('deploy');
  rmSync(project.path('dist'), { recursive: true });
  expect(await explain()).toBe('= build   up to date\n= deploy  up to date\n');
  expect(existsSync(project.path('dist'))).toBe(false);
  project.write('src/a.txt', 'other');
  expect(await explain()).toBe('▶ build   changed: src/a.txt\n▶ deploy  need build runs first, and may give something else\n');

  const { steps } = JSON.parse(await explain('--json')) as {
    steps: { title: string; status: string; ingredients: { sources: { files: object } } }[];
  };
  expect(steps[0]).toMatchObject({
    title: 'build',
    status: 'would-run',
    ingredients: { sources: { files: { 'src/a.txt': expect.any(String) } } },
  });
});

test('--cache-info says how much is kept, --cache-clear forgets it (R35)', async () => {
  const project = projectOf(FILES);
  await project.run('build');

  const info = await tasks(['--cache-info', '--json'], { cwd: project.root });
  expect(JSON.parse(info.stdout)).toEqual({ folder: project.path('.tasks/cache'), entries: 1, sizeBytes: 6 });
  expect((await tasks(['--cache-clear'], { cwd: project.root })).stdout).toBe(`forgotten: ${project.path('.tasks/cache')}\n1 file, 6 B\n`);
  expect((await project.run('build')).why).toEqual(['first run']);
});

test('what a command gave is handed over as it was (R33)', async () => {
  const project = projectOf({
    'tasks.config.ts': `
      import { defineConfig, task } from 'taskwright';
      const says = task({ summary: 'x', sources: [], generates: [], run: ({ exec }) => exec(['echo', 'one']) });
      const hears = task({ summary: 'x', needs: { says }, sources: [], generates: [], run: ({ needs }) => needs.says.lines() });
      const last = task({ summary: 'x', needs: { hears, says }, run: ({ needs, print }) => print(needs.hears + needs.says.text() + needs.says.ok) });
      export default defineConfig({ tasks: { says, hears, last } });`,
  });
  await project.run('last');

  const second = await project.run('last');
  expect(second.ended).toEqual({ says: 'up-to-date', hears: 'up-to-date', last: 'done' });
  expect(second.stdout).toContain('oneonetrue');
});

test('a task that may be skipped calls nothing (R26)', async () => {
  const project = projectOf({
    'tasks.config.ts': `
      import { defineConfig, task } from 'taskwright';
      const other = task({ summary: 'x', run() {} });
      const caller = task({ summary: 'x', sources: [], run: ({ call }) => call(other) });
      export default defineConfig({ tasks: { other, caller } });`,
  });

  expect((await tasks(['caller'], { cwd: project.root })).stderr).toContain('`caller` may be skipped, and then calls nothing');
});

test('without what was kept, `upToDate` alone leaves no task with sources alone: unknown means run (R32)', async () => {
  const both = task({ summary: 'x', sources: ['src/**'], upToDate: () => 'there already', run: () => {} });
  const own = task({ summary: 'x', upToDate: () => 'there already', run: () => {} });

  expect((await testTask(both)).outcome.status).toBe('done');
  expect((await testTask(own)).outcome.status).toBe('up-to-date');

  const project = projectOf({ 'tasks.config.ts': BOTH, 'src/a.txt': 'hello' });
  expect((await project.run('both')).ran).toBe('both');
  expect((await project.run('both')).ended).toEqual({ both: 'up-to-date' });
  expect((await project.run('--no-cache both')).ran).toBe('both');
});

/** A config whose outcomes are also kept in `far/`, and a task whose body says a lot. */
const sharedIn = (folder: string) => `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
import { ran } from './ran.ts';
const far = (folder: string) => ({
  name: 'the shared folder',
  async read(key: string) {
    try { return readFileSync(folder + '/' + key); } catch { return undefined; }
  },
  async write(key: string, bytes: Uint8Array) {
    mkdirSync(dirname(folder + '/' + key), { recursive: true });
    writeFileSync(folder + '/' + key, bytes);
  },
});
const image = task({ summary: 'x', input: { tag: z.string().default('a') }, sources: ['src/**'], cache: true, output: z.string(), run: ({ input, log }) => { ran('image'); log('made ' + input.tag); return input.tag; } });
export default defineConfig({ tasks: { image }, caches: [far(${JSON.stringify(folder)})] });`;

test('the config names caches beyond this machine: what another checkout kept comes from there (R35)', async () => {
  const shared = projectWith({});
  const files = { 'tasks.config.ts': sharedIn(shared.path('far')) };
  const [one, two] = [projectOf(files), projectOf(files)];
  expect((await one.run('image')).ran).toBe('image');

  const there = await two.run('image');
  expect([there.ran, there.ended, there.outputs]).toEqual(['', { image: 'cached' }, { image: 'a' }]);

  rmSync(shared.path('far'), { recursive: true });
  writeFileSync(shared.path('far'), 'no folder');
  const broken = await two.run('image --tag b');
  expect([broken.code, broken.ran, broken.notices.length]).toEqual([0, 'image', 1]);
});

test('a cache that is none is refused with what it takes (R45)', async () => {
  const project = projectOf({
    'tasks.config.ts': "import { defineConfig } from 'taskwright'; export default defineConfig({ tasks: {}, caches: ['far'] as never });",
  });

  expect((await tasks(['--list'], { cwd: project.root })).stderr).toContain(
    '`caches`: expected a list of caches, each with a `name`, `read` and `write`',
  );
});

test('all that a step said is shown again, not its end alone (R33)', async () => {
  const project = projectOf({
    'tasks.config.ts': `
      import { defineConfig, task } from 'taskwright';
      const count = task({ summary: 'x', sources: [], generates: [], run: ({ exec }) => exec(['seq', '5000']) });
      const flood = task({ summary: 'x', sources: [], generates: [], run: ({ exec }) => exec(['sh', '-c', 'yes "a line of a log that is long" | head -n 300000; echo last']) });
      export default defineConfig({ tasks: { count, flood } });`,
  });
  await project.run('count flood');

  const again = await tasks(['-v', 'count'], { cwd: project.root });
  expect(`${again.stdout}${again.stderr}`.split('\n').filter((line) => /^\d+$/.test(line))).toHaveLength(5000);
  const flooded = (await tasks(['-v', 'flood'], { cwd: project.root })).stderr;
  expect(flooded).toContain('… what it said before is not kept\n');
  expect(flooded.trimEnd().split('\n').at(-1)).toContain('last');
  expect(flooded.length).toBeLessThan(5 * 2 ** 20);
});

test.each(['grouped', 'github'])('%s says why a step runs, as the others do (R34, R38)', async (reporter) => {
  const project = projectOf(FILES);
  await project.run('build');
  project.write('src/a.txt', 'other');

  const said = await tasks(['-r', reporter, '--why', 'build', 'deploy'], { cwd: project.root });
  expect(said.stderr).toContain('? changed: src/a.txt');
});

const SERVED = `
import { createServer } from 'node:http';
import { defineConfig, freePort, task } from 'taskwright';
import { z } from 'zod';
import { ran } from './ran.ts';
const disk = task({ summary: 'x', service: { ready: {} }, run: () => { ran('disk'); return 'disk'; } });
const db = task({ summary: 'x', lock: 'db', needs: { disk }, input: { broken: z.boolean().default(false) }, service: { ready: {} }, run: ({ input, needs }) => {
  ran('db');
  if (input.broken) throw new Error('no disk');
  return 'on ' + needs.disk;
} });
const migrate = task({ summary: 'x', lock: 'db', needs: { db }, sources: ['src/*.sql'], generates: [], run: ({ needs }) => ran('migrate ' + needs.db) });
const check = task({ summary: 'x', needs: { db }, sources: ['src/*.ts'], generates: [], run: ({ needs }) => ran('check ' + needs.db) });
const broken = task({ summary: 'x', needs: { db: db({ broken: true }) }, sources: ['src/*.ts'], generates: [], run: () => ran('broken') });
const all = task({ summary: 'x', needs: [migrate, check] });
const caller = task({ summary: 'x', needs: { check }, run: async ({ call }) => ran('called ' + (await call(db))) });
export default defineConfig({ tasks: { disk, db, migrate, check, broken, all, caller } });`;

test('a service is started only when a step that must run needs it (R32)', async () => {
  const project = projectOf({ 'tasks.config.ts': SERVED, 'src/a.sql': 'a', 'src/a.ts': 'a' });
  const first = await project.run('all');
  expect([first.code, new Set(first.ran.split(' ').filter((word) => word !== 'on'))]).toEqual([
    0,
    new Set(['disk', 'db', 'migrate', 'check']),
  ]);

  const second = await project.run('all');
  expect([second.code, second.ran, second.ended]).toEqual([
    0,
    '',
    { disk: 'skipped', db: 'skipped', migrate: 'up-to-date', check: 'up-to-date', all: 'done' },
  ]);

  project.write('src/a.ts', 'b');
  const third = await project.run('all');
  expect([third.code, third.ran, third.why, third.ended['migrate']]).toEqual([
    0,
    'disk db check on disk',
    ['changed: src/a.ts'],
    'up-to-date',
  ]);
  expect((await project.run('--jobs 1 all --force=all')).code).toBe(0);
});

test('a step whose service does not come up when it is needed is left out, as without sources (R32, R37)', async () => {
  const project = projectOf({ 'tasks.config.ts': SERVED, 'src/a.ts': 'a' });

  const { code, ran, ended } = await project.run('broken');
  expect([code, ran, ended]).toEqual([1, 'disk db', { disk: 'done', db: 'failed', broken: 'skipped' }]);
});

test('a call wakes a service that rests (R26, R32)', async () => {
  const project = projectOf({ 'tasks.config.ts': SERVED, 'src/a.ts': 'a' });
  await project.run('check');

  const { code, ran } = await project.run('caller');
  expect([code, ran]).toEqual([0, 'disk db called on disk']);
});
