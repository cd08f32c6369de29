import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, extname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileDigests } from './file-digests.ts';
import type { FileSystem } from './util/file-system.ts';
import { lstatOf, statOf } from './util/file-system.ts';

/**
 * What a file of code consists of: itself and, transitively, the local modules that it imports, workspace
 * packages and JSON included; of other packages the name and version.
 *
 * Found without running anything, from the imports as they are written. An import that cannot be told from
 * the text (`import(name)`, a name that nothing answers to) makes the graph {@link ModuleGraph.unclear}.
 */
export interface ModuleGraph {
  /** Absolute, sorted, with digests of their content; the entries included. */
  readonly files: readonly { readonly path: string; readonly digest: string }[];
  /** `name` → version, as installed where it is imported. */
  readonly packages: Readonly<Record<string, string>>;
  /** Where an import stands that cannot be told, and which. */
  readonly unclear: readonly { readonly file: string; readonly what: string }[];
}

export interface ModuleGraphs {
  /** The graph as of now, whose files are known by `FileDigests`: an unchanged one costs a stat a file. */
  of(entries: readonly string[]): Promise<ModuleGraph>;
  /** Forget what was looked at: somebody may have changed files since. */
  forget(): void;
  /** What was read from files, for the next run; the same object while nothing changed. */
  records(): ModuleRecords;
}

/** What a module imports, as long as its digest is this one and `absent` files stay absent. */
export interface ModuleRecord {
  readonly digest: string;
  readonly imports: readonly string[];
  /** `package.json` files of the packages it imports. */
  readonly packages: readonly string[];
  /** Files that would be taken instead, were they there. */
  readonly absent: readonly string[];
  readonly unclear: readonly string[];
}
export interface ModuleRecords {
  readonly modules: Readonly<Record<string, ModuleRecord>>;
  readonly packages: Readonly<Record<string, PackageRecord>>;
}
interface PackageRecord {
  readonly digest: string;
  readonly name: string;
  readonly version: string;
}

const NO_RECORDS: ModuleRecords = { modules: {}, packages: {} };
const CODE = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.tsx', '.jsx']);

export function createModuleGraphs(scope: {
  readonly fs: FileSystem;
  readonly digests: FileDigests;
  readonly known?: ModuleRecords;
  /** Modules that are handed in whatever is installed (this library, zod): name → version. */
  readonly given?: Readonly<Record<string, string>>;
}): ModuleGraphs {
  const { fs, digests, given = {} } = scope;
  let records = scope.known ?? NO_RECORDS;
  const modules = new Map(Object.entries(records.modules));
  const packages = new Map(Object.entries(records.packages));
  let isChanged = false;
  const graphs = new Map<string, Promise<ModuleGraph>>();

  async function build(entries: readonly string[]): Promise<ModuleGraph> {
    const files = new Map<string, string>();
    const versions = new Map<string, string>();
    const unclear: { file: string; what: string }[] = [];
    const open = entries.map((entry) => realPathOf(fs, entry));
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (files.has(path)) continue;
      const digest = digests.of(path);
      files.set(path, digest ?? 'absent');
      if (digest === undefined || !CODE.has(extname(path))) continue;
      const record = await recordOf(path, digest);
      open.push(...record.imports);
      unclear.push(...record.unclear.map((what) => ({ file: path, what })));
      for (const manifest of record.packages) {
        const { name, version } = packageAt(manifest);
        // Two versions of one package, each imported by another module, are both told.
        const other = versions.get(name);
        versions.set(
          name,
          other === undefined || other === version ? version : [...new Set([...other.split(' '), version])].toSorted().join(' '),
        );
      }
    }
    return {
      files: [...files].map(([path, digest]) => ({ path, digest })).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      packages: Object.fromEntries([...versions].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      unclear,
    };
  }

  async function recordOf(path: string, digest: string): Promise<ModuleRecord> {
    const known = modules.get(path);
    if (known?.digest === digest && isStillSo(known)) return known;
    const record = { digest, ...(await importsOf(path)) };
    modules.set(path, record);
    isChanged = true;
    return record;
  }

  /** Nothing that stood where an import leads has gone, nothing has come in front of it. */
  function isStillSo(record: ModuleRecord): boolean {
    return (
      record.imports.every((path) => digests.of(path) !== undefined) &&
      record.packages.every((path) => path.startsWith('given:') || digests.of(path) !== undefined) &&
      record.absent.every((path) => lstatOf(fs, path) === undefined)
    );
  }

  async function importsOf(path: string): Promise<Omit<ModuleRecord, 'digest'>> {
    const found: Resolved = { imports: [], packages: [], absent: [], unclear: [] };
    let written: Written;
    try {
      written = await writtenImports(fs.readFileSync(path, 'utf8'));
    } catch (error) {
      found.unclear.push(`cannot be read as a module: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`);
      return found;
    }
    found.unclear.push(...written.unclear);
    for (const specifier of written.specifiers) resolveInto(found, specifier, path, { fs, given });
    for (const specifier of written.perhaps) {
      const { unclear, ...clear }: Resolved = { imports: [], packages: [], absent: [], unclear: [] };
      resolveInto({ ...clear, unclear }, specifier, path, { fs, given });
      if (unclear.length === 0) for (const key of ['imports', 'packages', 'absent'] as const) found[key].push(...clear[key]);
    }
    for (const specifier of written.urls) {
      const target = resolve(dirname(path), specifier);
      if (statOf(fs, target)?.isFile()) found.imports.push(realPathOf(fs, target));
    }
    return found;
  }

  function packageAt(manifest: string): { readonly name: string; readonly version: string } {
    if (manifest.startsWith('given:')) {
      const name = manifest.slice('given:'.length);
      return { name, version: given[name] ?? '' };
    }
    const digest = digests.of(manifest) ?? 'absent';
    const known = packages.get(manifest);
    if (known?.digest === digest) return known;
    const record = { digest, ...readManifest(fs, manifest) };
    packages.set(manifest, record);
    isChanged = true;
    return record;
  }

  return {
    of(entries) {
      const key = entries.toSorted().join('\0');
      const known = graphs.get(key) ?? build(entries);
      graphs.set(key, known);
      return known;
    },
    forget: () => graphs.clear(),
    records() {
      if (isChanged) records = { modules: Object.fromEntries(modules), packages: Object.fromEntries(packages) };
      isChanged = false;
      return records;
    },
  };
}

// ── What is written ──────────────────────────────────────────────────────────────────────────────

interface Written {
  readonly specifiers: readonly string[];
  /** What `require` is given in a module, where the text may as well be that of a comment: counts where it leads somewhere. */
  readonly perhaps: readonly string[];
  /** Of `new URL('…', import.meta.url)`: files that lie beside the code. */
  readonly urls: readonly string[];
  readonly unclear: readonly string[];
}

async function writtenImports(source: string): Promise<Written> {
  const lexer = await import('es-module-lexer');
  await lexer.init;
  const [imports, , , isModule] = lexer.parse(source);
  const specifiers = new Set<string>();
  const perhaps = new Set<string>();
  const unclear: string[] = [];
  for (const { n: specifier, d: kind, ss: start, se: end } of imports) {
    // `import.meta`.
    if (kind === -2) continue;
    const text = source.slice(start, end);
    if (isTypeOnly(text) || isTypeQuery(source, start, kind)) continue;
    if (specifier === undefined || text.includes('${')) unclear.push(`\`${firstLine(text)}\``);
    else specifiers.add(specifier);
  }
  const requires = !isModule || /\bcreateRequire\b/.test(source);
  // Under another name than `require` its calls cannot be told from others.
  if (/(?<!\brequire\s*=\s*)\bcreateRequire\s*\(/.test(source)) unclear.push('`createRequire(…)` under another name than `require`');
  for (const [text, , specifier] of source.matchAll(/\brequire(?:\.resolve)?\s*\(\s*(?:(['"`])([^'"`$\n]+)\1\s*[,)])?/g)) {
    if (specifier !== undefined) (requires ? specifiers : perhaps).add(specifier);
    else if (requires) unclear.push(`\`${firstLine(text)}…\``);
  }
  const urls = [...source.matchAll(/\bnew\s+URL\(\s*(['"`])(\.[^'"`$\n]*)\1\s*,\s*import\.meta\.url\s*\)/g)].map(([, , url]) => url ?? '');
  return { specifiers: [...specifiers], perhaps: [...perhaps], urls, unclear };
}

/** `import type …`, `export type … from`; a default import may be called `type`. */
function isTypeOnly(statement: string): boolean {
  return /^(?:import|export)\s+type\s+(?:[{*]|(?!from\b)[\w$]+\s+from\b|from\s+from\b)/.test(statement);
}

/** `typeof import('…')` in a type. */
function isTypeQuery(source: string, start: number, kind: number): boolean {
  return kind >= 0 && /\btypeof\s+$/.test(source.slice(Math.max(0, start - 20), start));
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

// ── Where it leads ───────────────────────────────────────────────────────────────────────────────

interface Resolved {
  readonly imports: string[];
  readonly packages: string[];
  readonly absent: string[];
  readonly unclear: string[];
}

interface Ground {
  readonly fs: FileSystem;
  readonly given: Readonly<Record<string, string>>;
}

function resolveInto(found: Resolved, written: string, from: string, ground: Ground): void {
  const specifier = written.startsWith('file://') ? fileURLToPath(written) : (written.split('?', 1)[0] ?? written);
  if (specifier.startsWith('data:') || isBuiltin(specifier)) return;
  if (/^\.{0,2}[\\/]|^\.{1,2}$/.test(specifier) || isAbsolute(specifier)) {
    const file = fileAt(resolve(dirname(from), specifier), found, ground.fs);
    if (file === undefined) found.unclear.push(`\`${specifier}\` is not there`);
    else found.imports.push(realPathOf(ground.fs, file));
    return;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (ground.given[name] !== undefined) found.packages.push(`given:${name}`);
  else if (specifier.startsWith('#')) throughNode(found, specifier, from, ground.fs);
  else packageInto(found, specifier, name, from, ground.fs);
}

const ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.tsx', '.jsx', '.json'];
const SOURCE_OF: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
  '.jsx': ['.tsx'],
};

/** A file as loaders find it: as written, the source of a `.js`, with an ending, `index` of a folder. */
function fileAt(path: string, found: Resolved, fs: FileSystem): string | undefined {
  const ending = extname(path);
  const bare = path.slice(0, path.length - ending.length);
  const candidates = [
    path,
    ...(SOURCE_OF[ending] ?? []).map((source) => bare + source),
    ...ENDINGS.map((end) => path + end),
    ...ENDINGS.map((end) => join(path, `index${end}`)),
  ];
  for (const candidate of candidates) {
    if (statOf(fs, candidate)?.isFile()) return candidate;
    // A folder of that name is there, and stays no file.
    if (lstatOf(fs, candidate) === undefined) found.absent.push(candidate);
  }
  return undefined;
}

/** Of an installed package the version counts; of one of the workspace, a link out of `node_modules`, the code. */
function packageInto(found: Resolved, specifier: string, name: string, from: string, fs: FileSystem): void {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    const manifest = join(place, 'package.json');
    if (basename(folder) !== 'node_modules') {
      if (statOf(fs, manifest)?.isFile()) {
        const real = realPathOf(fs, place);
        if (isInstalled(real)) found.packages.push(join(real, 'package.json'));
        else workspaceInto(found, { specifier, real, from }, fs);
        return;
      }
      // A nearer copy would be taken instead. Only folders that exist may come to hold one without being seen.
      found.absent.push(statOf(fs, join(folder, 'node_modules'))?.isDirectory() ? place : join(folder, 'node_modules'));
    }
    if (dirname(folder) === folder) break;
  }
  throughNode(found, specifier, from, fs);
}

export function isInstalled(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`);
}

function workspaceInto(
  found: Resolved,
  at: { readonly specifier: string; readonly real: string; readonly from: string },
  fs: FileSystem,
): void {
  found.imports.push(join(at.real, 'package.json'));
  // Which file `exports` leads to depends on conditions that the loader knows: all of the package counts.
  const open = [at.real];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile() && (CODE.has(extname(entry.name)) || extname(entry.name) === '.json')) found.imports.push(path);
    }
  }
}

function throughNode(found: Resolved, specifier: string, from: string, fs: FileSystem): void {
  try {
    const path = realPathOf(fs, createRequire(from).resolve(specifier));
    if (!isInstalled(path)) found.imports.push(path);
    else found.unclear.push(`\`${specifier}\` leads into node_modules`);
  } catch {
    found.unclear.push(`\`${specifier}\` leads nowhere that can be told`);
  }
}

function readManifest(fs: FileSystem, path: string): { readonly name: string; readonly version: string } {
  try {
    const manifest: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
    const { name, version } = Object(manifest) as { readonly name?: unknown; readonly version?: unknown };
    return { name: typeof name === 'string' ? name : path, version: typeof version === 'string' ? version : 'unknown' };
  } catch {
    return { name: path, version: 'unreadable' };
  }
}

function realPathOf(fs: FileSystem, path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return path;
  }
}
