import { createRequire } from 'node:module';
import { relative, join } from 'node:path';
import type { Config } from './config.ts';
import { HOW_TO_EXPORT, checkConfig, checkDefaults } from './config.ts';
import { ConfigError } from './errors.ts';
import type { ProjectPlace, WhereToLook } from './find-project.ts';
import { findProject, freshKept, prepareState } from './find-project.ts';
import { explainLoadError } from './load-error.ts';
import type { Evaluator } from './loader/evaluate.ts';
import { createEvaluator } from './loader/evaluate.ts';
import type { Resolver } from './loader/resolve.ts';
import { createResolver } from './loader/resolve.ts';
import type { Kept } from './loader/store.ts';
import { storeFolder } from './loader/store.ts';
import type { PathMapping } from './loader/tsconfig.ts';
import { readPathMapping } from './loader/tsconfig.ts';
import { hasManifest, readManifest, writeManifest } from './manifest.ts';
import type { Registry } from './registry.ts';
import { buildRegistry } from './registry.ts';
import { builtAt, isOfNoFields, keepFields, later } from './schema.ts';
import { specOf } from './task.ts';
import { describeValue, namesInWords } from './util/describe.ts';
import { once } from './util/once.ts';
import { lateZod, loadZodBy, useZod, zod } from './zod.ts';

/**
 * From a folder to a project (R4, R5): the config is found and loaded, TypeScript without a build step,
 * on every Node, with one instance of this library and of zod. What was compiled is kept, and run as it
 * is kept as long as nothing has changed.
 */
export interface Project {
  /** The folder of the config. */
  readonly root: string;
  readonly file: string;
  readonly config: Config;
  readonly registry: Registry;
  /** Lines for the user that are no errors. */
  readonly notices: readonly string[];
  /** The files of code that were loaded so far, the config first: absolute path → digest of the text that runs. Absent where a program brought its config along. */
  readonly loaded?: () => ReadonlyMap<string, string>;
}

export interface LoadOptions extends WhereToLook {
  /** The words of the command line: modules that none of them asks for are not imported. */
  readonly words?: readonly string[] | undefined;
  /** Is told where it looked, when it could not be loaded: a change there may mend it. */
  readonly onFailure?: ((paths: readonly string[]) => void) | undefined;
  /** What `import 'taskwright'` and `import 'zod'` give in config and task files: those that are running. */
  readonly modules: {
    readonly taskwright: object;
    readonly testing?: () => Promise<object>;
    /** Default: the one beside this library, compiled and kept as the config is. */
    readonly zod?: object;
  };
}

/** @throws {ConfigError} one clear message for whatever is wrong with the config */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const place = findProject(options);
  const { file, root } = place;
  const name = relative(root, file);
  const loader = createLoader(place, options);
  const explain = (error: unknown): unknown => explainLoadError(error, { file, root });
  let exported: unknown;
  try {
    exported = await loader.load();
  } catch (error) {
    options.onFailure?.(loader.looked());
    throw explain(error);
  }
  const config = checkConfig(defaultExport(exported, name), name);
  const check = (registry: Registry): Registry => {
    checkDefaults(config, registry, name);
    const kept = loader.save();
    if (!kept || registry.isPartial || config.dynamic || known) return registry;
    writeManifest(place.store, kept.id, {
      registry,
      shortFlags: config.shortFlags,
      quiet: config.reporter === 'quiet',
      hasMoreToSay: config.defaults !== undefined || registry.entries.some(({ task }) => isOfNoFields(specOf(task).input)),
    });
    return registry;
  };
  // Declared by the same files as when it was checked, all of it.
  const known = loader.isUnchanged() && !config.dynamic && loader.isChecked;
  const registry = check(
    await buildRegistry(config.tasks, { words: options.words, explain, isChecked: () => known && loader.isUnchanged() }),
  );
  if (known) adoptFields(registry, place.store, loader.id);
  return {
    root,
    file,
    config,
    registry: { ...registry, complete: async () => (registry.isPartial ? check(await registry.complete()) : registry) },
    loaded: loader.loaded,
    notices: [...place.notices, ...loader.notices],
  };
}

/** What the manifest says of inputs and variables spares the schemas that were not built. */
function adoptFields({ entries }: Registry, store: string, id: string): void {
  const manifest = once(() => readManifest(store, id)?.registry);
  for (const { name, task } of entries) {
    const { input, env } = specOf(task);
    const kept = (part: 'input' | 'env') => () => {
      const entry = manifest()?.find(name);
      if (!entry) throw new Error(`nothing is kept of ${name}`);
      return specOf(entry.task)[part];
    };
    keepFields(input, kept('input'));
    keepFields(env, kept('env'));
  }
}

interface Loader {
  load(): Promise<unknown>;
  save(): Kept | undefined;
  /** Absolute paths, of what was found and of what was not. */
  looked(): readonly string[];
  /** Everything that was run was kept. */
  isUnchanged(): boolean;
  readonly loaded: () => ReadonlyMap<string, string>;
  /** Of what is kept; empty when nothing is. */
  readonly id: string;
  /** All of what is kept was found to be right when it was kept. */
  readonly isChecked: boolean;
  readonly notices: readonly string[];
}

function createLoader({ file, root, store, storesOfAll }: ProjectPlace, { modules, cacheDir }: LoadOptions): Loader {
  const notices: string[] = [];
  const prepare = once(() => prepareState(root, cacheDir));
  if (modules.zod) useZod(modules.zod as Parameters<typeof useZod>[0]);
  loadZodBy(() => loadZod(storesOfAll, prepare) as ReturnType<typeof zod>);
  const kept = freshKept(store, file);
  const isChecked = kept !== undefined && hasManifest(store, kept.id);
  const evaluator = createEvaluator({
    resolver: resolverFor(root, notices),
    library: (specifier) => {
      if (specifier === 'taskwright') return modules.taskwright;
      if (specifier === 'taskwright/testing' && modules.testing) return modules.testing();
      return isChecked ? lateZod : zod();
    },
    kept,
    folder: store,
    maps: true,
    // What was right once is right again, and need not be built to know it.
    ...(isChecked && { later }),
    onBuilt: builtAt,
  });
  return {
    notices,
    id: kept?.id ?? '',
    isChecked,
    isUnchanged: () => kept !== undefined && evaluator.isUnchanged(),
    load: () => evaluator.load(file),
    loaded: evaluator.loaded,
    looked: () => Object.keys(evaluator.graph().looks),
    // What is to be told is told each time: it is found out when files are looked for.
    save: () => (notices.length === 0 && prepare() ? evaluator.save(file) : undefined),
  };
}

function resolverFor(root: string, notices: string[]): Resolver {
  const resolver: Resolver = createResolver({
    mapping: once((): PathMapping => {
      try {
        return readPathMapping(root, resolver.exists);
      } catch (error) {
        notices.push(`\`paths\` of tsconfig.json are not used: ${error instanceof Error ? error.message : String(error)}`);
        return { paths: {}, baseUrl: undefined };
      }
    }),
    isLibrary: (specifier) => ['taskwright', 'taskwright/testing', 'zod', 'zod/v4'].includes(specifier),
    // Installed in the project or not, of the version that is running.
    ownFile: (specifier) =>
      /^taskwright\/tasks(?:\/|$)/.test(specifier) ? OWN_TASKS + specifier.slice('taskwright/tasks'.length) : undefined,
  });
  return resolver;
}

/**
 * zod is some hundred small modules, which Node takes longer to find and read than to run: they are kept
 * as the config is, in one file.
 */
function loadZod(stores: string, prepare: () => boolean): object {
  const here = import.meta.filename;
  const resolver = createResolver({
    mapping: () => ({ paths: {}, baseUrl: undefined }),
    isLibrary: () => false,
    ownFile: () => undefined,
    compiles: 'zod',
  });
  const target = resolver.resolve('zod', here);
  if (!('file' in target)) return createRequire(here)('zod') as object;
  const folder = storeFolder(stores, target.file);
  const kept = freshKept(folder, target.file);
  const evaluator: Evaluator = createEvaluator({ resolver, library: () => ({}), kept, folder, maps: false, isLazy: isTranslation });
  const loaded = evaluator.loadNow(target.file);
  if (prepare()) evaluator.save(target.file);
  return loaded;
}

/** Messages in fifty languages, most of zod's text, of which hardly anybody asks for one. */
const isTranslation = (file: string): boolean => /[\\/]locales[\\/](?!en\.|index\.)/.test(file);

/** Beside this file, in the source as in the package. */
const OWN_TASKS = join(import.meta.dirname, '../tasks');

function defaultExport(exported: unknown, name: string): unknown {
  const isRecord = typeof exported === 'object' && exported !== null;
  if (isRecord && 'default' in exported) return exported.default;
  // `module.exports = defineConfig(…)` of a CommonJS file.
  if (isRecord && 'tasks' in exported && !('__esModule' in exported)) return exported;
  const names = isRecord ? Object.keys(exported) : [];
  const others = names.length > 0 ? `it exports ${namesInWords(names)}` : `it exports ${isRecord ? 'nothing' : describeValue(exported)}`;
  throw new ConfigError('config-export', `\`${name}\` has no default export`, { facts: [others], hint: HOW_TO_EXPORT });
}
