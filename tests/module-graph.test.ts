import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createFileDigests } from '../lib/file-digests.ts';
import type { ModuleRecords } from '../lib/module-graph.ts';
import { createModuleGraphs } from '../lib/module-graph.ts';
import { realFileSystem } from '../lib/util/file-system.ts';
import { filesBelow, importsOf } from './support/imports.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

async function graphOf(project: TestProject, entry: string, known?: ModuleRecords) {
  const digests = createFileDigests({ fs: realFileSystem, now: Date.now });
  const reads: string[] = [];
  const fs: typeof realFileSystem = {
    ...realFileSystem,
    // The one overload that is used here.
    readFileSync: ((path: string, options: 'utf8') => {
      reads.push(basename(path));
      return readFileSync(path, options);
    }) as typeof readFileSync,
  };
  const graphs = createModuleGraphs({ fs, digests, given: { taskwright: '1.0.0' }, ...(known && { known }) });
  const graph = await graphs.of([project.path(entry)]);
  return {
    files: graph.files.map(({ path }) => relative(project.root, path)),
    packages: graph.packages,
    unclear: graph.unclear.map(({ file, what }) => `${basename(file)}: ${what}`),
    records: graphs.records(),
    reads,
  };
}

test('the code of a module is itself and all local modules that it imports, in each form of an import (R32)', async () => {
  const project = projectWith({
    'a.ts': "import { b } from './b.ts'; export * from './c'; import data from './data.json' with { type: 'json' }; void [b, data];",
    'b.ts': "export const b = async () => [await import('./lazy.js'), new URL('./template.txt', import.meta.url)];",
    'c/index.ts': "import './d.mjs';",
    'c/d.mjs': "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); require('../old.cjs');",
    'old.cjs': "module.exports = require('./older');",
    'older.cjs': '',
    'lazy.ts': "import { task } from 'taskwright'; import 'node:fs'; task;",
    'data.json': '{}',
    'template.txt': '',
    'unrelated.ts': '',
  });

  const graph = await graphOf(project, 'a.ts');

  expect(graph.files).toEqual(['a.ts', 'b.ts', 'c/d.mjs', 'c/index.ts', 'data.json', 'lazy.ts', 'old.cjs', 'older.cjs', 'template.txt']);
  expect([graph.packages, graph.unclear]).toEqual([{ taskwright: '1.0.0' }, []]);
});

test('types are no code; a default import that is called `type` is', async () => {
  const project = projectWith({
    'a.ts': [
      "import type { A } from './a-type.ts'; import type B from './b-type.ts'; export type { C } from './c-type.ts';",
      "let d: typeof import('./d-type.ts'); import type from './real.ts'; // see require('./comment.ts')",
    ].join('\n'),
    'a-type.ts': '',
    'b-type.ts': '',
    'c-type.ts': '',
    'd-type.ts': '',
    'real.ts': 'export default 1;',
  });

  expect((await graphOf(project, 'a.ts')).files).toEqual(['a.ts', 'real.ts']);
});

test.each([
  ['import(name)', 'a.ts: `import(name)`'],
  ['import(`./${name}.ts`)', 'a.ts: `import(`./${name}.ts`)`'],
  ["import './gone.ts'", 'a.ts: `./gone.ts` is not there'],
  ["import '@/alias'", 'a.ts: `@/alias` leads nowhere that can be told'],
  ["const a = 'unterminated", expect.stringContaining('a.ts: cannot be read as a module')],
  ['const load = createRequire(import.meta.url)', 'a.ts: `createRequire(…)` under another name than `require`'],
])('what cannot be told from the text is said: %s', async (code, unclear) => {
  const project = projectWith({ 'a.ts': `${code}\nexport {};` });

  expect((await graphOf(project, 'a.ts')).unclear).toEqual([unclear]);
});

test('a package counts by its version, one of the workspace by its code (R32)', async () => {
  const project = projectWith({
    'app/a.ts': "import 'dep'; import '@scope/dep/deep'; import 'ours';",
    'node_modules/dep/package.json': '{ "name": "dep", "version": "1.2.3" }',
    'node_modules/dep/index.js': '',
    'node_modules/@scope/dep/package.json': '{ "name": "@scope/dep", "version": "2.0.0" }',
    'packages/ours/package.json': '{ "name": "ours", "version": "0.0.0", "exports": { "import": "./src/index.ts" } }',
    'packages/ours/src/index.ts': "export * from './more.ts';",
    'packages/ours/src/more.ts': '',
    'packages/ours/node_modules/other/index.js': '',
  });
  symlinkSync(project.path('packages/ours'), project.path('node_modules/ours'));

  const graph = await graphOf(project, 'app/a.ts');

  expect(graph.packages).toEqual({ '@scope/dep': '2.0.0', dep: '1.2.3' });
  expect(graph.files).toEqual(['app/a.ts', 'packages/ours/package.json', 'packages/ours/src/index.ts', 'packages/ours/src/more.ts']);
});

test('an unchanged module is not read again; a changed one, and only it, is', async () => {
  const project = projectWith({ 'a.ts': "import './b.ts';", 'b.ts': '', 'c.ts': '' });
  const { records } = await graphOf(project, 'a.ts');

  const second = await graphOf(project, 'a.ts', records);
  expect([second.reads, second.records === records]).toEqual([[], true]);

  project.write('b.ts', "import './c.ts';");
  const third = await graphOf(project, 'a.ts', second.records);
  expect([third.reads, third.files]).toEqual([
    ['b.ts', 'c.ts'],
    ['a.ts', 'b.ts', 'c.ts'],
  ]);
});

test('a file that comes in front of another, and one that goes, are noticed though no importer changed', async () => {
  const project = projectWith({
    'app/a.ts': "import './b'; import './c.js'; import 'dep';",
    'app/b/index.ts': '',
    'app/c.ts': '',
    'node_modules/dep/package.json': '{ "name": "dep", "version": "1.0.0" }',
  });
  const first = await graphOf(project, 'app/a.ts');
  expect([first.files, first.packages]).toEqual([['app/a.ts', 'app/b/index.ts', 'app/c.ts'], { dep: '1.0.0' }]);

  project.write('app/b.ts', '');
  renameSync(project.path('app/c.ts'), project.path('app/c.js'));
  project.write('app/node_modules/dep/package.json', '{ "name": "dep", "version": "9.0.0" }');
  const second = await graphOf(project, 'app/a.ts', first.records);
  expect([second.files, second.packages]).toEqual([['app/a.ts', 'app/b.ts', 'app/c.js'], { dep: '9.0.0' }]);

  rmSync(project.path('app/c.js'));
  expect((await graphOf(project, 'app/a.ts', second.records)).unclear).toEqual(['a.ts: `./c.js` is not there']);
});

test('modules that import each other, and links to a module, are one each', async () => {
  const project = projectWith({ 'real/a.ts': "import './b.ts';", 'real/b.ts': "import './a.ts'; import '../link/a.ts';" });
  mkdirSync(project.path('other'));
  symlinkSync(project.path('real'), project.path('link'));

  expect((await graphOf(project, 'link/a.ts')).files).toEqual(['real/a.ts', 'real/b.ts']);
});

test('the imports of all our own TypeScript are found as they stand', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = ['lib', 'tasks'].flatMap((folder) => filesBelow(root, folder));
  const digests = createFileDigests({ fs: realFileSystem, now: Date.now });
  const graphs = createModuleGraphs({ fs: realFileSystem, digests });
  for (const file of files) await graphs.of([`${root}${file}`]);
  const { modules } = graphs.records();

  for (const file of files) {
    const written = importsOf(readFileSync(`${root}${file}`, 'utf8')).filter(
      ({ kind, specifier }) => kind !== 'type' && specifier.startsWith('.'),
    );
    const wanted = new Set(written.map(({ specifier }) => fileURLToPath(new URL(specifier, `file://${root}${file}`))));
    const found = modules[`${root}${file}`]?.imports.filter((path) => path.endsWith('.ts') && dirname(path) !== '') ?? [];
    expect([file, found.toSorted()]).toEqual([file, [...wanted].toSorted()]);
  }
});
