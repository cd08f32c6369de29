import type { Dirent } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { FileSystem } from './util/file-system.ts';
import { statOf } from './util/file-system.ts';
import type { GitIgnore } from './util/git-ignore.ts';
import { createGitIgnore } from './util/git-ignore.ts';
import type { Glob, Positions } from './util/globs.ts';
import { ANY_NAME, advance, isMatch, matchesPath, parseGlob, startOf } from './util/globs.ts';

/** The files that patterns mean: `sources` and `generates` (R32). */
export interface FileLists {
  /**
   * Paths relative to `cwd`, with forward slashes, sorted.
   *
   * Links are followed, but not back into a folder above them. What git ignores is left out of sources
   * unless the pattern names it, or a folder above it, without a wildcard; and so are `.git`, `.tasks` and
   * `node_modules`.
   */
  of(cwd: string, patterns: readonly string[], kind: 'sources' | 'generates'): readonly string[];
  /** The folders that were looked into for patterns of sources since the beginning: where new files would show. */
  readonly folders: ReadonlySet<string>;
  /** Forget what was looked at: somebody may have changed files since. */
  forget(): void;
}

const NEVER_WALKED = new Set(['.git', '.tasks']);

/** @param isFile  answers for files that are looked at anyway; absent: the file system does */
export function createFileLists(fs: FileSystem, isFile: (path: string) => boolean = () => false): FileLists {
  let ignore: GitIgnore = createGitIgnore(fs);
  const listings = new Map<string, readonly Dirent[]>();
  const known = new Map<string, readonly string[]>();
  const folders = new Set<string>();

  function list(cwd: string, patterns: readonly string[], kind: 'sources' | 'generates'): readonly string[] {
    const globs = patterns.flatMap(parseGlob);
    const found = new Set<string>();
    for (const glob of globs) {
      if (glob.isNegated) for (const path of found) if (isTakenAway(path, glob)) found.delete(path);
      if (!glob.isNegated) collect(cwd, glob, kind, found);
    }
    return [...found].toSorted();
  }

  function collect(cwd: string, glob: Glob, kind: 'sources' | 'generates', found: Set<string>): void {
    const base = resolve(cwd, glob.base);
    if (glob.segments.length === 0 && isFile(base)) {
      found.add(nameOf(cwd, base));
      return;
    }
    const stats = statOf(fs, base);
    // Where a base that is not there would come to be.
    if (kind === 'sources' && !stats) folders.add(dirname(base));
    if (stats?.isFile() && glob.segments.length === 0) {
      found.add(nameOf(cwd, base));
      return;
    }
    if (!stats?.isDirectory()) return;
    // A folder that is named means all that lies below it.
    const segments = glob.segments.length === 0 ? (['**', ANY_NAME] as const) : glob.segments;
    const isNamed = kind === 'generates' || base.split(sep).includes('node_modules') || ignore.isIgnored(base, true);
    walk(
      base,
      startOf(segments),
      [],
      (folder, entry, positions) => {
        const path = join(folder, entry.name);
        const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && statOf(fs, path)?.isDirectory() === true);
        const next = advance(positions, entry.name, segments);
        if (next.length === 0 || (!isNamed && ignore.isIgnored(path, isFolder))) return undefined;
        if (isFolder) return NEVER_WALKED.has(entry.name) || (entry.name === 'node_modules' && !isNamed) ? undefined : next;
        if (isMatch(next, segments)) found.add(nameOf(cwd, path));
        return undefined;
      },
      kind,
    );
  }

  /** @param visit  positions with which to go into an entry; undefined: not at all */
  function walk(
    folder: string,
    positions: Positions,
    above: readonly string[],
    visit: (folder: string, entry: Dirent, positions: Positions) => Positions | undefined,
    kind: 'sources' | 'generates',
  ): void {
    if (kind === 'sources') folders.add(folder);
    for (const entry of entriesOf(folder)) {
      const next = visit(folder, entry, positions);
      if (!next) continue;
      const path = join(folder, entry.name);
      if (!entry.isSymbolicLink()) walk(path, next, above, visit, kind);
      else {
        const target = fs.realpathSync(path);
        const here = fs.realpathSync(folder);
        if (!above.includes(target) && !isWithin(here, target)) walk(path, next, [...above, target], visit, kind);
      }
    }
  }

  function entriesOf(folder: string): readonly Dirent[] {
    const seen = listings.get(folder);
    if (seen) return seen;
    let entries: readonly Dirent[] = [];
    try {
      entries = fs.readdirSync(folder, { withFileTypes: true });
    } catch {
      // Gone, or not ours to read: for us nothing is there.
    }
    listings.set(folder, entries);
    return entries;
  }

  return {
    folders,
    of(cwd, patterns, kind) {
      const key = `${kind}\0${cwd}\0${patterns.join('\0')}`;
      const files = known.get(key) ?? list(cwd, patterns, kind);
      known.set(key, files);
      return files;
    },
    forget() {
      if (known.size === 0) return;
      known.clear();
      listings.clear();
      ignore = createGitIgnore(fs);
    },
  };
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

function nameOf(cwd: string, path: string): string {
  const near = relative(cwd, path);
  return (isAbsolute(near) ? path : near).split(sep).join('/');
}

function isTakenAway(path: string, glob: Glob): boolean {
  const base = glob.base === '' ? [] : glob.base.split('/');
  const names = path.split('/');
  if (!base.every((name, index) => names[index] === name)) return false;
  return glob.segments.length === 0 || matchesPath(names.slice(base.length), glob.segments);
}
