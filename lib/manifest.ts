import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import type { JsonObject } from './event.ts';
import { writeAside } from './loader/store.ts';
import type { Registry, RegistryEntry } from './registry.ts';
import { registryOf } from './registry.ts';
import type { Field } from './schema.ts';
import { BARE_FIELD, fieldsOf, placeIn, shapeOfFields } from './schema.ts';
import type { AnyTask, ErasedSpec, Fields } from './task.ts';
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
  /** More can be wrong with inputs than their fields tell: the config has defaults for some, or rules over objects without fields. */
  readonly hasMoreToSay: boolean;
}

interface Written {
  readonly shortFlags?: 'auto';
  readonly quiet?: true;
  readonly hasMoreToSay?: true;
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
  /** Where its fields stand in the other file: most are never looked at. */
  readonly input?: Range;
  readonly env?: Range;
}
/** In bytes. */
type Range = readonly [start: number, end: number];

/** @param id  of the compiled config that it belongs to, and goes away with */
const fileOf = (folder: string, id: string): string => join(folder, `${id}.json`);
const fieldsFileOf = (folder: string, id: string): string => join(folder, `${id}.fields`);

export const hasManifest = (folder: string, id: string): boolean => existsSync(fileOf(folder, id));

export function writeManifest(folder: string, id: string, { registry, shortFlags, quiet, hasMoreToSay }: Manifest): void {
  const index = new Map(registry.entries.map((entry, at) => [entry, at]));
  const texts: Buffer[] = [];
  let end = 0;
  const keep = (fields: Fields | undefined): Range => {
    const text = Buffer.from(JSON.stringify({ place: placeIn(fields), fields: fieldsOf(fields).map(writtenField) }));
    texts.push(text);
    return [end, (end += text.length)];
  };
  const written: Written = {
    ...(shortFlags && { shortFlags }),
    ...(quiet && { quiet }),
    ...(hasMoreToSay && { hasMoreToSay }),
    entries: registry.entries.map((entry) => writtenEntry(entry, keep)),
    words: Object.fromEntries([...registry.words].map(([word, entry]) => [word, index.get(entry) ?? -1])),
    namespaces: registry.namespaces,
    ...(registry.defaultTask && { defaultTask: index.get(registry.defaultTask) }),
  };
  try {
    writeAside(fieldsFileOf(folder, id), Buffer.concat(texts));
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
  return {
    registry: registryFrom(written, new FieldsFile(fieldsFileOf(folder, id))),
    shortFlags: written.shortFlags,
    quiet: written.quiet === true,
    hasMoreToSay: written.hasMoreToSay === true,
  };
}

/** Of a thousand tasks most are never looked at: what stands for one is made when it is asked for. */
function registryFrom({ entries: all, words, namespaces, defaultTask }: Written, fields: FieldsFile): Registry {
  const made: RegistryEntry[] = [];
  const entryAt = (at: number | undefined): RegistryEntry | undefined => {
    const entry = at === undefined ? undefined : all[at];
    return entry && (made[at ?? 0] ??= new KeptEntry(entry, fields));
  };
  const entryFor = (word: string): RegistryEntry | undefined => (Object.hasOwn(words, word) ? entryAt(words[word]) : undefined);
  const whole = once(() =>
    registryOf({
      entries: all.flatMap((_, at) => entryAt(at) ?? []),
      words: new Map(
        Object.keys(words).flatMap((word) => {
          const entry = entryFor(word);
          return entry ? [[word, entry] as const] : [];
        }),
      ),
      namespaces,
      defaultTask: entryAt(defaultTask),
    }),
  );
  const registry: Registry = {
    get entries() {
      return whole().entries;
    },
    get words() {
      return whole().words;
    },
    namespaces,
    get defaultTask() {
      return entryAt(defaultTask);
    },
    isPartial: false,
    find: entryFor,
    isNamespace: (word) => namespaces.includes(word),
    nameOf: (task) => whole().nameOf(task),
    nearest: (word) => whole().nearest(word),
    complete: () => Promise.resolve(registry),
  };
  return registry;
}

function readWritten(file: string): Written | undefined {
  try {
    // Written by ourselves, and thrown away with the id.
    return JSON.parse(readFileSync(file, 'utf8')) as Written;
  } catch {
    return undefined;
  }
}

function writtenEntry(
  { name, aliases, namespace, isDefault, task: registered }: RegistryEntry,
  keep: (fields: Fields | undefined) => Range,
): WrittenEntry {
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
    ...(input.length > 0 && { input: keep(spec.input) }),
    ...(env.length > 0 && { env: keep(spec.env) }),
  };
}

/** Its own `complete` function stays behind; that there is one does not. */
function writtenField({ complete, examples, ...field }: Field): JsonObject {
  const said = Object.entries(field).filter(([name, value]) => value !== undefined && (value !== false || name === 'default'));
  return { ...Object.fromEntries(said), ...(complete && { complete: true }), ...(examples.length > 0 && { examples }) } as JsonObject;
}

class KeptEntry implements RegistryEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly namespace: string;
  readonly isDefault: boolean;
  readonly #written: WrittenEntry;
  readonly #fields: FieldsFile;
  #task: AnyTask | undefined;

  constructor(written: WrittenEntry, fields: FieldsFile) {
    this.name = written.name;
    this.aliases = written.aliases ?? [];
    this.namespace = written.namespace;
    this.isDefault = written.isDefault === true;
    this.#written = written;
    this.#fields = fields;
  }

  get task(): AnyTask {
    return (this.#task ??= { [TASK]: { spec: new KeptSpec(this.#written, this.#fields), place: NOWHERE, flags: undefined } });
  }
}

/** What is kept of a declaration. */
class KeptSpec implements ErasedSpec {
  readonly summary: string;
  readonly description: string | undefined;
  readonly group: string | undefined;
  readonly hidden: boolean | undefined;
  readonly passthrough: boolean | undefined;
  readonly examples: readonly string[] | undefined;
  readonly service: ErasedSpec['service'];
  readonly #written: WrittenEntry;
  readonly #fields: FieldsFile;
  #input: Fields | undefined;
  #env: Fields | undefined;

  constructor(written: WrittenEntry, fields: FieldsFile) {
    const { says } = written;
    this.summary = says.summary;
    this.description = says.description;
    this.group = says.group;
    this.hidden = says.hidden;
    this.passthrough = says.passthrough;
    this.examples = says.examples;
    this.service = written.isService && { ready: {} };
    this.#written = written;
    this.#fields = fields;
  }

  get input(): Fields | undefined {
    return (this.#input ??= this.#fieldsAt(this.#written.input));
  }

  get env(): Fields | undefined {
    return (this.#env ??= this.#fieldsAt(this.#written.env));
  }

  #fieldsAt(range: Range | undefined): Fields | undefined {
    return range && shapeOfFields(once(() => fieldsIn(this.#fields.textAt(range))));
  }
}

const NOWHERE = new Error('declared in the config');

/** The other file: a few of its texts one by one, and all at once when many are wanted. */
class FieldsFile {
  readonly #file: string;
  #reads = 0;
  #all: Buffer | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  textAt([start, end]: Range): string {
    if (!this.#all && ++this.#reads > FEW) this.#all = readFileSync(this.#file);
    if (this.#all) return this.#all.toString('utf8', start, end);
    const bytes = Buffer.alloc(end - start);
    const descriptor = openSync(this.#file, 'r');
    try {
      readSync(descriptor, bytes, 0, bytes.length, start);
    } finally {
      closeSync(descriptor);
    }
    return bytes.toString('utf8');
  }
}
const FEW = 4;

interface WrittenFields {
  readonly place?: string;
  readonly fields: readonly (Partial<Omit<Field, 'complete'>> & Pick<Field, 'key' | 'kind'> & { readonly complete?: true })[];
}

function fieldsIn(text: string): { readonly fields: readonly Field[]; readonly place: string | undefined } {
  const { place, fields } = JSON.parse(text) as WrittenFields;
  const all = fields.map(({ complete, ...field }) => ({
    ...BARE_FIELD,
    ...field,
    complete: complete && (() => []),
  }));
  return { fields: all, place };
}
