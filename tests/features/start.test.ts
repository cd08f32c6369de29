import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Said } from '../support/command-line.ts';
import { tasks, tasksFromKept } from '../support/command-line.ts';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import { BIN, REPOSITORY } from '../support/real-tools.ts';

/** What is answered from what an earlier load kept: quickly, and never wrongly. */
const FILES = {
  'package.json': '{ "type": "module" }',
  'tasks.config.ts': `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
import * as demo from './tasks/demo';
import names from './names.json' with { type: 'json' };
import { word } from 'dependency';

const more = Object.fromEntries(names.map((name) => [name, task({ summary: word, run: () => {} })]));
export default defineConfig({ tasks: { demo, more, lazy: () => import('./tasks/lazy.ts') }, shortFlags: 'auto' });
`,
  'tasks/demo/index.ts': `
import { task } from 'taskwright';
import { z } from 'zod';
/** Starts. */
export const start = task({
  summary: 'Start it.',
  group: 'Servers',
  input: { database: z.enum(['neo4j', 'memgraph']).default('neo4j').describe('which one'), wait: z.boolean().default(false) },
  run: () => {},
});
export const secret = task({ summary: 'Hidden.', hidden: true, aliases: ['s'], run: () => {} });
export default start;
`,
  'tasks/lazy.ts': `import { task } from 'taskwright'; export const stop = task({ summary: 'Stop it.', run: () => {} });`,
  'names.json': '["one", "two"]',
  'node_modules/dependency/package.json': '{ "name": "dependency", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
  'node_modules/dependency/index.js': `export const word = 'From afar.';`,
};

/** As the binary does it. */
const ask = (project: TestProject, ...argv: readonly string[]): Promise<Said & { readonly isKept: boolean }> =>
  tasksFromKept(argv, { cwd: project.root });

/** The manifest is written by the first list, which loads everything. */
async function listed(files: Readonly<Record<string, string>> = FILES): Promise<TestProject> {
  const project = projectWith(files);
  expect(await ask(project, '--list')).toMatchObject({ code: 0, isKept: false });
  expect(await ask(project, '--list')).toMatchObject({ code: 0, isKept: true });
  return project;
}

describe('what is kept says what the config says', () => {
  test.each([
    ['--list'],
    ['--list', '--flat'],
    ['--list', '--all'],
    ['--list', '--depth=1'],
    ['--list', '--json', '--all'],
    ['--list', 'more'],
    ['--list', 'demo', '--flat'],
    ['--jobs=0'],
    ['--list', '--jobs=0'],
    ['--list', 'demo', '--wait=perhaps'],
    ['--list', '--plan'],
    ['demo', '--database=mysql'],
    ['demo', '--wait=perhaps', '--database=mysql', 'more.one', '--jobs=x'],
  ])('%j %j %j %j %j', async (...argv) => {
    const words = argv.filter((word) => typeof word === 'string');
    const project = await listed();
    const kept = await ask(project, ...words);
    expect(kept.isKept).toBe(true);
    expect(kept).toEqual({ ...(await tasks(words, { cwd: project.root })), isKept: true });
  });

  test('a subfolder has the same answer, and one above the config none', async () => {
    const project = await listed();
    const below = await tasksFromKept(['--list'], { cwd: project.path('tasks/demo') });
    expect(below).toMatchObject({ isKept: true, stdout: (await ask(project, '--list')).stdout });
    expect((await tasksFromKept(['--list'], { cwd: project.path('..') })).stderr).toContain('no `tasks.config.ts` was found');
  });
});

test.each([['demo.strat'], ['demo', '--databse', 'x'], ['--wiat', 'demo']])(
  'that there is no %s %s is said by the config',
  async (...argv) => {
    const project = await listed();
    expect(await ask(project, ...argv.filter((word) => typeof word === 'string'))).toMatchObject({ code: 2, isKept: false });
  },
);

describe('what else may be wrong with an input is told by the config', () => {
  const config = (input: string, more = ''): string => `
    import { defineConfig, task } from 'taskwright';
    import { z } from 'zod';
    const one = task({ summary: 'One.', input: { kind: z.enum(['a', 'b']).default('a'), ${input} }, run: () => {} });
    export default defineConfig({ tasks: { one }${more} });`;

  test.each([
    ['one that is missing', config('name: z.string()'), '--name'],
    ['one that its schema checks', config(`tag: z.string().min(3).default('v1')`), '--tag'],
    ['a variable', config(`count: z.int().default(1).meta({ env: 'COUNT' })`), 'COUNT'],
    ['a default of the config', config('count: z.int().default(1)', `, defaults: { one: { count: 'many' } }`), '--count'],
    [
      'a rule over an object without fields',
      config('').replace(
        'tasks: { one }',
        `tasks: { one, two: task({ summary: 'Two.', input: z.object({}).refine(() => false, 'it never fits') }) }`,
      ),
      'it never fits',
    ],
  ])('%s', async (_, text, also) => {
    const project = projectWith({ 'tasks.config.ts': text });
    const wrong = ['one', '--kind=c', ...(text.includes('tag') ? ['--tag=x'] : []), ...(text.includes('two') ? ['two'] : [])];
    for (let time = 0; time < 3; time++) {
      const said = await tasksFromKept(wrong, { cwd: project.root, env: { COUNT: 'many' } });
      expect(said).toMatchObject({ code: 2, isKept: false });
      expect([said.stderr.includes('--kind'), said.stderr.includes(also)]).toEqual([true, true]);
    }
  });
});

test.each([
  ['the version was asked for', ['demo', '--database=mysql', '--version'], {}],
  ['files of variables cannot be read', ['demo', '--database=mysql'], { '.env': 'X="unclosed' }],
  ['there is no such folder', ['-C', 'nowhere', 'demo'], {}],
])('where %s the first call says what every other does', async (_, line, more) => {
  const project = projectWith({ ...FILES, ...more });
  const cold = await tasks(line, { cwd: project.root });
  await ask(project, '--list');
  for (let time = 0; time < 2; time++) expect(await ask(project, ...line)).toMatchObject({ ...cold });
});

test('nothing is run from what is kept', async () => {
  const project = await listed();
  expect(await ask(project, 'demo.start')).toMatchObject({ code: 0, isKept: false });
  expect(await ask(project, '--plan', 'demo.start')).toMatchObject({ code: 0, isKept: false });
});

describe('nothing kept counts after', () => {
  const expectFresh = async (project: TestProject, text: string): Promise<void> => {
    const said = await ask(project, '--list');
    expect(said.isKept).toBe(false);
    expect(said.stdout).toContain(text);
    expect(await ask(project, '--list')).toMatchObject({ isKept: true, stdout: said.stdout });
  };

  test('an edit', async () => {
    const project = await listed();
    project.write('tasks/demo/index.ts', FILES['tasks/demo/index.ts'].replace('Start it.', 'Start both.'));
    await expectFresh(project, 'Start both.');
  });

  test('an edit of the same size, and a checkout that restores the old times', async () => {
    const project = await listed();
    const file = project.path('tasks/demo/index.ts');
    const { atime, mtime } = statSync(file);
    project.write('tasks/demo/index.ts', FILES['tasks/demo/index.ts'].replace('Start it.', 'Begin it.'));
    utimesSync(file, atime, mtime);
    await expectFresh(project, 'Begin it.');
  });

  test('a new file in a better place', async () => {
    const project = await listed();
    project.write('tasks/demo.ts', `import { task } from 'taskwright'; export const other = task({ summary: 'Other.', run: () => {} });`);
    await expectFresh(project, 'Other.');
  });

  test('a file that is gone', async () => {
    const project = await listed();
    rmSync(project.path('tasks/lazy.ts'));
    const said = await ask(project, '--list');
    expect(said).toMatchObject({ isKept: false, code: 2 });
    expect(said.stderr).toContain('./tasks/lazy.ts');
  });

  test('a change of data', async () => {
    const project = await listed();
    project.write('names.json', '["one", "ten"]');
    await expectFresh(project, 'ten');
  });

  test('an upgraded dependency', async () => {
    const project = await listed();
    // Node keeps the modules of this process: what a new one would see is that it is loaded again.
    project.write('node_modules/dependency/package.json', FILES['node_modules/dependency/package.json'].replace('1.0.0', '1.0.1'));
    await expectFresh(project, 'one');
  });

  test('a lockfile in node_modules that says something else', async () => {
    const project = await listed({ ...FILES, 'node_modules/.package-lock.json': '{ "a": 1 }' });
    project.write('node_modules/.package-lock.json', '{ "a": 2 }');
    await expectFresh(project, 'one');
  });

  test('a new tsconfig.json, and a changed one', async () => {
    const project = await listed();
    project.write('tsconfig.json', '{ "compilerOptions": { "paths": { "dependency": ["./local.ts"] } } }');
    project.write('local.ts', `export const word = 'From here.';`);
    await expectFresh(project, 'From here.');
    project.write('tsconfig.json', '{ "extends": "./base.json" }');
    project.write('base.json', '{ "compilerOptions": { "paths": { "dependency": ["./again.ts"] } } }');
    project.write('again.ts', `export const word = 'And again.';`);
    await expectFresh(project, 'And again.');
    project.write('base.json', '{}');
    await expectFresh(project, 'From afar.');
  });

  test('a config that comes first', async () => {
    const project = await listed({ ...FILES, 'tasks.config.ts': '', 'tasks.config.mts': FILES['tasks.config.ts'] }).catch(async () => {
      const later = projectWith({ ...FILES, 'tasks.config.mts': FILES['tasks.config.ts'] });
      rmSync(later.path('tasks.config.ts'));
      await ask(later, '--list');
      return later;
    });
    expect(await ask(project, '--list')).toMatchObject({ isKept: true });
    project.write(
      'tasks.config.ts',
      `import { task } from 'taskwright'; export default { tasks: { first: task({ summary: 'First.', run: () => {} }) } };`,
    );
    expect((await ask(project, '--list')).stdout).toContain('First.');
  });

  test('the project was moved', async () => {
    const project = await listed();
    renameSync(project.root, `${project.root}-moved`);
    const said = await tasksFromKept(['--list'], { cwd: `${project.root}-moved` });
    expect(said).toMatchObject({ isKept: false, code: 0 });
  });

  test('damage', async () => {
    const project = await listed();
    for (const folder of ['.tasks/cache/config']) {
      for (const name of readAll(project.path(folder))) {
        project.write(join(folder, name), '{"madeBy":1,"graph":{},"modules":{}}');
        expect(await ask(project, 'demo.start', '--database=memgraph')).toMatchObject({ code: 0 });
        expect(await ask(project, '--list')).toMatchObject({ code: 0 });
      }
    }
    expect((await ask(project, '--list')).stdout).toContain('Start it.');
  });
});

test('`dynamic: true` keeps no manifest', async () => {
  const files = { ...FILES, 'tasks.config.ts': FILES['tasks.config.ts'].replace("shortFlags: 'auto'", 'dynamic: true') };
  const project = projectWith(files);
  for (const argv of [['--list'], ['--list'], ['--list', '--all']])
    expect(await ask(project, ...argv)).toMatchObject({ code: 0, isKept: false });
});

function readAll(folder: string): string[] {
  const found = spawnSync('find', [folder, '-type', 'f', '-printf', '%P\\n'], { encoding: 'utf8' });
  return found.stdout.split('\n').filter(Boolean);
}

// ── Completion ───────────────────────────────────────────────────────────────────────────────────

test.each([
  [['de'], ['demo', 'demo.start', 'demo.s'].slice(0, 2)],
  [['lazy.'], ['lazy.stop']],
  [['more.t'], ['more.two']],
  [
    ['demo', '--d'],
    ['--database', '--dry-run'],
  ],
  [
    ['demo', '--database', ''],
    ['neo4j', 'memgraph'],
  ],
  [['demo', '--database=m'], ['--database=memgraph']],
  [['demo.start', '--', ''], [':files']],
  [['-C', ''], [':files']],
  [['--reporter=x', '--completion', 'z'], ['zsh']],
  [['$(touch made)', 'lazy.'], ['lazy.stop']],
])('%j is completed from what is kept', async (words, expected) => {
  const project = await listed();
  const said = await ask(project, '__complete', ...words);
  const values = said.stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t', 1)[0]]));
  expect(new Set(values)).toEqual(new Set(expected));
  expect(said).toMatchObject({ code: 0, isKept: true });
});

test('a config that was never run is not run by the Tab key', async () => {
  const project = projectWith({ 'tasks.config.ts': `throw new Error('run')` });
  expect(await ask(project, '__complete', 'x')).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('right after a change the answer is that of the change; functions of tasks are asked', async () => {
  const project = await listed();
  project.write(
    'tasks/lazy.ts',
    `import { task } from 'taskwright'; import { z } from 'zod';
export const branch = task({ summary: 'B.', input: { name: z.string().meta({ complete: (typed) => [typed + '-one', typed + '-two'] }) }, run: () => {} });`,
  );
  expect((await ask(project, '__complete', 'lazy.')).stdout).toBe('lazy.branch\tB.\n');
  expect((await ask(project, '__complete', 'lazy.branch', 'x')).stdout).toBe('x-one\t\nx-two\t\n');
});

test('a config that is named on the line is the one that completes', async () => {
  const project = await listed();
  project.write(
    'other.ts',
    `import { task } from 'taskwright'; export default { tasks: { elsewhere: task({ summary: 'E.', run: () => {} }) } };`,
  );
  await ask(project, '-f', 'other.ts', '--list');
  expect((await ask(project, '__complete', '-f', 'other.ts', 'else')).stdout).toBe('elsewhere\tE.\n');
  expect((await ask(project, '__complete', 'else')).stdout).toBe('');
});

test('names are completed in order', async () => {
  const project = await listed();
  const names = (await ask(project, '__complete', '')).stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0]);
  expect(names.length).toBeGreaterThan(4);
  expect(names).toEqual(names.toSorted((a = '', b = '') => (a < b ? -1 : 1)));
});

test('where there is no config our own options are completed', async () => {
  const project = projectWith({ 'package.json': '{}' });
  expect((await ask(project, '__complete', '--show')).stdout).toMatch(/^--show-config\t/);
});

test('what a function of a task throws, prints or says wrongly is no candidate', async () => {
  const project = projectWith({
    'package.json': '{ "type": "module" }',
    'tasks.config.ts': `import { task } from 'taskwright';
import { z } from 'zod';
const input = (complete) => ({ value: z.string().meta({ complete }) });
const one = (complete) => task({ summary: 'One.', input: input(complete), run: () => {} });
export default { tasks: {
  throws: one(() => { throw new Error('no'); }),
  prints: one(() => { process.stdout.write('noise'); return ['said']; }),
  wrong: one(() => ['fine', 'two\\nlines', 5]),
  never: one(() => new Promise(() => {})),
} };`,
  });
  const printed = vi.spyOn(process.stdout, 'write');
  expect((await ask(project, '--list')).code).toBe(0);
  const said = async (name: string): Promise<string> => (await ask(project, '__complete', name, '')).stdout;
  expect(await said('throws')).toBe('');
  expect(await said('prints')).toBe('said\t\n');
  expect(await said('wrong')).toBe('fine\t\n5\t\n');
  expect(printed.mock.calls.flat()).not.toContain('noise');
  printed.mockRestore();
  expect(await said('never')).toBe('');
});

// ── What the built command loads ─────────────────────────────────────────────────────────────────

/** Names of Node's own modules and of files that a command loaded, and how often it looked at files. */
function loadedBy(
  project: TestProject,
  argv: readonly string[],
): { readonly builtins: string[]; readonly files: string[]; readonly looks: number; readonly kept: string[] } {
  project.write('.trace.cjs', TRACE);
  const file = project.path('.trace.json');
  spawnSync(process.execPath, ['-r', project.path('.trace.cjs'), BIN, ...argv], {
    cwd: project.root,
    env: { ...process.env, TRACE_FILE: file },
  });
  return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof loadedBy>;
}
const TRACE = `
const fs = require('node:fs');
let looks = 0;
const kept = new Set();
for (const name of ['statSync', 'readFileSync', 'readdirSync', 'lstatSync']) {
  const own = fs[name];
  fs[name] = (...values) => {
    looks++;
    const [, folder] = String(values[0]).match(/[/]cache[/]config[/](\\w+)/) ?? [];
    if (folder !== undefined) kept.add(folder);
    return own(...values);
  };
}
process.on('exit', () => {
  const builtins = process.moduleLoadList.filter((name) => name.startsWith('NativeModule ') && !name.includes('internal/')).map((name) => name.slice(13));
  fs.writeFileSync(process.env.TRACE_FILE, JSON.stringify({ builtins, files: Object.keys(require.cache).slice(1), looks, kept: [...kept] }));
});
`;

describe.skipIf(!existsSync(BIN))('the built command', () => {
  test.each([
    ['--version', 14],
    ['--list', 70],
    ['--jobs=0', 70],
    ['__complete', 70, 'demo.'],
  ] as const)('%s loads itself and no more, and looks at few files', async (first, most, ...rest: readonly string[]) => {
    const project = projectWith(FILES);
    spawnSync(process.execPath, [BIN, '--list'], { cwd: project.root });
    const { builtins, files, looks } = loadedBy(project, [first, ...rest]);
    expect(files.map((file) => file.replace(/.*[\\/]/, ''))).toEqual(['bin.cjs', 'start.cjs']);
    expect(
      builtins.filter((name) => ['child_process', 'http', 'https', 'fs/promises', 'readline', 'worker_threads'].includes(name)),
    ).toEqual([]);
    expect(looks).toBeLessThan(most);
  });

  test('a run of what takes plain input loads neither zod nor what measures or starts programs', async () => {
    const project = projectWith(FILES);
    for (const argv of [['--list'], ['demo.start']]) spawnSync(process.execPath, [BIN, ...argv], { cwd: project.root });
    const { builtins, files, kept } = loadedBy(project, ['demo.start']);
    expect(builtins.filter((name) => ['child_process', 'perf_hooks'].includes(name))).toEqual([]);
    // The config's.
    expect(kept).toHaveLength(1);
    project.write('tasks/demo/index.ts', FILES['tasks/demo/index.ts'].replace('z.boolean()', 'z.boolean().refine(() => true)'));
    spawnSync(process.execPath, [BIN, '--list'], { cwd: project.root });
    expect(loadedBy(project, ['more.one']).kept).toHaveLength(1);
    // And zod's.
    expect(loadedBy(project, ['demo.start']).kept).toHaveLength(2);
    expect(files.map((file) => file.replace(/.*[\\/]/, ''))).toEqual(['bin.cjs', 'start.cjs', 'lib.cjs', 'native-import.cjs']);
  });

  test('a step that needs no files costs two looks for files of variables, however many there are', () => {
    const project = projectWith({ 'package.json': '{}' });
    const looksOf = (argv: readonly string[]): number => {
      spawnSync(process.execPath, [BIN, ...argv], { cwd: project.root });
      return loadedBy(project, argv).looks;
    };
    const plain = (steps: number): string => `import { task } from 'taskwright';
      import { z } from 'zod';
      const one = task({ summary: 'One.', input: { n: z.number() }, run: () => {} });
      const all = task({ summary: 'All.', needs: Array.from({ length: ${steps} }, (_, n) => one({ n })) });
      export default { tasks: { all } };`;
    project.write('tasks.config.ts', plain(10));
    const few = looksOf(['all']);
    project.write('tasks.config.ts', plain(110));
    expect(looksOf(['all']) - few).toBeLessThanOrEqual(200);
  });

  test("hands over to the project's own version, in the same process", () => {
    const project = projectWith({
      ...FILES,
      'node_modules/taskwright/package.json': '{ "name": "taskwright", "version": "9.9.9", "bin": { "tasks": "./other.cjs" } }',
      'node_modules/taskwright/other.cjs': 'console.log(process.ppid, ...process.argv.slice(2))',
      'packages/deep/x': '',
    });
    const said = (cwd: string, ...argv: readonly string[]): string =>
      spawnSync(process.execPath, [BIN, ...argv], { cwd, encoding: 'utf8' }).stdout;
    expect(said(project.root, '--version')).toBe(`${process.pid} --version\n`);
    expect(said(project.path('packages/deep'), '-C', '../..', 'demo.start')).toBe(`${process.pid} -C ../.. demo.start\n`);
    // Not for the Tab key, as long as the project was never run.
    expect(said(project.root, '__complete', 'demo.')).toBe('');
  });

  test("completes by the project's own version, once that one has run", () => {
    const project = projectWith(FILES);
    const said = (...argv: readonly string[]): string =>
      spawnSync(process.execPath, [BIN, ...argv], { cwd: project.root, encoding: 'utf8' }).stdout;
    said('--list');
    const kept = readdirSync(project.path('.tasks/cache/config'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('graph.json'),
    );
    for (const name of kept) {
      const path = join('.tasks/cache/config', name);
      project.write(path, JSON.stringify({ ...(JSON.parse(project.read(path)) as object), madeBy: 'another version' }));
    }
    project.write(
      'node_modules/taskwright/package.json',
      '{ "name": "taskwright", "version": "9.9.9", "bin": { "tasks": "./other.cjs" } }',
    );
    project.write('node_modules/taskwright/other.cjs', 'console.log("other", ...process.argv.slice(2))');

    expect(said('__complete', 'demo.')).toBe('other __complete demo.\n');
  });

  test('keeps what V8 made of it for a run, once there was one, and nothing less from then on', () => {
    const project = projectWith(FILES);
    const folder = mkdtempSync(join(tmpdir(), 'taskwright-package-'));
    const keptAfter = (...argv: readonly string[]): string[] => {
      spawnSync(process.execPath, [join(folder, 'dist/lib/bin.cjs'), ...argv], { cwd: project.root });
      const kept = readdirSync(join(folder, 'dist/lib')).filter((name) => name.startsWith('lib.cjs-') && name.endsWith('.v8'));
      return kept.map((name) => `${name.endsWith('.run.v8')} ${statSync(join(folder, 'dist/lib', name)).mtimeMs}`);
    };
    try {
      cpSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
      symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
      cpSync(join(REPOSITORY, 'dist/lib'), join(folder, 'dist/lib'), { recursive: true, filter: (path) => !path.endsWith('.v8') });
      expect(keptAfter('--list')).toEqual([expect.stringMatching(/^false/)]);
      const run = keptAfter('more.one');
      expect(run).toEqual([expect.stringMatching(/^true/)]);
      expect(keptAfter('--help', 'demo')).toEqual(run);
      expect(keptAfter('more.two')).toEqual(run);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('runs as before where what V8 kept of it is damaged, and where nothing can be kept', () => {
    const project = projectWith(FILES);
    const folder = mkdtempSync(join(tmpdir(), 'taskwright-package-'));
    const version = (): string =>
      spawnSync(process.execPath, [join(folder, 'dist/lib/bin.cjs'), '--version'], { cwd: project.root, encoding: 'utf8' }).stdout;
    const keptHere = (): string[] => readdirSync(join(folder, 'dist/lib')).filter((name) => name.endsWith('.v8'));
    try {
      cpSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
      cpSync(join(REPOSITORY, 'dist/lib'), join(folder, 'dist/lib'), { recursive: true, filter: (path) => !path.endsWith('.v8') });
      const first = version();
      expect(first).toMatch(/^\d+\.\d+\.\d+\n$/);
      const [kept = ''] = keptHere();
      writeFileSync(join(folder, 'dist/lib', kept), readFileSync(join(folder, 'dist/lib', kept)).subarray(0, 1000));
      expect(version()).toBe(first);
      expect(statSync(join(folder, 'dist/lib', kept)).size).toBeGreaterThan(1000);
      // Written anew, of the same length: what was kept is of another text.
      const file = join(folder, 'dist/lib/start.cjs');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('kage.json', 'kage.none'));
      expect(version()).toBe('unknown\n');
      expect(keptHere().length).toBeLessThanOrEqual(4);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
