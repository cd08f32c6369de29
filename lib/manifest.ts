import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { JsonObject } from './event.ts';
import { writeAside } from './loader/store.ts';
import type { Registry, RegistryEntry } from './registry.ts';
import { registryOf } from './registry.ts';
import type { Field } from './schema.ts';
import { fieldsOf, shapeOfFields } from './schema.ts';
import type { ErasedSpec } from './task.ts';
import { TASK, specOf } from './task.ts';
import { once } from './util/once.ts';

/**
 * What a registry says, kept beside the compiled config: enough to read a command line, to list, and to
 * complete, without loading the config. Its tasks cannot be run.
 */
export interface Manifest {
  readonly registry: Registry;
  readonly shortFlags: Config['shortFlags'];
  /** The config wants no notices to be told. */
  readonly quiet: boolean;
}

interface Written {
  readonly shortFlags?: 'auto';
  readonly quiet?: true;
  readonly entries: readonly WrittenEntry[];
  readonly words: Readonly<Record<string, number>>;
  readonly namespaces: readonly string[];
  readonly defaultTask?: number;
}

interface WrittenEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly namespace: string;
  readonly isDefault?: true;
  readonly says: Pick<ErasedSpec, 'summary' | 'description' | 'group' | 'hidden' | 'passthrough' | 'examples'>;
  readonly isService?: true;
  /** Lines of the other file, where fields stand: most are never looked at. */
  readonly input?: number;
  readonly env?: number;
}

/** @param id  of the compiled config that it belongs to, and goes away with */
const fileOf = (folder: string, id: string): string => join(folder, `${id}.json`);
const fieldsFileOf = (folder: string, id: string): string => join(folder, `${id}.fields`);

export const hasManifest = (folder: string, id: string): boolean => existsSync(fileOf(folder, id));

export function writeManifest(folder: string, id: string, { registry, shortFlags, quiet }: Manifest): void {
  const index = new Map(registry.entries.map((entry, at) => [entry, at]));
  const lines: string[] = [];
  const written: Written = {
    ...(shortFlags && { shortFlags }),
    ...(quiet && { quiet }),
    entries: registry.entries.map((entry) => writtenEntry(entry, lines)),
    words: Object.fromEntries([...registry.words].map(([word, entry]) => [word, index.get(entry) ?? -1])),
    namespaces: registry.namespaces,
    ...(registry.defaultTask && { defaultTask: index.get(registry.defaultTask) }),
  };
  try {
    writeAside(fieldsFileOf(folder, id), lines.join('\n'));
    writeAside(fileOf(folder, id), JSON.stringify(written));
  } catch {
    // Then the config is loaded the next time.
  }
}

/** Undefined when there is none. */
export function readManifest(folder: string, id: string): Manifest | undefined {
  const file = fileOf(folder, id);
  if (latest?.file !== file) latest = { file, manifest: manifestIn(folder, id) };
  return latest.manifest;
}
/** What looked whether it is enough, and what then loads the config, read the same one. */
let latest: { readonly file: string; readonly manifest: Manifest | undefined } | undefined;

function manifestIn(folder: string, id: string): Manifest | undefined {
  const written = readWritten(fileOf(folder, id));
  if (!written) return undefined;
  const fields = once(() => readFileSync(fieldsFileOf(folder, id), 'utf8').split('\n'));
  const entries = written.entries.map((entry) => entryOf(entry, fields));
  const words = new Map(Object.entries(written.words).flatMap(([word, at]) => (entries[at] ? [[word, entries[at]] as const] : [])));
  const { namespaces, defaultTask } = written;
  const registry = registryOf({ entries, words, namespaces, defaultTask: defaultTask === undefined ? undefined : entries[defaultTask] });
  return { registry, shortFlags: written.shortFlags, quiet: written.quiet === true };
}

function readWritten(file: string): Written | undefined {
  try {
    // Written by ourselves, and thrown away with the id.
    return JSON.parse(readFileSync(file, 'utf8')) as Written;
  } catch {
    return undefined;
  }
}

function writtenEntry({ name, aliases, namespace, isDefault, task: registered }: RegistryEntry, lines: string[]): WrittenEntry {
  const spec = specOf(registered);
  const { summary, description, group, hidden, passthrough, examples } = spec;
  const [input, env] = [fieldsOf(spec.input), fieldsOf(spec.env)];
  return {
    name,
    namespace,
    says: { summary, description, group, hidden, passthrough, examples },
    ...(aliases.length > 0 && { aliases }),
    ...(isDefault && { isDefault }),
    ...(spec.service && { isService: true }),
    ...(input.length > 0 && { input: lines.push(JSON.stringify(input.map(writtenField))) - 1 }),
    ...(env.length > 0 && { env: lines.push(JSON.stringify(env.map(writtenField))) - 1 }),
  };
}

/** Its own `complete` function stays behind; that there is one does not. */
function writtenField({ complete, examples, ...field }: Field): JsonObject {
  const said = Object.entries(field).filter(([name, value]) => value !== undefined && (value !== false || name === 'default'));
  return { ...Object.fromEntries(said), ...(complete && { complete: true }), ...(examples.length > 0 && { examples }) } as JsonObject;
}

function entryOf(
  { name, aliases = [], namespace, isDefault, says, isService, input, env }: WrittenEntry,
  lines: () => readonly string[],
): RegistryEntry {
  const stand = once((): RegistryEntry['task'] => {
    const spec: ErasedSpec = {
      ...says,
      ...(input !== undefined && { input: shapeOfFields(once(() => fieldsIn(lines()[input]))) }),
      ...(env !== undefined && { env: shapeOfFields(once(() => fieldsIn(lines()[env]))) }),
      ...(isService && { service: { ready: {} } }),
    };
    return { [TASK]: { spec, place: NOWHERE, flags: undefined } };
  });
  return {
    name,
    aliases,
    namespace,
    isDefault: isDefault === true,
    get task() {
      return stand();
    },
  };
}

const NOWHERE = new Error('declared in the config');

function fieldsIn(text = '[]'): Field[] {
  const fields = JSON.parse(text) as (Partial<Omit<Field, 'complete'>> & Pick<Field, 'key' | 'kind'> & { readonly complete?: true })[];
  return fields.map(({ complete, ...field }) => ({
    required: false,
    default: undefined,
    description: undefined,
    short: undefined,
    positional: false,
    variadic: false,
    env: undefined,
    secret: false,
    examples: [],
    hidden: false,
    isPlain: false,
    ...field,
    complete: complete && (() => []),
  }));
}
