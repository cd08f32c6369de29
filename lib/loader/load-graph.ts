import { readFileSync, statSync } from 'node:fs';
import { digestOf } from '../util/digest.ts';

/**
 * What was loaded with a config: its modules, what each imports, and every path that was looked at on the
 * way, with how it looked. As long as all of them look the same, loading it again would run the same.
 *
 * (`module-graph.ts` tells of any file what it *could* import, without running it.)
 */
export interface LoadGraph {
  /** By absolute path: the config, and all local modules that it imports, workspace packages included. */
  readonly modules: Readonly<Record<string, LoadedModule>>;
  /** Stamps by absolute path. A path that was not there has none: `''`. */
  readonly looks: Readonly<Record<string, Stamp>>;
  /** Digests of files so young, when their stamps were taken, that a change within the same tick of the clock could not be seen. */
  readonly young: Readonly<Record<string, string>>;
}

export interface LoadedModule {
  /** Of its text. */
  readonly digest: string;
  /** By specifier, as far as they were resolved: those of `import()` when it has run. */
  readonly imports: Readonly<Record<string, Target>>;
}

/** Where an import leads. */
export type Target =
  /** A local module: compiled, and part of the graph. */
  | { readonly file: string }
  /** Node's own business: a builtin, or a file of a package. */
  | { readonly native: string }
  /** This library, or zod: the instance that is running. */
  | { readonly library: string };

/**
 * A file's times of change, size and inode, as `stat -L -c '%.9Y %.9Z %s %i'` prints them; `dir` for a folder.
 *
 * The time of the inode's change cannot be set by anyone: a checkout that restores old times is seen.
 */
export type Stamp = string;

export function stampOf(path: string): Stamp {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!info) return '';
  if (info.isDirectory()) return 'dir';
  return `${seconds(info.mtimeNs)} ${seconds(info.ctimeNs)} ${info.size} ${info.ino}`;
}

function seconds(nanoseconds: bigint): string {
  const digits = nanoseconds.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** The clock of a file system may stand still for up to two seconds. */
const TICK_MS = 2000;

/** Whether a file of that stamp may be changed again without looking different. */
export function isYoung(stamp: Stamp, nowMs: number): boolean {
  const [modified = 0, changed = 0] = stamp.split(' ', 2).map(Number);
  return stamp !== '' && stamp !== 'dir' && Math.max(modified, changed) * 1000 > nowMs - TICK_MS;
}

/** The digests that a graph of these looks has to keep. */
export function digestsOfYoung(looks: Readonly<Record<string, Stamp>>, nowMs: number): Record<string, string> {
  const young: Record<string, string> = {};
  for (const [path, stamp] of Object.entries(looks)) if (isYoung(stamp, nowMs)) young[path] = digestOfFile(path);
  return young;
}

/** Which paths look different by now. */
export function changedPaths({ looks, young }: Pick<LoadGraph, 'looks' | 'young'>): string[] {
  const changed: string[] = [];
  for (const path in looks) {
    if (stampOf(path) !== looks[path] || (young[path] !== undefined && digestOfFile(path) !== young[path])) changed.push(path);
  }
  return changed;
}

function digestOfFile(path: string): string {
  try {
    return digestOf(readFileSync(path));
  } catch {
    return '';
  }
}
