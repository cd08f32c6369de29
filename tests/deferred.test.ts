import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { compile } from '../lib/loader/compile.ts';
import { fieldsOf, plainValueOf, problemsOf } from '../lib/schema.ts';
import { tasks } from './support/command-line.ts';
import { projectWith } from './support/project.ts';

/** Schemas of a config that is known are built when something looks at them, and nobody can tell (R5). */
const HEAD = `import { defineConfig, task, path, count, keyValue, json } from 'taskwright';
import { z } from 'zod';
const say = ({ input, env, print }) => print(JSON.stringify({ input, env, keys: Object.keys(input) }) + '\\n');
`;
const config = (spec: string, head = HEAD): string => `${head}
export const one = task({ summary: 'One.', ${spec} });
export default defineConfig({ tasks: { one } });
`;

describe('the second call says what the first one said', () => {
  test.each([
    ['plain fields', `input: { name: z.string().default('x'), often: z.int().optional(), force: z.boolean() }, run: say`],
    ['an enum', `input: { kind: z.enum(['a', 'b']).default('a'), level: z.literal([1, 2]).default(1) }, run: say`],
    ['checks', `input: { tag: z.string().min(3).regex(/^v/).default('v1.0'), port: z.int().positive().max(65535).default(80) }, run: say`],
    ['transforms', `input: { list: z.string().default('a,b').transform((text) => text.split(',')) }, run: say`],
    ['a refinement that throws', `input: { name: z.string().default('x').refine(() => { throw new Error('no'); }) }, run: say`],
    [
      'a rule over all',
      `input: z.object({ a: z.int().default(1), b: z.int().default(2) }).refine(({ a, b }) => a < b, 'a before b'), run: say`,
    ],
    ['what zod coerces', `input: { at: z.coerce.date().default('2026-01-01'), day: z.iso.date().optional() }, run: say`],
    ['lists', `input: { files: z.array(z.string()).default([]).meta({ variadic: true, description: 'some' }) }, run: say`],
    [
      'our own',
      `input: { file: path().optional(), v: count(), set: keyValue().default({}), more: json(z.object({ a: z.int() })).optional() }, run: say`,
    ],
    ['a rule over nothing', `input: z.object({}).refine(() => false, 'never'), run: say`],
    ['variables with a rule over nothing', `env: z.object({}).refine(() => false, 'never'), run: say`],
    [
      'a default that JSON has no word for',
      `input: { a: z.number().default(-0) }, run: ({ input, print }) => print(String(Object.is(input.a, -0)))`,
    ],
    ['what is made each time', `input: { at: z.string().default(() => 'made').describe('made') }, run: say`],
    ['what has an id', `input: { name: z.string().meta({ id: 'name' }).default('x') }, run: say`],
    [
      'variables',
      `env: { HOME: z.string(), LEVEL: z.enum(['low', 'high']).default('low') }, input: { name: z.string().default('x') }, run: say`,
    ],
    ['an output', `output: z.object({ a: z.int() }), run: ({ print }) => { print('ran\\n'); return { a: 1 }; }`],
    ['an output that is refused', `output: z.object({ a: z.int() }), run: () => ({ a: 'x' })`],
    [
      'a secret',
      `input: { token: z.string().default('hidden-default').meta({ secret: true, env: 'TOKEN' }) }, run: ({ input, log }) => log(input.token)`,
    ],
  ])('%s', async (_, spec) => {
    const project = projectWith({ 'tasks.config.ts': config(spec) });
    const lines = [
      ['one'],
      ['one', '--name=y', '--often=3', '--force'],
      ['one', '--kind=b', '--tag=v2.0', '--port=8080', '--a=5', '--list=c', '--files=x'],
      ['one', '--kind=c'],
      ['one', '--often=many'],
      ['one', '--tag=x', '--port=-1'],
      ['one', '--a=5'],
      ['one', '--file=x', '-vv', '--set=A=1', '--more={"a":1}'],
      ['one', '--more={"a":"x"}'],
      ['--help', 'one'],
      ['--list', '--json'],
      ['--schema'],
      ['--plan', 'one'],
      ['--env'],
    ];
    const env = { LEVEL: 'high', TOKEN: 'hidden-token' };
    const say = async (): Promise<unknown[]> => {
      const all = [];
      for (const argv of lines) {
        const { code, stdout, stderr } = await tasks(argv, { cwd: project.root, env });
        all.push({ argv, code, stdout, stderr: stderr.replaceAll(/\b[\d.]+m?s\b/g, 'TIME') });
      }
      return all;
    };
    const cold = await say();
    // Whatever was kept by the first line counts for those that follow: each is asked again by itself.
    for (const [index, argv] of lines.entries()) {
      project.write('tasks.config.ts', `${config(spec)}// ${index}\n`);
      const { code, stdout, stderr } = await tasks(argv, { cwd: project.root, env });
      expect({ argv, code, stdout, stderr: stderr.replaceAll(/\b[\d.]+m?s\b/g, 'TIME') }).toEqual(cold[index]);
    }
    expect(await say()).toEqual(cold);
  });

  test('however zod is imported, and where the schema is shared', async () => {
    for (const [imported, name] of [
      [`import * as z from 'zod';`, 'z'],
      [`import z from 'zod';`, 'z'],
      [`import { z as schema } from 'zod';`, 'schema'],
      [`import { z } from 'zod/v4';`, 'z'],
    ]) {
      const head = `${HEAD.split('\n')[0]}\n${imported}\nconst shared = { tag: ${name}.string().default('t') };\nexport const isHere = 'string' in ${name};`;
      const project = projectWith({
        'tasks.config.ts': config(`input: { n: ${name}.int().default(1) }, run: ({ input }) => input`, head).replace(
          'tasks: { one }',
          `tasks: { one, two: task({ summary: 'Two.', input: { ...shared, n: ${name}.int() }, needs: { one }, output: ${name}.string(), run: ({ input, needs }) => input.tag + input.n + needs.one.n + isHere }) }`,
        ),
      });
      for (let time = 0; time < 3; time++) {
        const { code, stdout } = await tasks(['--json', 'two', '--n=2'], { cwd: project.root });
        expect({ code, output: (JSON.parse(stdout) as { targets: { output: string }[] }).targets[0]?.output }).toEqual({
          code: 0,
          output: 't21true',
        });
      }
    }
  });
});

test('a task that another variable declares under the same name keeps its own fields', async () => {
  const project = projectWith({
    'tasks.config.ts': `${HEAD}
const one = process.env['TASKWRIGHT_VARIANT']
  ? task({ summary: 'One.', input: { region: z.string().default('far') }, run: say })
  : task({ summary: 'One.', input: { tag: z.string().default('near') }, run: say });
export default defineConfig({ tasks: { one } });
`,
  });
  const said = async (): Promise<string> => (await tasks(['one'], { cwd: project.root })).stdout;
  for (let time = 0; time < 3; time++) expect(await said()).toContain('{"tag":"near"}');
  process.env['TASKWRIGHT_VARIANT'] = 'yes';
  try {
    for (let time = 0; time < 2; time++) expect(await said()).toContain('{"region":"far"}');
  } finally {
    delete process.env['TASKWRIGHT_VARIANT'];
  }
});

describe('what is put off', () => {
  const deferred = (value: string, head = HEAD): boolean =>
    compile('/config.ts', config(`input: ${value}, run: say`, head)).code.includes('__taskwright_later__(() =>');

  test.each([
    [`{ a: z.string() }`],
    [`{ a: z.string().default('x').describe('y').meta({ short: 'a' }) }`],
    [`{ 'a-b': z.array(z.enum(['a'])).min(1).default(['a']), c: path() }`],
    [`z.object({ a: z.int() }).refine((all) => all.a > limit)`],
    [`{ a: z.string().transform((text) => new URL(text)) }`],
    [`{ a: z.number().default(-1), b: z.coerce.number() }`],
  ])('%s', (value) => expect(deferred(value)).toBe(true));

  test.each([
    ['a variable', `{ a: z.string().default(name) }`],
    ['the clock', `{ a: z.number().default(Date.now()) }`],
    ['a default that is made', `{ a: z.number().default(() => Date.now()) }`],
    ['a shape from elsewhere', `{ ...shared, a: z.string() }`],
    ['a schema from elsewhere', `shared`],
    ['what has an id', `{ a: z.string().meta({ id: 'a' }) }`],
    ['meta that is computed', `{ a: z.string().meta(about) }`],
    ['what is registered', `{ a: z.string().register(registry, {}) }`],
    ['a method that nobody knows', `{ a: z.string().mystery() }`],
    ['a computed name', `{ [name]: z.string() }`],
    ['a function that is called', `{ a: fieldOf('x') }`],
    ['what is asked each time', `{ get a() { return z.string(); } }`],
    ['a conditional', `{ a: flag ? z.string() : z.int() }`],
    ['nothing at all', `{}`],
  ])('not %s', (_, value) => expect(deferred(value)).toBe(false));

  test('nor where `z` or `task` is something else', () => {
    expect(deferred(`{ a: z.string() }`, HEAD.replace(`from 'zod'`, `from './own-zod.ts'`))).toBe(false);
    expect(deferred(`{ a: z.string() }`, HEAD.replace(`from 'taskwright'`, `from './own.ts'`))).toBe(false);
    const shadowed = `${HEAD}export const make = (z) => task({ summary: 'x', input: { a: z.string() }, run: say });`;
    expect(compile('/config.ts', shadowed).code).not.toContain('__taskwright_later__(() =>');
  });

  test('stands in no text and no comment', () => {
    const text = '`(0, __vite_ssr_import_0__.task)({ input: { a: z.string() } })`';
    const { code } = compile('/config.ts', `${HEAD}export const text = ${text};\n// task({ input: { a: z.string() } })\n`);
    expect(code).not.toContain('__taskwright_later__(() =>');
  });
});

test('a place behind what was put in is where it was written', async () => {
  const tell = `console.error(new Error('here').stack?.split('\\n')[1]); return text;`;
  const spec = `input: { a: z.string().default('x').transform((text) => { ${tell} }) }, run: () => {}`;
  const project = projectWith({ 'tasks.config.ts': config(spec) });
  const said: string[] = [];
  const { error } = console;
  console.error = (text: string) => void said.push(text);
  try {
    for (let time = 0; time < 3; time++) await tasks(['one'], { cwd: project.root });
  } finally {
    console.error = error;
  }
  const lines = project.read('tasks.config.ts').split('\n');
  const found = said.map((at) => at.match(/:(\d+):(\d+)\)?$/)).map((match) => lines[Number(match?.[1]) - 1]?.slice(Number(match?.[2]) - 1));
  expect(found.map((text) => text?.slice(0, 17))).toEqual(Array.from(found, () => `new Error('here')`));
  expect(found.length).toBeGreaterThan(2);
});

// ── Without the schema ───────────────────────────────────────────────────────────────────────────

const base = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<() => z.ZodType>(
      () => z.string(),
      () => z.int(),
      () => z.number(),
      () => z.boolean(),
      () => z.enum(['a', 'b', 'true']),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<() => z.ZodType>(
      () => z.string().min(2),
      () => z.coerce.number(),
      () => z.int().positive(),
      () => z.array(z.string()),
      () => z.string().trim(),
    ),
  },
);
const wrapped = fc
  .tuple(
    base,
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('optional', 'default-a', 'default-1', 'default-true') },
        { weight: 1, arbitrary: fc.constantFrom('nullable', 'transform', 'catch', 'readonly') },
      ),
      { maxLength: 3 },
    ),
  )
  .map(([make, wrappers]) =>
    wrappers.reduce<z.ZodType>((schema, wrapper) => {
      if (wrapper === 'optional') return schema.optional();
      if (wrapper === 'nullable') return schema.nullable();
      if (wrapper === 'readonly') return schema.readonly();
      if (wrapper === 'catch') return schema.catch('caught');
      if (wrapper === 'transform') return schema.transform((value) => [value]);
      return schema.default(wrapper === 'default-a' ? 'a' : wrapper === 'default-1' ? 1 : true);
    }, make()),
  );
const given = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(undefined, 'a', 'b', 'true', true, false, 1, 2) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, '', 'abc', 0, -0, 1.5, NaN, Infinity, 2 ** 53, [], ['a'], {}) },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.double()) },
);
const named = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a', 'b') }, { weight: 1, arbitrary: fc.constant('c') });

test('what is certain without a schema is what the schema says', () => {
  let certain = 0;
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('a', 'b'), wrapped, { minKeys: 1, maxKeys: 2 }),
      fc.dictionary(named, given, { maxKeys: 3 }),
      (shape, value) => {
        // What has no flag is refused when the config is loaded.
        if (problemsOf(shape).length > 0) return;
        const plain = plainValueOf(fieldsOf(shape), value);
        if (plain === undefined) return;
        certain++;
        const parsed = z.strictObject(shape).safeParse(value);
        expect(parsed.success && parsed.data).toStrictEqual(plain);
        expect(Object.keys(plain)).toEqual(Object.keys(parsed.data ?? {}));
      },
    ),
    { numRuns: 5000 },
  );
  expect(certain).toBeGreaterThan(300);
});
