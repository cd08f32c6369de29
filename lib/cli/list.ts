import type { Colors } from 'picocolors/types.js';
import type { Json, JsonObject } from '../event.ts';
import type { Registry, RegistryEntry } from '../registry.ts';
import type { Field } from '../schema.ts';
import { fieldsOf } from '../schema.ts';
import { specOf } from '../task.ts';
import { spellingsOf } from '../flags.ts';
import { twoColumns } from './layout.ts';

/** `--list`: the tasks, for people and for programs. */
export interface ListOptions {
  /** Only what stands below it. */
  readonly namespace?: string | undefined;
  /** Full names, a line each. */
  readonly flat: boolean;
  /** Levels of namespaces that are shown. */
  readonly depth?: number | undefined;
  /** Hidden tasks too. */
  readonly all: boolean;
  readonly width: number | undefined;
  readonly paint: Colors;
}

export function renderList(registry: Registry, options: ListOptions): string {
  const entries = shownEntries(registry, options);
  if (entries.length === 0) return options.namespace === undefined ? 'no tasks\n' : `no tasks in ${options.namespace}\n`;
  const rows = options.flat ? flatRows(entries, options) : treeRows(entries, options);
  return `${sections(rows)
    .flatMap(({ title, rows: own }, index) => [
      ...(title ? [...(index > 0 ? [''] : []), options.paint.bold(title)] : []),
      ...twoColumns(own, title ? 2 : 0, options.width),
    ])
    .join('\n')}\n`;
}

interface Row {
  readonly group: string;
  readonly left: string;
  readonly right: string;
}

function flatRows(entries: readonly RegistryEntry[], { paint }: ListOptions): Row[] {
  return entries.map((entry) => ({
    group: specOf(entry.task).group ?? '',
    left: paint.cyan(entry.name) + marks(entry, paint),
    right: specOf(entry.task).summary,
  }));
}

/** Each namespace as a line of its own, its tasks indented below. */
function treeRows(entries: readonly RegistryEntry[], { paint, namespace, depth }: ListOptions): Row[] {
  const rows: Row[] = [];
  const open = new Set<string>();
  const base = namespace === undefined ? 0 : namespace.split('.').length;
  // What was asked for may be a task, which stands above that level.
  const indent = (level: number): string => '  '.repeat(Math.max(0, level - base));
  for (const entry of entries) {
    const levels = entry.namespace === '' ? [] : entry.namespace.split('.');
    const group = levels.length === 0 ? (specOf(entry.task).group ?? '') : '';
    for (let level = base; level < levels.length; level++) {
      const path = levels.slice(0, level + 1).join('.');
      if (open.has(path) || (depth !== undefined && level - base >= depth)) continue;
      open.add(path);
      const inside = entries.filter((other) => other.namespace === path || other.namespace.startsWith(`${path}.`)).length;
      const isCut = depth !== undefined && level - base + 1 >= depth;
      // A default without a name of its own is the namespace itself.
      const itself = entries.find((other) => other.name === path);
      rows.push({
        group,
        left: `${indent(level)}${paint.bold(levels[level] ?? '')}${itself ? marks(itself, paint) : ''}`,
        right: isCut ? paint.dim(`${inside} ${inside === 1 ? 'task' : 'tasks'}`) : itself ? specOf(itself.task).summary : '',
      });
    }
    if (depth !== undefined && levels.length - base >= depth) continue;
    if (entry.name === entry.namespace) continue;
    // Below a namespace that was asked for, names are as they can be typed.
    const prefix = entry.namespace === '' || namespace !== undefined ? '' : `${entry.namespace}.`;
    const name = entry.name.slice(prefix.length);
    const aliases = entry.aliases.map((alias) => (alias.startsWith(prefix) ? alias.slice(prefix.length) : alias));
    rows.push({
      group,
      left: `${indent(levels.length)}${paint.cyan(name)}${marks({ aliases, isDefault: entry.isDefault }, paint)}`,
      right: specOf(entry.task).summary,
    });
  }
  return rows;
}

function marks(entry: Pick<RegistryEntry, 'aliases' | 'isDefault'>, paint: Colors): string {
  const words = [...(entry.isDefault ? ['default'] : []), ...entry.aliases];
  return words.length === 0 ? '' : paint.dim(` (${words.join(', ')})`);
}

/** Rows without a group first, then each group under its name. */
function sections(rows: readonly Row[]): { readonly title: string; readonly rows: readonly (readonly [string, string])[] }[] {
  const titles = [...new Set(rows.map((row) => row.group))].toSorted((a, b) => Number(a !== '') - Number(b !== ''));
  return titles.map((title) => ({ title, rows: rows.filter((row) => row.group === title).map((row) => [row.left, row.right] as const) }));
}

function shownEntries(registry: Registry, { namespace, all }: Pick<ListOptions, 'namespace' | 'all'>): RegistryEntry[] {
  return registry.entries.filter(
    (entry) =>
      (all || !specOf(entry.task).hidden) &&
      (namespace === undefined || entry.namespace === namespace || entry.namespace.startsWith(`${namespace}.`) || entry.name === namespace),
  );
}

export function listJson(registry: Registry, options: Pick<ListOptions, 'namespace' | 'all'>): JsonObject {
  return { version: 1, tasks: shownEntries(registry, options).map(entryJson) };
}

/** A task as data: what `--list --json` and `--help --json` give. */
export function entryJson(entry: RegistryEntry): JsonObject {
  const spec = specOf(entry.task);
  return {
    name: entry.name,
    summary: spec.summary,
    ...(spec.description !== undefined && { description: spec.description }),
    aliases: entry.aliases,
    default: entry.isDefault,
    ...(spec.group !== undefined && { group: spec.group }),
    hidden: spec.hidden === true,
    service: spec.service !== undefined,
    passthrough: spec.passthrough === true,
    inputs: fieldsOf(spec.input).map(fieldJson),
    env: fieldsOf(spec.env).map(({ key, required, secret, description }) => ({
      name: key,
      required,
      secret,
      ...(description !== undefined && { description }),
    })),
    examples: spec.examples ?? [],
  };
}

function fieldJson(field: Field): JsonObject {
  const { long, short } = spellingsOf(field);
  const kind: Json =
    field.kind.type === 'enum'
      ? { type: 'enum', values: field.kind.values }
      : field.kind.type === 'array'
        ? { type: 'array', item: field.kind.item.type }
        : { type: field.kind.type };
  return {
    name: field.key,
    flag: long,
    ...(short !== undefined && { short }),
    kind,
    required: field.required,
    ...(field.default !== undefined && !field.secret && { default: field.default }),
    ...(field.description !== undefined && { description: field.description }),
    ...(field.env !== undefined && { env: field.env }),
    positional: field.positional,
    variadic: field.variadic,
    secret: field.secret,
  };
}
