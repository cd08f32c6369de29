import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { FileSyntaxError } from '../load-error.ts';
import { digestOf } from '../util/digest.ts';
import { nativeImport } from '../util/native-import.ts';
import type { LoadedModule, LoadGraph, Target } from './load-graph.ts';
import { changedPaths, digestsOfYoung } from './load-graph.ts';
import type { CompiledModule } from './compile.ts';
import { HELPERS, compile } from './compile.ts';
import { LATER } from './defer.ts';
import type { Resolver } from './resolve.ts';
import { mapStacksOf, originalPlace } from './stack.ts';
import type { Kept, ModuleToKeep } from './store.ts';
import { keep, readCode } from './store.ts';

/**
 * Runs modules as Node does: each once, what it imports before it, exports as live bindings, cycles
 * allowed. What was compiled before, and has not changed, is run as it is kept.
 */
export interface EvaluatorOptions {
  readonly resolver: Resolver;
  /** What counts as the same in every importer. */
  readonly library: (specifier: string) => object | Promise<object>;
  /** Kept from an earlier load, and nothing of it has changed. */
  readonly kept: Kept | undefined;
  /** Where it is kept; undefined keeps nothing. */
  readonly folder: string | undefined;
  /** Source maps, for stack traces. */
  readonly maps: boolean;
  /** Without effects of their own, run when something of them is looked at. */
  readonly isLazy?: (file: string) => boolean;
  /** What stands for a schema of kept code that may be built later. Default: the schema, built at once. */
  readonly later?: (make: () => object, place: string) => object;
  /** Hears of each that was built at once. Places are told apart by file and offset. */
  readonly onBuilt?: (built: object, place: string) => void;
}

export interface Evaluator {
  /** The module's namespace. */
  load(file: string): Promise<object>;
  /** The same where nothing awaits at its top level, and nothing but files is imported. */
  loadNow(file: string): object;
  /** Keep what was compiled, for the next time. @returns what is kept now */
  save(entry: string): Kept | undefined;
  readonly graph: () => LoadGraph;
  /** The files that were run so far, in the order in which they began: absolute path → digest of the text that runs. */
  readonly loaded: () => ReadonlyMap<string, string>;
  /** All that was run so far had been kept. */
  isUnchanged(): boolean;
}

interface Running {
  readonly file: string;
  readonly namespace: Record<string, unknown>;
  /** What it gave as CommonJS; the same as the namespace for others. */
  readonly module: { exports: unknown };
  isOver: boolean;
  over: Promise<void>;
  waitsFor: Running | undefined;
  readonly above: readonly Running[];
}

interface Unit {
  readonly compiled: CompiledModule;
  readonly graph: { readonly digest: string; readonly imports: Record<string, Target> };
  readonly isKept: boolean;
  script?: Script;
  cached: Buffer | undefined;
}

export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { resolver, library, kept, folder, maps, isLazy = () => false } = options;
  const units = new Map<string, Unit>();
  const running = new Map<string, Running>();
  const natives = new Map<string, object>();
  /** Digests of JSON modules. */
  const data = new Map<string, string>();
  const code = kept && folder !== undefined ? readCode(folder, kept) : undefined;
  /** Something would be kept that is not. */
  let isNew = false;

  // ── What is run ────────────────────────────────────────────────────────────────────────────────

  function unitOf(file: string): Unit {
    const known = units.get(file);
    if (known) return known;
    const unit = keptUnit(file) ?? compiledUnit(file);
    units.set(file, unit);
    return unit;
  }

  function keptUnit(file: string): Unit | undefined {
    const module = kept?.modules[file];
    const graph = kept?.graph.modules[file];
    if (!code || !module || !graph) return undefined;
    const { isAsync, isEsm, imports } = module;
    return {
      compiled: { code: code.textOf(module), isAsync, isEsm, imports },
      graph: { digest: graph.digest, imports: { ...graph.imports } },
      isKept: true,
      cached: code.cachedOf(module),
    };
  }

  function compiledUnit(file: string): Unit {
    isNew = true;
    // Looked at before it is read: what changes in between is seen the next time.
    resolver.exists(file);
    const bytes = readFileSync(file);
    return {
      compiled: compile(file, bytes.toString('utf8'), { maps }),
      graph: { digest: digestOf(bytes), imports: {} },
      isKept: false,
      cached: undefined,
    };
  }

  function functionOf(file: string, unit: Unit): (...values: unknown[]) => unknown {
    if (maps) mapStacksOf(file, unit.compiled.code);
    try {
      unit.script = new Script(unit.compiled.code, { filename: file, ...(unit.cached && { cachedData: unit.cached }) });
    } catch (error) {
      throw (error instanceof SyntaxError && refusedByEngine(file, error)) || error;
    }
    if (unit.script.cachedDataRejected) unit.cached = undefined;
    // As it is before it has run: what is built later then is built by the first load, and by no other.
    if (!unit.cached && unit.compiled.code.includes(`${LATER}(`)) unit.cached = unit.script.createCachedData();
    return unit.script.runInThisContext() as (...values: unknown[]) => unknown;
  }

  function targetOf(specifier: string, importer: string): Target {
    const { imports } = unitOf(importer).graph;
    const before = imports[specifier];
    if (before) return before;
    isNew = true;
    return (imports[specifier] = specifier.startsWith(HELPERS) ? { library: specifier } : resolver.resolve(specifier, importer));
  }

  // ── Running it ─────────────────────────────────────────────────────────────────────────────────

  async function loadTarget(target: Target, above: readonly Running[]): Promise<object> {
    if ('file' in target) return loadFile(target.file, above);
    const key = keyOf(target);
    const before = natives.get(key);
    if (before) return before;
    const loaded = 'library' in target ? await libraryOf(target.library) : await nativeOf(target.native);
    natives.set(key, loaded);
    return loaded;
  }

  async function libraryOf(specifier: string): Promise<object> {
    return specifier.startsWith(HELPERS) ? helper(specifier) : library(specifier);
  }

  const loadFile = async (file: string, above: readonly Running[]): Promise<object> => (await reachFile(file, above)).namespace;

  /** Not its namespace, of which a promise would ask for an export that is called `then`. */
  async function reachFile(file: string, above: readonly Running[]): Promise<Running> {
    const before = running.get(file);
    if (before) {
      if (before.isOver) await before.over;
      // In a cycle it is seen half-made, as in any loader.
      else if (!leadsTo(before, above)) await waitFor(before, above.at(-1));
      return before;
    }
    const module = begin(file, above);
    module.over = run(module).finally(() => {
      module.isOver = true;
    });
    await waitFor(module, above.at(-1));
    return module;
  }

  function begin(file: string, above: readonly Running[]): Running {
    const namespace: Record<string, unknown> = Object.create(null, { [Symbol.toStringTag]: { value: 'Module' } });
    const module: Running = {
      file,
      namespace,
      module: { exports: {} },
      isOver: false,
      over: Promise.resolve(),
      waitsFor: undefined,
      above,
    };
    running.set(file, module);
    return module;
  }

  async function waitFor(module: Running, importer: Running | undefined): Promise<void> {
    if (importer) importer.waitsFor = module;
    try {
      await module.over;
    } finally {
      if (importer) importer.waitsFor = undefined;
    }
  }

  function leadsTo(module: Running, above: readonly Running[]): boolean {
    for (let next: Running | undefined = module; next; next = next.waitsFor) if (above.includes(next)) return true;
    return false;
  }

  async function run(module: Running): Promise<void> {
    if (module.file.endsWith('.json')) return fillJson(module, data);
    const unit = unitOf(module.file);
    const inside = [...module.above, module];
    for (const specifier of unit.compiled.imports) {
      const target = targetOf(specifier, module.file);
      if (!('file' in target)) await loadTarget(target, inside);
      else if (!isLazy(target.file)) await reachFile(target.file, inside);
      // Compiled all the same: it is to be kept.
      else if (!kept) unitOf(target.file);
    }
    const given = call(module, unit);
    if (unit.compiled.isAsync) await given;
    finish(module, unit);
  }

  /** For `require` of a local module, which cannot wait. */
  function runNow(file: string): Running {
    const before = running.get(file);
    if (before) return before;
    const module = begin(file, []);
    try {
      if (file.endsWith('.json')) fillJson(module, data);
      else {
        const unit = unitOf(file);
        if (unit.compiled.isAsync) throw new Error(`\`${file}\` awaits at its top level: it can be imported, not required`);
        for (const specifier of unit.compiled.imports) {
          const target = targetOf(specifier, file);
          if ('file' in target && isLazy(target.file)) {
            if (!kept) unitOf(target.file);
          } else if ('file' in target) runNow(target.file);
          else if (!natives.has(keyOf(target))) natives.set(keyOf(target), namespaceOf(required(target, file)));
        }
        call(module, unit);
        finish(module, unit);
      }
    } finally {
      module.isOver = true;
    }
    return module;
  }

  function call(module: Running, unit: Unit): unknown {
    const { file, namespace } = module;
    const importer = (): readonly Running[] => (module.isOver ? [] : [...module.above, module]);
    return functionOf(file, unit).call(
      unit.compiled.isEsm ? undefined : module.module.exports,
      namespace,
      (specifier: string, options?: { readonly importedNames?: readonly string[] }) =>
        imported(specifier, file, options?.importedNames ?? []),
      async (specifier: unknown) => loadDynamic(String(specifier), file, importer()),
      (from: object) => exportAll(namespace, from),
      metaOf(file),
      requireOf(file),
      module.module,
      module.module.exports,
      file,
      dirname(file),
      (make: () => object, at: number) => {
        const place = `${file}:${at}`;
        if (unit.isKept && options.later) return options.later(make, place);
        const built = make();
        options.onBuilt?.(built, place);
        return built;
      },
    );
  }

  /** A module that has neither `import` nor `export` may have spoken CommonJS. */
  function finish(module: Running, unit: Unit): void {
    const { exports } = module.module;
    const isSilent = typeof exports === 'object' && exports !== null && Object.keys(exports).length === 0;
    if (!unit.compiled.isEsm && !isSilent) exportAll(module.namespace, namespaceOf(exports), true);
    if (unit.compiled.isEsm) module.module.exports = module.namespace;
  }

  function imported(specifier: string, importer: string, names: readonly string[]): object {
    const target = targetOf(specifier, importer);
    if ('file' in target && isLazy(target.file)) return lateNamespace(target.file, names);
    const found = 'file' in target ? running.get(target.file)?.namespace : natives.get(keyOf(target));
    if (!found) throw new Error(`\`${specifier}\` was not loaded before ${importer}`);
    return 'native' in target ? withNames(found, names) : found;
  }

  function lateNamespace(file: string, names: readonly string[]): object {
    const getters = names.map((name) => [name, { enumerable: true, get: () => runNow(file).namespace[name] }]);
    return Object.defineProperties({}, Object.fromEntries(getters) as PropertyDescriptorMap);
  }

  async function loadDynamic(specifier: string, importer: string, above: readonly Running[]): Promise<object> {
    if (/^(?:data|https?):/.test(specifier)) return nativeImport(specifier);
    return loadTarget(targetOf(specifier, importer), above);
  }

  function metaOf(file: string): ImportMeta {
    const resolveFrom = (specifier: string): string => {
      const target = targetOf(specifier, file);
      return 'file' in target ? pathToFileURL(target.file).href : 'native' in target ? target.native : specifier;
    };
    // What a body looks at in it.
    return { url: pathToFileURL(file).href, filename: file, dirname: dirname(file), resolve: resolveFrom };
  }

  function requireOf(file: string): NodeJS.Require {
    const native = createRequire(file);
    const own = (specifier: string): unknown => {
      let target: Target;
      try {
        target = targetOf(specifier, file);
      } catch {
        // What only `require` can find, or Node's own words for why nothing does.
        return native(specifier);
      }
      return 'file' in target ? runNow(target.file).module.exports : required(target, file);
    };
    return Object.assign(own, { resolve: native.resolve, cache: native.cache, extensions: native.extensions, main: native.main });
  }

  function required(target: Exclude<Target, { file: string }>, importer: string): unknown {
    if ('library' in target) {
      const known = natives.get(keyOf(target)) ?? (target.library.startsWith(HELPERS) ? undefined : library(target.library));
      if (known && !(known instanceof Promise)) return known;
      throw new Error(`\`${target.library}\` can be imported, not required`);
    }
    return createRequire(importer)(target.native.startsWith('file:') ? fileURLToPath(target.native) : target.native);
  }

  // ── Keeping it ─────────────────────────────────────────────────────────────────────────────────

  function graph(): LoadGraph {
    const modules: Record<string, LoadedModule> = { ...kept?.graph.modules };
    for (const [file, unit] of units) modules[file] = unit.graph;
    // An earlier look stands: what was kept is what is run.
    const looks = { ...resolver.looks, ...kept?.graph.looks };
    return { modules, looks, young: { ...digestsOfYoung(looks, Date.now()), ...kept?.graph.young } };
  }

  /** A JSON module is read each time, and has no code that was kept. */
  function loaded(): ReadonlyMap<string, string> {
    return new Map(
      [...running.keys()].flatMap((file) => {
        const digest = units.get(file)?.graph.digest ?? data.get(file);
        return digest === undefined ? [] : [[file, digest] as const];
      }),
    );
  }

  function save(entry: string): Kept | undefined {
    if (!isNew || folder === undefined) return kept;
    const modules = new Map<string, ModuleToKeep>();
    for (const [file, module] of Object.entries(kept?.modules ?? {})) {
      const { isAsync, isEsm, imports } = module;
      if (code) modules.set(file, { code: code.textOf(module), isAsync, isEsm, imports, cached: code.cachedOf(module) });
    }
    for (const [file, unit] of units) modules.set(file, { ...unit.compiled, cached: unit.cached ?? unit.script?.createCachedData() });
    const now = graph();
    // Changed while it was loaded: what was run is not what lies there.
    if (changedPaths(now).length > 0) return undefined;
    isNew = false;
    return keep(folder, entry, now, modules);
  }

  return { load: (file) => loadFile(file, []), loadNow: (file) => runNow(file).namespace, save, graph, loaded, isUnchanged: () => !isNew };
}

const keyOf = (target: Exclude<Target, { file: string }>): string => ('library' in target ? target.library : target.native);

async function helper(specifier: string): Promise<object> {
  const helpers: Readonly<Record<string, unknown>> = { ...(await import('./helpers.ts')) };
  return { default: helpers[specifier.slice(HELPERS.length)] };
}

/** Node's own modules are had without a promise, and without a copy of all they export. */
async function nativeOf(url: string): Promise<object> {
  if (url.startsWith('node:')) return namespaceOf(createRequire(import.meta.filename)(url));
  return nativeImport(url);
}

/** As `import * as` gives it for what CommonJS exports. */
function namespaceOf(exports: unknown): object {
  const isHolder = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
  if (isHolder && ('__esModule' in exports || (exports as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Module'))
    return exports;
  return Object.create(isHolder ? exports : null, { default: { value: exports, enumerable: true } }) as object;
}

/** Node finds the names of CommonJS exports by reading its text, and not always all of them. */
function withNames(namespace: object, names: readonly string[]): object {
  const missing = names.filter((name) => !(name in namespace));
  const { default: inner } = namespace as { default?: unknown };
  if (missing.length === 0 || ((typeof inner !== 'object' || inner === null) && typeof inner !== 'function')) return namespace;
  const getters = missing.map((name) => [name, { enumerable: true, get: () => (inner as Record<string, unknown>)[name] }]);
  return Object.create(namespace, Object.fromEntries(getters) as PropertyDescriptorMap) as object;
}

function exportAll(into: object, from: object, withDefault = false): void {
  for (const key in from) {
    if ((key === 'default' && !withDefault) || key === '__esModule' || Object.hasOwn(into, key)) continue;
    Object.defineProperty(into, key, { enumerable: true, configurable: true, get: () => (from as Record<string, unknown>)[key] });
  }
}

function fillJson(module: Running, digests: Map<string, string>): void {
  const bytes = readFileSync(module.file);
  digests.set(module.file, digestOf(bytes));
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw error instanceof SyntaxError ? new SyntaxError(`${module.file}: ${error.message}`) : error;
  }
  module.module.exports = data;
  exportAll(module.namespace, namespaceOf(data), true);
}

/** What the compiler lets pass and V8 does not: its place in the file, by the map of the code. */
function refusedByEngine(file: string, error: SyntaxError): FileSyntaxError | undefined {
  const [head = '', , carets = ''] = (error.stack ?? '').split('\n');
  const place = originalPlace(file, Number(head.match(/:(\d+)$/)?.[1]), carets.indexOf('^') + 1);
  return place && new FileSyntaxError(file, error.message, place, readFileSync(file, 'utf8'));
}
