import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkConfig, checkDefaults, defaultReporter, defineConfig, reporterNamed } from '../lib/config.ts';
import { renderUserError, UserError } from '../lib/errors.ts';
import { buildRegistry } from '../lib/registry.ts';
import type { ReporterFactory } from '../lib/reporters/reporter.ts';
import { task } from '../lib/task.ts';

function errorOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UserError) return renderUserError(error);
    throw error;
  }
  return 'no error';
}

const build = task({ summary: 'Build.', input: { tag: z.string().default('local') }, run: () => {} });

test('a config is what it says, checked', () => {
  const config = defineConfig({
    tasks: { build },
    dotenv: ['.envrc'],
    defaults: { build: { tag: 'x' } },
    jobs: 4,
    grace: '2s',
    timeout: '10m',
    reporter: 'lines',
    shortFlags: 'auto',
  });
  expect(checkConfig(config, 'tasks.config.ts')).toBe(config);
});

test('a module that exports other things than tasks may stand in a config, with its types', () => {
  const demo = { build, VERSION: '1', limit: 5 };
  // Types only: of a module, and of a function that imports one.
  expect(defineConfig({ tasks: { demo, lazy: () => Promise.resolve(demo), build } }).tasks).toBeDefined();
  // @ts-expect-error a text is no task
  expect(defineConfig({ tasks: { build: 'tsc' } })).toBeDefined();
});

test('everything wrong with a config is told at once, with the nearest key and what was expected', () => {
  const config = {
    task: { build },
    dotenv: '.env',
    jobs: 0,
    grace: 5,
    timeout: 'soon',
    reporter: 3,
    shortFlags: true,
    defaults: { build: 'x' },
    reportr: 'lines',
  };
  expect(errorOf(() => checkConfig(config, 'tasks.config.ts'))).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not right
      \`tasks\` is missing: an object of tasks
      \`task\` is nothing that a config may say; did you mean \`tasks\`?
      \`dotenv\`: expected a list of file names, got ".env"
      \`jobs\`: expected a whole number from 1, got 0
      \`grace\`: expected a length of time such as "5s", got 5
      \`timeout\`: expected a length of time such as "10m", got "soon"
      \`reporter\`: expected a name or a reporter, got 3
      \`shortFlags\`: expected "auto", got true
      \`defaults\`: expected inputs by task: \`{ 'demo.start': { database: 'neo4j' } }\`, got an object
      \`reportr\` is nothing that a config may say; did you mean \`reporter\`?
    "
  `);
});

test.each([
  ['a function', () => ({ tasks: {} })],
  ['a task', build],
  ['an array', [build]],
  ['nothing', undefined],
  ['a promise', Promise.resolve({ tasks: {} })],
])('%s is no config', (_, value) => {
  expect(errorOf(() => checkConfig(value, 'tasks.config.ts'))).toMatch(
    /^error: `tasks.config.ts`: expected the default export to be a config, got .*\nhint: /,
  );
});

test('`defaults` name tasks and inputs that exist (R11)', async () => {
  const config = defineConfig({
    tasks: { build, again: build },
    defaults: { build: { tagg: 'x' }, bild: {}, again: { tag: 'x' }, deploy: { target: 'x' } },
  });
  const registry = await buildRegistry(config.tasks);
  expect(errorOf(() => checkDefaults(config, registry, 'tasks.config.ts'))).toMatchInlineSnapshot(`
    "error: \`tasks.config.ts\` is not right
      \`defaults\`: \`build\` takes no \`tagg\`; did you mean \`tag\`?
      \`defaults\`: no task is named \`bild\`; did you mean \`build\`?
      \`defaults\`: \`again\` is another word for \`build\`; write the name
      \`defaults\`: no task is named \`deploy\`
    "
  `);
});

test('`defaults` of a module that was not imported are left unchecked (R1)', async () => {
  const config = defineConfig({
    tasks: { demo: () => Promise.resolve({ build }) },
    defaults: { 'demo.build': { tag: 'x' }, 'demo.nothing': {} },
  });
  const partial = await buildRegistry(config.tasks, { words: [] });
  expect(errorOf(() => checkDefaults(config, partial, 'tasks.config.ts'))).toBe('no error');
  expect(errorOf(() => checkDefaults(config, { ...partial, isPartial: false }, 'tasks.config.ts'))).toContain(
    'no task is named `demo.build`',
  );
});

test('a reporter is taken by name, or as handed in (R38)', () => {
  const reporters: Record<string, ReporterFactory> = { tree: () => ({}), lines: () => ({}) };
  const own: ReporterFactory = () => ({});
  expect(reporterNamed('lines', reporters)).toBe(reporters['lines']);
  expect(reporterNamed(own, reporters)).toBe(own);
  expect(errorOf(() => reporterNamed('line', reporters))).toMatchInlineSnapshot(`
    "error: no reporter is named \`line\`
    hint: Did you mean \`lines\`?
    "
  `);
  expect(errorOf(() => reporterNamed('constructor', reporters))).toMatchInlineSnapshot(`
    "error: no reporter is named \`constructor\`
    hint: There are \`tree\` and \`lines\`.
    "
  `);
});

test('the tree is for terminals that can draw it, outside of CI; lines are for the rest (R38)', () => {
  expect(defaultReporter({ isTTY: true, env: { TERM: 'xterm' } })).toBe('tree');
  expect(defaultReporter({ isTTY: true, env: { TERM: 'dumb' } })).toBe('lines');
  expect(defaultReporter({ isTTY: true, env: { CI: 'true' } })).toBe('grouped');
  expect(defaultReporter({ isTTY: false, env: { CI: 'true', GITHUB_ACTIONS: 'true' } })).toBe('github');
  expect(defaultReporter({ isTTY: true, env: { CI: '' } })).toBe('tree');
  expect(defaultReporter({ isTTY: false, env: {} })).toBe('lines');
});
