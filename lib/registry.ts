import { checkDeclarations } from './declarations.ts';
import { ConfigError } from './errors.ts';
import type { AnyTask, ErasedSpec } from './task.ts';
import { specOf } from './task.ts';
import type { Found, Place, WalkOptions } from './task-tree.ts';
import { joinName, walkTree } from './task-tree.ts';
import { kebab } from './util/kebab.ts';
import { nearest } from './util/nearest.ts';
import { once } from './util/once.ts';

/** Names ↔ tasks (R1, R2). */
export interface RegistryEntry {
  /** Kebab-case, with its namespaces: `demo.dev-start`. */
  readonly name: string;
  readonly task: AnyTask;
  /** Other words that find it, in full. A namespace's own name is not among its default's. */
  readonly aliases: readonly string[];
  /** Dotted; empty at the root. */
  readonly namespace: string;
  /** Answers to its namespace's own name; at the root, to an empty command line. */
  readonly isDefault: boolean;
}

export interface Registry {
  /** In the config's order; a module's alphabetically. */
  readonly entries: readonly RegistryEntry[];
  /** Names, aliases, and namespaces that have a default. */
  readonly words: ReadonlyMap<string, RegistryEntry>;
  /** Dotted names, those of modules not loaded included. */
  readonly namespaces: readonly string[];
  readonly defaultTask: RegistryEntry | undefined;
  /** Some module was not loaded: before it is said that there is no such task, ask {@link complete}. */
  readonly isPartial: boolean;
  /** By name, alias, or the name of the namespace it is the default of. */
  find(word: string): RegistryEntry | undefined;
  isNamespace(word: string): boolean;
  nameOf(task: AnyTask): string | undefined;
  /** The name, alias or namespace that was probably meant. */
  nearest(word: string): string | undefined;
  /** The same with every module loaded. */
  complete(): Promise<Registry>;
}

/** @throws {ConfigError} with all that is wrong, in the tree and in what its tasks declare */
export async function buildRegistry(tree: object, options: WalkOptions = {}): Promise<Registry> {
  const found = await walkTree(tree, options);
  const { entries, words, problems } = nameTasks(found);
  problems.unshift(...found.problems);
  if (!options.isChecked?.()) problems.push(...checkDeclarations(entries));
  if (problems.length > 0) throw registryError(problems);
  const rootDefault = found.places.find((place) => place.isDefault && place.namespace === '');
  return registryOf({
    entries,
    words: new Map([...words].map(([word, { entry }]) => [word, entry])),
    namespaces: [...found.namespaces.keys()],
    defaultTask: rootDefault && entries.find((entry) => entry.task === rootDefault.task),
    complete: found.isPartial ? () => buildRegistry(tree, { ...options, words: undefined }) : undefined,
  });
}

function registryError(problems: readonly string[]): ConfigError {
  const [first = '', ...others] = problems;
  if (others.length === 0) return new ConfigError('tasks', first);
  return new ConfigError('tasks', `${problems.length} things are wrong with the tasks of the config`, { facts: problems });
}

// ── From places to names ─────────────────────────────────────────────────────────────────────────

interface Word {
  readonly entry: RegistryEntry;
  /** What made it one, for messages. */
  readonly from: string;
}

function nameTasks(found: Found): { readonly entries: RegistryEntry[]; readonly words: Map<string, Word>; readonly problems: string[] } {
  const problems: string[] = [];
  const entries: RegistryEntry[] = [];
  const words = new Map<string, Word>();
  const addWord = (word: string, made: Word): void => {
    const other = words.get(word);
    if (!other) words.set(word, made);
    else if (other.entry !== made.entry) problems.push(`${other.from} and ${made.from} both come to \`${word}\``);
  };
  for (const places of groupByTask(found.places).values()) {
    // Own keys beat `default`; otherwise the first in the config's order.
    const own = places.find((place) => !place.isDefault) ?? places[0];
    if (!own) continue;
    const others = places.filter((place) => place !== own);
    const { given, wrong } = aliasesOf(own);
    problems.push(...wrong);
    // At the root `default` is no word: it answers to an empty line.
    const elsewhere = others.filter((place) => !place.isDefault || (place.namespace !== own.namespace && place.namespace !== ''));
    const entry: RegistryEntry = {
      name: own.name,
      task: own.task,
      aliases: [...new Set([...elsewhere.map((place) => place.name), ...given])].filter((alias) => alias !== own.name),
      namespace: own.namespace,
      isDefault: places.some((place) => place.isDefault),
    };
    entries.push(entry);
    for (const place of places) {
      if (!place.isDefault || place === own || place.namespace !== '') addWord(place.name, { entry, from: `\`${place.path}\`` });
    }
    for (const alias of given) addWord(alias, { entry, from: `the alias \`${alias}\` of \`${own.path}\`` });
  }
  for (const [namespace, path] of found.namespaces) {
    const word = words.get(namespace);
    const isItsDefault =
      word && found.places.some((place) => place.isDefault && place.namespace === namespace && place.task === word.entry.task);
    if (word && !isItsDefault) problems.push(`${word.from} and the namespace \`${path}\` both come to \`${namespace}\``);
  }
  return { entries, words, problems };
}

function groupByTask(places: readonly Place[]): Map<AnyTask, Place[]> {
  const groups = new Map<AnyTask, Place[]>();
  for (const place of places) {
    const group = groups.get(place.task);
    if (group) group.push(place);
    else groups.set(place.task, [place]);
  }
  return groups;
}

/** Aliases stand in the namespace of their task, as Invoke's do. */
function aliasesOf(place: Place): { readonly given: string[]; readonly wrong: string[] } {
  const given: string[] = [];
  const wrong: string[] = [];
  // What is no declaration, or no list of texts, is told with the declaration.
  const aliases: unknown = (specOf(place.task) as Partial<ErasedSpec> | undefined)?.aliases;
  if (!Array.isArray(aliases)) return { given, wrong };
  for (const alias of aliases as readonly unknown[]) {
    if (typeof alias !== 'string') continue;
    if (/^[^\s.=,-][^\s.=,]*$/u.test(alias)) given.push(joinName(place.namespace, alias));
    else
      wrong.push(
        `\`${place.path}\`: the alias ${JSON.stringify(alias)} may not be empty, begin with \`-\`, or hold blanks, dots, commas or \`=\``,
      );
  }
  return { given, wrong };
}

// ── Looking things up ────────────────────────────────────────────────────────────────────────────

/** A registry of these entries; the words are those that find them. */
export function registryOf(parts: {
  readonly entries: readonly RegistryEntry[];
  readonly words: ReadonlyMap<string, RegistryEntry>;
  readonly namespaces: readonly string[];
  readonly defaultTask: RegistryEntry | undefined;
  /** Gives the whole, where this is a part. */
  readonly complete?: (() => Promise<Registry>) | undefined;
}): Registry {
  const { entries, words, namespaces, defaultTask, complete } = parts;
  const names = once(() => new Map(entries.map((entry) => [entry.task, entry.name])));
  const known = new Set(namespaces);
  const registry: Registry = {
    entries,
    words,
    namespaces,
    defaultTask,
    isPartial: complete !== undefined,
    find: (word) => words.get(word),
    isNamespace: (word) => known.has(word),
    nameOf: (task) => names().get(task),
    nearest: (word) => nearestName(word, [...words.keys(), ...namespaces], entries),
    complete: complete ?? (() => Promise.resolve(registry)),
  };
  return registry;
}

/** Spellings of other tools first (`demo:devStart`, `demo/dev_start`), then a name without its namespace, then slips. */
function nearestName(word: string, candidates: readonly string[], entries: readonly RegistryEntry[]): string | undefined {
  const respelled = word
    .split(/[.:/]/)
    .map((segment) => kebab(segment.replaceAll('_', '-')))
    .join('.');
  if (candidates.includes(respelled)) return respelled;
  const withoutNamespace = entries.filter((entry) => entry.name.endsWith(`.${respelled}`));
  if (withoutNamespace.length === 1) return withoutNamespace[0]?.name;
  return nearest(word, candidates);
}
