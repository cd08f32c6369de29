import type { Colors } from 'picocolors/types.js';
import type { Config } from '../config.ts';
import type { Json, JsonObject } from '../event.ts';
import { decodeVariable, spellingsOf } from '../flags.ts';
import type { Registry } from '../registry.ts';
import type { Field } from '../schema.ts';
import { fieldsOf } from '../schema.ts';
import { specOf } from '../task.ts';
import { kebab } from '../util/kebab.ts';
import { nearest } from '../util/nearest.ts';
import { twoColumns } from './layout.ts';
import type { OwnOptions } from './own-options.ts';
import { OWN_FIELDS, ownOptions } from './own-options.ts';

/**
 * Our own options by where they come from: built in, the config, a `TASKS_…` variable, the command line, each over the
 * one before. Inputs of tasks have ways of their own (R11), and the two are never mixed. Pure.
 */
export interface Settled {
  readonly options: OwnOptions;
  /** `built-in`, `config`, the variable, or `command line`. */
  readonly originOf: (key: string) => string;
  /** Variables that hold what their option does not take. */
  readonly problems: readonly string[];
  /** Variables that are none of ours, and nearly are. */
  readonly notices: readonly string[];
}

/** What a variable can say; the others ask for something else than a run, or choose the config. */
const BY_VARIABLE = [
  'jobs',
  'parallel',
  'keepGoing',
  'failFast',
  'timeout',
  'commandTimeout',
  'warnOnly',
  'yes',
  'noInput',
  'skipUnmet',
  'reporter',
  'quiet',
  'echo',
  'verbose',
] as const satisfies readonly (keyof OwnOptions)[];

/** What a config can say under the same name. */
const BY_CONFIG = [
  'jobs',
  'parallel',
  'keepGoing',
  'failFast',
  'timeout',
  'commandTimeout',
  'noInput',
  'reporter',
  'echo',
  'verbose',
] as const;

/** One of each pair takes back what a lower origin said with the other. */
const RIVALS: readonly (readonly [keyof OwnOptions, keyof OwnOptions])[] = [
  ['quiet', 'reporter'],
  ['keepGoing', 'failFast'],
];

export const variableOf = (key: string): string => `TASKS_${kebab(key).replaceAll('-', '_').toUpperCase()}`;

/** @param given  what the command line says */
export function settle(given: JsonObject, env: Readonly<Record<string, string | undefined>>, config: Config): Settled {
  const problems: string[] = [];
  const origins = new Map<string, string>();
  const values: Record<string, Json> = {};
  const layer = (said: ReadonlyMap<string, readonly [value: Json, origin: string]>): void => {
    for (const [one, other] of RIVALS) {
      if (said.has(one) !== said.has(other)) delete values[said.has(one) ? other : one];
    }
    for (const [key, [value, origin]] of said) {
      values[key] = value;
      origins.set(key, origin);
    }
  };
  layer(new Map(BY_CONFIG.flatMap((key) => asEntry(key, config[key], 'config'))));
  layer(saidByVariables(env, problems));
  layer(new Map(Object.entries(given).map(([key, value]) => [key, [value, 'command line']])));
  const options = ownOptions(values, (key, expected) => {
    const origin = origins.get(key) ?? '';
    // What is wrong with the line was told when it was read, and with the config when that was loaded.
    if (origin.startsWith('TASKS_')) problems.push(`${origin}: ${expected}, got ${JSON.stringify(env[origin])}`);
  });
  return {
    options,
    originOf: (key) => (values[key] === undefined ? 'built-in' : (origins.get(key) ?? 'built-in')),
    problems,
    notices: strangers(env),
  };
}

const asEntry = (key: string, value: unknown, origin: string): (readonly [string, readonly [Json, string]])[] =>
  value === undefined || typeof value === 'function' ? [] : [[key, [value as Json, origin]]];

function saidByVariables(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): ReadonlyMap<string, readonly [Json, string]> {
  const said = new Map<string, readonly [Json, string]>();
  for (const key of BY_VARIABLE) {
    const field = OWN_FIELDS.find((candidate) => candidate.key === key);
    const variable = variableOf(key);
    const decoded = field && decodeVariable(field, env[variable] ?? '');
    if (!decoded) continue;
    if (!decoded.ok) problems.push(`${variable}: ${decoded.problem}`);
    else if (decoded.value !== undefined) said.set(key, [decoded.value, variable]);
  }
  return said;
}

/** Others may use `TASKS_…` for what they like: only a slip is told. */
function strangers(env: Readonly<Record<string, string | undefined>>): string[] {
  const ours = [...BY_VARIABLE.map(variableOf), 'TASKS_CACHE_DIR'];
  return Object.keys(env)
    .filter((name) => /^TASKS?_/i.test(name) && !ours.includes(name))
    .flatMap((name) => {
      const near = nearest(name, ours);
      return near === undefined ? [] : [`\`${name}\` is no variable of taskwright; did you mean \`${near}\`?`];
    });
}

// ── To be looked at ──────────────────────────────────────────────────────────────────────────────

export interface SettingRow {
  readonly name: string;
  readonly value: Json | undefined;
  readonly origin: string;
}

/** `--show-config`: each setting with where it comes from. */
export function settingRows({ options, originOf }: Settled, config: Config, registry: Registry): SettingRow[] {
  const own = OWN_FIELDS.filter(isSettable).map(({ key }): SettingRow => {
    const isOwnReporter = key === 'reporter' && options.reporter === undefined && typeof config.reporter === 'function';
    return isOwnReporter
      ? { name: key, value: 'one of its own', origin: 'config' }
      : { name: key, value: options[key as keyof OwnOptions], origin: originOf(key) };
  });
  const others = (['dotenv', 'defaults', 'grace', 'shortFlags'] as const).map((key): SettingRow => {
    // The config was checked: what it holds there is JSON, or meant to be shown as such.
    const value = (key === 'defaults' ? shownDefaults(config, registry) : config[key]) as Json | undefined;
    return value === undefined ? { name: key, value: BUILT_IN[key], origin: 'built-in' } : { name: key, value, origin: 'config' };
  });
  return [...own, ...others];
}

/** Global flags of a binary of one's own: what was typed, a variable of theirs, the default. */
export function flagRows(fields: readonly Field[], given: JsonObject, env: Readonly<Record<string, string | undefined>>): SettingRow[] {
  return fields.map((field) => {
    const typed = given[field.key];
    const read = field.env === undefined ? undefined : decodeVariable(field, env[field.env] ?? '');
    const [value, origin] =
      typed !== undefined
        ? [typed, 'command line']
        : read?.ok && read.value !== undefined
          ? [read.value, field.env ?? '']
          : [field.default, 'built-in'];
    return { name: spellingsOf(field).long, value: field.secret && value !== undefined ? '***' : value, origin };
  });
}

/** Without secrets (R29). */
function shownDefaults({ defaults }: Config, registry: Registry): Config['defaults'] {
  if (defaults === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(defaults).map(([name, values]) => {
      const entry = registry.find(name);
      const fields = entry ? fieldsOf(specOf(entry.task).input) : [];
      const isSecret = (key: string): boolean => fields.some((field) => field.key === key && field.secret);
      return [name, Object.fromEntries(Object.entries(values).map(([key, value]) => [key, isSecret(key) ? '***' : value]))];
    }),
  );
}

const BUILT_IN: Readonly<Record<string, Json>> = { dotenv: ['.env', '.env.local'], grace: '5s' };

const isSettable = ({ key }: Field): boolean => (BY_VARIABLE as readonly string[]).includes(key);

export function renderSettings(rows: readonly SettingRow[], file: string, paint: Colors, width: number | undefined): string {
  const lines = rows.map(({ name, value, origin }): [string, string] => {
    const shown = value === undefined ? paint.dim('not set') : typeof value === 'string' ? value : JSON.stringify(value);
    return [paint.cyan(name), `${shown}${origin === 'built-in' ? '' : paint.dim(`  from ${origin}`)}`];
  });
  return `${paint.dim(file)}\n${twoColumns(lines, 0, width).join('\n')}\n`;
}

export function settingsJson(rows: readonly SettingRow[], file: string): JsonObject {
  return { version: 1, file, settings: rows.map(({ name, value, origin }) => ({ name, value: value ?? null, origin })) };
}
