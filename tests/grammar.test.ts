import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { renderArgv, shellLine } from '../lib/flags.ts';
import { parseArgv, vocabularyOf } from '../lib/index.ts';
import { jsonOfGiven, resolveInput } from '../lib/input.ts';
import { count, fieldsOf, json, keyValue, path, problemsOf } from '../lib/schema.ts';
import { task } from '../lib/task.ts';
import { tasks } from './support/command-line.ts';
import { projectWith } from './support/project.ts';

/** Texts that a careless grammar takes for something else. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
  fc.constantFrom('', '-', '--', '--help', '-h', '-3', '-12', '=', 'a=b', ' ', "it's", '"', '$(x)', '\n', 'every', 'true', '--no-x', '{}'),
);

/** A schema, and values that it takes: those that are its own in JSON. */
interface Kind {
  readonly schema: z.ZodType;
  readonly value: fc.Arbitrary<unknown>;
}

// JSON has no negative zero.
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const date = fc.date({ noInvalidDate: true });
const SCALARS: readonly Kind[] = [
  { schema: z.string(), value: hostile },
  { schema: z.string().brand('Name'), value: hostile },
  { schema: z.string().transform((text) => `<${text}>`), value: hostile },
  { schema: z.string().pipe(z.string().max(1000)), value: hostile },
  { schema: z.number(), value: double },
  { schema: z.coerce.number(), value: double },
  { schema: z.int(), value: fc.maxSafeInteger() },
  { schema: z.number().int().min(-5).max(5), value: fc.integer({ min: -5, max: 5 }) },
  { schema: z.boolean(), value: fc.boolean() },
  { schema: z.enum(['a', 'b c', '-d', '--help', '']), value: fc.constantFrom('a', 'b c', '-d', '--help', '') },
  { schema: z.literal([1, 2, 'three']), value: fc.constantFrom(1, 2, 'three') },
  { schema: z.date(), value: date },
  { schema: z.url(), value: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
  { schema: path(), value: hostile.filter((text) => text !== '').map((text) => `/somewhere/${text.replaceAll('/', '_')}`) },
  { schema: json(), value: fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value))) },
];
const LISTS: readonly Kind[] = SCALARS.map(({ schema, value }) => ({ schema: z.array(schema), value: fc.array(value, { maxLength: 4 }) }));
const OTHERS: readonly Kind[] = [
  {
    schema: keyValue(),
    value: fc.dictionary(
      hostile.filter((key) => key !== '' && !key.includes('=')),
      hostile,
    ),
  },
  // The texts true and false are the switch itself, see below.
  {
    schema: z.union([z.boolean(), z.string()]),
    value: fc.oneof(
      fc.boolean(),
      hostile.filter((text) => !/^(true|false|)$/.test(text)),
    ),
  },
  { schema: count(), value: fc.nat(30) },
];

const field: fc.Arbitrary<Kind & { readonly isOptional: boolean }> = fc.constantFrom(...SCALARS, ...LISTS, ...OTHERS).chain((kind) =>
  fc.oneof(
    fc.constant({ ...kind, isOptional: false }),
    fc.constant({ ...kind, schema: kind.schema.optional(), isOptional: true }),
    kind.value.map((fallback) => ({ ...kind, schema: kind.schema.default(fallback), isOptional: true })),
  ),
);

/** Some fields with values for them. */
const input = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,6}$/), { minLength: 1, maxLength: 4, selector: (key) => key.toLowerCase() })
  .chain((keys) => fc.tuple(...keys.map((key) => field.map((kind) => ({ key, ...kind })))))
  .chain((fields) =>
    fc.record({
      shape: fc.constant(Object.fromEntries(fields.map(({ key, schema }) => [key, schema]))),
      values: fc.record(Object.fromEntries(fields.map(({ key, value }) => [key, value])), {
        requiredKeys: fields.filter(({ isOptional }) => !isOptional).map(({ key }) => key),
      }),
    }),
  )
  .filter(({ shape }) => problemsOf(shape).length === 0);

const PLACE = { env: {}, defaults: undefined, root: '/root' } as const;

test('typed input of any supported schema, as words, is read back as the same input (R7, R8)', async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.boolean(), async ({ shape, values }, isLettered) => {
      const given = jsonOfGiven(shape, values);
      const every = task({ summary: 'x', input: shape, run() {} });
      const vocabulary = await vocabularyOf({ tasks: { every } });
      const argv = ['every', ...renderArgv(fieldsOf(shape), given)];

      const line = parseArgv(argv, vocabulary, {
        invocationDir: '/elsewhere',
        values: PLACE,
        ...(isLettered && { shortFlags: 'auto' }),
      });

      expect(line.problems).toEqual([]);
      expect(line.targets.map((target) => target.name)).toEqual(['every']);
      const [target] = line.targets;
      const typed = resolveInput({ ...PLACE, fields: shape, given: target?.given ?? {}, from: 'command-line' });
      const inCode = resolveInput({ ...PLACE, fields: shape, given, from: 'code' });
      expect(typed).toMatchObject({ ok: true, json: target?.input });
      expect({ ...typed, sources: undefined }).toEqual({ ...inCode, sources: undefined });
    }),
    { numRuns: 500 },
  );
});

test('true and false of a flag with an optional value are its switch, typed and in code (R7)', () => {
  const shape = { color: z.union([z.boolean(), z.string()]).default(false) };

  expect(jsonOfGiven(shape, { color: 'true' })).toEqual({ color: true });
  expect(renderArgv(fieldsOf(shape), { color: true })).toEqual(['--color']);
});

test('a line for a shell is read by bash as the same words (R20)', () => {
  const words = fc.array(
    hostile.filter((text) => Buffer.from(text).toString() === text),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(words, (argv) => {
      const read = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${shellLine(argv)}`], { encoding: 'utf8' });
      expect(read.split('\0').slice(0, -1)).toEqual(argv);
    }),
    { numRuns: 25 },
  );
});

const CONFIG = `
import { defineConfig, task, path } from 'taskwright';
import { z } from 'zod';
const saying = (name, extra) => task({ summary: 'Say ' + name, ...extra, run: ({ print }) => print('ran ' + name + '\\n') });
const build = saying('build', { input: { tag: z.string().default('x').meta({ short: 't' }), level: z.int().optional(), files: z.array(path()).default([]).meta({ variadic: true }) } });
const greet = saying('greet', { aliases: ['hi'], input: { name: z.string() } });
const start = saying('start', { input: { database: z.enum(['neo4j', 'memgraph']).default('neo4j') } });
const words = saying('words', { passthrough: true });
export default defineConfig({ tasks: { build, greet, words, demo: { start, stop: saying('stop') } } });
`;

test('no words at all give a stack trace, or run a task that they do not name (R9, R21)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });
  const names: Readonly<Record<string, readonly string[]>> = {
    build: ['build'],
    greet: ['greet', 'hi'],
    words: ['words'],
    start: ['demo.start'],
    stop: ['demo.stop'],
  };
  const known = ['build', 'greet', 'hi', 'words', 'demo', 'demo.start', 'demo.stop'];
  const flags = ['--tag', '-t', '--tag=', '--level', '-3', '--database', '--name', '--', '-x', '--=', '='];
  const own = ['--help', '-h', '-l', '--json', '-k', '-j', '-j2', '-n', '--plan', '--graph=x', '--env', '-C', '-f', '-r', '-q', '--depth'];
  const word = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known, ...flags, ...own) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: fc.constantFrom(...known).map((name) => name.slice(0, -1)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (argv) => {
      const said = await tasks(argv, { cwd: project.root });

      expect(said.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$|this is a bug/m);
      expect([0, 2, 3]).toContain(said.code);
      const ran = [...said.stdout.matchAll(/^(?:[\w.]+ \| )?ran (\w+)$/gm)].map((found) => found[1] ?? '');
      for (const name of ran) expect(argv).toEqual(expect.arrayContaining([expect.toBeOneOf([...(names[name] ?? [])])]));
    }),
    { numRuns: 150 },
  );
});

const hello = task({
  summary: 'Hello.',
  input: { name: z.string().meta({ env: 'NAME' }), times: z.int().default(1), loud: z.boolean() },
  run() {},
});

test('a program reads a line: words, variables and defaults in, data out (R11)', async () => {
  const vocabulary = await vocabularyOf({ tasks: { demo: () => Promise.resolve({ hello }) } });
  const values = { root: '/', env: { NAME: 'Ada' }, defaults: { 'demo.hello': { times: 3 } } };
  const read = (...argv: readonly string[]) => parseArgv(argv, vocabulary, { invocationDir: '/', values });

  expect(read('-k', 'demo.hello', '--loud').targets).toMatchObject([
    { name: 'demo.hello', task: hello, given: { loud: true }, input: { name: 'Ada', times: 3, loud: true } },
  ]);
  expect(read('-k', 'demo.hello').options).toMatchObject({ keepGoing: true, jobs: undefined });
  expect(read('demo.hello', 'Ada', 'demo.helo', '--times', 'x', '--lowd').problems).toEqual([
    { code: 'unknown-task', text: 'no task is named `demo.helo`', hint: 'Did you mean `demo.hello`?' },
    { code: 'bad-value', text: '`--times` of `demo.hello`: expected a whole number, got "x"' },
    { code: 'unknown-flag', text: '`demo.hello` has no flag `--lowd`', hint: 'Did you mean `--loud`?' },
  ]);
  const without = { ...values, env: {} };
  expect(parseArgv(['demo.hello'], vocabulary, { invocationDir: '/', values: without }).problems).toEqual([
    { code: 'bad-value', text: '`demo.hello`: --name is required' },
  ]);
});

test('whatever the words are, reading them throws nothing and gives the same twice', async () => {
  const vocabulary = await vocabularyOf({
    tasks: { demo: { hello }, hello2: hello, every: task({ summary: 'x', passthrough: true, run() {} }) },
  });
  const word = fc.oneof(hostile, fc.constantFrom('demo.hello', 'demo', 'every', '--name', '--times', '--loud', '--no-loud', '-j', '-C'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
      const read = () => parseArgv(argv, vocabulary, { invocationDir: '/', values: { root: '/', env: {} } });
      expect(read()).toEqual(read());
    }),
    { numRuns: 500 },
  );
});
