import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ParsedLine, Vocabulary, VocabularyEntry } from '../lib/cli/parse.ts';
import { parseArgv } from '../lib/cli/parse.ts';
import { renderArgv } from '../lib/flags.ts';
import { count, fieldsOf, json, keyValue, path } from '../lib/schema.ts';
import type { AnyTask } from '../lib/task.ts';
import { specOf, task } from '../lib/task.ts';
import { nearest } from '../lib/util/nearest.ts';

function vocabularyOf(tasks: Readonly<Record<string, AnyTask>>, options: { readonly default?: string } = {}): Vocabulary {
  const entries: VocabularyEntry[] = Object.entries(tasks).map(([name, one]) => ({
    name,
    task: one,
    namespace: name.split('.').slice(0, -1).join('.'),
  }));
  const find = (word: string): VocabularyEntry | undefined => entries.find((entry) => entry.name === word);
  return {
    find,
    isNamespace: (word) => entries.some((entry) => entry.namespace === word && word !== ''),
    nearest: (word) =>
      nearest(
        word,
        entries.map((entry) => entry.name),
      ),
    entries,
    defaultTask: options.default === undefined ? undefined : find(options.default),
  };
}

const doing = (input: z.ZodRawShape = {}, extra: object = {}) => task({ summary: 'x', input, run() {}, ...extra });

const build = doing({
  release: z.boolean().default(false),
  tag: z.string().default('local').meta({ short: 't' }),
  level: z.int().optional().meta({ short: 'l' }),
  verbose: count().meta({ short: 'v' }),
});
const deploy = doing({ target: z.enum(['staging', 'production']), reason: z.string().optional().meta({ positional: true }) });
const lint = doing({ paths: z.array(path()).default([]).meta({ variadic: true }), fix: z.boolean().default(true) });
const paint = doing({
  color: z.union([z.boolean(), z.string()]).default(false).meta({ short: 'c' }),
  define: keyValue().default({}),
  options: json().optional(),
  tags: z.array(z.string()).default([]),
});
const start = doing({ database: z.enum(['neo4j', 'memgraph']).default('neo4j') });
const stop = doing({ database: z.enum(['neo4j', 'memgraph']).default('neo4j') });
const words = doing({}, { passthrough: true });
const vocabulary = vocabularyOf({ build, deploy, lint, paint, 'demo.start': start, 'demo.stop': stop, words });

const parse = (line: string | readonly string[], using = vocabulary): ParsedLine =>
  parseArgv(typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line, using, { invocationDir: '/here' });
const given = (line: string | readonly string[]): unknown => {
  const parsed = parse(line);
  expect(parsed.problems).toEqual([]);
  return parsed.targets.map((target) => [target.name, target.given]);
};
const problems = (line: string | readonly string[]): string[] =>
  parse(line).problems.map(({ text, hint }) => (hint === undefined ? text : `${text} | ${hint}`));

test.each([
  ['build --release --tag a', [['build', { release: true, tag: 'a' }]]],
  ['build --tag=a=b', [['build', { tag: 'a=b' }]]],
  ['build --tag=--release', [['build', { tag: '--release' }]]],
  ['build -ta', [['build', { tag: 'a' }]]],
  ['build -t=a', [['build', { tag: 'a' }]]],
  ['build -vvvt x', [['build', { verbose: 3, tag: 'x' }]]],
  ['build -vl4', [['build', { verbose: 1, level: 4 }]]],
  ['build -l -3', [['build', { level: -3 }]]],
  ['build --level -3', [['build', { level: -3 }]]],
  ['build --release=false --verbose=2', [['build', { release: false, verbose: 2 }]]],
  ['build --no-release', [['build', { release: false }]]],
  ['build --tag a --tag b', [['build', { tag: 'b' }]]],
  ['paint --color', [['paint', { color: true }]]],
  ['paint --color=always --tags a --tags b', [['paint', { color: 'always', tags: ['a', 'b'] }]]],
  ['paint -calways', [['paint', { color: 'always' }]]],
  ['paint --define A=1 --define B=x=y', [['paint', { define: { A: '1', B: 'x=y' } }]]],
  ['paint --options {"a":1}', [['paint', { options: { a: 1 } }]]],
  ['lint a.py --no-fix b.py build', [['lint', { paths: ['/here/a.py', '/here/b.py', '/here/build'], fix: false }]]],
])('`%s` is read as it looks (R8)', (line, expected) => {
  expect(given(line)).toEqual(expected);
});

test('bare words fill required inputs, then positionals unless they name a task (R9)', () => {
  expect(given('deploy staging because')).toEqual([['deploy', { target: 'staging', reason: 'because' }]]);
  expect(given('deploy staging build')).toEqual([
    ['deploy', { target: 'staging' }],
    ['build', {}],
  ]);
  expect(given('deploy --target staging build')).toEqual([
    ['deploy', { target: 'staging' }],
    ['build', {}],
  ]);
  expect(problems('deploy build')).toEqual([
    '`build` is no target of `deploy`: expected "staging" or "production", got "build" (`build` is also a task)',
  ]);
});

test('shared flags go to every target that declares them (R10)', () => {
  expect(given('--database memgraph demo.stop demo.start build')).toEqual([
    ['demo.stop', { database: 'memgraph' }],
    ['demo.start', { database: 'memgraph' }],
    ['build', {}],
  ]);
  expect(given('--database memgraph demo.stop demo.start --database neo4j')).toEqual([
    ['demo.stop', { database: 'memgraph' }],
    ['demo.start', { database: 'neo4j' }],
  ]);
  expect(problems('--database memgraph build')).toEqual([expect.stringContaining('no target takes `--database`')]);
});

test('a neighbour that falls back to its default is told (R10)', () => {
  expect(parse('demo.stop demo.start --database memgraph').notices).toEqual([
    '`--database` was given to `demo.start` and not to `demo.stop`, which uses its default ("neo4j"); before the first task it is for both',
  ]);
});

test('our own options stand before the first task, and after one that has no such flag (R10)', () => {
  const parsed = parse('-j4 -k build --dry-run --level 3');
  expect(parsed.problems).toEqual([]);
  expect(parsed.options).toMatchObject({ jobs: 4, keepGoing: true, dryRun: true });
  expect(parse('build --release -v').targets[0]?.given).toEqual({ release: true, verbose: 1 });
  expect(parse('deploy staging -v').options.verbose).toBe(true);
});

test('words after -- go to the targets that take them (R12)', () => {
  expect(parse('words -- a --b').targets[0]?.passthrough).toEqual(['a', '--b']);
  expect(problems('build -- a')).toEqual([expect.stringContaining('no target takes the words after `--`')]);
});

test('the default task gets an empty line, and shared flags (R1, R10)', () => {
  const using = vocabularyOf({ build, deploy }, { default: 'build' });
  expect(parse('', using).targets.map((target) => target.name)).toEqual(['build']);
  expect(parse('--release', using).targets[0]?.given).toEqual({ release: true });
});

test('all that is wrong is told at once, with the nearest right thing (R9, R11)', () => {
  expect(problems('biuld --tga x deploy nowhere --jbos 3 lint --fix=maybe')).toMatchInlineSnapshot(`
    [
      "no task is named \`biuld\` | Did you mean \`build\`?",
      "there is no option \`--tga\` | Did you mean \`--tag\`?",
      "\`nowhere\` is no target of \`deploy\`: expected "staging" or "production", got "nowhere"",
      "\`deploy\` has no flag \`--jbos\` | Did you mean \`--jobs\`?",
      "\`3\` is no target of \`deploy\`: expected "staging" or "production", got "3"",
      "\`lint\` is no target of \`deploy\`: expected "staging" or "production", got "lint" (\`lint\` is also a task)",
      "\`deploy\` has no flag \`--fix\` | \`lint\` has it: write it behind that name.",
    ]
  `);
  expect(problems('build --tag')).toEqual(['`--tag` of `build` needs a value | Write `--tag VALUE` or `--tag=VALUE`.']);
  expect(problems('build --tag --release')).toEqual(['`--tag` of `build` needs a value | Write `--tag VALUE` or `--tag=VALUE`.']);
  expect(problems('build --level x')).toEqual(['`--level` of `build`: expected a whole number, got "x"']);
  expect(problems('build --no-release=1')).toEqual(['`--no-release` of `build`: it takes no value']);
  expect(problems('-j x build')).toEqual(['`-j`: expected a whole number, got "x"']);
  expect(problems('--plan --dry-run build')).toEqual(['only one of `--plan` and `--dry-run` can be asked for at a time']);
});

test("the traps of Invoke: help is never a value, `-cj4` is no -4, an unknown flag is no task's", () => {
  expect(parse('deploy --help').options.help).toBe(true);
  expect(parse('deploy -h').options.help).toBe(true);
  expect(parse('-kj4 build').options).toMatchObject({ keepGoing: true, jobs: 4 });
  expect(parse('deploy --nope staging').problems).toHaveLength(1);
});

test('any input, as words, is read back as the same input (R8)', () => {
  const every = doing({
    text: z.string(),
    maybe: z.string().optional(),
    number: z.number().default(1.5),
    int: z.int().default(3),
    yes: z.boolean().default(true),
    no: z.boolean().default(false),
    choice: z.enum(['a', 'b c', '-d']).default('a'),
    level: count(),
    list: z.array(z.string()).default([]),
    numbers: z.array(z.int()).default([1, 2]),
    pairs: keyValue().default({}),
    data: json().optional(),
    colour: z.union([z.boolean(), z.string()]).default(false),
  });
  const using = vocabularyOf({ every });
  const hostile = fc.oneof(
    fc.string(),
    fc.constantFrom('', '-', '--', '--help', '-h', '-3', '=', 'a=b', ' ', "it's", '"', '$(x)', '\n', 'every'),
  );
  const input = fc.record(
    {
      text: hostile,
      maybe: hostile,
      number: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map((value) => Number(value.toFixed(4)) + 0),
      int: fc.integer(),
      yes: fc.boolean(),
      no: fc.boolean(),
      choice: fc.constantFrom('a', 'b c', '-d'),
      level: fc.nat(9),
      list: fc.array(hostile, { minLength: 1 }),
      numbers: fc.array(fc.integer(), { minLength: 1 }),
      pairs: fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w*$/), hostile, { minKeys: 1 }),
      data: fc.jsonValue(),
      colour: fc.oneof(fc.boolean(), fc.constantFrom('always', 'never', '-')),
    },
    { requiredKeys: ['text'] },
  );
  const fields = fieldsOf(specOf(every).input);
  fc.assert(
    fc.property(input, (values) => {
      const plain = JSON.parse(JSON.stringify(values)) as Parameters<typeof renderArgv>[1];
      const parsed = parse(['every', ...renderArgv(fields, plain)], using);
      expect(parsed.problems).toEqual([]);
      const filled = (json: object): unknown => ({
        ...Object.fromEntries(fields.filter((field) => field.default !== undefined).map((field) => [field.key, field.default])),
        ...json,
      });
      expect(filled(parsed.targets[0]?.given ?? {})).toEqual(filled(plain));
    }),
    { numRuns: 500 },
  );
});

test('no words at all throw', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'build',
      'deploy',
      'demo',
      'demo.start',
      '--',
      '--list',
      '-l',
      '--tag',
      '-t',
      '--database',
      '--help',
      '-vvv',
      '-j',
      '--graph=x',
      '=',
      '--=',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
      expect(() => parse(argv)).not.toThrow();
    }),
    { numRuns: 2000 },
  );
});

test('a list that is not empty by itself can be emptied (R8)', () => {
  const task = doing({ on: z.array(z.string()).default(['a']), tags: z.array(z.string()).default([]), set: keyValue() });
  const using = vocabularyOf({ task });

  expect(parse('task --no-on --no-set', using).targets[0]?.given).toEqual({ on: [], set: {} });
  expect(parse('task --no-on --on b', using).targets[0]?.given).toEqual({ on: ['b'] });
  expect(parse('task --no-tags', using).problems).toHaveLength(1);
});

test("shortFlags: 'auto' gives Invoke's letters; help keeps its own (R8)", () => {
  const task = doing({
    host: z.string(),
    hops: z.int().default(1),
    port: z.int().default(1),
    p: z.boolean().default(false),
    own: z.string().default('').meta({ short: 'o' }),
  });
  const using = vocabularyOf({ task });
  const parsed = parseArgv(['task', '-obla', '-s', 'x', '-r3', '-p'], using, { invocationDir: '/', shortFlags: 'auto' });

  // h is help's, o is given to `own`, p is a whole name.
  expect(parsed.problems).toEqual([]);
  expect(parsed.targets[0]?.given).toEqual({ own: 'bla', host: 'x', port: 3, p: true });
  expect(parse('task -s x', using).problems).not.toEqual([]);
});

test('a name of one letter is that letter, too (R8)', () => {
  expect(parse('task -n3', vocabularyOf({ task: doing({ n: z.int() }) })).targets[0]?.given).toEqual({ n: 3 });
});

test('what says which config is read stands before all else (R10)', () => {
  expect(problems('build -C elsewhere')).toEqual(['`-C` stands too late: it says which config is read | Write it before everything else.']);
  expect(problems('--database neo4j --file x demo.start')).toEqual([
    '`--file` stands too late: it says which config is read | Write it before everything else.',
  ]);
  expect(problems('-k -C elsewhere build')).toEqual([]);
});

test('what a word gave cannot be given by a flag as well (R9)', () => {
  expect(problems('deploy staging --target production')).toEqual(['`--target` of `deploy` was given already, by the word `staging`']);
  expect(given('deploy --target production because')).toEqual([['deploy', { target: 'production', reason: 'because' }]]);
});
