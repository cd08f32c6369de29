import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as zod from 'zod';
import { defineConfig } from '../lib/config.ts';
import { renderUserError, UserError } from '../lib/errors.ts';
import type { Surroundings } from '../lib/find-config.ts';
import { findConfig } from '../lib/find-config.ts';
import type { LoadOptions, Project } from '../lib/load.ts';
import { loadProject } from '../lib/load.ts';
import { objectOf } from '../lib/schema.ts';
import { placeOf, specOf, task } from '../lib/task.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

/** What runs: told apart from any other copy by its marker. */
const marker = Symbol('this library');
const modules = { taskwright: { task, defineConfig, marker }, zod };

type Load = (project: TestProject, options?: Partial<LoadOptions>) => Promise<Project>;

const load: Load = (project, options = {}) => loadProject({ cwd: project.root, home: dirname(project.root), modules, ...options });

async function errorOfLoad(project: TestProject, options: Partial<LoadOptions> = {}, loadIt = load): Promise<string> {
  try {
    await loadIt(project, options);
  } catch (error) {
    if (error instanceof UserError)
      return renderUserError(error).replaceAll(project.root, '<root>').replaceAll(dirname(project.root), '<home>');
    throw error;
  }
  return 'no error';
}

/** What the body of a task gives, called without a run. */
function valueOf(project: Project, name: string): unknown {
  const entry = project.registry.find(name);
  const body = entry && specOf(entry.task).run;
  return body?.({} as never);
}

const HELLO = `import { defineConfig, task } from 'taskwright';
export default defineConfig({ tasks: { hello: task({ summary: 'Say hello.', run: () => 'hello' }) } });
`;

// ── Finding ──────────────────────────────────────────────────────────────────────────────────────

test('the nearest config counts, from the working folder upwards, and its folder is the root (R4)', async () => {
  const project = projectWith({ 'tasks.config.ts': HELLO, 'a/b/c/x': '', 'a/tasks.config.mjs': HELLO });
  expect(await load(project, { cwd: project.path('a/b/c') })).toMatchObject({
    root: project.path('a'),
    file: project.path('a/tasks.config.mjs'),
  });
  expect((await load(project)).root).toBe(project.root);
});

test.each(['tasks.config.ts', 'tasks.config.mts', 'tasks.config.js', 'tasks.config.mjs'])('%s is a config (R4)', async (name) => {
  const project = await load(projectWith({ [name]: HELLO }));
  expect(valueOf(project, 'hello')).toBe('hello');
});

test('of two configs in a folder the first is used, and that is said (R4)', async () => {
  const project = projectWith({ 'tasks.config.ts': HELLO, 'tasks.config.js': 'throw new Error()' });
  const { file, notices } = await load(project);
  expect(file).toBe(project.path('tasks.config.ts'));
  expect(notices).toEqual([`\`${file}\` is used, and \`tasks.config.js\` beside it is not`]);
});

test('without a config the error says where it looked and how to begin (R4)', async () => {
  const project = projectWith({ 'a/b/x': '' });
  expect(await errorOfLoad(project, { cwd: project.path('a/b') })).toMatchInlineSnapshot(`
    "error: no \`tasks.config.ts\` was found
      looked in \`<root>/a/b\` and in each folder above it up to \`<home>\` (the home folder)
      a first one:
        import { defineConfig, task } from 'taskwright';
        const hello = task({ summary: 'Say hello.', run: ({ $ }) => $\`echo hello\` });
        export default defineConfig({ tasks: { hello } });
    hint: Save this as \`tasks.config.ts\`, or name a config with \`--file\`.
    "
  `);
});

test('the first config that the error shows is one that works (R4)', async () => {
  const project = projectWith();
  const shown = await errorOfLoad(project);
  const text = shown.slice(shown.indexOf('a first one:') + 'a first one:'.length, shown.indexOf('hint:')).replace(/^ {4}/gm, '');
  project.write('tasks.config.ts', text);
  expect((await load(project)).registry.entries.map((entry) => entry.name)).toEqual(['hello']);
});

test('a config above the home folder is not taken (R4)', async () => {
  const project = projectWith({ 'tasks.config.ts': HELLO, 'home/me/x': '' });
  expect(await errorOfLoad(project, { cwd: project.path('home/me'), home: project.path('home') })).toContain(
    'up to `<root>/home` (the home folder)',
  );
  expect((await load(project, { cwd: project.path('home/me'), home: project.root })).root).toBe(project.root);
});

/** Folders and files by path: owner, and device where it is another. */
function surroundings(files: Readonly<Record<string, readonly [uid: number, device?: number]>>, home = '/home/me'): Surroundings {
  return {
    home,
    uid: 1000,
    look: (path) => {
      const [uid, device = 1] = files[path] ?? [];
      return uid === undefined ? undefined : { uid, device };
    },
  };
}

test('the search ends at a mount point (R4)', () => {
  const place = surroundings({ '/': [0], '/tasks.config.ts': [0], '/mnt': [1000, 2], '/mnt/a': [1000, 2] });
  expect(findConfig('/mnt/a', place)).toEqual({ found: [], last: '/mnt', stoppedBy: 'a mount point' });
});

test('the search does not go into a folder that belongs to somebody else, root excepted (R4)', () => {
  const foreign = { '/': [0], '/srv': [1001], '/srv/tasks.config.ts': [1001], '/srv/mine': [1000], '/srv/mine/deep': [1000] } as const;
  expect(findConfig('/srv/mine/deep', surroundings(foreign))).toMatchObject({
    found: [],
    last: '/srv/mine',
    stoppedBy: 'the folder above belongs to somebody else',
  });
  const ofRoot = { '/': [0], '/srv': [0], '/srv/tasks.config.ts': [0], '/srv/mine': [1000] } as const;
  expect(findConfig('/srv/mine', surroundings(ofRoot)).found).toEqual(['/srv/tasks.config.ts']);
});

test('a config that somebody else put into a shared folder is not run (R4)', () => {
  const shared = { '/': [0], '/tmp': [0], '/tmp/tasks.config.ts': [1001], '/tmp/mine': [1000] } as const;
  expect(findConfig('/tmp/mine', surroundings(shared))).toMatchObject({ found: [], foreign: '/tmp/tasks.config.ts' });
  expect(findConfig('/tmp', surroundings(shared))).toMatchObject({ found: [], foreign: '/tmp/tasks.config.ts' });
});

test('whoever stands in a folder of another works with the files of its owner (R4)', () => {
  const checkout = { '/': [0], '/work': [1001], '/work/tasks.config.ts': [1001], '/work/sub': [1001] } as const;
  expect(findConfig('/work/sub', { ...surroundings(checkout), uid: 0 }).found).toEqual(['/work/tasks.config.ts']);
});

test('a config named by the user is taken from where it is (R4)', async () => {
  const project = projectWith({ 'ci/chores.mts': HELLO, 'a/x': '' });
  expect(await load(project, { cwd: project.path('a'), file: '../ci/chores.mts' })).toMatchObject({
    root: project.path('ci'),
    file: project.path('ci/chores.mts'),
  });
});

test('a named config that is missing, a folder, or no program is told (R4)', async () => {
  const project = projectWith({ 'ci/x.json': '{}' });
  expect(await errorOfLoad(project, { file: 'nope.ts' })).toBe('error: `nope.ts` does not exist\n  looked for `<root>/nope.ts`\n');
  expect(await errorOfLoad(project, { file: 'ci' })).toBe(
    'error: `ci` is a folder; expected a config file\nhint: To work in that folder, write `-C ci`.\n',
  );
  expect(await errorOfLoad(project, { file: 'ci/x.json' })).toBe(
    'error: `ci/x.json`: expected a file that ends in .ts, .mts, .js or .mjs\n',
  );
});

// ── Loading, from what is written and from what is kept of an earlier load ───────────────────────

const TYPESCRIPT = {
  'tasks.config.ts': `
import { defineConfig, marker, task } from 'taskwright';
import { z } from 'zod';
import * as demo from './tasks/demo.ts';
import { Level, type Name } from './tasks/names.js';
import settings from './settings.json' with { type: 'json' };

class Counter { constructor(readonly start: number) {} }
const name: Name = await Promise.resolve('awaited');
const facts = task({
  summary: 'Facts.',
  input: { tag: z.string().default('x') },
  run: () => ({ marker, name, level: Level.High, start: new Counter(7).start, settings, folder: import.meta.dirname }),
});
export default defineConfig({ tasks: { facts, demo, lazy: () => import('./tasks/lazy') } });
`,
  'tasks/names.ts': `export enum Level { Low, High }\nexport type Name = string;\n`,
  'tasks/demo.ts': `
import { marker, task } from 'taskwright';
import { shared } from './shared';
export const start = task({ summary: 'Start.', run: () => ({ marker, shared }) });
export const helper = (): number => 5;
export default start;
`,
  'tasks/lazy.ts': `
import { marker, task } from 'taskwright';
import { shared } from './shared.ts';
export const stop = task({ summary: 'Stop.', run: () => ({ marker, shared }) });
`,
  'tasks/shared.ts': `export const shared = { once: true };\n`,
  'settings.json': '{ "a": 1 }',
};

/** Copies in the project's own node_modules, which must not be taken. */
const OTHER_COPIES = {
  'node_modules/taskwright/package.json':
    '{ "name": "taskwright", "type": "module", "exports": { ".": "./index.js", "./tasks/*": "./tasks/*.js" } }',
  'node_modules/taskwright/index.js': 'throw new Error("another copy of taskwright was loaded");',
  'node_modules/taskwright/tasks/clone.js': 'throw new Error("another copy of the tasks was loaded");',
  'node_modules/zod/package.json': '{ "name": "zod", "type": "module", "exports": { ".": "./index.js", "./v4": "./index.js" } }',
  'node_modules/zod/index.js': 'throw new Error("another copy of zod was loaded");',
};

/** Twice: the second time runs what the first has kept. */
const loadKept: Load = async (project, options) => {
  await load(project, options).catch(() => undefined);
  return load(project, options);
};

describe.each([
  { from: 'source', load },
  { from: 'what is kept', load: loadKept },
])('from $from', ({ load, from }) => {
  const errorOf = (project: TestProject, options: Partial<LoadOptions> = {}): Promise<string> => errorOfLoad(project, options, load);

  test.each([
    ['with "type": "module"', '{ "type": "module" }'],
    ['with "type": "commonjs"', '{ "type": "commonjs" }'],
    ['without a type', '{}'],
  ])('TypeScript loads in a package %s, with one instance of the library and of zod (R5)', async (_, manifest) => {
    const folder = projectWith({ ...TYPESCRIPT, 'package.json': manifest, ...OTHER_COPIES });
    const project = await load(folder);
    expect(project.registry.entries.map((entry) => entry.name)).toEqual(['facts', 'demo.start', 'lazy.stop']);
    expect(project.registry.find('demo')?.name).toBe('demo.start');
    expect(valueOf(project, 'facts')).toEqual({ marker, name: 'awaited', level: 1, start: 7, settings: { a: 1 }, folder: folder.root });

    const [start, stop] = ['demo.start', 'lazy.stop'].map((name) => valueOf(project, name) as { marker: symbol; shared: object });
    expect(start?.marker).toBe(marker);
    expect(stop?.marker).toBe(marker);
    expect(start?.shared).toBe(stop?.shared);

    const facts = project.registry.find('facts');
    expect(facts && objectOf(specOf(facts.task).input).shape['tag']).toBeInstanceOf(zod.ZodDefault);
  });

  test('a module may await what looks like a call at its top level (R5)', async () => {
    const folder = projectWith({
      'tasks.config.ts': `import { made } from './made.ts';
export const hello = await made('awaited');
export default { tasks: { hello } };`,
      'made.ts': `import { task } from 'taskwright';
await (0, Promise.resolve());
export const made = async (name: string) => task({ summary: 'Hello.', run: () => name });`,
    });
    expect(valueOf(await load(folder), 'hello')).toBe('awaited');
  });

  test('a module may export a task that is called `then` (R5)', async () => {
    const folder = projectWith({
      'tasks.config.ts': `import * as steps from './steps.ts';\nexport default { tasks: { steps } };`,
      'steps.ts': `import { task } from 'taskwright';\nexport const then = task({ summary: 'Then.', run: () => 'then' });`,
    });
    expect(valueOf(await load(folder), 'steps.then')).toBe('then');
  });

  test('a CommonJS config loads, with the library that is running (R5)', async () => {
    const folder = projectWith({
      'package.json': '{}',
      'tasks.config.js': `const { task, marker } = require('taskwright');
module.exports = { tasks: { hello: task({ summary: 'Hello.', run: () => marker }) } };`,
      ...OTHER_COPIES,
    });
    expect(valueOf(await load(folder), 'hello')).toBe(marker);
  });

  test('`zod/v4` is the same zod (R5)', async () => {
    const config = `import { z } from 'zod'; import { z as v4 } from 'zod/v4'; import { task } from 'taskwright';
export default { tasks: { same: task({ summary: 'Same?', run: () => z === v4 }) } };`;
    expect(valueOf(await load(projectWith({ 'tasks.config.ts': config })), 'same')).toBe(true);
  });

  test.skipIf(!existsSync(fileURLToPath(new URL('../tasks/index.ts', import.meta.url))))(
    'the shipped tasks are those of the library that is running, installed or not (R5)',
    async () => {
      const config = `import * as shipped from 'taskwright/tasks';
import * as demo from 'taskwright/tasks/demo';
export default { tasks: { shipped, demo } };`;
      const library = { ...modules, taskwright: await import('../lib/index.ts') };
      for (const files of [{ 'tasks.config.ts': config }, { 'tasks.config.ts': config, ...OTHER_COPIES }]) {
        const project = await load(projectWith(files), { modules: library });
        expect(project.registry.find('demo.status')?.name).toBe('shipped.demo.status');
      }
    },
  );

  test('`paths` of a tsconfig.json are followed; one that cannot be read is said and does no harm (R5)', async () => {
    const files = {
      'tasks.config.ts': `import { task } from 'taskwright';\nimport { word } from '@own/word.ts';\nexport default { tasks: { a: task({ summary: 'A.', run: () => word }) } };`,
      'lib/word.ts': `export const word = 'found';`,
    };
    const good = projectWith({ ...files, 'tsconfig.json': '{ /* comment */ "compilerOptions": { "paths": { "@own/*": ["./lib/*"] } } }' });
    expect(valueOf(await load(good), 'a')).toBe('found');
    const bad = await load(projectWith({ 'tasks.config.ts': HELLO, 'tsconfig.json': '{ "extends": "@nobody/has-this" }' }));
    expect(bad.notices).toEqual(["`paths` of tsconfig.json are not used: File '@nobody/has-this' not found."]);
  });

  test('the place of a declaration and of an error is that in the TypeScript file (R5)', async () => {
    const folder = projectWith({
      'tasks.config.ts': `import { task } from 'taskwright';
interface Gone { a: string }
type AlsoGone = Gone | undefined;

const fails = task({
  summary: 'Fails.',
  run: () => {
    const typed: AlsoGone = undefined;
    throw new Error(String(typed));
  },
});
export default { tasks: { fails } };`,
    });
    const project = await load(folder);
    const entry = project.registry.find('fails');
    expect(entry && placeOf(entry.task)).toMatchObject({ file: folder.path('tasks.config.ts'), line: 5 });
    try {
      valueOf(project, 'fails');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack).toContain(`${folder.path('tasks.config.ts')}:9:`);
    }
  });

  test.each(["it's a folder", 'with "quotes" and spaces', '$(touch made); `x`', 'ünïcödé 日本 🙂', 'a#b%20c?d', '[brackets] {braces} (x)'])(
    'a project loads from a folder named %j (R5)',
    async (name) => {
      const folder = projectWith({ ...TYPESCRIPT, 'package.json': '{ "type": "module" }' }, name);
      const project = await load(folder, { cwd: folder.path('tasks') });
      expect(project.root).toBe(folder.root);
      expect(valueOf(project, 'facts')).toMatchObject({ folder: folder.root, marker });
      const entry = project.registry.find('demo.start');
      expect(entry && placeOf(entry.task)?.file).toBe(folder.path('tasks/demo.ts'));
    },
  );

  test('a module is imported only when one of its tasks is asked for (R1)', async () => {
    const folder = projectWith({
      'tasks.config.ts': `export default { tasks: { good: () => import('./good.ts'), bad: () => import('./bad.ts') } };`,
      'good.ts': `import { task } from 'taskwright'; export const a = task({ summary: 'A.', run: () => 1 });`,
      'bad.ts': `throw new Error('bad was imported');`,
    });
    const { registry } = await load(folder, { words: ['good.a'] });
    expect(registry.entries.map((entry) => entry.name)).toEqual(['good.a']);
    expect(registry.isNamespace('bad')).toBe(true);
    expect(await errorOf(folder, { words: ['bad.x'] })).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` could not be loaded
      Error: bad was imported
      at bad.ts:1
      at bad (tasks.config.ts:1)
    "
  `);
    await expect(registry.complete()).rejects.toThrow('`tasks.config.ts` could not be loaded');
  });

  test('two loads see what changed in between (R5)', async () => {
    const folder = projectWith({
      'tasks.config.ts': `import { value } from './value.ts'; import { task } from 'taskwright'; export default { tasks: { a: task({ summary: 'A.', run: () => value }) } };`,
      'value.ts': 'export const value: number = 1;',
    });
    expect(valueOf(await load(folder), 'a')).toBe(1);
    folder.write('value.ts', 'export const value: number = 2;');
    expect(valueOf(await load(folder), 'a')).toBe(2);
  });

  test('compiled files are kept in `.tasks`, which ignores itself in git and is its owner’s only (R35)', async () => {
    const folder = projectWith({ 'tasks.config.ts': HELLO });
    await load(folder);
    expect(readFileSync(folder.path('.tasks/.gitignore'), 'utf8')).toBe('*\n');
    const kept = readdirSync(folder.path('.tasks'), { recursive: true, encoding: 'utf8' }).filter((name) => name.startsWith('cache'));
    for (const name of kept) expect(statSync(folder.path('.tasks', name)).mode & 0o077).toBe(0);
    expect(statSync(folder.path('.tasks')).mode & 0o777).toBe(0o700);
  });

  test('what is kept is run; what is damaged is compiled again (R35)', async () => {
    const folder = projectWith({ 'tasks.config.ts': HELLO });
    await load(folder);
    const files = (ending: string): string[] =>
      readdirSync(folder.path('.tasks'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending))
        .map((name) => join('.tasks', name));
    const [code = ''] = files('.js');
    for (const name of files('.v8')) rmSync(folder.path(name));
    const text = readFileSync(folder.path(code), 'utf8');
    folder.write(code, text.replace('"hello"', '"kept!"'));
    expect(valueOf(await load(folder), 'hello')).toBe('kept!');
    for (const name of [...files('.js'), ...files('graph.json')]) {
      folder.write(name, 'damaged');
      expect(valueOf(await load(folder), 'hello')).toBe('hello');
    }
  });

  test('compiled files are kept where the user says (R35)', async () => {
    const folder = projectWith({ 'tasks.config.ts': HELLO });
    await load(folder, { cacheDir: folder.path('elsewhere') });
    expect(existsSync(folder.path('.tasks'))).toBe(false);
    expect(readdirSync(folder.path('elsewhere/config'))).toHaveLength(1);
  });

  test('a project that cannot be written to loads all the same (R35)', async () => {
    const folder = projectWith({ 'tasks.config.ts': HELLO, '.tasks': 'a file in the way' });
    expect(valueOf(await load(folder), 'hello')).toBe('hello');
    const full = projectWith({ 'tasks.config.ts': HELLO });
    expect(valueOf(await load(full, { cacheDir: '/dev/full' }), 'hello')).toBe('hello');
  });

  test.skipIf(process.getuid?.() === 0)('a read-only root loads all the same (R35)', async () => {
    const folder = projectWith({ 'tasks.config.ts': HELLO });
    chmodSync(folder.root, 0o555);
    expect(valueOf(await load(folder), 'hello')).toBe('hello');
    chmodSync(folder.root, 0o755);
  });

  // ── One clear message for each thing that can be wrong ───────────────────────────────────────────

  test('a syntax error is shown with file, line, column and a caret (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import { task } from 'taskwright';\n\nexport default {\n\ttasks: { a: task({ summary: 'A.' )},\n};\n`,
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not valid
      tasks.config.ts:4:35: expected \`,\` or \`}\` but found \`)\`
      4 | 	tasks: { a: task({ summary: 'A.' )},
        | 	                                 ^
    "
  `);
  });

  test('a syntax error in a file that the config imports names that file (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import './tasks/demo.ts';\nexport default { tasks: {} };`,
      'tasks/demo.ts': 'export const a = 1;\nexport const a = 2;\n',
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks/demo.ts\` is not valid
      tasks/demo.ts:2:14: identifier \`a\` has already been declared
      2 | export const a = 2;
        |              ^
    "
  `);
  });

  test('a syntax error that only the engine finds has its place too (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import './ok.ts';\n\nconst pattern: RegExp = /(/;\nexport default { tasks: {}, pattern };`,
      'ok.ts': 'export const fine = 1;',
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not valid
      tasks.config.ts:3:25: invalid regular expression: /(/: Unterminated group
      3 | const pattern: RegExp = /(/;
        |                         ^
    "
  `);
  });

  test('a config that throws is told with its message and the frames of the user only (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import { read } from './read.ts';\nexport default { tasks: {}, jobs: read('x') };`,
      'read.ts': `export function read(name: string): never {\n  throw new TypeError('no ' + name);\n}\n`,
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` could not be loaded
      TypeError: no x
      at read (read.ts:2)
      at tasks.config.ts:2
    "
  `);
  });

  test('a config runs once, also when it throws (R5)', async () => {
    for (const name of ['tasks.config.ts', 'tasks.config.mjs']) {
      const project = projectWith({
        'package.json': '{ "type": "module" }',
        [name]: `import { appendFileSync } from 'node:fs';\nappendFileSync(new URL('./ran', import.meta.url), 'x');\nthrow 'a text';`,
      });
      expect(await errorOf(project)).toBe(`error: \`${name}\` could not be loaded\n  thrown: "a text"\n`);
      expect(readFileSync(project.path('ran'), 'utf8')).toBe(from === 'source' ? 'x' : 'xx');
    }
  });

  test('an import that is not there is told with its place, and the nearest file or how to install it (R4)', async () => {
    const file = projectWith({
      'tasks.config.ts': `import './tasks/index.ts';\nexport default { tasks: {} };`,
      'tasks/index.ts': `import { a } from './demos.ts';\nexport default a;`,
      'tasks/demo.ts': '',
    });
    expect(await errorOf(file)).toMatchInlineSnapshot(`
    "error: \`tasks/index.ts\` imports \`./demos.ts\`, which was not found
      tasks/index.ts:1: import { a } from './demos.ts';
    hint: Did you mean \`./demo.ts\`?
    "
  `);
    const library = projectWith({ 'tasks.config.ts': `import x from '@scope/nobody-has-this/deep';\nexport default { tasks: { x } };` });
    expect(await errorOf(library)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` imports \`@scope/nobody-has-this/deep\`, which was not found
      tasks.config.ts:1: import x from '@scope/nobody-has-this/deep';
    hint: Install it: \`npm install --save-dev @scope/nobody-has-this\`.
    "
  `);
    const native = projectWith({
      'package.json': '{ "type": "module" }',
      'tasks.config.ts': `import './a.mjs';\nexport default { tasks: {} };`,
      'a.mjs': `import 'nobody-has-this';`,
    });
    expect(await errorOf(native)).toMatchInlineSnapshot(`
    "error: \`a.mjs\` imports \`nobody-has-this\`, which was not found
      a.mjs:1: import 'nobody-has-this';
    hint: Install it: \`npm install --save-dev nobody-has-this\`.
    "
  `);
  });

  test('the use of something that is not exported is told as that (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import { tsak } from 'taskwright';\nexport default { tasks: { a: tsak({ summary: 'A.' }) } };`,
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` could not be loaded
      tsak is not a function
      at tasks.config.ts:2
    hint: Is \`tsak\` exported by what it is imported from?
    "
  `);
    const missing = projectWith({
      'tasks.config.ts': `import { stop } from './demo.ts';\nexport default { tasks: { stop } };`,
      'demo.ts': 'export const start = 1;',
    });
    expect(await errorOf(missing)).toMatchInlineSnapshot(`
    "error: \`stop\`: expected a task, a namespace or \`() => import('…')\`, got undefined (is it exported under this name?)
    "
  `);
  });

  test('data that cannot be read is told with its file (R4)', async () => {
    const project = projectWith({
      'tasks.config.ts': `import data from './data.json';\nexport default { tasks: {}, data };`,
      'data.json': '{ "a": }',
    });
    expect(await errorOf(project)).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` could not be loaded
      SyntaxError: <root>/data.json: Unexpected token '}', "{ "a": }" is not valid JSON
    "
  `);
  });

  test('a config without a default export, or with one that is no config, says what it found (R4)', async () => {
    expect(await errorOf(projectWith({ 'tasks.config.ts': `export const config = {}; export const other = 1;` }))).toMatchInlineSnapshot(`
      "error: \`tasks.config.ts\` has no default export
        it exports \`config\` and \`other\`
      hint: Write \`export default defineConfig({ tasks: { … } })\`.
      "
    `);
    expect(await errorOf(projectWith({ 'tasks.config.ts': '' }))).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` has no default export
      it exports nothing
    hint: Write \`export default defineConfig({ tasks: { … } })\`.
    "
  `);
    expect(await errorOf(projectWith({ 'tasks.config.ts': `export default () => ({ tasks: {} });` }))).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\`: expected the default export to be a config, got a function
    hint: Export the config itself, not a function.
    "
  `);
    expect(await errorOf(projectWith({ 'tasks.config.ts': `export default { taks: {} };` }))).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not right
      \`tasks\` is missing: an object of tasks
      \`taks\` is nothing that a config may say; did you mean \`tasks\`?
    "
  `);
  });
});
