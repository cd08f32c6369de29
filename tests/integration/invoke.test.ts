import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { typesOf } from '../support/compile.ts';
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

test('tasks --init takes a package of Python, and writes its files beside it', async () => {
  const project = projectOf({
    'tasks/__init__.py':
      'from invoke import Collection, task\nfrom . import docs\n\n@task\ndef hello(c, name="you"):\n    print("hello", name)\n\nns = Collection(hello, docs)\n',
    'tasks/docs.py': 'from invoke import task\n\n@task(default=True)\ndef html(c):\n    print("html")\n',
    'below/here': '',
  });

  expect((await tasks(['--init'], { cwd: project.root })).stdout).toContain(
    'wrote tasks/main.ts\nwrote tasks/docs.ts\n2 tasks taken over\n',
  );
  expect(typesOf(project)).toBe('');
  expect((await tasks(['hello', '--name', 'Ada'], { cwd: project.path('below') })).stdout).toBe('hello Ada\n');
  expect((await tasks(['docs'], { cwd: project.root })).stdout).toBe('html\n');
});

/** A collection as they grow: three deep, with words of JavaScript for names, and all that an argument can be. */
const LARGE = `
from invoke import Collection, task


@task
def clean_up(c, _really=False):
    """Remove \`everything\`; */ even \${HOME} and \\\\ 'quotes' "both".

    The long text has */ and \`ticks\` and \${x} too.
    """
    print("cleaned", _really)


@task(name="default")
def default_(c):
    print("default ran")


@task(name="list")
def list_(c, new="x", delete=1, function=False, constructor="c"):
    """List it."""
    print("list", new, delete, function, constructor)


@task(name="class", aliases=("klass", "c.l"))
def class_(c, default, var, this="t"):
    print("class", default, var, this)


@task(name="1st")
def first(c):
    print("first")


@task
def _private(c):
    print("private")


@task
def paint_all(c):
    print("painted all")


@task(optional=["color"])
def paint(c, color="red", n=4, e=False):
    print("paint", color, n, e)


@task(pre=[clean_up], post=[_private], positional=["src", "dst"], optional=["level"], iterable=["define"],
      incrementable=["verbose"], help={"src": "where \`from\`", "dst": "to */ \${x}", "level": "how 'hard'\\nit tries"})
def build_all(c, dst=None, src=None, level=None, define=None, verbose=0, no_cache=False, cache=True, input="a\\n'b'",
              exec=-3, ratio=1e400, nan=float("nan"), passthrough=False, big=12345678901234567890, point=(1, 2),
              table={"a": 1}, raw=b"x", labels=["a", "b"], dry_run=False, dryRun=False, json=0.5, level_2=2):
    """Build all."""
    print("build", src, dst, level, define, verbose, no_cache, cache, repr(input), exec, ratio, big, dry_run, json, level_2)


def many(name, count):
    made = Collection(name)
    for number in range(count):
        def body(c, one, two=number, _number=number):
            print(name, _number, one, two)
        body.__name__ = f"step_{number}"
        body.__doc__ = f"Step {number} of {name}."
        made.add_task(task(body), default=number == 0)
    return made


deeper = Collection("deeper", paint, many("deepest_of_all", 20))
deep = Collection("very_deep", build_all, deeper)
ns = Collection(clean_up, default_, list_, first, _private, paint_all, paint, many("main", 9), many("class-2", 10),
                many("constructor", 10), many("two-words", 10), many("new", 10), deep)
ns.add_task(class_)
`;

test('tasks --init takes over a large collection with awkward names: it type-checks, lists, and does the same', async () => {
  const project = projectOf({ 'tasks.py': LARGE });
  const known = JSON.parse(invoke(project, ['--list', '--list-format=json'])) as Collection;
  expect(namesIn(known)).toHaveLength(79);

  const begun = await tasks(['--init'], { cwd: project.root });

  expect(begun).toMatchObject({ code: 0, stderr: '' });
  expect(begun.stdout.match(/^79 tasks taken over$|^ {2}note: .*$/gm)).toMatchInlineSnapshot(`
    [
      "79 tasks taken over",
      "  note: \`default\` is called \`default-task\` now",
      "  note: \`_private\` is called \`private\` now, and answers to its old name",
      "  note: \`very-deep.build-all\`: \`--point\` is of the kind \`tuple\` in Python; here it is a text",
      "  note: \`very-deep.build-all\`: \`--table\` is of the kind \`dict\` in Python; here it is a text",
      "  note: \`very-deep.build-all\`: \`--raw\` is of the kind \`bytes\` in Python; here it is a text",
      "  note: \`very-deep.build-all\`: the argument \`cache\` is left out: \`no-cache\` has its flag already",
      "  note: \`very-deep.build-all\`: the argument \`dryRun\` is left out: \`dry-run\` has its flag already",
      "  note: the bodies of Invoke tasks stay in Python: each task calls \`invoke\`, until its body is written anew",
      "  note: \`class\` goes without its other name \`c.l\`",
    ]
  `);
  expect(typesOf(project)).toBe('');
  const list = await tasks(['--list', '--json'], { cwd: project.root });
  expect(list.stderr).toBe('');
  const { tasks: listed } = JSON.parse(list.stdout) as { tasks: { name: string; aliases: string[]; isDefault: boolean }[] };
  const names = listed.flatMap(({ name, aliases }) => [name, ...aliases]);
  // What is called otherwise is told above.
  expect(namesIn(known).filter((name) => !names.includes(name))).toEqual(['default']);

  const same = async (here: string, there = here): Promise<void> => {
    const ran = await tasks(['-r', 'json', ...here.split(' ')], { cwd: project.root });
    expect(ran.code, here).toBe(0);
    const said = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; text?: string; stream?: string })
      .flatMap((event) => (event.type === 'output' && event.stream === 'stdout' ? [event.text ?? ''] : []));
    expect(said.join(''), here).toBe(invoke(project, there.split(' ')));
  };
  await same('clean-up --really');
  await same('list -n y -d 3 -f --constructor=z');
  await same('class a b');
  await same('klass a b --this=c');
  await same('1st');
  await same('private', '_private');
  await same('_private');
  await same('default-task', 'default');
  await same('paint --color -n 5 -e');
  await same('very-deep.build-all from to --level=3 --define x --define y -v -v --no-cache --level-2 7 --dry-run');
  await same('very-deep.deeper.deepest-of-all.step-19 one --two 3');
  await same('main one');
  await same('new.step-9 x');
});

interface Collection {
  readonly name: string;
  readonly tasks: readonly { readonly name: string }[];
  readonly collections: readonly Collection[];
}

const namesIn = ({ tasks: own, collections }: Collection, prefix = ''): string[] => [
  ...own.map(({ name }) => prefix + name),
  ...collections.flatMap((inner) => namesIn(inner, `${prefix}${inner.name}.`)),
];
