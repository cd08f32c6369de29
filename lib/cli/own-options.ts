import { z } from 'zod';
import type { Json } from '../event.ts';
import { parse } from '../input.ts';
import { fieldsOf } from '../schema.ts';
import type { Field } from '../schema.ts';
import { durationMs } from '../util/duration.ts';

/**
 * taskwright's own options, declared as a task's input is: the same grammar reads them and the same help
 * shows them.
 */
const flag = (help: string, short?: string) =>
  z
    .boolean()
    .default(false)
    .meta({ description: help, ...(short && { short }) });
const duration = (help: string) =>
  z
    .string()
    .refine((text) => durationMs(text) !== undefined, 'expected a length of time such as 30s or 10m')
    .optional()
    .meta({ description: help });

const ownShape = {
  list: flag('the tasks, or those of a namespace', 'l'),
  flat: flag('one line a task, full names'),
  depth: z.int().min(1).optional().meta({ description: 'levels of namespaces that are shown' }),
  all: flag('hidden tasks and inputs too'),
  json: flag('what is asked for as one JSON document; with tasks, what they gave'),
  schema: flag('inputs and outputs of all tasks as JSON Schema'),
  help: flag('this, or the help of a task', 'h'),
  version: flag('the version', 'V'),
  init: flag('write a config, from package.json scripts and tasks of Invoke'),

  directory: z.string().min(1).optional().meta({ short: 'C', description: 'the folder to start from' }),
  file: z.string().min(1).optional().meta({ short: 'f', description: 'the config, instead of the one that is found' }),
  env: flag('variables, and where each comes from'),
  showConfig: flag('settings, and where each comes from'),

  dryRun: flag('show each command and start none', 'n'),
  plan: flag('show the steps and run none'),
  graph: z
    .union([z.boolean(), z.string()])
    .refine((format) => typeof format === 'boolean' || ['mermaid', 'dot', 'json'].includes(format), 'expected mermaid, dot or json')
    .optional()
    .meta({ description: 'the graph of the steps: mermaid, dot or json' }),

  explain: flag('why each step would run, or not, and run none'),
  cacheInfo: flag('how much is kept, and where'),
  cacheClear: flag('forget all that is kept'),

  force: z
    .union([z.boolean(), z.string()])
    .refine((what) => typeof what === 'boolean' || what === 'all', 'expected nothing, or all')
    .optional()
    .meta({ description: 'run the named tasks though nothing changed; `all`: what they need too' }),
  cache: z.boolean().default(true).meta({ description: 'leave alone what has not changed (`--no-cache`: do not, and keep nothing)' }),
  watch: flag('run again when sources change', 'w'),

  jobs: z.int().min(1).optional().meta({ short: 'j', description: 'how many steps at once' }),
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

  reporter: z.string().min(1).optional().meta({ short: 'r', description: 'how it is shown: tree, lines, grouped, github, json or quiet' }),
  quiet: flag('only results and failures', 'q'),
  why: flag('why a step runs that could have been left alone'),
  echo: flag('show each command before it runs', 'e'),
  verbose: flag('commands, reasons and full stacks', 'v'),
};

const ownSchema = z.object(ownShape);
export type OwnOptions = z.output<typeof ownSchema>;

export const OWN_FIELDS: readonly Field[] = fieldsOf(ownShape);
const NO_OWN_OPTIONS: OwnOptions = ownSchema.parse({});

/** What was given, over the defaults; a value that its option refuses is left out, and told. */
export function ownOptions(given: Readonly<Record<string, Json>>, complain: (key: string, expected: string) => void): OwnOptions {
  const checked = parse(ownShape, given);
  // The schema that was asked is that of OwnOptions.
  if (checked.ok) return checked.value as OwnOptions;
  for (const issue of checked.issues) complain(issue.key ?? '', issue.message);
  const wrong = new Set(checked.issues.map((issue) => issue.key));
  return { ...NO_OWN_OPTIONS, ...Object.fromEntries(Object.entries(given).filter(([key]) => !wrong.has(key))) };
}

/** In which order and under which headings help shows them. */
export const OWN_GROUPS: readonly { readonly title: string; readonly keys: readonly (keyof OwnOptions)[] }[] = [
  { title: 'Look', keys: ['list', 'flat', 'depth', 'all', 'json', 'schema', 'help', 'version', 'init'] },
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
