import type { ShortFlags } from '../../flags.ts';
import { isScalar, lettered, spellingsOf, takesNoWord } from '../../flags.ts';
import type { Registry, RegistryEntry } from '../../registry.ts';
import type { Field, FieldKind } from '../../schema.ts';
import { fieldsOf } from '../../schema.ts';
import { specOf } from '../../task.ts';
import { once } from '../../util/once.ts';
import type { OwnOptions } from '../own-options.ts';
import { OWN_FIELDS } from '../own-options.ts';

/** All that completion has to know: of a registry, or of nothing but our own options. */
export interface Vocabulary {
  /** Undefined when no task and no namespace answers to `word`; a namespace without a default has no page. */
  find(word: string): { readonly page: Page | undefined } | undefined;
  /** Names of tasks and namespaces that begin with `typed`, in order. */
  readonly words: (typed: string) => readonly Word[];
  /** Our own options. */
  readonly own: Page;
  /** Flags of all tasks, which may stand before the first one (R10). */
  readonly shared: () => Page;
}

export interface Word {
  readonly word: string;
  readonly about: string;
}

/** What may follow a task. */
export interface Page {
  readonly flags: readonly Flag[];
  /** What bare words fill, in order (R9). */
  readonly bares: readonly Bare[];
}

export interface Flag {
  readonly spelling: string;
  /** `leading`: before the first task only. */
  readonly offered: 'always' | 'leading' | 'never';
  /** `attached`: after `=` only. */
  readonly takes: 'nothing' | 'word' | 'attached';
  readonly key: string;
  readonly values: Values;
  readonly about: string;
}

export interface Bare {
  /** `may`: unless the word names a task. `rest`: this word and all that follow. */
  readonly kind: 'must' | 'may' | 'rest';
  readonly key: string;
  readonly values: Values;
}

export type Complete = (typed: string) => readonly string[] | Promise<readonly string[]>;
export type Values = readonly string[] | 'files' | Complete;

/** @param globals  flags of a binary of one's own, beside ours */
export function vocabularyOf(registry: Registry, shortFlags: ShortFlags | undefined, globals: readonly Field[] = []): Vocabulary {
  const pages = new Map<RegistryEntry, Page>();
  const pageFor = (entry: RegistryEntry): Page => {
    const page = pages.get(entry) ?? pageOf(lettered(fieldsOf(specOf(entry.task).input), shortFlags));
    pages.set(entry, page);
    return page;
  };
  return {
    find: (word) => {
      const entry = registry.find(word);
      if (entry) return { page: pageFor(entry) };
      return registry.isNamespace(word) ? { page: undefined } : undefined;
    },
    words: (typed) => wordsOf(registry, typed),
    own: { flags: [...pageOf(globals).flags, ...OWN().flags], bares: [] },
    shared: once(() => sharedPage(registry, pageFor)),
  };
}

/** Only those that begin so are looked at. */
function wordsOf(registry: Registry, typed: string): readonly Word[] {
  const words: Word[] = [];
  for (const [word, entry] of registry.words) {
    const shown = plain(word);
    if (!shown.startsWith(typed)) continue;
    const { summary, hidden: isHidden } = specOf(entry.task);
    if (!isHidden) words.push({ word: shown, about: plain(summary) });
  }
  for (const namespace of registry.namespaces) {
    const shown = plain(namespace);
    if (shown.startsWith(typed) && !registry.words.has(namespace)) words.push({ word: shown, about: 'a namespace' });
  }
  return words.toSorted((a, b) => (a.word < b.word ? -1 : 1));
}

/** Where there is no config. */
export const bareVocabulary = (): Vocabulary => ({
  find: () => undefined,
  words: () => [],
  own: OWN(),
  shared: () => ({ flags: [], bares: [] }),
});

export const pageOf = (fields: readonly Field[]): Page => ({ flags: fields.flatMap(flagsOf), bares: baresOf(fields) });

// ── Fields ───────────────────────────────────────────────────────────────────────────────────────

function flagsOf(field: Field): Flag[] {
  const { long, negated, short } = spellingsOf(field);
  const takes = field.kind.type === 'boolean-or-string' ? 'attached' : takesNoWord(field.kind) ? 'nothing' : 'word';
  const said = { takes, key: field.key, values: valuesOf(field), about: plain(field.description ?? '') } as const;
  const offered = field.hidden ? 'never' : 'always';
  return [
    { ...said, spelling: plain(long), offered },
    ...(negated === undefined
      ? []
      : [
          { ...said, spelling: plain(negated), offered: field.default === true ? offered : 'never', takes: 'nothing', values: [] } as const,
        ]),
    ...(short === undefined ? [] : [{ ...said, spelling: plain(short), offered: 'never' } as const]),
  ];
}

function baresOf(fields: readonly Field[]): Bare[] {
  const bare = (kind: Bare['kind'], among: readonly Field[]): Bare[] =>
    among.map((field) => ({ kind, key: field.key, values: valuesOf(field) }));
  const scalars = fields.filter(isScalar);
  return [
    ...bare(
      'must',
      scalars.filter(({ required }) => required),
    ),
    ...bare(
      'may',
      scalars.filter(({ required, positional }) => !required && positional),
    ),
    ...bare('rest', fields.filter(({ variadic }) => variadic).slice(0, 1)),
  ];
}

function valuesOf({ kind, complete, secret }: Field): Values {
  if (secret) return [];
  return complete ?? valuesOfKind(kind.type === 'array' ? kind.item : kind);
}

function valuesOfKind(kind: FieldKind): Values {
  if (kind.type === 'enum') return kind.values.map(String).filter(isPlain);
  if (kind.type === 'boolean') return ['true', 'false'];
  return kind.type === 'path' ? 'files' : [];
}

/** Of several tasks' flags of one spelling: values only where all have the same. */
function sharedPage(registry: Registry, pageFor: (entry: RegistryEntry) => Page): Page {
  const flags = new Map<string, Flag>();
  const ofDefault = new Set(registry.defaultTask && pageFor(registry.defaultTask).flags);
  for (const entry of registry.entries) {
    for (const flag of pageFor(entry).flags) {
      const other = flags.get(flag.spelling);
      const same = !other || textOf(other.values) === textOf(flag.values);
      const offered = ofDefault.has(flag) ? flag.offered : (other?.offered ?? 'never');
      const about = ofDefault.has(flag) ? flag.about : (other?.about ?? flag.about);
      flags.set(flag.spelling, { ...flag, offered, about, values: same ? flag.values : [] });
    }
  }
  return { flags: [...flags.values()], bares: [] };
}

const textOf = (values: Values): string => (typeof values === 'function' ? '' : JSON.stringify(values));

// ── Our own options ──────────────────────────────────────────────────────────────────────────────

/** They say what is looked at, so they begin the line. */
const LEADING: readonly string[] = [
  'list',
  'flat',
  'depth',
  'all',
  'schema',
  'version',
  'init',
  'completion',
  'directory',
  'file',
  'cacheInfo',
  'cacheClear',
  'showConfig',
] satisfies (keyof OwnOptions)[];
const OWN_VALUES: Readonly<Record<string, Values>> = {
  directory: 'files',
  file: 'files',
  reporter: ['tree', 'lines', 'grouped', 'github', 'json', 'quiet'],
  graph: ['mermaid', 'dot', 'json'],
  force: ['all'],
};

const OWN = once((): Page => {
  const { flags } = pageOf(OWN_FIELDS);
  return {
    flags: flags.map((flag) => ({
      ...flag,
      ...(flag.offered === 'always' && LEADING.includes(flag.key) && { offered: 'leading' }),
      values: OWN_VALUES[flag.key] ?? flag.values,
      about: flag.about.replaceAll('`', ''),
    })),
    bares: [],
  };
});

// ── Texts ────────────────────────────────────────────────────────────────────────────────────────

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** One line, and nothing that a terminal would act on. */
export const plain = (text: string): string => text.replace(CONTROL, ' ');
export const isPlain = (text: string): boolean => plain(text) === text;
