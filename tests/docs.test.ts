import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../lib/cli/main.ts';
import type { Sink } from '../lib/reporters/reporter.ts';
import { compile } from './support/compile.ts';
import type { Block, Page } from './support/pages.ts';
import { commandsOf, isWorkflow, parsePage, readPages } from './support/pages.ts';
import { workflowParser } from './support/workflows.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Inside the repository, so that `taskwright` and `zod` are found from there as from anywhere in it.
const FOLDER = join(ROOT, '.tasks', `docs-snippets-${process.pid}`);

const pages = readPages(ROOT);
const snippets = pages.flatMap((page) => snippetsOf(page));

beforeAll(() => {
  for (const { file, text } of snippets) {
    mkdirSync(dirname(file), { recursive: true });
    // A snippet without imports is a module too: its names are its own.
    writeFileSync(file, `${text}\nexport {};\n`);
  }
});

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

test('every TypeScript snippet of the docs compiles', () => {
  const config = { extends: '../../tsconfig.json', include: ['**/*.ts'], exclude: [] };
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config));
  expect(compile(FOLDER)).toBe('');
});

describe('every snippet that is marked to run does', () => {
  test.each(snippets.filter(({ block }) => block.marks.includes('run')))('$place', async ({ file }) => {
    await import(file);
  });
});

describe('every command line of a shell block or a workflow can be planned, with the tasks of this repository', () => {
  const commands = pages.flatMap((page) =>
    page.blocks
      .filter((block) => block.language === 'sh' || isWorkflow(block))
      .flatMap((block) => commandsOf(block).map((argv) => ({ place: `${page.path}:${block.line} tasks ${argv.join(' ')}`, argv }))),
  );
  test.each(commands)('$place', async ({ argv }) => {
    const { code, stderr } = await tasks(plannedOnly(argv));
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});

describe('every GitHub workflow of the docs is one to GitHub', () => {
  const workflows = pages.flatMap((page) =>
    page.blocks.filter(isWorkflow).map(({ line, text }) => [`${page.path}:${line}`, text] as const),
  );
  test.each(workflows)('%s', async (_, text) => {
    const problemsIn = await workflowParser(FOLDER);
    expect(problemsIn(text)).toEqual([]);
    expect(problemsIn(text.replace('runs-on:', 'run-on:'))).not.toEqual([]);
  });
});

test('a link between pages leads to a page, and to a heading of it', () => {
  const dead = pages.flatMap((page) =>
    page.links.filter(({ target }) => !leadsSomewhere(page, target)).map(({ line, target }) => `${page.path}:${line}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every page is reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const page = pages.find((other) => other.path === path);
    for (const { target } of page?.links ?? []) {
      if (!isAway(target)) reached.add(join(dirname(path), target.split('#')[0] ?? ''));
    }
  }
  expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});

// ── The reading of pages itself ──────────────────────────────────────────────────────────────────

test('a page is read as its blocks, links and headings', () => {
  const page = parsePage(
    'page.md',
    [
      '# The `run` function',
      'See [more](b.md#x), not `[this](c.md)`.',
      '```sh some',
      'npx tasks a --b "c d" # why',
      'npm ci && npx tasks e',
      '```',
    ].join('\n'),
  );
  expect(page.anchors).toEqual(['the-run-function']);
  expect(page.links).toEqual([{ line: 2, target: 'b.md#x' }]);
  expect(page.blocks).toMatchObject([{ line: 4, language: 'sh', marks: ['some'] }]);
  expect(page.blocks.flatMap(commandsOf)).toEqual([['a', '--b', 'c d'], ['e']]);
});

interface Snippet {
  readonly place: string;
  readonly file: string;
  readonly text: string;
  readonly block: Block;
}

/** Where each snippet of a page is written: a first line such as `// tasks/demo.ts` names its file, so that one can import another. */
function snippetsOf(page: Page): readonly Snippet[] {
  const folder = join(FOLDER, page.path.replaceAll(/[/.]/g, '-'));
  return page.blocks
    .filter(({ language }) => language === 'ts')
    .map((block) => {
      const named = /^\/\/ ([\w./-]+\.ts)$/m.exec(block.text.split('\n')[0] ?? '')?.[1];
      return { place: `${page.path}:${block.line}`, file: join(folder, named ?? `line-${block.line}.ts`), text: block.text, block };
    });
}

const LOOKS = /^(--plan|--graph(=.*)?|--list|-l|--help|-h|--version|--schema|--env)$/;

/** What is wrong with the words shows in the plan; nothing is run, whatever the machine has. */
function plannedOnly(argv: readonly string[]): readonly string[] {
  if (argv.some((word) => LOOKS.test(word))) return argv;
  return ['--plan', ...argv.filter((word) => word !== '--dry-run')];
}

/** The command line of this repository, called as a function. */
async function tasks(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const out = sink();
  const err = sink();
  const code = await main({
    argv,
    env: { HOME: process.env['HOME'], PATH: process.env['PATH'], CI: 'true' },
    cwd: ROOT,
    stdout: out,
    stderr: err,
    stdin: { isTTY: false, stream: process.stdin },
    onSignal: () => () => {},
    onStray: () => () => {},
    onIdle: () => () => {},
    onExit: () => () => {},
  });
  return { code, stdout: out.text(), stderr: err.text() };
}

function sink(): Sink & { text(): string } {
  let all = '';
  return { write: (text) => void (all += text), text: () => all, isTTY: false, columns: 80, rows: 24, colour: false };
}

const isAway = (target: string): boolean => /^[a-z]+:/.test(target);

function leadsSomewhere(page: Page, target: string): boolean {
  if (isAway(target)) return true;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page.path : join(dirname(page.path), path);
  if (!existsSync(join(ROOT, file))) return false;
  return anchor === undefined || pages.some((other) => other.path === file && other.anchors.includes(anchor));
}
