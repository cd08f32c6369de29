import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

/** One import as it stands in a file. `lazy` is `import('…')`, which loads nothing until it is reached. */
export interface Import {
  readonly kind: 'value' | 'type' | 'lazy';
  readonly specifier: string;
}

/** One import, of a file of this repository. Paths are relative to its root, with forward slashes. */
export interface FileImport extends Import {
  readonly from: string;
  /** The file it means; undefined for a package or a builtin. */
  readonly to: string | undefined;
}

/** Every import of the TypeScript files below `folder`. */
export function importsBelow(root: string, folder: string): readonly FileImport[] {
  return filesBelow(root, folder).flatMap((from) => resolvedImports(from, readFileSync(join(root, from), 'utf8')));
}

/** TypeScript files below `folder`, relative to `root`. */
export function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
}

export function resolvedImports(from: string, source: string): readonly FileImport[] {
  return importsOf(source).map((found) => ({
    ...found,
    from,
    to: found.specifier.startsWith('.') ? posix.join(dirname(from), found.specifier) : undefined,
  }));
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?'([^']+)'/gm;
const EXPRESSION = /(typeof\s+)?\bimport\(\s*'([\w@./:-]+)'/g;
// Only a comment that begins its line: `/*` within a line may be part of a glob.
const COMMENT = /^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm;

export function importsOf(source: string): readonly Import[] {
  const code = source.replaceAll(COMMENT, '');
  const statements = [...code.matchAll(STATEMENT)].map(([, type, specifier = '']): Import => ({
    kind: type ? 'type' : 'value',
    specifier,
  }));
  const expressions = [...code.matchAll(EXPRESSION)].map(([, type, specifier = '']): Import => ({
    kind: type ? 'type' : 'lazy',
    specifier,
  }));
  return [...statements, ...expressions];
}

/** The files of one import cycle, the first again at the end; undefined where there is none. */
export function cycleOf(imports: readonly FileImport[]): readonly string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) if (to !== undefined) targets.set(from, [...(targets.get(from) ?? []), to]);
  const settled = new Set<string>();

  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (settled.has(file)) return undefined;
    for (const target of targets.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle) return cycle;
    }
    settled.add(file);
    return undefined;
  };

  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}
