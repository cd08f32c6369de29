import { dirname, join, relative, sep } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { lstatOf } from './file-system.ts';
import type { Segment } from './globs.ts';
import { matchesPath, segmentsOf } from './globs.ts';

/**
 * Which files git leaves alone, by the `.gitignore` files of a repository and its `.git/info/exclude`.
 *
 * The user's own `core.excludesFile` does not count: what a task depends on must not differ by machine.
 */
export interface GitIgnore {
  /** Whether it, or a folder above it, is ignored. Outside of repositories nothing is. */
  isIgnored(path: string, isFolder: boolean): boolean;
}

interface Rule {
  readonly isNegated: boolean;
  readonly foldersOnly: boolean;
  readonly segments: readonly Segment[];
}

interface Layer {
  readonly folder: string;
  readonly rules: readonly Rule[];
  readonly above: Layer | undefined;
}

export function createGitIgnore(fs: FileSystem): GitIgnore {
  const layers = new Map<string, Layer | undefined>();
  const ignoredFolders = new Map<string, boolean>();

  /** The rules that hold for what lies in `folder`. */
  function layerOf(folder: string): Layer | undefined {
    if (layers.has(folder)) return layers.get(folder);
    const isRoot = lstatOf(fs, join(folder, '.git')) !== undefined;
    const above = isRoot || dirname(folder) === folder ? undefined : layerOf(dirname(folder));
    const layer =
      isRoot || above
        ? {
            folder,
            above,
            rules: [...(isRoot ? rulesIn(fs, join(folder, '.git', 'info', 'exclude')) : []), ...rulesIn(fs, join(folder, '.gitignore'))],
          }
        : undefined;
    layers.set(folder, layer);
    return layer;
  }

  function isFolderIgnored(folder: string): boolean {
    const known = ignoredFolders.get(folder);
    if (known !== undefined) return known;
    const isIgnored = layerOf(dirname(folder)) !== undefined && dirname(folder) !== folder && decide(folder, true);
    ignoredFolders.set(folder, isIgnored);
    return isIgnored;
  }

  function decide(path: string, isFolder: boolean): boolean {
    const parent = dirname(path);
    const innermost = layerOf(parent);
    if (!innermost) return false;
    if (isFolderIgnored(parent)) return true;
    for (let layer: Layer | undefined = innermost; layer; layer = layer.above) {
      const names = relative(layer.folder, path).split(sep);
      const rule = layer.rules.findLast((one) => (isFolder || !one.foldersOnly) && matchesPath(names, one.segments));
      if (rule) return !rule.isNegated;
    }
    return false;
  }

  return { isIgnored: decide };
}

function rulesIn(fs: FileSystem, path: string): readonly Rule[] {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return text.split(/\r?\n/).flatMap(ruleOf);
}

function ruleOf(line: string): Rule[] {
  const trimmed = line.replace(/(?<!\\) +$/, '');
  if (trimmed === '' || trimmed.startsWith('#')) return [];
  const isNegated = trimmed.startsWith('!');
  const pattern = isNegated ? trimmed.slice(1) : trimmed;
  const foldersOnly = pattern.endsWith('/');
  const path = foldersOnly ? pattern.slice(0, -1) : pattern;
  if (path === '') return [];
  // A slash in front or in the middle ties a pattern to the folder of its file.
  const parts = path.replace(/^\//, '').split('/');
  return [{ isNegated, foldersOnly, segments: segmentsOf(path.includes('/') ? parts : ['**', ...parts]) }];
}
