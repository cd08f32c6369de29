import type { Cache } from './caches/cache.ts';
import { ConfigError, UsageError } from './errors.ts';
import type { Registry } from './registry.ts';
import type { ReporterFactory } from './reporters/reporter.ts';
import { fieldsOf } from './schema.ts';
import { specOf } from './task.ts';
import type { TaskTree } from './task-tree.ts';
import { describeValue, isPlainObject, namesInWords } from './util/describe.ts';
import type { Duration } from './util/duration.ts';
import { parseDurationMs } from './util/duration.ts';
import { nearest } from './util/nearest.ts';

/** What `tasks.config.ts` exports. Command-line options go over it. */
export interface Config {
  /** Tasks by name: tasks, namespaces, modules, `() => import('./tasks/demo.ts')`. The key `default` runs on an empty command line. */
  readonly tasks: TaskTree;
  /** Files of variables, relative to the config; later ones go over earlier ones, none over the real environment. Default: `.env`, `.env.local`. */
  readonly dotenv?: readonly string[];
  /** Variables that commands of tasks with `sources` or `cache` get besides the declared ones; `*` stands for any text. */
  readonly passEnv?: readonly string[];
  /** Values for inputs that are not given, by task and input: `{ 'demo.dev-start': { database: 'memgraph' } }`. */
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** A name (`tree`, `lines`, `grouped`, `github`, `json`, `quiet`) or a reporter of your own. Default: by place. */
  readonly reporter?: string | ReporterFactory;
  /** Where outcomes are kept beyond this machine, the nearest first; none of them is trusted, and each may fail. */
  readonly caches?: readonly Cache[];
  /** How many steps at once. Default: the processor's. */
  readonly jobs?: number;
  /** From the first signal to SIGKILL, where a task says nothing else. Default: `5s`. */
  readonly grace?: Duration;
  /** How many steps of a run may hold a lock at once, by its name. Default: one. Across processes a lock has one holder. */
  readonly locks?: Readonly<Record<string, number>>;
  /** Bounds the whole run. */
  readonly timeout?: Duration;
  /** Bounds each command that has no limit of its own. */
  readonly commandTimeout?: Duration;
  /** Targets side by side, not in the order typed. */
  readonly parallel?: boolean;
  /** After a failure run what does not need it. */
  readonly keepGoing?: boolean;
  /** At a failure stop what is running. */
  readonly failFast?: boolean;
  /** Never ask for what is missing. */
  readonly noInput?: boolean;
  /** Show each command before it runs. */
  readonly echo?: boolean;
  /** Commands, reasons and full stacks. */
  readonly verbose?: boolean;
  /** Gives every flag a letter, as Invoke does. Adding an input can then move another's letter. */
  readonly shortFlags?: 'auto';
  /** The tasks depend on more than the files that the config imports (folders, variables): nothing is said of them without loading it. */
  readonly dynamic?: boolean;
}

/** Type and complete a config where it is written. */
export function defineConfig(config: Config): Config {
  return config;
}

interface Rule {
  readonly check: (value: unknown) => boolean;
  readonly expected: string;
}

const SWITCH: Rule = { check: (value) => typeof value === 'boolean', expected: 'true or false' };

const RULES: { readonly [Key in keyof Required<Config>]: Rule } = {
  tasks: { check: (value) => typeof value === 'object' && value !== null && !Array.isArray(value), expected: 'an object of tasks' },
  dotenv: { check: (value) => Array.isArray(value) && value.every((file) => typeof file === 'string'), expected: 'a list of file names' },
  passEnv: {
    check: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    expected: 'a list of names of variables',
  },
  defaults: {
    check: (value) => isPlainObject(value) && Object.values(value).every(isPlainObject),
    expected: "inputs by task: `{ 'demo.start': { database: 'neo4j' } }`",
  },
  reporter: { check: (value) => typeof value === 'string' || typeof value === 'function', expected: 'a name or a reporter' },
  caches: {
    check: (value) => Array.isArray(value) && value.every(isCache),
    expected: 'a list of caches, each with a `name`, `read` and `write`',
  },
  jobs: { check: (value) => Number.isSafeInteger(value) && Number(value) > 0, expected: 'a whole number from 1' },
  grace: { check: isDuration, expected: 'a length of time such as "5s"' },
  locks: {
    check: (value) => isPlainObject(value) && Object.values(value).every((count) => Number.isSafeInteger(count) && Number(count) > 0),
    expected: 'places by the name of a lock: `{ database: 2 }`',
  },
  timeout: { check: isDuration, expected: 'a length of time such as "10m"' },
  commandTimeout: { check: isDuration, expected: 'a length of time such as "30s"' },
  parallel: SWITCH,
  keepGoing: SWITCH,
  failFast: SWITCH,
  noInput: SWITCH,
  echo: SWITCH,
  verbose: SWITCH,
  shortFlags: { check: (value) => value === 'auto', expected: '"auto"' },
  dynamic: { check: (value) => typeof value === 'boolean', expected: 'true or false' },
};

function isCache(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, read, write } = value as Partial<Record<keyof Cache, unknown>>;
  return typeof name === 'string' && typeof read === 'function' && typeof write === 'function';
}

function isDuration(value: unknown): boolean {
  try {
    return typeof value === 'string' && parseDurationMs(value) >= 0;
  } catch {
    return false;
  }
}

/**
 * The default export of a config file, checked.
 *
 * @param file  for messages
 * @throws {ConfigError} with all that is wrong
 *
 * @internal
 */
export function checkConfig(value: unknown, file: string): Config {
  if (!isPlainObject(value)) {
    const advice = typeof value === 'function' ? 'Export the config itself, not a function.' : HOW_TO_EXPORT;
    throw new ConfigError('config-shape', `\`${file}\`: expected the default export to be a config, got ${describeValue(value)}`, {
      hint: advice,
    });
  }
  const problems: string[] = [];
  if (value['tasks'] === undefined) problems.push('`tasks` is missing: an object of tasks');
  for (const [key, given] of Object.entries(value)) {
    if (given === undefined) continue;
    const rule = Object.hasOwn(RULES, key) ? RULES[key as keyof Config] : undefined;
    if (!rule) {
      const candidate = nearest(key, Object.keys(RULES));
      problems.push(`\`${key}\` is nothing that a config may say${candidate === undefined ? '' : `; did you mean \`${candidate}\`?`}`);
    } else if (!rule.check(given)) {
      problems.push(`\`${key}\`: expected ${rule.expected}, got ${describeValue(given)}`);
    }
  }
  throwProblems(problems, file);
  // Each key was checked by its rule.
  return value as unknown as Config;
}

/** @internal */
export const HOW_TO_EXPORT = 'Write `export default defineConfig({ tasks: { … } })`.';

/** `defaults` name tasks and inputs that exist. Tasks of modules that were not loaded cannot be looked at. @internal */
export function checkDefaults(config: Config, registry: Registry, file: string): void {
  const problems: string[] = [];
  for (const [name, values] of Object.entries(config.defaults ?? {})) {
    const entry = registry.find(name);
    if (!entry) {
      const candidate = registry.nearest(name);
      if (!registry.isPartial)
        problems.push(`\`defaults\`: no task is named \`${name}\`${candidate === undefined ? '' : `; did you mean \`${candidate}\`?`}`);
    } else if (entry.name !== name) {
      problems.push(`\`defaults\`: \`${name}\` is another word for \`${entry.name}\`; write the name`);
    } else {
      const inputs = fieldsOf(specOf(entry.task).input).map((field) => field.key);
      for (const key of Object.keys(values)) {
        if (inputs.includes(key)) continue;
        const candidate = nearest(key, inputs);
        problems.push(`\`defaults\`: \`${name}\` takes no \`${key}\`${candidate === undefined ? '' : `; did you mean \`${candidate}\`?`}`);
      }
    }
  }
  throwProblems(problems, file);
}

function throwProblems(problems: readonly string[], file: string): void {
  if (problems.length > 0) throw new ConfigError('config', `\`${file}\` is not right`, { facts: problems });
}

/**
 * The reporter of that name, or the one handed in.
 *
 * @throws {UsageError} for a name that none has
 *
 * @internal
 */
export function reporterNamed(wanted: string | ReporterFactory, reporters: Readonly<Record<string, ReporterFactory>>): ReporterFactory {
  if (typeof wanted === 'function') return wanted;
  const reporter = Object.hasOwn(reporters, wanted) ? reporters[wanted] : undefined;
  if (reporter) return reporter;
  const names = Object.keys(reporters);
  const candidate = nearest(wanted, names);
  throw new UsageError('unknown-reporter', `no reporter is named \`${wanted}\``, {
    hint: candidate === undefined ? `There are ${namesInWords(names)}.` : `Did you mean \`${candidate}\`?`,
  });
}

/** By place (R38): the tree for people at a terminal that can draw it, whole blocks for CI, lines for a pipe. @internal */
export function defaultReporter(place: {
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): 'tree' | 'lines' | 'grouped' | 'github' {
  const { CI, GITHUB_ACTIONS, TERM } = place.env;
  if (GITHUB_ACTIONS === 'true') return 'github';
  if (CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0') return 'grouped';
  return place.isTTY && TERM !== 'dumb' ? 'tree' : 'lines';
}
