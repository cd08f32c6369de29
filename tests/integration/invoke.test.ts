import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import { REPOSITORY, tasks, testWith } from '../support/real-tools.ts';

const PAGE = readFileSync(join(REPOSITORY, 'docs/coming-from-invoke.md'), 'utf8');
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(PAGE)?.[1] ?? '';
const PYTHON = block('python');
const TYPESCRIPT = block('ts');
const LINES = block('text').trim().split('\n');

const test = testWith(['invoke']);

/** All files below, with their texts. */
function contentOf(project: TestProject, folder = ''): Record<string, string> {
  const found = readdirSync(project.path(folder), { withFileTypes: true }).filter(({ name }) => !/^\.|^__|^tasks|node_modules/.test(name));
  return Object.assign(
    {},
    ...found.map((entry) =>
      entry.isDirectory()
        ? contentOf(project, join(folder, entry.name))
        : { [join(folder, entry.name)]: project.read(join(folder, entry.name)) },
    ),
  ) as Record<string, string>;
}

function invoke(project: TestProject, words: readonly string[]): string {
  return execFileSync('invoke', words, { cwd: project.root, encoding: 'utf8', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
}

/** A project that has the package as it was built. */
function projectOf(files: Readonly<Record<string, string>>): TestProject {
  const project = projectWith({ 'package.json': '{"type":"module"}', 'cache/kept': 'x', 'dist/old': 'x', ...files });
  mkdirSync(project.path('node_modules'));
  symlinkSync(REPOSITORY, project.path('node_modules/taskwright'));
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), project.path('node_modules/zod'));
  return project;
}

test('the tasks.py of the page and what it was moved to do the same, line by line', async () => {
  expect(LINES.length).toBeGreaterThan(4);
  for (const line of LINES) {
    const before = projectOf({ 'tasks.py': PYTHON });
    const after = projectOf({ 'tasks.config.ts': TYPESCRIPT });

    const said = invoke(before, line.split(' '));
    const ran = await tasks(line.split(' '), { cwd: after.root });

    expect(ran, line).toMatchObject({ code: 0 });
    expect(contentOf(after), line).toEqual(contentOf(before));
    expect(
      said.split('\n').every((text) => ran.stdout.includes(text)),
      line,
    ).toBe(true);
  }
});

test('tasks --init takes the tasks of a real Invoke over: typed, listed, and working at once', async () => {
  const before = projectOf({ 'tasks.py': PYTHON });
  const after = projectOf({ 'tasks.py': PYTHON });

  const begun = await tasks(['--init'], { cwd: after.root });
  expect(begun).toMatchObject({ code: 0, stderr: '' });
  expect(begun.stdout).toContain('3 tasks taken over');
  const list = JSON.parse((await tasks(['--list', '--json'], { cwd: after.root })).stdout) as {
    tasks: { name: string; inputs: { name: string }[] }[];
  };
  expect(Object.fromEntries(list.tasks.map(({ name, inputs }) => [name, inputs.map((input) => input.name)]))).toEqual({
    clean: ['everything'],
    build: ['target', 'define', 'optimise'],
    'docs.html': ['open'],
  });

  for (const line of LINES) {
    invoke(before, line.split(' '));
    expect(await tasks(line.split(' '), { cwd: after.root }), line).toMatchObject({ code: 0 });
    expect(contentOf(after), line).toEqual(contentOf(before));
  }
});
