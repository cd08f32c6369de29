import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Jiti, TransformOptions } from 'jiti';
import type { Config } from './config.ts';
import { HOW_TO_EXPORT, checkConfig, checkDefaults } from './config.ts';
import { ConfigError } from './errors.ts';
import { namedConfig, searchConfig } from './find-config.ts';
import type { Compiled } from './load-error.ts';
import { explainLoadError, throwSyntaxError } from './load-error.ts';
import type { Registry } from './registry.ts';
import { buildRegistry } from './registry.ts';
import { describeValue } from './util/describe.ts';
import { digestOf } from './util/digest.ts';

/**
 * From a folder to a project (R4, R5): the config is found and loaded, TypeScript without a build step,
 * on every Node, with one instance of this library and of zod.
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

export interface LoadOptions {
  /** The folder the user stands in. */
  readonly cwd: string;
  /** The config, named by the user; relative to `cwd`. */
  readonly file?: string | undefined;
  /** The words of the command line: modules that none of them asks for are not imported. */
  readonly words?: readonly string[] | undefined;
  /** The search for a config ends here. */
  readonly home: string | undefined;
  /** What `import 'taskwright'` and `import 'zod'` give in config and task files: those that are running. */
  readonly modules: { readonly taskwright: object; readonly zod: object };
  /** Where compiled files are kept. Default: in `.tasks` at the root. */
  readonly cacheDir?: string | undefined;
}

/** @throws {ConfigError} one clear message for whatever is wrong with the config */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const { file, notices } =
    options.file === undefined ? searchConfig(options.cwd, options.home) : { file: namedConfig(options.cwd, options.file), notices: [] };
  const root = dirname(file);
  const name = relative(root, file);
  const loader = await createLoader(file, options);
  const explain = (error: unknown): unknown => explainLoadError(error, { file, root, lastCompiled: loader.lastCompiled });
  let exported: unknown;
  try {
    exported = await loader.load();
  } catch (error) {
    throw explain(error);
  }
  const config = checkConfig(defaultExport(exported, name), name);
  const registry = await buildRegistry(config.tasks, { words: options.words, explain });
  checkDefaults(config, registry, name);
  return {
    root,
    file,
    config,
    registry,
    notices: [...notices, ...loader.notices],
    loaded: loader.loaded,
  };
}

interface Loader {
  load(): Promise<unknown>;
  /** The file that was compiled last, and what came of it: where V8 refuses it, that is the culprit. */
  lastCompiled(): Compiled | undefined;
  readonly loaded: () => ReadonlyMap<string, string>;
  readonly notices: readonly string[];
}

async function createLoader(file: string, { modules, cacheDir }: LoadOptions): Promise<Loader> {
  const { createJiti } = await import('jiti');
  const notices: string[] = [];
  // All said, so that no JITI_* variable of the user changes what a config means.
  const common = {
    debug: false,
    rebuildFsCache: false,
    // `true` would hand out modules of an earlier load of the same files.
    moduleCache: false,
    sourceMaps: false,
    interopDefault: false,
    tryNative: false,
    nativeModules: [],
    transformModules: [],
    esmEvalTempFile: false,
    jsx: false,
    alias: { 'taskwright/tasks': OWN_TASKS, 'taskwright/testing': OWN_TESTING },
    // In a project that has its own copy, too: one instance is what makes its tasks ours.
    virtualModules: { taskwright: modules.taskwright, zod: modules.zod, 'zod/v4': modules.zod },
  };

  const plain = createJiti(file, { ...common, tsconfigPaths: false, fsCache: false });
  const kept = createJiti(file, { ...common, tsconfigPaths: false, fsCache: cacheFolder(dirname(file), cacheDir) });
  let last: Compiled | undefined;
  const loaded = new Map<string, string>();
  const transform = (options: TransformOptions): { code: string } => {
    let code: string;
    try {
      code = kept.transform(options);
    } catch {
      // A full disk, a cache that is not ours: it costs time, no more.
      code = plain.transform(options);
    }
    throwSyntaxError(code, options.source);
    loaded.set(options.filename ?? file, digestOf(options.source));
    last = { file: options.filename ?? file, code };
    return { code };
  };

  let jiti: Jiti;
  try {
    jiti = createJiti(file, { ...common, fsCache: false, transform, tsconfigPaths: true });
  } catch (error) {
    notices.push(`\`paths\` of tsconfig.json are not used: ${error instanceof Error ? error.message : String(error)}`);
    jiti = createJiti(file, { ...common, fsCache: false, transform, tsconfigPaths: false });
  }
  return {
    notices,
    lastCompiled: () => last,
    loaded: () => loaded,
    load: async () =>
      // Compiled even where Node could run it: a first try by Node would run a throwing config twice.
      jiti.evalModule(readFileSync(file, 'utf8'), { filename: file, ext: extname(file), async: true, forceTranspile: true }),
  };
}

/** Beside this file, in the source as in the package: `lib/` and `tasks/`. */
const OWN_TASKS = fileURLToPath(new URL('../tasks', import.meta.url));
const OWN_TESTING = fileURLToPath(new URL('./testing', import.meta.url));

/** Made ready to be written to, out of git's sight; `false` where that cannot be. */
function cacheFolder(root: string, given: string | undefined): string | false {
  try {
    if (given !== undefined) return made(join(given, 'jiti'));
    const state = made(join(root, '.tasks'));
    try {
      writeFileSync(join(state, '.gitignore'), '*\n', { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return made(join(state, 'cache', 'jiti'));
  } catch {
    return false;
  }
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function defaultExport(exported: unknown, name: string): unknown {
  const isRecord = typeof exported === 'object' && exported !== null;
  if (isRecord && 'default' in exported) return exported.default;
  // `module.exports = defineConfig(…)` of a CommonJS file.
  if (isRecord && 'tasks' in exported && !('__esModule' in exported)) return exported;
  const names = isRecord ? Object.keys(exported) : [];
  const others =
    names.length > 0
      ? `it exports ${names.map((key) => `\`${key}\``).join(', ')}`
      : `it exports ${isRecord ? 'nothing' : describeValue(exported)}`;
  throw new ConfigError('config-export', `\`${name}\` has no default export`, { facts: [others], hint: HOW_TO_EXPORT });
}
