import { expect, test } from 'vitest';
import { z } from 'zod';
import { renderUserError, UserError } from '../lib/errors.ts';
import { buildRegistry } from '../lib/registry.ts';
import { task } from '../lib/task.ts';

const simple = (more: Partial<Parameters<typeof task>[0]> = {}) => task({ summary: 'Does it.', run: () => {}, ...more } as never);

/** As Node tags the modules that it loads. */
const moduleOf = (exports: Record<string, unknown>): object =>
  Object.defineProperty({ ...exports }, Symbol.toStringTag, { value: 'Module' });
/** As loaders of TypeScript mark theirs. */
const compiledModuleOf = (exports: Record<string, unknown>): object => Object.defineProperty({ ...exports }, '__esModule', { value: true });

async function errorOf(tree: object): Promise<string> {
  try {
    await buildRegistry(tree);
  } catch (error) {
    if (error instanceof UserError) return renderUserError(error);
    throw error;
  }
  return 'no error';
}

const names = async (tree: object): Promise<string[]> => (await buildRegistry(tree)).entries.map((entry) => entry.name);

test('a name is the path of keys in kebab-case, joined by dots (R1)', async () => {
  const tree = { buildAll: simple(), demo: { devStart: simple(), deep: { HTMLReport: simple() } } };
  expect(await names(tree)).toEqual(['build-all', 'demo.dev-start', 'demo.deep.html-report']);
});

test('of a module, the exports that are tasks count and its others are left alone (R1)', async () => {
  const helper = (): never => {
    throw new Error('a helper of a module was called');
  };
  const exports = { start: simple(), helper, version: '1', settings: { a: 1 }, limit: 5, nothing: undefined };
  expect(await names({ demo: moduleOf(exports) })).toEqual(['demo.start']);
  expect(await names({ demo: compiledModuleOf(exports) })).toEqual(['demo.start']);
});

test('a module may pass on other modules as namespaces, and libraries as none (R1)', async () => {
  const demo = moduleOf({ start: simple() });
  const shipped = moduleOf({ demo, z: moduleOf({ string: () => {} }), clone: simple() });
  expect(await names(shipped)).toEqual(['clone', 'demo.start']);
  const registry = await buildRegistry({ shipped });
  expect(registry.namespaces).toEqual(['shipped', 'shipped.demo']);
});

test('tasks stand in the order of the config, those of a module alphabetically (R2)', async () => {
  const tree = { z: simple(), m: compiledModuleOf({ b: simple(), a: simple() }), a: simple() };
  expect(await names(tree)).toEqual(['z', 'm.a', 'm.b', 'a']);
});

test('the default task of a namespace answers to the name of the namespace, that of the root to nothing (R1)', async () => {
  const [check, start, lint] = [simple(), simple(), simple()];
  const registry = await buildRegistry({
    default: check,
    check,
    demo: moduleOf({ default: start, start }),
    lint: moduleOf({ default: lint }),
  });

  expect(registry.defaultTask?.name).toBe('check');
  expect(registry.find('demo')?.name).toBe('demo.start');
  expect(registry.find('lint')).toMatchObject({ name: 'lint', isDefault: true, aliases: [] });
  expect(registry.find('demo.default')).toBeUndefined();
  expect(registry.entries.map(({ name, namespace, isDefault, aliases }) => ({ name, namespace, isDefault, aliases }))).toEqual([
    { name: 'check', namespace: '', isDefault: true, aliases: [] },
    { name: 'demo.start', namespace: 'demo', isDefault: true, aliases: [] },
    { name: 'lint', namespace: 'lint', isDefault: true, aliases: [] },
  ]);
});

test('a default of the root without a key of its own is named `default` (R1)', async () => {
  const registry = await buildRegistry({ default: simple() });
  expect(registry.defaultTask?.name).toBe('default');
  expect(registry.find('default')).toBe(registry.defaultTask);
});

test('an export that is no task may be the default of a module (R1)', async () => {
  expect(await names({ demo: moduleOf({ default: { some: 'config' }, start: simple() }) })).toEqual(['demo.start']);
});

test('a task under several keys goes by the first in the order of the config; the rest are aliases (R2)', async () => {
  const start = simple();
  const registry = await buildRegistry({ first: start, demo: { start, begin: start } });
  expect(registry.entries).toHaveLength(1);
  expect(registry.find('demo.begin')).toMatchObject({ name: 'first', aliases: ['demo.start', 'demo.begin'] });
  expect(registry.nameOf(start)).toBe('first');
});

test('`aliases` of a task stand in its namespace (R2)', async () => {
  const registry = await buildRegistry({ demo: { devStart: simple({ aliases: ['up', 'ds'] }) } });
  expect(registry.find('demo.up')?.name).toBe('demo.dev-start');
  expect(registry.find('up')).toBeUndefined();
});

test('a nameless task has no name (R6)', async () => {
  const registry = await buildRegistry({ a: simple() });
  expect(registry.nameOf(simple())).toBeUndefined();
});

test('names that clash are load errors that name both sides, all at once (R2)', async () => {
  const tree = {
    devStart: simple(),
    'dev-start': simple(),
    devTools: { a: simple() },
    'dev-tools': { b: simple() },
    demo: simple(),
    Demo: { start: simple() },
    other: simple({ aliases: ['last'] }),
    last: simple(),
    twice: simple({ aliases: ['last'] }),
  };
  expect(await errorOf(tree)).toMatchInlineSnapshot(`
    "error: 5 things are wrong with the tasks of the config
      \`devTools\` and \`dev-tools\` both come to the namespace \`dev-tools\`
      \`devStart\` and \`dev-start\` both come to \`dev-start\`
      the alias \`last\` of \`other\` and \`last\` both come to \`last\`
      the alias \`last\` of \`other\` and the alias \`last\` of \`twice\` both come to \`last\`
      \`demo\` and the namespace \`Demo\` both come to \`demo\`
    "
  `);
});

test('a plain object holds only tasks, namespaces, modules and imports; anything else is named by its path (R1)', async () => {
  class Thing {}
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const tree = {
    text: 'build',
    missing: undefined,
    list: [simple()],
    call: simple()(),
    thing: new Thing(),
    Thing,
    helper: (name: string) => name,
    sync: () => 5,
    promise: Promise.resolve({}),
    wrong: () => Promise.resolve('text'),
    deep: { er: { nothing: null } },
    circle,
    demo: { default: {} },
    'a b': simple(),
    '-x': simple(),
    '': simple(),
    'a.b': simple(),
    named: simple({ aliases: ['--up', 'a b'] }),
  };
  expect(await errorOf(tree)).toMatchInlineSnapshot(`
    "error: 18 things are wrong with the tasks of the config
      \`text\`: expected a task, a namespace or \`() => import('…')\`, got "build"
      \`missing\`: expected a task, a namespace or \`() => import('…')\`, got undefined (is it exported under this name?)
      \`list\`: expected a task, a namespace or \`() => import('…')\`, got an array
      \`call\`: expected a task, a namespace or \`() => import('…')\`, got a call (put the task itself, without calling it)
      \`thing\`: expected a task, a namespace or \`() => import('…')\`, got an object of class Thing
      \`Thing\`: expected a task, a namespace or \`() => import('…')\`, got a class
      \`helper\`: expected a task, a namespace or \`() => import('…')\`, got a function
      \`sync\` is a function that gives 5; expected a task, or \`() => import('…')\`
      \`promise\`: expected a task, a namespace or \`() => import('…')\`, got a promise (write \`() => import('…')\`)
      \`wrong\` is a function whose promise gives "text"; expected that of a module
      \`deep.er.nothing\`: expected a task, a namespace or \`() => import('…')\`, got null
      \`circle.self\` holds itself
      \`demo.default\`: expected a task, got an object
      \`-x\`: a name may not be empty, begin with \`-\`, or hold blanks, commas or \`=\`
      \`\`: a name may not be empty, begin with \`-\`, or hold blanks, commas or \`=\`
      \`a.b\`: a key with a dot in it; nest it: \`a: { b: …\`
      \`named\`: the alias "--up" may not be empty, begin with \`-\`, or hold blanks, dots, commas or \`=\`
      \`named\`: the alias "a b" may not be empty, begin with \`-\`, or hold blanks, dots, commas or \`=\`
    "
  `);
});

test('an export that a cycle of imports has not made yet is told as such (R1)', async () => {
  const underWay = Object.defineProperties(
    {},
    {
      start: {
        enumerable: true,
        get: () => {
          throw new ReferenceError("Cannot access 'start' before initialization");
        },
      },
      [Symbol.toStringTag]: { value: 'Module' },
    },
  );
  expect(await errorOf({ demo: underWay })).toMatchInlineSnapshot(`
    "error: \`demo.start\` cannot be read yet (Cannot access 'start' before initialization): its module takes part in a cycle of imports
    "
  `);
});

test('a module is imported only when a word of the command line lies in its namespace (R1)', async () => {
  const imported: string[] = [];
  const lazy = (name: string) => () => {
    imported.push(name);
    return Promise.resolve(moduleOf({ start: simple({ aliases: ['up'] }), default: simple() }));
  };
  const tree = { build: simple(), demo: lazy('demo'), backend: { db: lazy('db') } };

  const registry = await buildRegistry(tree, { words: ['--quiet', 'demo.up', '--db'] });
  expect(imported).toEqual(['demo']);
  expect(registry.find('demo.up')?.name).toBe('demo.start');
  expect(registry.isPartial).toBe(true);
  expect(registry.isNamespace('backend.db')).toBe(true);
  expect(registry.find('backend.db')).toBeUndefined();

  const complete = await registry.complete();
  expect(complete.isPartial).toBe(false);
  expect(complete.find('backend.db')?.name).toBe('backend.db');
});

test('without words every module is imported, one after the other (R1)', async () => {
  const order: string[] = [];
  const lazy = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise(setImmediate);
    order.push(`${name} ends`);
    return moduleOf({ start: simple() });
  };
  const registry = await buildRegistry({ a: lazy('a'), b: lazy('b') });
  expect(registry.entries.map((entry) => entry.name)).toEqual(['a.start', 'b.start']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a task is never taken for a function that imports a module (R1)', async () => {
  let ran = false;
  const registry = await buildRegistry({ a: task({ summary: 'A.', run: () => void (ran = true) }) });
  expect(registry.find('a')).toBeDefined();
  expect(ran).toBe(false);
});

test('what importing a module throws is explained by whoever loads the config', async () => {
  const tree = { demo: () => Promise.reject(new Error('broken')) };
  await expect(buildRegistry(tree)).rejects.toThrow('broken');
  await expect(buildRegistry(tree, { explain: (error) => new Error(`explained: ${String(error)}`) })).rejects.toThrow(
    'explained: Error: broken',
  );
});

test('the nearest name is told for a slip, another spelling, or a missing namespace', async () => {
  const registry = await buildRegistry({ demo: { devStart: simple(), devStop: simple() }, build: simple() });
  expect(registry.nearest('biuld')).toBe('build');
  expect(registry.nearest('demo.dev-strat')).toBe('demo.dev-start');
  expect(registry.nearest('demo.devStart')).toBe('demo.dev-start');
  expect(registry.nearest('demo:dev_start')).toBe('demo.dev-start');
  expect(registry.nearest('dev-start')).toBe('demo.dev-start');
  expect(registry.nearest('demon')).toBe('demo');
  expect(registry.nearest('completely-different')).toBeUndefined();
});

test('what a task may not say is a load error, with the nearest word (R3)', async () => {
  const tree = {
    a: simple({ descripton: 'A.', timeout: 30, run: 'echo' } as never),
    b: task({ run: () => {} } as never),
    c: task('build' as never),
    d: simple({ needs: { x: simple() }, hidden: 'yes', aliases: 'up' } as never),
  };
  expect(await errorOf(tree)).toMatchInlineSnapshot(`
    "error: 7 things are wrong with the tasks of the config
      \`a\`: \`run\`: expected a function, got "echo"
      \`a\`: \`descripton\` is nothing that a task may say; did you mean \`description\`?
      \`a\`: \`timeout\`: expected a length of time such as "30s", or a function that gives one, got 30
      \`b\`: \`summary\` is missing: a line of text for lists
      \`c\`: expected \`task({ summary, … })\`, got \`task("build")\`
      \`d\`: \`hidden\`: expected true or false, got "yes"
      \`d\`: \`aliases\`: expected a list of names, got "up"
    "
  `);
});

test('input that no flag can carry is a load error that says what to use (R7)', async () => {
  expect(await errorOf({ search: simple({ input: { filter: z.object({ a: z.string() }) } }) })).toContain('`search`: ');
  expect(await errorOf({ search: simple({ input: { filter: z.object({ a: z.string() }) } }) })).toContain('`filter`');
});

test('a task with a secret input or output is never cached: a load error if it asks to be (R29)', async () => {
  const secret = z.string().meta({ secret: true });
  const tree = {
    a: simple({ cache: true, output: z.void(), input: { token: secret } }),
    b: simple({ cache: true, output: z.object({ list: z.array(z.object({ token: secret })) }) }),
    c: simple({ cache: true }),
    fine: simple({ cache: true, output: z.object({ name: z.string() }), input: { name: z.string() } }),
  };
  expect(await errorOf(tree)).toMatchInlineSnapshot(`
    "error: 3 things are wrong with the tasks of the config
      \`a\`: \`cache\` cannot go with the secret input \`token\`: secrets are never kept
      \`b\`: \`cache\` cannot go with a secret in \`output\`: secrets are never kept
      \`c\`: \`cache\` needs an \`output\` schema to read kept values with (\`z.void()\` where there is none)
    "
  `);
});
