import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** What of a `tsconfig.json` changes how modules are found: `paths` and `baseUrl`, those of what it extends included. */
export interface PathMapping {
  /** Absolute patterns by pattern, each with at most one `*`. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** Bare specifiers are looked for below it. */
  readonly baseUrl: string | undefined;
}

/**
 * The nearest one, from `folder` upwards.
 *
 * @param exists  looks at a path, and remembers that it did
 * @throws when one cannot be read
 */
export function readPathMapping(folder: string, exists: (path: string) => boolean): PathMapping {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'tsconfig.json');
    if (exists(file)) return mappingOf(file, exists, []);
    if (dirname(at) === at) return { paths: {}, baseUrl: undefined };
  }
}

function mappingOf(file: string, exists: (path: string) => boolean, above: readonly string[]): PathMapping {
  if (above.includes(file)) throw new Error(`'${file}' extends itself`);
  const { extends: bases = [], compilerOptions = {} } = parseJsonc(file);
  let mapping: PathMapping = { paths: {}, baseUrl: undefined };
  for (const base of [bases].flat()) {
    const inherited = mappingOf(baseFile(base, file, exists), exists, [...above, file]);
    mapping = { paths: { ...mapping.paths, ...inherited.paths }, baseUrl: inherited.baseUrl ?? mapping.baseUrl };
  }
  const folder = dirname(file);
  const baseUrl = compilerOptions.baseUrl === undefined ? mapping.baseUrl : resolve(folder, compilerOptions.baseUrl);
  if (!compilerOptions.paths) return { ...mapping, baseUrl };
  const from = compilerOptions.baseUrl === undefined ? folder : (baseUrl ?? folder);
  const paths = Object.entries(compilerOptions.paths).map(([pattern, targets]) => [
    pattern,
    targets.map((target) => resolve(from, target)),
  ]);
  return { paths: Object.fromEntries(paths) as PathMapping['paths'], baseUrl };
}

function baseFile(base: string, file: string, exists: (path: string) => boolean): string {
  const candidates = /^\.{0,2}\//.test(base) || isAbsolute(base) ? [resolve(dirname(file), base)] : packageFiles(base, file);
  for (const candidate of candidates) {
    for (const path of [candidate, `${candidate}.json`, join(candidate, 'tsconfig.json')]) {
      if (path.endsWith('.json') && exists(path)) return path;
    }
  }
  throw new Error(`File '${base}' not found.`);
}

function packageFiles(base: string, file: string): string[] {
  const found = createRequire(file).resolve.paths(base) ?? [];
  return found.map((folder) => join(folder, base));
}

interface TsConfig {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: { readonly baseUrl?: string; readonly paths?: Readonly<Record<string, readonly string[]>> };
}

/** JSON with comments and trailing commas, neither of which counts inside a text. */
function parseJsonc(file: string): TsConfig {
  const text = readFileSync(file, 'utf8')
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_, quoted: string | undefined) => quoted ?? ' ')
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, quoted: string | undefined) => quoted ?? '');
  try {
    // Only what is there and has the right shape is used.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as TsConfig;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
