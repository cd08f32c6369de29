import { readFileSync } from 'node:fs';
import { findProgram } from '../../util/find-program.ts';
import { kebab } from '../../util/kebab.ts';
import type { Findings, TaskSketch } from './sketch.ts';
import { isIdentifier, isName, keyFor, nameOf, ownKey, quoted } from './sketch.ts';

/** Runs a program, and gives what it wrote to stdout; undefined when it did not end well. */
export type Ask = (argv: readonly string[]) => Promise<string | undefined>;

export interface InvokeScope {
  readonly ask: Ask;
  /** Its `PATH` says where Invoke is. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

/** A task as Invoke has it. */
interface InvokeTask {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly isDefault: boolean;
  readonly help: string | null;
  /** Undefined where Invoke could not be asked. */
  readonly arguments?: readonly InvokeArgument[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

interface InvokeArgument {
  /** As flags, without dashes: `dry-run`, `d`. */
  readonly names: readonly string[];
  readonly kind: string;
  readonly help: string | null;
  readonly positional: boolean;
  readonly optional: boolean;
  readonly counts: boolean;
  readonly default: unknown;
}

/**
 * The tasks of an Invoke collection, each with a body that calls Invoke, so that they work from the first day and
 * move over one by one.
 *
 * `invoke --list --list-format=json` says which there are. It says nothing of arguments, and names some tasks as they
 * cannot be called; so Invoke itself is asked through the Python that its own script names.
 */
export async function tasksOfInvoke({ ask, env, folder }: InvokeScope): Promise<Findings | undefined> {
  const listed = await ask(['invoke', '--list', '--list-format=json']);
  if (listed === undefined) return undefined;
  const python = interpreterOf(findProgram('invoke', env, folder));
  const told = python && (await ask([...python, '-c', TELL]));
  const found = told ? (JSON.parse(told) as readonly InvokeTask[]) : tasksInList(JSON.parse(listed) as InvokeCollection);
  const notes = told ? [] : ['the arguments of Invoke tasks could not be found out: each takes words after `--`'];
  const tasks = found.flatMap((task) => sketch(task, (note) => notes.push(note)));
  if (tasks.length > 0) notes.push('the bodies of Invoke tasks stay in Python: each task calls `invoke`, until its body is written anew');
  return { tasks, notes };
}

/** The words of a `#!` line. */
function interpreterOf(script: string | undefined): readonly string[] | undefined {
  if (script === undefined) return undefined;
  const first = /^#!(\S+)(?: (.+))?\n/.exec(readFileSync(script, 'utf8').slice(0, 500));
  const words = first?.[1] === '/usr/bin/env' ? first[2]?.split(' ') : first?.slice(1, 2);
  return words?.every((word) => word !== undefined) ? words : undefined;
}

const TELL = `
import inspect, json
from invoke.main import program
program.create_config()
program.parse_core(["invoke"])
program.parse_collection()
root = program.collection
names = root.task_names
def called(entry):
    task = getattr(entry, "task", entry)
    # A collection holds copies of its tasks, with the same body.
    return next((name for name in names if root[name].body is task.body), task.name)
def default(value):
    # What JSON and a whole number here cannot hold is left to Invoke, which has it as its default.
    if isinstance(value, (int, float)) and not -2**53 < value < 2**53:
        return None
    return value if isinstance(value, (str, int, float, bool, list, type(None))) else None
def argument(one):
    return {"names": list(one.names), "kind": one.kind.__name__, "help": one.help, "positional": bool(one.positional),
            "optional": bool(one.optional), "counts": bool(one.incrementable), "default": default(one.default)}
def told(name):
    task = root[name]
    namespace = name.rpartition(".")[0]
    return {"name": name, "help": inspect.getdoc(task), "isDefault": namespace in names[name] or name == root.default,
            "aliases": [alias for alias in names[name] if alias != namespace],
            "arguments": [argument(one) for one in task.get_arguments()],
            "before": [called(one) for one in task.pre], "after": [called(one) for one in task.post]}
print(json.dumps([told(name) for name in names]))
`;

interface InvokeCollection {
  readonly name: string;
  readonly default: string | null;
  readonly tasks: readonly { readonly name: string; readonly help: string | null; readonly aliases: readonly string[] }[];
  readonly collections: readonly InvokeCollection[];
}

function tasksInList(collection: InvokeCollection, prefix = ''): InvokeTask[] {
  return [
    ...collection.tasks.map(({ name, help, aliases }) => ({
      name: prefix + name,
      help,
      aliases: aliases.map((alias) => prefix + alias),
      isDefault: name === collection.default,
      before: [],
      after: [],
    })),
    ...collection.collections.flatMap((inner) => tasksInList(inner, `${prefix}${inner.name}.`)),
  ];
}

function sketch(task: InvokeTask, note: (text: string) => void): TaskSketch[] {
  const keys = task.name.split('.').map(keyFor);
  if (keys.some((key) => key === undefined)) {
    note(`\`${task.name}\` has no name that a task could have`);
    return [];
  }
  const whole = keys.filter((key) => key !== undefined);
  const path = [...whole.slice(0, -1), ownKey(whole.at(-1) ?? '', task.isDefault)];
  const within = task.name.slice(0, task.name.lastIndexOf('.') + 1);
  const isRenamed = nameOf(path) !== task.name;
  // Who knows it by its old name can go on to use that.
  const old = task.name.slice(within.length);
  const stays = isRenamed && isName(old) && old !== 'default' && nameOf(path.slice(0, -1)) === within.slice(0, -1);
  if (isRenamed) note(`\`${task.name}\` is called \`${nameOf(path)}\` now${stays ? ', and answers to its old name' : ''}`);
  const tell = (text: string): void => note(`\`${nameOf(path)}\`: ${text}`);
  const known =
    task.arguments &&
    withoutClashes(
      task.arguments.flatMap((argument) => inputOf(argument, tell)),
      tell,
    );
  const words = [quoted('invoke'), quoted(task.name), ...(known?.map(({ words: code }) => code) ?? ['...passthrough'])];
  const [summary = '', ...more] = (task.help ?? '').trim().split('\n');
  const edges = [...task.before.map((name) => `${name} before it`), ...task.after.map((name) => `${name} after it`)];
  return [
    {
      from: task.name,
      path,
      isDefault: task.isDefault,
      summary: summary === '' ? nameOf(path) : summary,
      description: more.join('\n').trim() === '' ? undefined : more.join('\n').trim(),
      aliases: [...task.aliases.map((alias) => (alias.startsWith(within) ? alias.slice(within.length) : alias)), ...(stays ? [old] : [])],
      ...(known ? { inputs: known.map(({ key, schema }) => [key, schema] as const) } : { passthrough: true }),
      remarks:
        edges.length > 0 ? [`Invoke runs ${edges.join(', ')}: with a body of its own this task says so in \`needs\` and \`post\`.`] : [],
      run: `({ ${known ? (known.length > 0 ? 'input, ' : '') : 'passthrough, '}exec }) => exec([${words.join(', ')}])`,
    },
  ];
}

/** Two that come to one flag: `dry_run` and `dryRun`; `cache` and `no_cache`. */
function withoutClashes(inputs: readonly Input[], note: (text: string) => void): readonly Input[] {
  const owners = new Map<string, Input>();
  return inputs.filter((input) => {
    const flag = kebab(input.key);
    const spellings = input.schema.startsWith('z.boolean()') || input.schema.startsWith('z.array(') ? [flag, `no-${flag}`] : [flag];
    const owner = spellings.flatMap((spelling) => owners.get(spelling) ?? [])[0];
    if (owner) {
      note(`the argument \`${input.name}\` is left out: \`${owner.name}\` has its flag already`);
      return false;
    }
    for (const spelling of spellings) owners.set(spelling, input);
    return true;
  });
}

interface Input {
  /** As Invoke has it. */
  readonly name: string;
  readonly key: string;
  readonly schema: string;
  /** Code that gives the words which Invoke reads as its value. */
  readonly words: string;
}

function inputOf(argument: InvokeArgument, note: (text: string) => void): Input[] {
  const [long = ''] = argument.names;
  const key = keyFor(long);
  if (key === undefined || !isIdentifier(key) || key === 'help' || key === 'h') {
    note(`the argument \`${long}\` has no name that an input could have`);
    return [];
  }
  const { schema, words } = kindOf(argument, `input.${key}`, flagOf(long), note);
  const letter = argument.names.find((name) => /^[A-Za-gi-z0-9]$/.test(name) && name !== long);
  const meta = [
    ...(letter === undefined ? [] : [`short: ${quoted(letter)}`]),
    ...(argument.positional && argument.default !== null ? ['positional: true'] : []),
  ];
  return [
    {
      name: long,
      key,
      schema: `${schema}${meta.length > 0 ? `.meta({ ${meta.join(', ')} })` : ''}${argument.help ? `.describe(${quoted(argument.help)})` : ''}`,
      words,
    },
  ];
}

const flagOf = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

function kindOf(argument: InvokeArgument, value: string, flag: string, note: (text: string) => void): Pick<Input, 'schema' | 'words'> {
  const { kind, default: fallback } = argument;
  const withValue = (one: string): string => (flag.startsWith('--') ? `\`${flag}=\${${one}}\`` : `\`${flag}\${${one}}\``);
  const given = `...(${value} === undefined ? [] : [${withValue(value)}])`;
  if (argument.counts) {
    return { schema: 'count()', words: `...Array.from({ length: ${value} }, () => ${quoted(flag)})` };
  }
  if (argument.optional) {
    const schema = `z.union([z.boolean(), z.string()])${typeof fallback === 'string' || typeof fallback === 'boolean' ? `.default(${literal(fallback)})` : '.optional()'}`;
    return {
      schema,
      words: `...(${value} === undefined || ${value} === false ? [] : ${value} === true ? [${quoted(flag)}] : [${withValue(value)}])`,
    };
  }
  switch (kind) {
    case 'bool':
      return fallback === true
        ? { schema: 'z.boolean().default(true)', words: `...(${value} ? [] : [${quoted(`--no-${argument.names[0] ?? ''}`)}])` }
        : { schema: 'z.boolean().default(false)', words: `...(${value} ? [${quoted(flag)}] : [])` };
    case 'list':
      return { schema: 'z.array(z.string()).default([])', words: `...${value}.map((one) => ${withValue('one')})` };
    case 'int':
    case 'float':
    case 'str': {
      const type = { int: 'z.int()', float: 'z.number()', str: 'z.string()' }[kind];
      if (fallback !== null) return { schema: `${type}.default(${literal(fallback)})`, words: withValue(value) };
      return argument.positional ? { schema: type, words: withValue(value) } : { schema: `${type}.optional()`, words: given };
    }
    default:
      note(`\`${flag}\` is of the kind \`${kind}\` in Python; here it is a text`);
      return { schema: 'z.string().optional()', words: given };
  }
}

const literal = (value: unknown): string => (typeof value === 'string' ? quoted(value) : JSON.stringify(value));
