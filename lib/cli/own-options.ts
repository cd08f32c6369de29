import type { Json } from '../event.ts';
import type { Field, FieldKind } from '../schema.ts';
import { BARE_FIELD } from '../schema.ts';
import { durationMs } from '../util/duration.ts';

/**
 * taskwright's own options: the same grammar reads them as a task's flags, and the same help shows them.
 * They are no schemas, so that `--version`, `--list` and completion need no zod.
 */
interface OwnOption<T> {
  /** @internal */
  readonly kind: FieldKind;
  readonly help: string;
  readonly short?: string | undefined;
  /** Absent: the option is, too, when it is not given. */
  readonly default?: T & Json;
  /** What a value is expected to be, where it is not that. */
  readonly refuse?: (value: Json) => string | undefined;
}

const flag = (help: string, short?: string): OwnOption<boolean> => ({ kind: { type: 'boolean' }, default: false, help, short });
const on = (help: string): OwnOption<boolean> => ({ ...flag(help), default: true });
const text = (help: string, more: Pick<OwnOption<string>, 'short' | 'refuse'> = {}): OwnOption<string | undefined> => ({
  kind: { type: 'string' },
  help,
  refuse: (value) => (value === '' ? 'expected a text' : undefined),
  ...more,
});
const whole = (help: string, short?: string): OwnOption<number | undefined> => ({
  kind: { type: 'int' },
  help,
  short,
  refuse: (value) => (Number(value) < 1 ? 'expected a whole number from 1' : undefined),
});
const duration = (help: string): OwnOption<string | undefined> =>
  text(help, {
    refuse: (value) => (durationMs(String(value)) === undefined ? 'expected a length of time such as 30s or 10m' : undefined),
  });
const word = <W extends string>(words: readonly W[], help: string): OwnOption<W | undefined> => ({
  kind: { type: 'enum', values: words },
  help,
});
/** Alone, or with one of these after `=`. */
const flagOf = (words: readonly string[], help: string): OwnOption<boolean | string | undefined> => ({
  kind: { type: 'boolean-or-string' },
  help,
  refuse: (value) =>
    typeof value === 'boolean' || words.includes(String(value))
      ? undefined
      : `expected ${[words.slice(0, -1).join(', ') || 'nothing,', words.at(-1)].join(' or ')}`,
});

/** Those whose completion there is a script for. */
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type ShellName = (typeof SHELLS)[number];

const OPTIONS = {
  list: flag('the tasks, or those of a namespace', 'l'),
  flat: flag('one line a task, full names'),
  depth: whole('levels of namespaces that are shown'),
  all: flag('hidden tasks and inputs too'),
  json: flag('what is asked for as one JSON document; with tasks, what they gave'),
  schema: flag('inputs and outputs of all tasks as JSON Schema'),
  help: flag('this, or the help of a task', 'h'),
  version: flag('the version', 'V'),
  init: flag('write a config, from package.json scripts and tasks of Invoke'),
  completion: word(SHELLS, 'the script that completes in a shell: bash, zsh, fish or powershell'),

  directory: text('the folder to start from', { short: 'C' }),
  file: text('the config, instead of the one that is found', { short: 'f' }),
  env: flag('variables, and where each comes from'),
  showConfig: flag('settings, and where each comes from'),

  dryRun: flag('show each command and start none', 'n'),
  plan: flag('show the steps and run none'),
  graph: flagOf(['mermaid', 'dot', 'json'], 'the graph of the steps: mermaid, dot or json'),

  explain: flag('why each step would run, or not, and run none'),
  cacheInfo: flag('how much is kept, and where'),
  cacheClear: flag('forget all that is kept'),

  force: flagOf(['all'], 'run the named tasks though nothing changed; `all`: what they need too'),
  cache: on('leave alone what has not changed (`--no-cache`: do not, and keep nothing)'),
  watch: flag('run again when sources change', 'w'),

  jobs: whole('how many steps at once', 'j'),
  parallel: flag('targets side by side, not in the order typed', 'p'),
  keepGoing: flag('after a failure run what does not need it', 'k'),
  failFast: flag('at a failure stop what is running'),
  failIfLocked: flag('fail instead of waiting for a lock of another process'),
  timeout: duration('for the whole run'),
  commandTimeout: duration('for each command that has none of its own'),
  warnOnly: flag('a failing command fails nothing'),

  yes: flag('answer every question with yes', 'y'),
  noInput: flag('never ask for what is missing'),
  skipUnmet: flag('leave out what cannot run here, and what needs it'),

  reporter: text('how it is shown: tree, lines, grouped, github, json or quiet', { short: 'r' }),
  quiet: flag('only results and failures', 'q'),
  why: flag('why a step runs that could have been left alone'),
  echo: flag('show each command before it runs', 'e'),
  verbose: flag('commands, reasons and full stacks', 'v'),
};

type Options = typeof OPTIONS;
export type OwnOptions = { readonly [Key in keyof Options]: Options[Key] extends OwnOption<infer T> ? T : never };

export const OWN_FIELDS: readonly Field[] = Object.entries<OwnOption<unknown>>(OPTIONS).map(([key, option]) => ({
  ...BARE_FIELD,
  key,
  kind: option.kind,
  default: option.default,
  description: option.help,
  short: option.short,
}));

/** What was given, over the defaults; a value that its option refuses is left out, and told. */
export function ownOptions(given: Readonly<Record<string, Json>>, complain: (key: string, expected: string) => void): OwnOptions {
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries<OwnOption<unknown>>(OPTIONS)) {
    const value = given[key];
    const expected = value === undefined ? undefined : option.refuse?.(value);
    if (expected !== undefined) complain(key, expected);
    options[key] = value === undefined || expected !== undefined ? option.default : value;
  }
  // One value for each option, read by its kind.
  return options as unknown as OwnOptions;
}

/** In which order and under which headings help shows them. */
export const OWN_GROUPS: readonly { readonly title: string; readonly keys: readonly (keyof OwnOptions)[] }[] = [
  { title: 'Look', keys: ['list', 'flat', 'depth', 'all', 'json', 'schema', 'help', 'version', 'init', 'completion'] },
  { title: 'Where', keys: ['directory', 'file', 'env', 'showConfig'] },
  { title: 'Foresee', keys: ['dryRun', 'plan', 'graph', 'explain'] },
  { title: 'Run', keys: ['jobs', 'parallel', 'keepGoing', 'failFast', 'failIfLocked', 'timeout', 'commandTimeout', 'warnOnly'] },
  { title: 'Repeat', keys: ['force', 'cache', 'watch', 'cacheInfo', 'cacheClear'] },
  { title: 'Answer', keys: ['yes', 'noInput', 'skipUnmet'] },
  { title: 'Show', keys: ['reporter', 'quiet', 'why', 'echo', 'verbose'] },
];

/** At most one of these can be asked for at a time (R16). */
export const EXCLUSIVE: readonly (keyof OwnOptions)[] = [
  'list',
  'help',
  'init',
  'schema',
  'env',
  'showConfig',
  'plan',
  'graph',
  'explain',
  'dryRun',
  'cacheInfo',
  'cacheClear',
];
