import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { FileImport } from './support/imports.ts';
import { cycleOf, filesBelow, importsBelow, importsOf, resolvedImports } from './support/imports.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What stands on which floor of lib/. The first row that names a file, or its folder by `/*`, is its floor. */
const FLOORS: readonly (readonly [floor: number, ...files: string[]])[] = [
  [0, 'util/*'],
  [1, 'zod'],
  [1, 'errors', 'task', 'schema', 'secrets', 'event', 'halt', 'failure', 'current-step', 'guarded', 'runners/runner'],
  [1, 'caches/cache'],
  [
    2,
    'registry',
    'task-tree',
    'declarations',
    'request',
    'flags',
    'input',
    'plan',
    'plan-order',
    'step-view',
    'environment',
    'dotenv-file',
    'requirements',
  ],
  [2, 'template', 'responder', 'shell', 'sudo', 'free-port', 'reporters/reporter'],
  [2, 'file-digests', 'file-lists', 'module-graph', 'code-of-task', 'fingerprint', 'value', 'output'],
  [3, 'runners/*', 'reporters/*', 'caches/*'],
  [4, 'engine', 'preflight', 'run', 'run-node', 'run-locks', 'calls', 'lending', 'verdict', 'step', 'body', 'services', 'standing'],
  [4, 'step-end', 'retry'],
  [4, 'locks', 'step-locks', 'readiness', 'step-scope', 'log-files'],
  [4, 'ledger', 'shelf', 'restore', 'incremental', 'leave-alone', 'earlier', 'watch'],
  [5, 'config', 'load', 'find-config', 'load-error'],
  [6, 'index', 'api', 'carry-out', 'start', 'kept', 'explain', 'foresee', 'testing', 'cli/*', 'cli/init/*'],
  [5, 'manifest', 'find-project', 'loader/*'],
  [6, 'package', 'bundle', 'cli/completion/*'],
];

/** Which floors each may import. Members and the engine never meet: 5 and 6 introduce them. */
const MAY_IMPORT: readonly (readonly number[])[] = [
  [0],
  [0, 1],
  [0, 1, 2],
  [0, 1, 2, 3],
  [0, 1, 2, 4],
  [0, 1, 2, 3, 4, 5],
  [0, 1, 2, 3, 4, 5, 6],
];

/** Loaded by the function that needs them, so that `--version` and `--list` do not pay for them. */
const HEAVY = [
  'zx',
  'zx/core',
  'listr2',
  'oxc-transform',
  '@clack/prompts',
  'semver',
  'dotenv',
  '@lydell/node-pty',
  'es-module-lexer',
  'acorn',
];

const lib = importsBelow(ROOT, 'lib');
const tasks = existsSync(join(ROOT, 'tasks')) ? importsBelow(ROOT, 'tasks') : [];

test('every file of lib/ stands on a floor', () => {
  expect(filesBelow(ROOT, 'lib').filter((file) => floorOf(file) === undefined)).toEqual([]);
});

test('every file that the floors name is there', () => {
  const named = FLOORS.flatMap(([, ...files]) => files).filter((file) => !file.endsWith('/*'));
  expect(named.filter((file) => !existsSync(join(ROOT, 'lib', `${file}.ts`)))).toEqual([]);
});

test('no file of lib/ imports a higher floor, and members and the engine never meet', () => {
  expect(lib.filter(trespasses).map(shown)).toEqual([]);
});

test('no member imports another family', () => {
  expect(lib.filter(visitsAnotherFamily).map(shown)).toEqual([]);
});

test('nothing imports itself by way of others, types included', () => {
  expect(cycleOf([...lib, ...tasks])).toBeUndefined();
});

test('lib/ knows neither tasks/ nor a config', () => {
  expect(lib.filter(({ to }) => to !== undefined && !to.startsWith('lib/')).map(shown)).toEqual([]);
});

test('inner code does not import the public entry; the command line alone hands it to a config', () => {
  const importers = lib.filter(({ to }) => to === 'lib/index.ts');
  expect(importers.map(({ from, kind }) => `${from} (${kind})`)).toEqual([
    'lib/bundle.ts (value)',
    'lib/cli/main.ts (lazy)',
    'lib/package.ts (value)',
  ]);
});

test('tasks/ imports the public entry, zod, Node and its own files, nothing else', () => {
  expect(tasks.filter(reachesOutOfTasks).map(shown)).toEqual([]);
});

test('an import of lib/ is a file that exists, a builtin, or a declared dependency', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
  const declared = Object.keys({ ...manifest['dependencies'], ...manifest['peerDependencies'] });
  const known = ({ to, specifier }: FileImport): boolean =>
    to === undefined ? isNodeModule(specifier) || declared.includes(packageOf(specifier)) : existsSync(join(ROOT, to));
  expect(lib.filter((found) => !known(found)).map(shown)).toEqual([]);
});

test('heavy libraries are loaded lazily', () => {
  expect(lib.filter(({ kind, specifier }) => kind === 'value' && HEAVY.includes(specifier)).map(shown)).toEqual([]);
});

// ── The checks themselves: what they are there to find, they find ────────────────────────────────

test('an import is found in each of its forms, and not in a comment', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from './b.ts';",
    "import * as c from 'node:fs';",
    'import {',
    '  one,',
    '  type Two,',
    "} from './d.ts';",
    "import './e.ts';",
    "export { f } from './f.ts';",
    "export type { G } from './g.ts';",
    "export * from './h.ts';",
    "const globs = ['docs/*.md']; const i = await import('./i.ts');",
    "let j: typeof import('listr2');",
    '/**',
    " * import { no } from './no.ts';",
    ' */',
    "// import('./no.ts')",
  ].join('\n');
  expect(importsOf(source).map(({ kind, specifier }) => `${kind} ${specifier}`)).toEqual([
    'value ./a.ts',
    'type ./b.ts',
    'value node:fs',
    'value ./d.ts',
    'value ./e.ts',
    'value ./f.ts',
    'type ./g.ts',
    'value ./h.ts',
    'lazy ./i.ts',
    'type listr2',
  ]);
});

test.each([
  ['lib/util/lines.ts', '../errors.ts'],
  ['lib/task.ts', './plan.ts'],
  ['lib/reporters/tree.ts', '../run.ts'],
  ['lib/run.ts', './reporters/tree.ts'],
  ['lib/load.ts', './api.ts'],
])('%s may not import %s', (from, specifier) => {
  expect(resolvedImports(from, `import type { It } from '${specifier}';`).filter(trespasses)).toHaveLength(1);
});

test('a member of one family may not import a member of another', () => {
  expect(resolvedImports('lib/reporters/tree.ts', "import { it } from '../runners/local.ts';").filter(visitsAnotherFamily)).toHaveLength(1);
  expect(resolvedImports('lib/reporters/tree.ts', "import { it } from './paint.ts';").filter(visitsAnotherFamily)).toEqual([]);
});

test.each(['../lib/task.ts', 'zx', '../tasks.config.ts', 'taskwright/testing'])('a task may not import %s', (specifier) => {
  expect(resolvedImports('tasks/demo.ts', `import { it } from '${specifier}';`).filter(reachesOutOfTasks)).toHaveLength(1);
});

test('a cycle is told by its files', () => {
  const files = { 'a.ts': './b.ts', 'b.ts': './c.ts', 'c.ts': './b.ts' };
  const imports = Object.entries(files).flatMap(([from, to]) => resolvedImports(from, `import type { It } from '${to}';`));
  expect(cycleOf(imports)).toEqual(['b.ts', 'c.ts', 'b.ts']);
});

function floorOf(file: string): number | undefined {
  const name = file.replace(/^lib\//, '').replace(/\.ts$/, '');
  const folder = name.replace(/[^/]*$/, '*');
  const row = FLOORS.find(([, ...files]) => files.includes(name)) ?? FLOORS.find(([, ...files]) => files.includes(folder));
  return row?.[0];
}

function trespasses({ from, to }: FileImport): boolean {
  if (to === undefined) return false;
  const [here, there] = [floorOf(from), floorOf(to)];
  return here === undefined || there === undefined || MAY_IMPORT[here]?.includes(there) !== true;
}

function visitsAnotherFamily({ from, to }: FileImport): boolean {
  return to !== undefined && floorOf(from) === 3 && floorOf(to) === 3 && familyOf(from) !== familyOf(to);
}

const familyOf = (file: string): string | undefined => file.split('/')[1];

function reachesOutOfTasks({ to, specifier }: FileImport): boolean {
  if (to !== undefined) return !to.startsWith('tasks/');
  return specifier !== 'taskwright' && specifier !== 'zod' && !isNodeModule(specifier);
}

const isNodeModule = (specifier: string): boolean => specifier.startsWith('node:') && isBuiltin(specifier);

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const shown = ({ from, kind, specifier }: FileImport): string => `${from} → ${specifier}${kind === 'value' ? '' : ` (${kind})`}`;
