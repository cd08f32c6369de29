import { readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Stamp, Target } from './load-graph.ts';
import { stampOf } from './load-graph.ts';
import type { PathMapping } from './tsconfig.ts';

/**
 * From what stands after `from` to a file: as TypeScript has it for local modules (no extension, `./x.js`
 * for `x.ts`, `paths`), as Node has it for packages. Each path that is looked at is remembered, those
 * that are not there included: a file that appears in a better place changes what an import means.
 */
export interface Resolver {
  /** @throws an `ERR_MODULE_NOT_FOUND` as Node's own */
  resolve(specifier: string, importer: string): Target;
  exists(path: string): boolean;
  readonly looks: Readonly<Record<string, Stamp>>;
}

export interface ResolverOptions {
  readonly mapping: () => PathMapping;
  /** What is the running instance's own: `taskwright`, `zod`. */
  readonly isLibrary: (specifier: string) => boolean;
  /** Own modules of this library that are compiled with the config, by specifier. */
  readonly ownFile: (specifier: string) => string | undefined;
  /** A package that is compiled although nothing of it is ours. */
  readonly compiles?: string;
}

/** In this order where a specifier has none of its own. */
const EXTENSIONS = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];
const COMPILED = /\.(?:[cm]?[jt]s|[jt]sx|json)$/;
const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default']);

export function createResolver({ mapping, isLibrary, ownFile, compiles }: ResolverOptions): Resolver {
  const looks: Record<string, Stamp> = {};
  const manifests = new Map<string, Manifest | undefined>();

  const look = (path: string): Stamp => (looks[path] ??= stampOf(path));
  const exists = (path: string): boolean => look(path) !== '';
  const isFile = (path: string): boolean => exists(path) && look(path) !== 'dir';

  function resolveImport(specifier: string, importer: string): Target {
    // Looked for before the first import, so that a change of it is a change of all.
    mapping();
    if (isBuiltin(specifier)) return { native: specifier.startsWith('node:') ? specifier : `node:${specifier}` };
    if (isLibrary(specifier)) {
      // Ours goes by its version; of zod it is seen when another is installed.
      if (specifier.startsWith('zod')) packageFile('zod', import.meta.filename);
      return { library: specifier };
    }
    const own = ownFile(specifier);
    const file = (own === undefined ? undefined : fileAt(own)) ?? findFile(specifier, importer);
    if (file === undefined) throw notFound(specifier, importer);
    return targetOf(file);
  }

  function findFile(specifier: string, importer: string): string | undefined {
    if (specifier.startsWith('file:')) return fileAt(fileURLToPath(specifier));
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) return fileAt(resolve(dirname(importer), specifier));
    if (isAbsolute(specifier)) return fileAt(specifier);
    return mappedFile(specifier) ?? (specifier.startsWith('#') ? ownImport(specifier, importer) : packageFile(specifier, importer));
  }

  /** Exactly it, its TypeScript twin, with an extension, or the index of a folder. */
  function fileAt(path: string): string | undefined {
    if (isFile(path)) return path;
    const twin = path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2');
    if (twin !== path && isFile(twin)) return twin;
    for (const extension of EXTENSIONS) if (isFile(path + extension)) return path + extension;
    if (look(path) !== 'dir') return undefined;
    return EXTENSIONS.map((extension) => join(path, `index${extension}`)).find(isFile);
  }

  function mappedFile(specifier: string): string | undefined {
    const { paths, baseUrl } = mapping();
    const matching = Object.keys(paths).flatMap((pattern) => {
      const star = matchStar(pattern, specifier);
      return star === undefined ? [] : [{ pattern, star }];
    });
    // The longest text before the star is the closest.
    const [closest] = matching.toSorted((a, b) => b.pattern.split('*', 1).join('').length - a.pattern.split('*', 1).join('').length);
    for (const target of closest ? (paths[closest.pattern] ?? []) : []) {
      const file = fileAt(target.replace('*', () => closest?.star ?? ''));
      if (file !== undefined) return file;
    }
    return baseUrl === undefined ? undefined : fileAt(join(baseUrl, specifier));
  }

  // ── Packages ───────────────────────────────────────────────────────────────────────────────────

  function packageFile(specifier: string, importer: string): string | undefined {
    const [, name = '', rest = ''] = specifier.match(/^(@[^/]+\/[^/]+|[^/]+)(.*)$/) ?? [];
    const subpath = `.${rest}`;
    const around = nearestManifest(importer);
    if (around?.name === name && around.exports !== undefined) return exported(around, subpath);
    for (let folder = dirname(importer); ; folder = dirname(folder)) {
      const modules = join(folder, 'node_modules');
      const manifest = manifestAt(join(modules, name));
      if (manifest) {
        for (const state of ['.package-lock.json', '.modules.yaml', '.yarn-state.yml', '.yarn-integrity']) look(join(modules, state));
        if (manifest.exports !== undefined && manifest.exports !== null) return exported(manifest, subpath);
        return subpath === '.' ? mainOf(manifest) : fileAt(join(manifest.folder, subpath));
      }
      if (dirname(folder) === folder) return undefined;
    }
  }

  function mainOf({ folder, main }: Manifest): string | undefined {
    return (typeof main === 'string' ? fileAt(join(folder, main)) : undefined) ?? fileAt(join(folder, 'index'));
  }

  function exported({ folder, exports }: Manifest, subpath: string): string | undefined {
    const isSugar = typeof exports === 'string' || Array.isArray(exports) || !Object.keys(exports ?? {}).some((key) => key.startsWith('.'));
    const path = pick(isSugar ? { '.': exports } : (exports as Tree), subpath);
    return path === undefined ? undefined : fileAt(join(folder, path));
  }

  function ownImport(specifier: string, importer: string): string | undefined {
    const around = nearestManifest(importer);
    const path = around && pick(around.imports ?? {}, specifier);
    if (path === undefined || !around) return undefined;
    return path.startsWith('.') ? fileAt(join(around.folder, path)) : packageFile(path, join(around.folder, 'package.json'));
  }

  function nearestManifest(importer: string): Manifest | undefined {
    for (let folder = dirname(importer); ; folder = dirname(folder)) {
      const manifest = manifestAt(folder);
      if (manifest || dirname(folder) === folder) return manifest;
    }
  }

  function manifestAt(folder: string): Manifest | undefined {
    if (!manifests.has(folder)) manifests.set(folder, isFile(join(folder, 'package.json')) ? readManifest(folder) : undefined);
    return manifests.get(folder);
  }

  /** What lies in `node_modules` is Node's business, unless it declares tasks: these are to be ours. */
  function targetOf(file: string): Target {
    const real = realpathSync(file);
    look(real);
    const isForeign = /[\\/]node_modules[\\/]/.test(real) && !/\.[cm]?tsx?$/.test(real);
    if (!COMPILED.test(real) || (isForeign && !isBuiltOnUs(real))) return { native: pathToFileURL(real).href };
    return { file: real };
  }

  function isBuiltOnUs(file: string): boolean {
    const { name, dependencies, peerDependencies } = packageOf(file) ?? {};
    return (
      name === 'taskwright' ||
      (compiles !== undefined && name === compiles) ||
      dependencies?.['taskwright'] !== undefined ||
      peerDependencies?.['taskwright'] !== undefined
    );
  }

  /** Packages put manifests into folders of theirs that say no more than `type`. */
  function packageOf(file: string): Manifest | undefined {
    for (let around = nearestManifest(file); around; around = nearestManifest(around.folder)) if (around.name !== undefined) return around;
    return undefined;
  }

  return { resolve: resolveImport, exists, looks };
}

interface Manifest {
  readonly folder: string;
  readonly name?: string;
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly imports?: Tree;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
type Tree = Readonly<Record<string, unknown>>;

function readManifest(folder: string): Manifest {
  // Each field is looked at before it is used, or only compared.
  return { ...(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Omit<Manifest, 'folder'>), folder };
}

/** `exports` and `imports`: an exact key, else the pattern with the longest text before its star. */
function pick(tree: Tree, subpath: string): string | undefined {
  if (Object.hasOwn(tree, subpath) && !subpath.includes('*')) return chosen(tree[subpath], '');
  const patterns = Object.keys(tree).filter((key) => key.includes('*') && matchStar(key, subpath) !== undefined);
  const [closest] = patterns.toSorted((a, b) => b.indexOf('*') - a.indexOf('*') || b.length - a.length);
  return closest === undefined ? undefined : chosen(tree[closest], matchStar(closest, subpath) ?? '');
}

function chosen(target: unknown, star: string): string | undefined {
  if (typeof target === 'string') return target.replaceAll('*', () => star);
  if (Array.isArray(target)) return target.map((one) => chosen(one, star)).find((one) => one !== undefined);
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? chosen(inner, star) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the star stands for; `''` for a pattern without one that is the same text. */
function matchStar(pattern: string, text: string): string | undefined {
  const at = pattern.indexOf('*');
  if (at === -1) return pattern === text ? '' : undefined;
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)];
  const fits = text.length >= pattern.length - 1 && text.startsWith(before) && text.endsWith(after);
  return fits ? text.slice(at, text.length - after.length) : undefined;
}

function notFound(specifier: string, importer: string): Error {
  const isPath = /^[./]|^[A-Za-z]:\\|^file:/.test(specifier);
  return Object.assign(new Error(`Cannot find ${isPath ? 'module' : 'package'} '${specifier}' imported from ${importer}`), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
}
